import type { OperationProblems, Operations, ProblemCode } from './operations.js';
import type { WorkChallenge } from './proof-of-work.js';
import { LatchkeyError } from './keeper.js';
import type { SessionKeeper, SessionOptions } from './keeper.js';

export type * from './operations.js';
export type {
  Channel,
  LatchkeyErrorCode,
  Locks,
  Session,
  SessionChange,
  SessionKeeper,
  SessionOptions,
  SessionStorage,
  SignInTokens,
  TokenDeliveryEvent,
} from './keeper.js';
export { isTokenDeliveryEvent, LatchkeyError, readClaims } from './keeper.js';

export interface LatchkeyOptions extends SessionOptions {
  /**
   * Which cookies requests carry. As `fetch` has it: `'include'` in cookie mode, else
   * `'same-origin'`.
   */
  credentials?: RequestCredentials;
}

/** The operations of the API, and the session that their sign-ins bring about. */
export interface Latchkey extends SessionKeeper, Operations {}

/**
 * - `UNREACHABLE`: no connection
 * - `TIMEOUT`: the API did not answer in time
 * - `UNEXPECTED_ANSWER`: something else than the API answered
 */
export type TransportCode = 'UNREACHABLE' | 'TIMEOUT' | 'UNEXPECTED_ANSWER';

export interface FieldProblem {
  /** The field's name; `body` for the input as a whole. */
  readonly field: string;
  readonly code: string;
  /** For people. */
  readonly message: string;
}

/** Why a call failed. Its `title` and `detail` are for people, its `code` for programs. */
export class LatchkeyProblem<Code extends string = ProblemCode | TransportCode> extends LatchkeyError<Code> {
  readonly title: string | undefined;
  readonly detail: string | undefined;
  /** By which the operators find the request. */
  readonly requestId: string | undefined;
  /** Attempts that this sign-in has left. */
  readonly attemptsRemaining: number | undefined;
  readonly errors: readonly FieldProblem[];
  /** A challenge. Its solution admits the same call: see `latchkey/proof-of-work`. */
  readonly challenge: WorkChallenge | undefined;
  /** The way that still works when passwords are locked. */
  readonly signInWith: string | undefined;
  /** Why a refresh token is not good. */
  readonly reason: string | undefined;
}

/** True for a problem; with an operation's name, its `code` is one of that operation's. */
export function isProblem(error: unknown): error is LatchkeyProblem;
export function isProblem<Name extends keyof OperationProblems>(
  error: unknown,
  operation: Name,
): error is LatchkeyProblem<OperationProblems[Name] | TransportCode>;

/** A client with a session of its own. */
export function createLatchkey(options?: LatchkeyOptions): Latchkey;

/**
 * Options for the functions below; without it they use the page's own origin and `sessionStorage`.
 * @throws {LatchkeyError} `CONFIGURATION` when called twice, after one of them, or on a server
 */
export function configure(options: SessionOptions): void;

export const storeSession: SessionKeeper['storeSession'];
export const loadSession: SessionKeeper['loadSession'];
export const clearSession: SessionKeeper['clearSession'];
export const getAccessToken: SessionKeeper['getAccessToken'];
export const ensureValidIdToken: SessionKeeper['ensureValidIdToken'];
export const refreshSession: SessionKeeper['refreshSession'];
export const authFetch: SessionKeeper['authFetch'];
export const onSessionChange: SessionKeeper['onSessionChange'];
export const signOut: SessionKeeper['signOut'];
export const restore: SessionKeeper['restore'];
