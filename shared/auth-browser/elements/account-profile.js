/** The account's name. */
import { field, form } from './parts.js';

export class ProfileSection {
  #account;

  constructor(account) {
    this.#account = account;
  }

  view(user) {
    const account = this.#account;
    const name = field(account.voice, 'name', { label: 'account.name', value: user.name ?? '', optional: true });
    const { node } = form(account.voice, {
      fields: [name],
      go: 'account.save',
      onSubmit: (input) =>
        account.attempt([name], async () => {
          await account.client.updateProfile({ name: input.name || null });
          account.tell(account.voice.say('account.saved'), { good: true });
        }),
    });
    return node;
  }
}
