/**
 * `<latchkey-account>`: what a signed-in person may see and change. Each section has a file of its
 * own, and stands in `SECTIONS`.
 *
 * Attributes: `api-url`, `token-delivery`. Properties: `client`, `texts`. Event:
 * `latchkey-signed-out`.
 */
import { AuthenticatorSection } from './account-authenticator.js';
import { ProfileSection } from './account-profile.js';
import { WaysOutSection } from './account-ways-out.js';
import { LatchkeyElement, define } from './base.js';
import { make, markFields } from './parts.js';

/**
 * In the order in which they stand. A section is made with the element, and `view(user)` gives its
 * node for the overview. Where it needs a step of its own, it shows one in place of the overview,
 * and comes back by `overview()`.
 */
const SECTIONS = [ProfileSection, AuthenticatorSection, WaysOutSection];

export class LatchkeyAccount extends LatchkeyElement {
  #stop = null;
  #sections = [];

  start() {
    this.#stop ??= this.client.onSessionChange(({ reason }) => {
      if (reason !== 'refreshed') this.#begin();
    });
    this.#begin();
  }

  stop() {
    this.#stop?.();
    this.#stop = null;
  }

  /** Another session is another person's: nothing that a section has learnt holds for it. */
  #begin() {
    this.#sections = SECTIONS.map((Section) => new Section(this));
    void this.overview();
  }

  /** All sections, with the profile as the API has it now; nothing where nobody is signed in. */
  async overview() {
    this.hidden = this.client.loadSession() === null;
    if (this.hidden) {
      this.stage.replaceChildren();
      return;
    }
    try {
      const user = await this.client.getProfile();
      this.show({ title: 'account.title', hint: user.email, content: this.#sections.map((section) => section.view(user)) });
    } catch (problem) {
      this.tellProblem(problem);
    }
  }

  /** Runs a section's work. What fails is told, at the fields where they are meant. */
  async attempt(fields, work) {
    this.tell('');
    try {
      await work();
    } catch (problem) {
      markFields(this.voice, fields, problem);
      this.tellProblem(problem);
    }
  }

  button(say, onclick, part = 'quiet') {
    return make('button', { type: 'button', class: part, part, onclick }, this.voice.say(say));
  }

  /** The quiet way back from a section's own step. */
  get back() {
    return { say: 'account.cancel', onclick: () => (this.tell(''), void this.overview()) };
  }
}

define('latchkey-account', LatchkeyAccount);
