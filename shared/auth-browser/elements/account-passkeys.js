/** The account's passkeys: each with its name and when it was used, and this device's to add. */
import { forget } from './device.js';
import { field, form, make, section } from './parts.js';

/** Loaded only if the section is shown. */
const loaded = () => import('./passkey-steps.js');

export class PasskeysSection {
  #account;

  constructor(account) {
    this.#account = account;
  }

  view() {
    const account = this.#account;
    const { voice } = account;
    return section(
      voice,
      'passkeys',
      'account.passkeys',
      make('p', { class: 'note' }, voice.say('account.passkeysHint')),
      account.later(async () => {
        const [{ isAvailable }, { passkeys }] = await Promise.all([loaded(), account.client.listPasskeys()]);
        return [
          passkeys.length > 0 ? make('ul', { class: 'rows', part: 'passkeys' }, ...passkeys.map((passkey) => this.#row(passkey, passkeys))) : null,
          isAvailable()
            ? make('div', { class: 'buttons' }, account.button('account.addPasskey', () => this.#add()))
            : make('p', { class: 'note' }, voice.say('problem.UNSUPPORTED')),
        ];
      }),
    );
  }

  #row(passkey, passkeys) {
    const account = this.#account;
    const { voice } = account;
    const { name, createdAt, lastUsedAt } = passkey;
    const added = voice.say('account.added', { date: voice.date(createdAt) });
    const used = lastUsedAt === undefined ? null : voice.say('account.lastUsed', { date: voice.date(lastUsedAt) });
    return make(
      'li',
      {},
      make('div', {}, make('strong', { dir: 'auto' }, name), make('p', { class: 'note' }, [used, added].filter(Boolean).join(' '))),
      make(
        'div',
        { class: 'buttons' },
        account.button('account.rename', () => this.#rename(passkey), 'quiet', { 'aria-label': voice.say('account.renameOf', { name }) }),
        account.button('account.remove', () => this.#remove(passkey, passkeys), 'quiet', { 'aria-label': voice.say('account.removeOf', { name }) }),
      ),
    );
  }

  #add() {
    const account = this.#account;
    account.prove({
      at: 'passkeys',
      purpose: 'passkey',
      title: 'account.addPasskey',
      go: 'account.addPasskey',
      change: async (proof) => {
        const { register } = await loaded();
        const { name } = await register(account.client, proof);
        await account.overview('passkeys');
        account.tell(account.voice.say('account.passkeyAdded', { name }), { good: true });
      },
    });
  }

  #rename({ passkeyId, name }) {
    const account = this.#account;
    const named = field(account.voice, 'name', { label: 'account.passkeyName', value: name });
    named.input.autocomplete = 'off';
    const { node } = form(account.voice, {
      fields: [named],
      go: 'account.save',
      onSubmit: (input) =>
        account.attempt([named], async () => {
          await account.client.renamePasskey({ passkeyId, name: input.name });
          await account.overview('passkeys');
          account.tell(account.voice.say('account.saved'), { good: true });
        }),
    });
    account.show({ title: 'account.passkeyName', content: [node], focus: named.input, ways: [account.back('passkeys')] });
  }

  #remove({ passkeyId, name }, passkeys) {
    const account = this.#account;
    account.prove({
      at: 'passkeys',
      purpose: 'passkey',
      title: 'account.removePasskey',
      hint: account.voice.say('account.removePasskeyHint', { name }),
      go: 'account.remove',
      change: async (proof) => {
        await account.client.deletePasskey({ passkeyId, ...proof });
        if (passkeys.length === 1) forget();
        await account.overview('passkeys');
        account.tell(account.voice.say('account.passkeyRemoved', { name }), { good: true });
      },
    });
  }
}
