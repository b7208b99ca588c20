/** The account's address: changed once a code has proved the new one. */
import { field, form, make, section } from './parts.js';

export class AddressSection {
  #account;

  constructor(account) {
    this.#account = account;
  }

  view() {
    const account = this.#account;
    return section(
      account.voice,
      'address',
      'account.address',
      make('div', { class: 'buttons' }, account.button('account.changeAddress', () => this.#begin())),
    );
  }

  #begin() {
    const account = this.#account;
    const email = field(account.voice, 'email', { label: 'account.newAddress' });
    email.input.autocomplete = 'email';
    account.prove({
      at: 'address',
      purpose: 'email',
      title: 'account.changeAddress',
      hint: account.voice.say('account.changeAddressHint'),
      go: 'account.changeAddress',
      fields: [email],
      change: async (proof, input) =>
        this.#confirm(await account.client.changeEmail({ email: input.email, ...proof })),
    });
  }

  #confirm({ sessionToken, delivery }) {
    const account = this.#account;
    const { voice } = account;
    const code = field(voice, 'code');
    const { node } = form(voice, {
      fields: [code],
      go: 'confirm.go',
      onSubmit: (input) =>
        account.attempt([code], async () => {
          const { email } = await account.client.verifyEmailChange({ sessionToken, code: input.code });
          // The stored session names the new address after its next refresh. After a change of
          // password it has no refresh token, and a refresh would sign the person out.
          await account.overview('address');
          account.tell(voice.say('account.addressChanged', { email }), { good: true });
        }),
    });
    account.show({
      title: 'confirm.title',
      hint: voice.say('account.addressHint', { destination: delivery.destination }),
      content: [node],
      focus: code.input,
      ways: [account.back('address')],
    });
  }
}
