/**
 * The fresh proof for a sensitive change, as one step: the password, a mailed code or a passkey,
 * and the second factor if the guest has one.
 */
import { digitsOf, field, form, isCode, isOff, make } from './parts.js';

/** After these a mailed code is useless: it was right, or has ended. */
const SPENT = new Set([
  'ALREADY_REGISTERED',
  'CANCELLED',
  'FAILED',
  'INVALID_SESSION',
  'MAX_ATTEMPTS_EXCEEDED',
  'NOT_ALLOWED',
  'OTP_EXPIRED',
  'SESSION_EXPIRED',
  'SIGN_IN_COMPLETED',
  'UNSUPPORTED',
  'WRONG_SITE',
]);

/** Loaded only if a person may use one. */
const loaded = () => import('../passkeys.js');

/** An element's knowledge of a person's proofs, as long as the same person is signed in. */
export class Proofs {
  /** Whether there is an authenticator, as far as this page knows; null until an answer says so. */
  hasAuthenticator = null;
  /** Whether there is a password; null where the API does not say it. */
  hasPassword = null;

  #element;
  #email;
  /** The mailed codes' handles, by purpose. */
  #mailed = new Map();

  /** `email` is the address of the required proof, if no person is signed in yet. */
  constructor(element, email) {
    this.#element = element;
    this.#email = email;
  }

  /**
   * Asks for a proof, and makes the change with it.
   *
   * `purpose` is the mailed code's purpose. `factor` is the operation's name for a code of the
   * authenticator. `fields` are above the proof, for the change's own input. `change` takes the
   * operation's proof, and the values of `fields`. The `ways` lead elsewhere.
   */
  ask({ purpose, factor = 'mfaCode', needsFactor = this.hasAuthenticator === true, title, hint, go, fields = [], part, change, ways }) {
    const element = this.#element;
    const { voice } = element;
    const password = field(voice, 'password', { optional: true });
    const mailed = field(voice, 'code', { label: 'proof.mailed', optional: true, as: ['proof', 'proof.code'] });
    const present = field(voice, 'presentCode', { label: 'proof.present', optional: true, as: [factor, 'backupCode'] });
    const mail = make('button', { type: 'button', part: 'quiet' }, voice.say('proof.mail'));
    const passkey = make('button', { type: 'button', part: 'quiet', hidden: true }, voice.say('passkey.use'));
    let usesPasskey = false;
    const usesMail = () => this.#mailed.has(purpose);
    // Without a password, the form itself asks for the mail first.
    const isToMail = () => this.hasPassword === false && !usesMail();
    const show = () => {
      password.node.hidden = usesMail() || isToMail();
      mailed.node.hidden = !usesMail();
      present.node.hidden = !needsFactor || (isToMail() && passkey.hidden);
      mail.hidden = isToMail();
      mail.textContent = voice.say(usesMail() ? (this.hasPassword === false ? 'code.again' : 'proof.password') : 'proof.mail');
      name(isToMail() ? 'proof.mail' : go);
    };
    const proved = [...fields, password, mailed, present];
    const attempt = (work) => element.attempt(proved, work);
    const askByMail = () =>
      attempt(async () => {
        if (usesMail() && this.hasPassword !== false) this.#mailed.delete(purpose);
        else this.#mailed.set(purpose, await this.#mail(purpose));
        show();
        (usesMail() ? mailed : password).input.focus();
        if (usesMail()) element.tell(voice.say('proof.sent'), { good: true });
      });
    mail.addEventListener('click', async () => {
      // One press, one mail.
      if (isOff(mail)) return;
      mail.setAttribute('aria-disabled', 'true');
      await askByMail();
      mail.removeAttribute('aria-disabled');
    });
    /** Makes the change with what `prove` returns; `refused` tells the person that it is wrong. */
    const changing = (input, prove, refused) =>
      attempt(async () => {
        try {
          await change({ ...(await prove()), ...secondFactor(present, factor) }, input);
          this.#mailed.delete(purpose);
        } catch (problem) {
          if (SPENT.has(problem.code)) this.#mailed.delete(purpose);
          // Only an answer says that there is an authenticator.
          if ((problem.errors ?? []).some((error) => error?.field === factor && error?.code === 'needed')) {
            this.hasAuthenticator = true;
            needsFactor = true;
          }
          show();
          if (problem.code !== 'INVALID_CREDENTIALS') throw problem;
          refused();
        }
      });
    const { node, name } = form(voice, {
      fields: proved,
      go,
      part,
      onSubmit: (input) => {
        if (usesPasskey) {
          return changing(
            input,
            () => this.#show(purpose),
            () => element.tell(voice.say('problem.REFUSED')),
          );
        }
        if (isToMail()) return askByMail();
        const [shown, text] = usesMail() ? [mailed, digitsOf(mailed.input.value)] : [password, password.input.value];
        if (text === '') {
          shown.wrong(voice.say('field.required'));
          shown.input.focus();
          return undefined;
        }
        const proof = usesMail() ? { proof: { sessionToken: this.#mailed.get(purpose), code: text } } : { password: text };
        return changing(
          input,
          () => proof,
          () => {
            shown.input.select();
            element.tell(voice.say('proof.wrong'));
          },
        );
      },
    });
    passkey.addEventListener('click', () => {
      usesPasskey = true;
      node.requestSubmit();
      usesPasskey = false;
    });
    show();
    void this.#hasPasskey().then((has) => {
      passkey.hidden = !has;
      show();
    });
    element.show({
      title,
      hint: hint ?? voice.say('proof.hint'),
      content: [node],
      focus: fields[0]?.input ?? (usesMail() ? mailed.input : isToMail() ? undefined : password.input),
      ways: [{ node: mail }, { node: passkey }, ...ways],
    });
  }

  /** Whether to offer a passkey. A sign-in that waits has no session to ask in. */
  async #hasPasskey() {
    if (this.#email !== undefined) return false;
    try {
      const { isAvailable } = await loaded();
      return isAvailable() && (await this.#element.client.listPasskeys()).passkeys.length > 0;
    } catch {
      return false;
    }
  }

  async #show(purpose) {
    const { createPasskeys } = await loaded();
    return { proof: await createPasskeys(this.#element.client).prove({ purpose }) };
  }

  async #mail(purpose) {
    const { client } = this.#element;
    // A sign-in that waits has no session to ask in.
    const sent = this.#email === undefined ? client.requestProof({ purpose }) : client.initiateOtp({ email: this.#email });
    return (await sent).sessionToken;
  }
}

/** A code of the authenticator has digits alone. */
function secondFactor({ node, input }, factor) {
  if (node.hidden || input.value.trim() === '') return {};
  const digits = digitsOf(input.value);
  return isCode(digits) ? { [factor]: digits } : { backupCode: input.value.trim() };
}
