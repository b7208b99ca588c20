/** The account's authenticator app: set up with a QR code, confirmed, its backup codes, removed. */
import { drawing, field, form, make } from './parts.js';

export class AuthenticatorSection {
  #account;

  constructor(account) {
    this.#account = account;
  }

  view() {
    const account = this.#account;
    const { voice } = account;
    const isOn = account.proofs.hasAuthenticator;
    return make(
      'section',
      { 'aria-labelledby': 'authenticator', part: 'section' },
      make('h3', { id: 'authenticator', tabindex: '-1' }, voice.say('account.authenticator')),
      make('p', { class: 'note' }, voice.say(isOn === null ? 'account.authenticatorHint' : isOn ? 'account.isOn' : 'account.isOff')),
      make(
        'div',
        { class: 'buttons' },
        isOn === true ? null : account.button('account.setUp', () => this.#setUp()),
        isOn === false ? null : account.button('account.turnOff', () => this.#turnOff()),
      ),
    );
  }

  #setUp() {
    const account = this.#account;
    account.prove({
      at: 'authenticator',
      purpose: 'authenticator',
      factor: 'code',
      title: 'account.authenticator',
      go: 'account.setUp',
      change: async (proof) => this.#turnOn(await account.client.setupMfa(proof)),
    });
  }

  #turnOff() {
    const account = this.#account;
    account.prove({
      at: 'authenticator',
      purpose: 'authenticator',
      factor: 'code',
      needsFactor: true,
      title: 'account.authenticator',
      go: 'account.turnOff',
      change: async (proof) => {
        await account.client.disableMfa(proof);
        account.proofs.hasAuthenticator = false;
        await account.overview('authenticator');
        account.tell(account.voice.say('account.isOff'), { good: true });
      },
    });
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
          account.proofs.hasAuthenticator = true;
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
      ways: [account.back('authenticator')],
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
          account.button('account.kept', () => void account.overview('authenticator'), 'primary'),
        ),
      ],
    });
  }
}
