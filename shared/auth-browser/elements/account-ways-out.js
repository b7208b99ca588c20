/** The account's ways out: here, and everywhere. */
import { make } from './parts.js';

export class WaysOutSection {
  #account;

  constructor(account) {
    this.#account = account;
  }

  view() {
    return make(
      'section',
      { part: 'section' },
      this.#account.button('account.signOut', () => this.#signOut(false)),
      this.#account.button('account.signOutEverywhere', () => this.#signOut(true)),
    );
  }

  async #signOut(everywhere) {
    const account = this.#account;
    account.tell('');
    try {
      await account.client.signOut({ everywhere });
    } catch (problem) {
      // Nothing has ended, so the account stays for another try.
      account.said.hidden = false;
      account.tellProblem(problem);
      return;
    }
    account.dispatch('latchkey-signed-out', { everywhere });
  }
}
