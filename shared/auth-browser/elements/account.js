/**
 * `<latchkey-account>`: a signed-in person's view of the account, and its changes. Each section has
 * its own file, and an entry in `SECTIONS`.
 *
 * Attributes: `api-url`, `token-delivery`, `sections` (of `profile address password passkeys
 * authenticator sessions activity data sign-out`, all when absent). Properties: `client`, `texts`.
 * Event: `latchkey-signed-out`.
 */
import { ActivitySection } from './account-activity.js';
import { AddressSection } from './account-address.js';
import { AuthenticatorSection } from './account-authenticator.js';
import { DataSection } from './account-data.js';
import { factorReset } from './account-factor-reset.js';
import { PasskeysSection } from './account-passkeys.js';
import { PasswordSection } from './account-password.js';
import { ProfileSection } from './account-profile.js';
import { SessionsSection } from './account-sessions.js';
import { ACCOUNT_TEXTS } from './account-texts.js';
import { WaysOutSection } from './account-ways-out.js';
import { LatchkeyElement, define } from './base.js';
import { make, sentence } from './parts.js';
import { Proofs } from './proof.js';
import { TEXTS } from './texts.js';

/**
 * In the order on the page, by the names in `sections`. A section is made with the element, and
 * `view(user)` returns its node for the overview. A section may show a step of its own in place of
 * the overview, and returns by `overview()`.
 */
const SECTIONS = [
  ['profile', ProfileSection],
  ['address', AddressSection],
  ['password', PasswordSection],
  ['passkeys', PasskeysSection],
  ['authenticator', AuthenticatorSection],
  ['sessions', SessionsSection],
  ['activity', ActivitySection],
  ['data', DataSection],
  ['sign-out', WaysOutSection],
];

export class LatchkeyAccount extends LatchkeyElement {
  static words = [TEXTS, ACCOUNT_TEXTS];
  static observedAttributes = ['hidden'];

  #stop = null;
  #sections = [];
  /** Counts the shown views: a late overview must not replace a newer step. */
  #shown = 0;

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

  /** A hidden element makes no requests. When it is shown, its content is new. */
  attributeChangedCallback() {
    if (!this.hidden && this.proofs !== undefined) this.#begin();
  }

  /** Another session is another person's: a section must forget what it has loaded. */
  #begin() {
    this.proofs = new Proofs(this);
    const wanted = this.getAttribute('sections')?.split(/\s+/);
    this.#sections = SECTIONS.filter(([name]) => wanted?.includes(name) ?? true).map(([, Section]) => new Section(this));
    void this.overview();
  }

  /**
   * All sections, with the API's present profile; empty without a signed-in person. The heading of
   * the section `at` takes the focus.
   */
  async overview(at) {
    const isSignedIn = this.client.loadSession() !== null;
    this.stage.hidden = !isSignedIn;
    this.said.hidden = !isSignedIn;
    if (!isSignedIn) this.stage.replaceChildren();
    if (!isSignedIn || this.hidden) return;
    const shown = (this.#shown += 1);
    try {
      const user = await this.client.getProfile();
      if (shown !== this.#shown) return;
      const sections = this.#sections.map((section) => section.view(user));
      this.show({ title: 'account.title', hint: user.email, content: [factorReset(this, user), ...sections] });
      if (at !== undefined) this.shadowRoot.getElementById(at).focus();
    } catch (problem) {
      this.tellProblem(problem);
    }
  }

  show(view) {
    this.#shown += 1;
    super.show(view);
  }

  button(say, onclick, part = 'quiet', attributes = {}) {
    return make('button', { type: 'button', class: part, part, onclick, ...attributes }, this.voice.say(say));
  }

  /** A part of the overview that needs a request. A failure is shown in its place. */
  later(load) {
    const node = make('div', { class: 'later', 'aria-busy': 'true' }, make('p', { class: 'note' }, this.voice.say('busy')));
    load()
      .then((content) => node.replaceChildren(...content.filter(Boolean)))
      .catch((problem) => node.replaceChildren(make('p', { class: 'note wrong' }, sentence(this.voice, problem))))
      .finally(() => node.removeAttribute('aria-busy'));
    return node;
  }

  /** A device as the API names it, in English: *Firefox on Windows*. */
  device(named) {
    const [, browser, system] = /^(.+) on (.+)$/.exec(named) ?? [];
    if (browser !== undefined) return this.voice.say('account.deviceOn', { browser, system });
    return named === 'unknown' ? this.voice.say('account.deviceUnknown') : named;
  }

  /** The quiet way back from a step of the section `at`. */
  back(at) {
    return { say: 'account.cancel', onclick: () => (this.tell(''), void this.overview(at)) };
  }

  /** Asks for a fresh proof in a step of the section `at`: see proof.js. */
  prove({ at, ...options }) {
    this.proofs.ask({ ...options, ways: [this.back(at)] });
  }
}

define('latchkey-account', LatchkeyAccount);
