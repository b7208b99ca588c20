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
import { LatchkeyElement, define, spent } from './base.js';
import { isOff, make } from './parts.js';
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
  /** Whose account is shown, by its name in Cognito; null without a session. */
  #person = null;
  #sections = [];
  /** Counts the shown views: a late overview must not replace a newer step. */
  #shown = 0;

  start() {
    this.#stop ??= this.client.onSessionChange((change) => {
      const person = change.session?.cognitoSub ?? null;
      // In cookie mode a sign-in in another tab is one here.
      if (change.reason === 'elsewhere' && person === null && !this.hidden) void this.search(true);
      // Another session of the same person changes nothing here.
      if (person === this.#person) return;
      this.noteEnd(change);
      this.#begin();
    });
    document.addEventListener('visibilitychange', this.#look);
    this.#begin();
    if (!this.hidden) void this.search();
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

  /** Another person's session: a section must forget what it has loaded. */
  #begin() {
    this.#person = this.client.loadSession()?.cognitoSub ?? null;
    this.unlessKept(() => {
      this.proofs = new Proofs(this);
      const wanted = this.getAttribute('sections')?.split(/\s+/);
      this.#sections = SECTIONS.filter(([name]) => wanted?.includes(name) ?? true).map(([, Section]) => new Section(this));
      this.tell('');
      void this.overview(undefined, true);
    });
  }

  /** Until the profile is there. A page that has just been loaded keeps its focus. */
  #wait() {
    const { hasShown } = this;
    this.show({ title: 'account.title', content: [make('p', { class: 'note' }, this.voice.say('busy'))] });
    this.hasShown = hasShown;
  }

  /**
   * All sections, with the API's present profile; empty without a signed-in person. The heading of
   * the section `at` takes the focus. Where `isNew`, a note stands there until the profile comes.
   */
  async overview(at, isNew = false) {
    this.#shown += 1;
    const isSignedIn = this.client.loadSession() !== null;
    this.stage.hidden = !isSignedIn;
    this.said.hidden = !isSignedIn;
    if (!isSignedIn) this.stage.replaceChildren();
    if (!isSignedIn || this.hidden) return;
    if (isNew) this.#wait();
    const shown = (this.#shown += 1);
    let user;
    try {
      user = await this.client.getProfile();
    } catch (problem) {
      if (shown === this.#shown && this.client.loadSession() !== null) this.#failed(problem, at);
      return;
    }
    if (shown !== this.#shown) return;
    // An API of before does not say these.
    this.proofs.hasAuthenticator = user.hasAuthenticator ?? this.proofs.hasAuthenticator;
    this.proofs.hasPassword = user.hasPassword ?? null;
    const sections = this.#sections.map((section) => section.view(user));
    this.show({ title: 'account.title', hint: user.email, content: [factorReset(this, user), ...sections] });
    if (at !== undefined) this.shadowRoot.getElementById(at).focus();
    const left = spent.get(this.client);
    spent.delete(this.client);
    if (left !== undefined) this.tell(this.voice.codesLeft(left), { good: true });
  }

  /** Without a profile there is another try, and the ways out. */
  #failed(problem, at) {
    const again = this.button('account.tryAgain', () => this.overview(at), 'primary');
    const out = this.#sections.find((section) => section instanceof WaysOutSection);
    this.show({ title: 'account.title', content: [this.problemNote(problem), make('div', { class: 'buttons' }, again), out?.view()] });
  }

  show(view) {
    this.#shown += 1;
    super.show(view);
  }

  /** A button works once at a time: one press, one request. */
  button(say, onclick, part = 'quiet', attributes = {}) {
    const press = async () => {
      if (isOff(button)) return;
      button.setAttribute('aria-disabled', 'true');
      try {
        await onclick();
      } finally {
        button.removeAttribute('aria-disabled');
      }
    };
    const button = make('button', { type: 'button', class: part, part, onclick: press, ...attributes }, this.voice.say(say));
    return button;
  }

  /** A part of the overview that needs a request. A failure is shown in its place, with a retry. */
  later(load) {
    const node = make('div', { class: 'later' });
    const fill = async () => {
      node.setAttribute('aria-busy', 'true');
      node.replaceChildren(make('p', { class: 'note' }, this.voice.say('busy')));
      try {
        node.replaceChildren(...(await load()).filter(Boolean));
      } catch (problem) {
        node.replaceChildren(this.problemNote(problem), make('div', { class: 'buttons' }, this.button('account.tryAgain', again)));
      }
      node.removeAttribute('aria-busy');
    };
    const again = () => {
      node.closest('section').querySelector('h3').focus();
      return fill();
    };
    void fill();
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
