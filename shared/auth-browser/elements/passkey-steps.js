/** The elements' use of passkeys. Loaded only if it is needed. */
import { PasskeyError, createPasskeys, isAutofillAvailable, isAvailable } from '../passkeys.js';
import { forget, noteOffer, remember, wasOffered } from './device.js';
import { form } from './parts.js';
import { Proofs } from './proof.js';

export { isAvailable };

/** The API waits five minutes for a passkey; a page that stays open asks again before. */
const AUTOFILL_MS = 240_000;

/** Registers a passkey of this device, and remembers its address. */
export async function register(client, proof, email = client.loadSession().email) {
  const passkey = await createPasskeys(client).register(proof);
  remember(email);
  return passkey;
}

/**
 * Asks for a proof, and registers a passkey with it: for a session, or a sign-in that waits, which
 * `during` surrounds: it may sign in.
 */
export function proveAndRegister(element, { waiting, hasAuthenticator = null, title, ways, during = (work) => work(), done }) {
  const proofs = new Proofs(element, waiting?.email);
  proofs.hasAuthenticator = hasAuthenticator;
  const change = async (proof) => {
    const more = waiting === undefined ? {} : { sessionToken: waiting.sessionToken };
    await during(() => register(element.client, { ...more, ...proof }, waiting?.email));
    done();
  };
  proofs.ask({ purpose: 'passkey', title, go: 'offer.go', change, ways });
}

/** Signs in by a passkey, and remembers that this device has one. */
export async function signIn(client, options) {
  try {
    const answer = await createPasskeys(client).signIn(options);
    remember(options.email);
    return answer;
  } catch (problem) {
    if (problem.code !== 'INVALID_CREDENTIALS') throw problem;
    // It is not on the guest's list any more.
    forget();
    throw new PasskeyError('REFUSED', 'this passkey signs nobody in', { cause: problem });
  }
}

/**
 * Lets the browser offer the passkey of an address in its input, until the signal. Null if none was
 * chosen; a choice that fails is a problem.
 */
export async function signInByAutofill(client, { email, signal, onChosen }) {
  if (!(await isAutofillAvailable())) return null;
  while (!signal.aborted) {
    const round = AbortSignal.any([signal, AbortSignal.timeout(AUTOFILL_MS)]);
    let isChosen = false;
    const chosen = () => {
      isChosen = true;
      onChosen();
    };
    try {
      return await signIn(client, { email, autofill: true, signal: round, onChosen: chosen });
    } catch (problem) {
      if (isChosen) throw problem;
      if (!round.aborted) return null;
    }
  }
  return null;
}

/**
 * Whether to offer a passkey to the guest who has just signed in: once, on a device that protects
 * one by its screen lock, to a guest without one.
 */
export async function isToBeOffered(client) {
  const { cognitoSub } = client.loadSession();
  if (wasOffered(cognitoSub) || !isAvailable()) return false;
  if (!(await globalThis.PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable())) return false;
  const { passkeys } = await client.listPasskeys();
  return passkeys.length === 0 && noteOffer(cognitoSub);
}

/**
 * Offers a passkey. The password that has just signed in is a sufficient proof; otherwise the
 * person is asked for one. `step` shows the step, and `done` continues.
 */
export function offer(element, { step, password, hasAuthenticator, done }) {
  const later = { say: 'offer.later', onclick: done };
  const withPassword = async () => {
    await register(element.client, { password });
    done();
  };
  const { node } = form(element.voice, {
    fields: [],
    go: 'offer.go',
    onSubmit: () => {
      if (password !== undefined && !hasAuthenticator) return element.attempt([], withPassword);
      return proveAndRegister(element, { hasAuthenticator, title: 'offer.title', ways: [later], done });
    },
  });
  step({ title: 'offer.title', hint: element.voice.say('offer.hint'), content: [node], ways: [later] });
}
