/**
 * Latchkey on a server: Node, the edge, Next.js. Requests share no state here.
 *
 * A server keeps the tokens of its visitors in two cookies of its own, which no script can read. It
 * may renew them only if it can answer with cookies: in middleware and route handlers. A refresh
 * whose new token is lost looks like theft to the API a minute later, so server components read,
 * and never refresh.
 */
import { createLatchkey } from './latchkey.js';
import { LatchkeyError, attempt, isRecord, own, readClaims } from './keeper.js';

const ACCESS = '__Host-latchkey-app-access';
const REFRESH = '__Host-latchkey-app-refresh';
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** As long as Cognito's refresh tokens live unless a pool says otherwise: 30 days. */
const REFRESH_SECONDS = 30 * 86_400;

/** A token this close to its end is renewed first. */
const LEEWAY_SECONDS = 60;

/** A client for one request: its session is in memory, and ends with the request. */
export function createRequestClient(options) {
  return createLatchkey({ ...options, storage: 'memory', locks: null, channel: null });
}

/** The `Set-Cookie` values that keep a sign-in's tokens. */
export function sessionCookies({ accessToken, refreshToken, expiresIn }, { refreshSeconds = REFRESH_SECONDS } = {}) {
  const cookies = [`${ACCESS}=${accessToken}; Max-Age=${expiresIn}; ${ATTRIBUTES}`];
  if (typeof refreshToken === 'string') {
    cookies.push(`${REFRESH}=${refreshToken}; Max-Age=${refreshSeconds}; ${ATTRIBUTES}`);
  }
  return cookies;
}

/** The `Set-Cookie` values that forget the tokens. */
export function clearedCookies() {
  return [ACCESS, REFRESH].map((name) => `${name}=; Max-Age=0; ${ATTRIBUTES}`);
}

/**
 * The tokens in a request's `Cookie` header; null for a missing one. Unverified, like all of a
 * client's input.
 */
export function readCookies(header) {
  const found = new Map();
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(at, 0)).trim();
    // Two cookies of one name: one was planted, and none is believed.
    found.set(name, found.has(name) ? null : pair.slice(at + 1).trim());
  }
  const token = (name) => (/^[\x21-\x7e]{1,8192}$/.test(found.get(name) ?? '') ? found.get(name) : null);
  return { accessToken: token(ACCESS), refreshToken: token(REFRESH) };
}

/**
 * For middleware and route handlers: the request's access token, renewed if due, and the cookies
 * for the answer. A token here is not verified; the API verifies it, or `createTokenVerifier` does.
 */
export async function renewCookies(header, { apiUrl, fetch: send = globalThis.fetch, now = Date.now, refreshSeconds } = {}) {
  const { accessToken, refreshToken } = readCookies(header);
  const expires = accessToken === null ? 0 : Number(readClaims(accessToken)?.exp ?? 0);
  if (expires * 1000 - now() > LEEWAY_SECONDS * 1000) return { accessToken, setCookies: [] };
  if (refreshToken === null) return { accessToken: null, setCookies: accessToken === null ? [] : clearedCookies() };

  let status = 0;
  let body = null;
  try {
    const response = await send(`${String(apiUrl).replace(/\/+$/, '')}/auth/refresh`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ refreshToken }),
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(10_000),
    });
    status = response.status;
    body = await response.json();
  } catch {
    // The API is unavailable: the present tokens stay, and the next request tries again.
  }
  const renewed = isRecord(body) ? own(body, 'accessToken') : undefined;
  if (status === 200 && typeof renewed === 'string' && readClaims(renewed) !== null) {
    return { accessToken: renewed, setCookies: sessionCookies(body, { refreshSeconds }) };
  }
  const isOver = status === 401 && own(body ?? {}, 'code') === 'INVALID_REFRESH_TOKEN';
  if (isOver) return { accessToken: null, setCookies: clearedCookies() };
  return { accessToken: expires * 1000 > now() ? accessToken : null, setCookies: [] };
}

/**
 * Checks access tokens by themselves: signature, issuer, app client, use, scope and times. It does
 * not notice sign-outs; if those must count at once, ask the API. Needs the package `jose`.
 */
export function createTokenVerifier({ issuer, clientId, scope = 'latchkey/session', jwksUri, fetch: send }) {
  const clients = [clientId].flat();
  const keysAt = new URL(jwksUri ?? `${issuer}/.well-known/jwks.json`);
  if (typeof issuer !== 'string' || clients.length === 0 || !clients.every((each) => typeof each === 'string')) {
    throw new LatchkeyError('CONFIGURATION', 'issuer and clientId are needed');
  }
  let verifier = null;

  return async function verifyAccessToken(token) {
    verifier ??= import('jose').then((jose) => {
      const keys = jose.createRemoteJWKSet(keysAt, send ? { [jose.customFetch]: send } : undefined);
      return (text) => jose.jwtVerify(text, keys, { issuer, algorithms: ['RS256'], requiredClaims: ['exp', 'sub'] });
    });
    const { payload } = await (await verifier)(token);
    const scopes = String(payload.scope ?? '').split(' ');
    if (payload.token_use !== 'access' || !clients.includes(payload.client_id) || !scopes.includes(scope)) {
      throw new LatchkeyError('INVALID_TOKENS', 'this is no access token for this API');
    }
    return payload;
  };
}

/** The token of an `Authorization: Bearer` header, or null. */
export function bearerToken(header) {
  return attempt(() => /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header)[1]);
}
