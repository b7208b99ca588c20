/** The account's password: changed, or set for the first time. */
import { field, make, section } from './parts.js';

export class PasswordSection {
  #account;

  constructor(account) {
    this.#account = account;
  }

  view({ hasPassword }) {
    const account = this.#account;
    return section(
      account.voice,
      'password',
      'label.password',
      make('div', { class: 'buttons' }, account.button(named(hasPassword), () => this.#change(hasPassword))),
    );
  }

  #change(hasPassword) {
    const account = this.#account;
    const { voice } = account;
    account.prove({
      at: 'password',
      purpose: 'password',
      title: named(hasPassword),
      hint: voice.say(hasPassword === false ? 'account.setPasswordHint' : 'account.changePasswordHint'),
      go: 'reset.go',
      fields: [field(voice, 'newPassword', { hint: voice.say('rule') })],
      change: async (proof, input) => {
        await account.client.changePassword({ newPassword: input.newPassword, ...proof });
        await account.overview('password');
        account.tell(voice.say('account.passwordChanged'), { good: true });
      },
    });
  }
}

/** An account may have no password yet. */
const named = (hasPassword) => (hasPassword === false ? 'account.setPassword' : 'account.changePassword');
