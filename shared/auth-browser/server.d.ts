import type { Latchkey, LatchkeyOptions } from './latchkey.js';

/** A client for one request: its session is in memory, and ends with the request. */
export function createRequestClient(
  options: Omit<LatchkeyOptions, 'storage' | 'locks' | 'channel'> & { apiUrl: string },
): Latchkey;

export interface CookieOptions {
  /** How long the refresh token's cookie is kept; 30 days when absent. */
  refreshSeconds?: number;
}

/** The `Set-Cookie` values that keep a sign-in's tokens. */
export function sessionCookies(
  tokens: { accessToken: string; refreshToken?: string; expiresIn: number },
  options?: CookieOptions,
): string[];

/** The `Set-Cookie` values that forget the tokens. */
export function clearedCookies(): string[];

/** The tokens in a request's `Cookie` header; null for a missing one. Unverified. */
export function readCookies(header: string | null | undefined): {
  accessToken: string | null;
  refreshToken: string | null;
};

export interface RenewOptions extends CookieOptions {
  apiUrl: string;
  fetch?: typeof globalThis.fetch;
  /** Milliseconds since 1970. */
  now?: () => number;
}

export interface Renewed {
  /** Null if no person is signed in. */
  readonly accessToken: string | null;
  /** To be sent with the answer, each as a `Set-Cookie` of its own. */
  readonly setCookies: readonly string[];
}

/** For middleware and route handlers alone: the request's access token, renewed if due. */
export function renewCookies(header: string | null | undefined, options: RenewOptions): Promise<Renewed>;

export interface TokenVerifierOptions {
  /** `https://cognito-idp.{region}.amazonaws.com/{pool}`, or as the pool's tokens say it. */
  issuer: string;
  /** The app client of the operations, or several. */
  clientId: string | readonly string[];
  /** `latchkey/session` when absent. */
  scope?: string;
  /** The issuer's `/.well-known/jwks.json` when absent. */
  jwksUri?: string;
  fetch?: typeof globalThis.fetch;
}

export interface AccessTokenClaims {
  readonly sub: string;
  readonly client_id: string;
  readonly scope: string;
  readonly exp: number;
  readonly iat: number;
  readonly [claim: string]: unknown;
}

/** Checks access tokens: rejects an invalid one. Needs the package `jose`. */
export function createTokenVerifier(options: TokenVerifierOptions): (token: string) => Promise<AccessTokenClaims>;

/** The token of an `Authorization: Bearer` header, or null. */
export function bearerToken(header: string | null | undefined): string | null;
