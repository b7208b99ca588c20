/**
 * Passkeys of a Latchkey API: registered, and used to sign in or as a fresh proof. No dependencies.
 *
 * The browser keeps the passkey and asks the person; the API answers the options and judges the
 * outcome. `createPasskeys` puts the two together.
 */
import { LatchkeyError } from './keeper.js';

/** Why there is no passkey; `code` says which. */
export class PasskeyError extends LatchkeyError {
  constructor(code, message, { cause } = {}) {
    super(code, message, { cause });
    this.name = 'PasskeyError';
  }
}

/** Whether this browser has the APIs that the functions below use. */
export function isAvailable() {
  const api = globalThis.PublicKeyCredential;
  return (
    globalThis.isSecureContext === true &&
    typeof api?.parseCreationOptionsFromJSON === 'function' &&
    typeof api?.parseRequestOptionsFromJSON === 'function'
  );
}

/** Whether passkeys can be offered in an input with `autocomplete="username webauthn"`. */
export async function isAutofillAvailable() {
  return isAvailable() && (await globalThis.PublicKeyCredential.isConditionalMediationAvailable?.()) === true;
}

/** Passkeys by way of a client that `createLatchkey` made. */
export function createPasskeys(latchkey) {
  return Object.freeze({
    isAvailable,
    isAutofillAvailable,

    /** Registers a passkey of this device. The proof is that of `setupPasskey`. */
    async register({ name, signal, ...proof }) {
      demand();
      const { sessionToken, options } = await latchkey.setupPasskey(proof, { signal });
      const publicKey = globalThis.PublicKeyCredential.parseCreationOptionsFromJSON(options);
      const credential = await asked(signal, () => navigator.credentials.create({ publicKey, signal }));
      const completed = { sessionToken, credential: credential.toJSON(), ...(name !== undefined && { name }) };
      return latchkey.verifyPasskeySetup(completed, { signal });
    },

    /**
     * Signs in by a passkey of this address. With `autofill` the browser waits until the person
     * chooses one in an input; `onChosen` is then called. A guest who has an authenticator may be
     * asked for it next, as after a code.
     */
    async signIn({ email, autofill = false, signal, onChosen }) {
      demand();
      const { sessionToken, options } = await latchkey.initiatePasskey({ email }, { signal });
      const publicKey = globalThis.PublicKeyCredential.parseRequestOptionsFromJSON(options);
      const mediation = autofill ? 'conditional' : 'optional';
      const credential = await asked(signal, () => navigator.credentials.get({ publicKey, mediation, signal }));
      onChosen?.();
      return latchkey.verifyPasskey({ sessionToken, credential: credential.toJSON() }, { signal });
    },

    /** A fresh proof by a passkey of the guest, for the operation that `purpose` names. */
    async prove({ purpose, signal }) {
      demand();
      const { sessionToken, options } = await latchkey.requestProof({ purpose, method: 'passkey' }, { signal });
      const publicKey = globalThis.PublicKeyCredential.parseRequestOptionsFromJSON(options);
      const credential = await asked(signal, () => navigator.credentials.get({ publicKey, signal }));
      return { sessionToken, credential: credential.toJSON() };
    },
  });
}

function demand() {
  if (!isAvailable()) {
    throw new PasskeyError('UNSUPPORTED', 'this browser has no passkeys here: they need HTTPS or localhost');
  }
}

/**
 * The meaning of the browser's refusals (WebAuthn Level 3, sections 5.1.3 and 5.1.4). An aborted
 * question is refused with the signal's reason, which may be of any name.
 */
async function asked(signal, ask) {
  try {
    const credential = await ask();
    if (credential !== null) return credential;
  } catch (cause) {
    const name = signal?.aborted ? 'AbortError' : cause?.name;
    const [code, message] = REFUSALS[name] ?? ['FAILED', 'the device gave no passkey'];
    throw new PasskeyError(code, message, { cause });
  }
  throw new PasskeyError('FAILED', 'the device gave no passkey');
}

const REFUSALS = {
  AbortError: ['CANCELLED', 'the page gave up the question'],
  InvalidStateError: ['ALREADY_REGISTERED', 'this device has a passkey of the account'],
  NotAllowedError: ['NOT_ALLOWED', 'the person refused, or took too long'],
  NotSupportedError: ['UNSUPPORTED', 'the device makes no passkey of this kind'],
  SecurityError: ['WRONG_SITE', 'passkeys are made for another domain name than this page has'],
};
