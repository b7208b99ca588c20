/** The account's password: changed, or set for the first time. */
import { field, make, section } from './parts.js';

export class PasswordSection {
  #account;

  constructor(account) {
    this.#account = account;
  }

  view() {
    const account = this.#account;
    return section(
      account.voice,
      'password',
      'label.password',
      make('div', { class: 'buttons' }, account.button('account.changePassword', () => this.#change())),
    );
  }

  #change() {
    const account = this.#account;
    const { voice } = account;
    account.prove({
      at: 'password',
      purpose: 'password',
      title: 'account.changePassword',
      hint: voice.say('account.changePasswordHint'),
      go: 'reset.go',
      fields: [field(voice, 'newPassword', { hint: voice.say('rule') })],
      change: async (proof, input) => {
        await account.client.changePassword({ newPassword: input.newPassword, ...proof });
        await account.overview('password');
        account.tell(voice.say('account.passwordChanged'), { good: true });
      },
    });
  }
}
