import type { Latchkey, Operations } from './latchkey.js';
import { LatchkeyError } from './keeper.js';

/**
 * - `UNSUPPORTED`: this browser, device or page has no passkeys
 * - `CANCELLED`: the page aborted the question
 * - `NOT_ALLOWED`: the person refused, or took too long; browsers do not say which
 * - `ALREADY_REGISTERED`: this device has a passkey of the account
 * - `WRONG_SITE`: passkeys are made for another domain name
 * - `FAILED`: anything else
 */
export type PasskeyErrorCode = 'UNSUPPORTED' | 'CANCELLED' | 'NOT_ALLOWED' | 'ALREADY_REGISTERED' | 'WRONG_SITE' | 'FAILED';

/** Why there is no passkey. */
export class PasskeyError extends LatchkeyError<PasskeyErrorCode> {}

/** Whether this browser has passkeys here. */
export function isAvailable(): boolean;

/** Whether passkeys can be offered in an input with `autocomplete="username webauthn"`. */
export function isAutofillAvailable(): Promise<boolean>;

type Proof = Parameters<Operations['setupPasskey']>[0];
type Registered = Awaited<ReturnType<Operations['verifyPasskeySetup']>>;
type Purpose = Parameters<Operations['requestProof']>[0]['purpose'];
type PasskeyProof = { sessionToken: string; credential: NonNullable<NonNullable<Proof['proof']>['credential']> };
type SignedIn = Awaited<ReturnType<Operations['verifyPasskey']>>;

export interface Passkeys {
  isAvailable(): boolean;
  isAutofillAvailable(): Promise<boolean>;
  /** Registers a passkey of this device, under a fresh proof. */
  register(options: Proof & { name?: string; signal?: AbortSignal }): Promise<Registered>;
  /**
   * Signs in by a passkey. With `autofill` it waits until the person chooses one in an input.
   * `onChosen` is called when the person has chosen, before the API judges it.
   */
  signIn(options: { email: string; autofill?: boolean; signal?: AbortSignal; onChosen?: () => void }): Promise<SignedIn>;
  /** A fresh proof, as the `proof` of the operation that `purpose` names. */
  prove(options: { purpose: Purpose; signal?: AbortSignal }): Promise<PasskeyProof>;
}

/** Passkeys by way of a client. */
export function createPasskeys(latchkey: Latchkey): Passkeys;
