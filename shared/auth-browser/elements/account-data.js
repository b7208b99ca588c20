/** The guest's own data: taken along, or deleted with the account. */
import { endings } from './base.js';
import { forget } from './device.js';
import { make, section } from './parts.js';

export class DataSection {
  #account;

  constructor(account) {
    this.#account = account;
  }

  view() {
    const account = this.#account;
    return section(
      account.voice,
      'data',
      'account.data',
      make(
        'div',
        { class: 'buttons' },
        account.button('account.export', () => this.#export()),
        account.button('account.delete', () => this.#delete(), 'danger'),
      ),
    );
  }

  #export() {
    const account = this.#account;
    account.prove({
      at: 'data',
      purpose: 'export',
      title: 'account.export',
      hint: account.voice.say('account.exportHint'),
      go: 'account.export',
      change: async (proof) => {
        save('account.json', await account.client.exportAccount(proof));
        await account.overview('data');
        account.tell(account.voice.say('account.exported'), { good: true });
      },
    });
  }

  #delete() {
    const account = this.#account;
    const { client, voice } = account;
    account.prove({
      at: 'data',
      purpose: 'delete',
      title: 'account.delete',
      hint: voice.say('account.deleteHint', { email: client.loadSession().email }),
      go: 'account.deleteForGood',
      part: 'danger',
      change: async (proof) => {
        await client.deleteAccount(proof);
        forget();
        endings.set(client, 'ended.deleted');
        client.clearSession();
        account.dispatch('latchkey-signed-out', { everywhere: true });
      },
    });
  }
}

/** Hands a document to the person, as a file. */
function save(name, document_) {
  const address = URL.createObjectURL(new Blob([JSON.stringify(document_, null, 2)], { type: 'application/json' }));
  const link = make('a', { href: address, download: name });
  link.click();
  // The download begins with the click, and keeps its own data.
  setTimeout(() => URL.revokeObjectURL(address));
}
