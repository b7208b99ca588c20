/** The account's authenticator app: set up with a QR code, confirmed, its backup codes, removed. */
import { digitsOf, drawing, field, form, make } from './parts.js';

export class AuthenticatorSection {
  #account;
  /** Whether there is one, as far as this page knows; null until an answer says so. */
  #isOn = null;
  /** The sign-in whose mailed code proves who is here, once one was asked for. */
  #proof = null;

  constructor(account) {
    this.#account = account;
  }

  view() {
    const account = this.#account;
    const { voice } = account;
    return make(
      'section',
      { 'aria-labelledby': 'authenticator', part: 'section' },
      make('h3', { id: 'authenticator' }, voice.say('account.authenticator')),
      make('p', { class: 'note' }, voice.say(this.#state())),
      this.#isOn === true ? null : account.button('account.setUp', () => this.#prove('setUp')),
      this.#isOn === false ? null : account.button('account.remove', () => this.#prove('remove')),
    );
  }

  #state() {
    if (this.#isOn === null) return 'account.authenticatorHint';
    return this.#isOn ? 'account.isOn' : 'account.isOff';
  }

  /**
   * A sensitive change wants a proof: the password, or a mailed code; and the authenticator where
   * there is one.
   */
  #prove(purpose) {
    const account = this.#account;
    const { voice } = account;
    const password = field(voice, 'password', { optional: true });
    const mailed = field(voice, 'code', { optional: true, as: ['proof', 'proof.code'] });
    const present = field(voice, 'presentCode', { label: 'account.presentCode', optional: true, as: ['code', 'backupCode'] });
    mailed.node.hidden = this.#proof === null;
    present.node.hidden = purpose === 'setUp' && this.#isOn !== true;
    const fields = [password, mailed, present];
    const { node } = form(voice, {
      fields,
      go: purpose === 'setUp' ? 'account.setUp' : 'account.remove',
      onSubmit: () => account.attempt(fields, () => this.#change(purpose, { password, mailed, present })),
    });
    const mail = account.button('account.mailCode', () =>
      account.attempt([], async () => {
        const { email } = account.client.loadSession();
        this.#proof = (await account.client.initiateOtp({ email })).sessionToken;
        mailed.node.hidden = false;
        mailed.input.focus();
      }),
    );
    account.show({
      title: 'account.authenticator',
      hint: voice.say('account.prove'),
      content: [node, make('div', { class: 'ways' }, mail)],
      focus: password.input,
      ways: [account.back],
    });
  }

  async #change(purpose, { password, mailed, present }) {
    const { client } = this.#account;
    const digits = ({ input }) => digitsOf(input.value);
    const isOfApp = /^\d{6,8}$/.test(digits(present));
    const input = {
      ...(password.input.value !== '' && { password: password.input.value }),
      ...(this.#proof !== null && mailed.input.value !== '' && { proof: { sessionToken: this.#proof, code: digits(mailed) } }),
      ...(present.input.value !== '' && (isOfApp ? { code: digits(present) } : { backupCode: present.input.value.trim() })),
    };
    try {
      if (purpose === 'setUp') this.#turnOn(await client.setupMfa(input));
      else await this.#remove(input);
      this.#proof = null;
    } catch (problem) {
      // Only an answer says that there is an authenticator.
      if ((problem.errors ?? []).some((error) => error?.field === 'code' && error?.code === 'needed')) {
        this.#isOn = true;
        present.node.hidden = false;
        present.input.focus();
      }
      throw problem;
    }
  }

  async #remove(input) {
    const account = this.#account;
    await account.client.disableMfa(input);
    this.#isOn = false;
    await account.overview();
    account.tell(account.voice.say('account.isOff'), { good: true });
  }

  #turnOn({ secret, qrSvg }) {
    const account = this.#account;
    const { voice } = account;
    const code = field(voice, 'code');
    const { node } = form(voice, {
      fields: [code],
      go: 'account.turnOn',
      onSubmit: (input) =>
        account.attempt([code], async () => {
          const { backupCodes } = await account.client.verifyMfaSetup({ code: input.code });
          this.#isOn = true;
          this.#backupCodes(backupCodes);
        }),
    });
    account.show({
      title: 'account.authenticator',
      hint: voice.say('account.scan'),
      content: [
        drawing(qrSvg, voice.say('account.scan')),
        make('p', {}, `${voice.say('account.key')}: `, make('code', { part: 'key' }, secret.match(/.{1,4}/g).join(' '))),
        node,
      ],
      focus: code.input,
      ways: [account.back],
    });
  }

  #backupCodes(codes) {
    const account = this.#account;
    const { voice } = account;
    const copy = async () => {
      await navigator.clipboard.writeText(codes.join('\n'));
      account.tell(voice.say('account.copied'), { good: true });
    };
    account.show({
      title: 'account.isOn',
      hint: voice.say('account.keep'),
      content: [
        make('ul', { class: 'codes', part: 'codes' }, ...codes.map((code) => make('li', {}, code))),
        make(
          'div',
          { class: 'ways' },
          account.button('account.copy', copy),
          account.button('account.kept', () => void account.overview(), 'primary'),
        ),
      ],
    });
  }
}
