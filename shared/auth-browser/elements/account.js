/**
 * `<latchkey-account>`: what a signed-in person may see and change: name, authenticator, ways out.
 *
 * Attributes: `api-url`, `token-delivery`. Properties: `client`, `texts`. Event:
 * `latchkey-signed-out`.
 */
import { LatchkeyElement, define } from './base.js';
import { drawing, field, form, make, markFields } from './parts.js';

export class LatchkeyAccount extends LatchkeyElement {
  #stop = null;
  /** Whether there is an authenticator, as far as this page knows; null until an answer says so. */
  #hasAuthenticator = null;
  #proof = null;

  start() {
    this.#stop ??= this.client.onSessionChange(({ reason }) => {
      if (reason !== 'refreshed') void this.#load();
    });
    void this.#load();
  }

  stop() {
    this.#stop?.();
    this.#stop = null;
  }

  async #load() {
    if (this.client.loadSession() === null) {
      this.stage.replaceChildren();
      this.hidden = true;
      return;
    }
    this.hidden = false;
    try {
      this.#overview(await this.client.getProfile());
    } catch (problem) {
      this.tellProblem(problem);
    }
  }

  #overview(user) {
    const { voice } = this;
    const name = field(voice, 'name', { label: 'account.name', value: user.name ?? '', optional: true });
    const profile = form(voice, {
      fields: [name],
      go: 'account.save',
      onSubmit: (input) =>
        this.#try([name], async () => {
          await this.client.updateProfile({ name: input.name || null });
          this.tell(voice.say('account.saved'), { good: true });
        }),
    });
    const authenticator = make(
      'section',
      { 'aria-labelledby': 'authenticator', part: 'section' },
      make('h3', { id: 'authenticator' }, voice.say('account.authenticator')),
      make('p', { class: 'note' }, voice.say(this.#state())),
      this.#hasAuthenticator === true ? null : this.#button('account.setUp', () => this.#prove('setUp')),
      this.#hasAuthenticator === false ? null : this.#button('account.remove', () => this.#prove('remove')),
    );
    const out = make(
      'section',
      { part: 'section' },
      this.#button('account.signOut', () => this.#signOut(false)),
      this.#button('account.signOutEverywhere', () => this.#signOut(true)),
    );
    this.show({ title: 'account.title', hint: user.email, content: [profile.node, authenticator, out] });
  }

  #button(say, onclick, part = 'quiet') {
    return make('button', { type: 'button', class: part, part, onclick }, this.voice.say(say));
  }

  #state() {
    if (this.#hasAuthenticator === null) return 'account.authenticatorHint';
    return this.#hasAuthenticator ? 'account.isOn' : 'account.isOff';
  }

  /**
   * A sensitive change wants a proof: the password, or a mailed code; and the authenticator where
   * there is one.
   */
  #prove(purpose) {
    const { voice } = this;
    const password = field(voice, 'password', { optional: true });
    const mailed = field(voice, 'code', { optional: true });
    const present = field(voice, 'code', { label: 'account.presentCode', optional: true });
    mailed.node.hidden = this.#proof === null;
    present.node.hidden = purpose === 'setUp' && this.#hasAuthenticator !== true;
    const { node } = form(voice, {
      fields: [password, mailed, present],
      go: purpose === 'setUp' ? 'account.setUp' : 'account.remove',
      onSubmit: () => this.#try([password, mailed, present], () => this.#change(purpose, { password, mailed, present })),
    });
    const mail = this.#button('account.mailCode', () =>
      this.#try([], async () => {
        const { email } = this.client.loadSession();
        this.#proof = (await this.client.initiateOtp({ email })).sessionToken;
        mailed.node.hidden = false;
        mailed.input.focus();
      }),
    );
    this.show({
      title: 'account.authenticator',
      hint: voice.say('account.prove'),
      content: [node, make('div', { class: 'ways' }, mail)],
      focus: password.input,
      ways: [{ say: 'account.cancel', onclick: () => (this.tell(''), void this.#load()) }],
    });
  }

  async #change(purpose, { password, mailed, present }) {
    const digits = (each) => each.input.value.normalize('NFKC').replace(/[^\p{L}\p{N}]/gu, '');
    const input = {
      ...(password.input.value !== '' && { password: password.input.value }),
      ...(this.#proof !== null && mailed.input.value !== '' && { proof: { sessionToken: this.#proof, code: digits(mailed) } }),
      ...(present.input.value !== '' && { code: digits(present) }),
    };
    try {
      if (purpose === 'setUp') {
        this.#turnOn(await this.client.setupMfa(input));
      } else {
        await this.client.disableMfa(input);
        this.#hasAuthenticator = false;
        await this.#load();
        this.tell(this.voice.say('account.isOff'), { good: true });
      }
      this.#proof = null;
    } catch (problem) {
      // Only an answer says that there is an authenticator.
      if ((problem.errors ?? []).some((error) => error?.field === 'code' && error?.code === 'needed')) {
        this.#hasAuthenticator = true;
        present.node.hidden = false;
        present.input.focus();
      }
      throw problem;
    }
  }

  #turnOn({ secret, qrSvg }) {
    const { voice } = this;
    const code = field(voice, 'code');
    const { node } = form(voice, {
      fields: [code],
      go: 'account.turnOn',
      onSubmit: (input) =>
        this.#try([code], async () => {
          const { backupCodes } = await this.client.verifyMfaSetup({ code: input.code });
          this.#hasAuthenticator = true;
          this.#backupCodes(backupCodes);
        }),
    });
    this.show({
      title: 'account.authenticator',
      hint: voice.say('account.scan'),
      content: [
        drawing(qrSvg, voice.say('account.scan')),
        make('p', {}, `${voice.say('account.key')}: `, make('code', { part: 'key' }, secret.match(/.{1,4}/g).join(' '))),
        node,
      ],
      focus: code.input,
      ways: [{ say: 'account.cancel', onclick: () => (this.tell(''), void this.#load()) }],
    });
  }

  #backupCodes(codes) {
    const { voice } = this;
    this.show({
      title: 'account.isOn',
      hint: voice.say('account.keep'),
      content: [
        make('ul', { class: 'codes', part: 'codes' }, ...codes.map((code) => make('li', {}, code))),
        make(
          'div',
          { class: 'ways' },
          this.#button('account.copy', async () => {
            await navigator.clipboard.writeText(codes.join('\n'));
            this.tell(voice.say('account.copied'), { good: true });
          }),
          this.#button('account.kept', () => void this.#load(), 'primary'),
        ),
      ],
    });
  }

  async #signOut(everywhere) {
    try {
      await this.client.signOut({ everywhere });
    } catch (problem) {
      this.dispatch('latchkey-signed-out', { everywhere: false });
      this.tellProblem(problem);
      return;
    }
    this.dispatch('latchkey-signed-out', { everywhere });
  }

  async #try(fields, work) {
    this.tell('');
    try {
      await work();
    } catch (problem) {
      markFields(this.voice, fields, problem);
      this.tellProblem(problem);
    }
  }
}

define('latchkey-account', LatchkeyAccount);
