/** An agent's stream event after it signed a guest in (`verify_cognito_otp`'s result). */
export interface TokenDeliveryEvent {
  event_type: 'auth_tokens';
  success: true;
  id_token: string;
  access_token: string;
  refresh_token: string;
  /** Seconds that the access token lives. */
  expires_in: number;
  guest_id: string;
  email: string;
  cognito_sub: string;
}

/** The answer of a complete sign-in, as JSON. */
export interface SignInTokens {
  accessToken: string;
  idToken: string;
  /** Absent in cookie mode. */
  refreshToken?: string;
  tokenType: 'Bearer';
  /** Seconds that the access token lives. */
  expiresIn: number;
  user: { guestId: string; email: string; cognitoSub: string };
}

export interface Session {
  readonly version: 1;
  readonly guestId: string;
  readonly email: string;
  readonly cognitoSub: string;
  readonly accessToken: string;
  readonly idToken: string;
  /** Null in cookie mode: the browser keeps it in a cookie that scripts cannot read. */
  readonly refreshToken: string | null;
  /** Milliseconds since 1970 on this browser's clock, as are the two below. */
  readonly receivedAt: number;
  readonly accessExpiresAt: number;
  readonly idExpiresAt: number;
  /** By which copies of this session in duplicated tabs know each other. Not for the API. */
  readonly tabKey: string | null;
}

export interface SessionChange {
  /**
   * - `stored`: a sign-in was stored
   * - `refreshed`: the tokens of the same session were renewed, here or in another tab
   * - `cleared`: `clearSession` was called
   * - `refused`: the API ended the session; ask the person to sign in again
   * - `elsewhere`: another tab changed it, or did so while this page was frozen. In cookie mode a
   *   null session may mean a sign-in there: `restore` finds it
   */
  readonly reason: 'stored' | 'refreshed' | 'cleared' | 'refused' | 'elsewhere';
  readonly session: Session | null;
}

/**
 * - `NO_SESSION`: no person is signed in
 * - `INVALID_TOKENS`: `storeSession` got something other than a sign-in's tokens
 * - `REFRESH_REFUSED`: the session has ended and is cleared, or is another person's by now
 * - `REFRESH_FAILED`: no connection, or the API is unavailable; the session is kept, try again
 *   (after `retryAfterSeconds`)
 * - `SIGN_OUT_FAILED`: the API may not have ended the session, which is kept; try again (after
 *   `retryAfterSeconds`), or forget it here with `clearSession`
 * - `FOREIGN_ADDRESS`: `authFetch` was asked to send the token to another server than the API
 * - `CONFIGURATION`: the options are invalid, or came too late
 */
export type LatchkeyErrorCode =
  | 'NO_SESSION'
  | 'INVALID_TOKENS'
  | 'REFRESH_REFUSED'
  | 'REFRESH_FAILED'
  | 'SIGN_OUT_FAILED'
  | 'FOREIGN_ADDRESS'
  | 'CONFIGURATION';

export class LatchkeyError<Code extends string = LatchkeyErrorCode> extends Error {
  protected constructor();
  readonly code: Code;
  /** The HTTP status of the API's answer, if there was one. */
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;
}

export interface SessionStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The part of `navigator.locks` that is used. */
export interface Locks {
  request<T>(name: string, options: { signal: AbortSignal }, work: () => T | PromiseLike<T>): Promise<T>;
}

/** The part of a `BroadcastChannel` that is used. */
export interface Channel {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
}

export interface SessionOptions {
  /**
   * The API's URL, with its path if it has one (`https://example.com/api`). https, or http on
   * loopback. The page's own origin when absent.
   */
  apiUrl?: string;
  /**
   * The delivery of refresh tokens. `'cookie'` keeps them from every script, if page and API share
   * a site; sign-ins of the client then ask for it. `'body'` when absent.
   */
  tokenDelivery?: 'body' | 'cookie';
  /** `'session'` when absent. The head of keeper.js weighs the three. */
  storage?: 'session' | 'local' | 'memory' | SessionStorage;
  /** `latchkey.session` when absent. */
  storageKey?: string;
  /**
   * How long before its end a token is renewed; one minute when absent, never more than half of its
   * life.
   */
  leewayMs?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
  fetch?: (input: string | Request, init?: RequestInit) => Promise<Response>;
  /** Null to refresh without asking other tabs. */
  locks?: Locks | null;
  /** Null: sends nothing to other tabs, and receives nothing from them. */
  channel?: Channel | null;
}

/** Keeps one session. */
export interface SessionKeeper {
  /**
   * Stores the session of an agent's event or of a sign-in's answer. Tokens that are stored already
   * or older than the stored ones of the same guest change nothing: the stored session is returned.
   * @throws {LatchkeyError} `INVALID_TOKENS`; the previous session stays
   */
  storeSession(delivered: TokenDeliveryEvent | SignInTokens): Session;
  /**
   * The session, expired or not. The stored text is checked; invalid text is removed, and reads as
   * null.
   */
  loadSession(): Session | null;
  /**
   * Forgets the session in this browser, and ends nothing at the API: `signOut` does. In cookie
   * mode the cookie stays, so the next load finds the session again.
   */
  clearSession(): void;
  /**
   * An access token that lives beyond the leeway, renewed if need be. While the API cannot be
   * reached, one that has at least not ended. @throws {LatchkeyError} (as a rejection)
   * `NO_SESSION`, `REFRESH_REFUSED`, `REFRESH_FAILED`
   */
  getAccessToken(): Promise<string>;
  /** The same for the id token. Simultaneous callers share one refresh. */
  ensureValidIdToken(): Promise<string>;
  /**
   * Renews the tokens now, due or not. Joins a refresh that already runs, in this tab or another.
   */
  refreshSession(): Promise<Session>;
  /**
   * `fetch` with the access token. Paths (`/me`) are relative to the API's URL; an address outside
   * it is refused before a request is made, and redirects fail. If the API refuses the token, it is
   * renewed and the request sent once more, unless its body is a stream, or another person has
   * signed in meanwhile. In cookie mode with an API
   * on another origin, give `credentials: 'include'` for logout. @throws {LatchkeyError} (as a
   * rejection) `FOREIGN_ADDRESS`, and the errors of `getAccessToken`
   */
  authFetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /**
   * Ends the session at the API and then here; `everywhere` ends the guest's sessions on all
   * devices. Resolves too if the session has ended already, or there is none. @throws
   * {LatchkeyError} (as a rejection) `SIGN_OUT_FAILED`: the person is still signed in, here and
   * perhaps at the API; say so
   */
  signOut(options?: { everywhere?: boolean }): Promise<void>;
  /**
   * The present session. In cookie mode it asks the API, so that a new tab finds it; null if the
   * API says that there is none. @throws {LatchkeyError} (as a rejection) `REFRESH_FAILED`: the API
   * gave no clear answer, so a person may be signed in; try again (after `retryAfterSeconds`)
   */
  restore(): Promise<Session | null>;
  /** Milliseconds since 1970, on the session's clock. */
  now(): number;
  /** Calls back after each change, until the returned function is called. */
  onSessionChange(listener: (change: SessionChange) => void): () => void;
}

/**
 * True exactly for an event that `storeSession` accepts. Never throws. Does not prove its sender.
 */
export function isTokenDeliveryEvent(value: unknown): value is TokenDeliveryEvent;

/** A JWT's claims, unverified, or null when it is not one: for display and timing only. */
export function readClaims(token: unknown): Record<string, unknown> | null;

/** A session keeper of its own, without the operations. */
export function createSession(options?: SessionOptions): SessionKeeper;
