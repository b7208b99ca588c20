/** The account's authenticator app: set up with a QR code, confirmed, its backup codes, removed. */
import { keepBackupCodes, scanSecret } from './authenticator-steps.js';
import { make, section } from './parts.js';
import { FEW_CODES } from './texts.js';

export class AuthenticatorSection {
  #account;

  constructor(account) {
    this.#account = account;
  }

  view({ backupCodesLeft }) {
    const account = this.#account;
    const { voice } = account;
    const isOn = account.proofs.hasAuthenticator;
    return section(
      voice,
      'authenticator',
      'authenticator.title',
      make('p', { class: 'note' }, voice.say(isOn === null ? 'account.authenticatorHint' : isOn ? 'authenticator.isOn' : 'account.isOff')),
      isOn && backupCodesLeft !== undefined
        ? make('p', { class: backupCodesLeft > FEW_CODES ? 'note' : 'note wrong' }, voice.codesLeft(backupCodesLeft))
        : null,
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
      title: 'authenticator.title',
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
      title: 'authenticator.title',
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
    const turnOn = (code, shown) =>
      account.attempt([shown], async () => {
        const { backupCodes } = await account.client.verifyMfaSetup({ code });
        account.proofs.hasAuthenticator = true;
        keepBackupCodes(account, { codes: backupCodes, done: () => void account.overview('authenticator') });
      });
    scanSecret(account, { secret, qrSvg, turnOn, ways: [account.back('authenticator')] });
  }
}
