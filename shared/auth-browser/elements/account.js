/**
 * `<latchkey-account>`: what a signed-in person may see and change. Each section has a file of its
 * own, and stands in `SECTIONS`.
 *
 * Attributes: `api-url`, `token-delivery`. Properties: `client`, `texts`. Event:
 * `latchkey-signed-out`.
 */
import { AuthenticatorSection } from './account-authenticator.js';
import { ProfileSection } from './account-profile.js';
import { SessionsSection } from './account-sessions.js';
import { ACCOUNT_TEXTS } from './account-texts.js';
import { WaysOutSection } from './account-ways-out.js';
import { LatchkeyElement, define } from './base.js';
import { make, markFields, sentence } from './parts.js';
import { TEXTS } from './texts.js';

/**
 * In the order in which they stand. A section is made with the element, and `view(user)` gives its
 * node for the overview. Where it needs a step of its own, it shows one in place of the overview,
 * and comes back by `overview()`.
 */
const SECTIONS = [ProfileSection, AuthenticatorSection, SessionsSection, WaysOutSection];

export class LatchkeyAccount extends LatchkeyElement {
  static words = [TEXTS, ACCOUNT_TEXTS];

  #stop = null;
  #sections = [];

  start() {
    this.#stop ??= this.client.onSessionChange(({ reason }) => {
      if (reason !== 'refreshed') this.#begin();
    });
    document.addEventListener('visibilitychange', this.#look);
    this.#begin();
  }

  stop() {
    this.#stop?.();
    this.#stop = null;
    document.removeEventListener('visibilitychange', this.#look);
  }

  /**
   * The session may have been ended elsewhere while the page was out of sight. The client finds
   * out with any request, and tells everyone.
   */
  #look = () => {
    if (document.hidden || this.client.loadSession() === null) return;
    this.client.getProfile().catch(() => {});
  };

  /** Another session is another person's: nothing that a section has learnt holds for it. */
  #begin() {
    this.#sections = SECTIONS.map((Section) => new Section(this));
    void this.overview();
  }

  /**
   * All sections, with the profile as the API has it now; nothing where nobody is signed in. The
   * heading of the section `at` takes the focus.
   */
  async overview(at) {
    this.hidden = this.client.loadSession() === null;
    if (this.hidden) {
      this.stage.replaceChildren();
      return;
    }
    try {
      const user = await this.client.getProfile();
      this.show({ title: 'account.title', hint: user.email, content: this.#sections.map((section) => section.view(user)) });
      if (at !== undefined) this.shadowRoot.getElementById(at).focus();
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

  button(say, onclick, part = 'quiet', attributes = {}) {
    return make('button', { type: 'button', class: part, part, onclick, ...attributes }, this.voice.say(say));
  }

  /** A part of the overview that has to be asked for. What fails is told in its place. */
  later(load) {
    const node = make('div', { class: 'later', 'aria-busy': 'true' }, make('p', { class: 'note' }, this.voice.say('busy')));
    load()
      .then((content) => node.replaceChildren(...content.filter(Boolean)))
      .catch((problem) => node.replaceChildren(make('p', { class: 'note wrong' }, sentence(this.voice, problem))))
      .finally(() => node.removeAttribute('aria-busy'));
    return node;
  }

  /** The quiet way back from a section's own step. */
  get back() {
    return { say: 'account.cancel', onclick: () => (this.tell(''), void this.overview()) };
  }
}

define('latchkey-account', LatchkeyAccount);
