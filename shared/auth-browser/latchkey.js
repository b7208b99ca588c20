/**
 * Keeps a guest's Latchkey session in a browser: takes the tokens, renews them before they end, and sends
 * the access token to the API and to nobody else. No dependencies; works in any browser with ES2022.
 *
 * Whatever comes from outside (events, answers, what storage holds) is untrusted until it has been parsed here: only
 * own data properties are read, every field is checked, and what does not fit is refused as a whole. Nothing is
 * evaluated, and nothing touches the document. Signatures are not checked: that is the API's work on each request, and
 * a forged token gets nothing from it. It follows that `storeSession` belongs to messages from your own agent or API,
 * never to `postMessage` or the address bar, where a stranger could sign the person in as somebody else.
 *
 * ## Where the session is kept
 * Any script that runs on the page can use the session wherever it is kept, so the choice is about how long a session
 * lies around and who else finds it:
 * - `'session'` (the default): `sessionStorage`. Survives a reload, ends with the tab, unseen by other tabs.
 * - `'local'`: `localStorage`. Shared by all tabs and kept after the browser closes: for people who expect to stay
 *   signed in on a device of their own.
 * - `'memory'`: this page only. Least to steal, and a reload signs out.
 *
 * In cookie mode (`"tokenDelivery":"cookie"` at sign-in) the refresh token never reaches a script at all; prefer it
 * wherever page and API share a site.
 */

/** Under this key in the storage, unless the options say otherwise. */
const STORAGE_KEY = 'latchkey.session';

/** A token this close to its end is renewed first: covers a slow request and a clock that runs a little late. */
const LEEWAY_MS = 60_000;

/** Longer than the API's slowest answer to a refresh; a lost connection must not hold the other tabs' lock for ever. */
const REFRESH_TIMEOUT_MS = 10_000;

/** Cognito's longest life for an id or access token is one day. */
const MAX_LIFETIME_SECONDS = 86_400;

/** Cognito's tokens have 1 to 4 KB; API Gateway takes 10 KB of request line and headers together. */
const MAX_TOKEN_LENGTH = 8_192;

/** A token answer is three tokens and a user. */
const MAX_ANSWER_LENGTH = 65_536;

/** RFC 7519 in the compact serialization of RFC 7515: three base64url parts. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
/** Opaque to a client (RFC 6749 §1.5); anything that fits in a header (VSCHAR of its appendix A). */
const REFRESH_TOKEN = /^[\x21-\x7e]+$/;
/** Year and six characters of Crockford base32. */
const GUEST_ID = /^GST-\d{4}-[0-9A-HJKMNP-TV-Z]{6}$/;
const EMAIL = /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u;
const SUB = /^[\w-]{1,128}$/;

/** What went wrong, as a `code` to branch on; see the type declarations for when each is thrown. */
export class LatchkeyError extends Error {
  constructor(code, message, { cause, status, retryAfterSeconds } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LatchkeyError';
    this.code = code;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * True exactly for what `storeSession` accepts as an event. Never throws, runs no getter of the value, and says nothing
 * about who sent it.
 */
export function isTokenDeliveryEvent(value) {
  return attempt(() => parseEvent(value, 0)) !== null;
}

/**
 * A JWT's claims for display and for timing, or null when it is not one. Unverified: never decide by them what
 * somebody may do.
 */
export function readClaims(token) {
  return attempt(() => {
    if (!isToken(token, JWT)) return null;
    const base64 = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isRecord(claims) ? claims : null;
  });
}

/**
 * A session keeper of its own. Pages usually need one and use the functions exported below, which share a default one;
 * tests and pages with two APIs make their own.
 */
export function createLatchkey(options = {}) {
  const api = parseApiUrl(options.apiUrl ?? globalThis.location?.origin);
  const key = options.storageKey ?? STORAGE_KEY;
  const leewayMs = options.leewayMs ?? LEEWAY_MS;
  const now = options.now ?? Date.now;
  const send = options.fetch ?? ((...request) => globalThis.fetch(...request));
  const locks = options.locks === undefined ? globalThis.navigator?.locks : options.locks;
  let storage = openStorage(options.storage ?? 'session');
  const listeners = new Set();
  let refreshing = null;
  let refreshNotBefore = 0;

  if (options.storage === 'local') {
    globalThis.addEventListener?.('storage', (event) => {
      // A null key means that everything was cleared.
      if (event.key === key || event.key === null) tell('elsewhere', loadSession());
    });
  }

  function storeSession(delivered) {
    const session = attempt(() => parseEvent(delivered, now())) ?? attempt(() => parseSignIn(delivered, now()));
    if (session === null) {
      throw new LatchkeyError('INVALID_TOKENS', 'these are not the tokens of a sign-in');
    }
    // A conversation that is shown again replays its events; an old one must not undo the refreshes since.
    const kept = loadSession();
    if (kept?.cognitoSub === session.cognitoSub && issuedAt(kept) > issuedAt(session)) return kept;
    refreshNotBefore = 0;
    write(session);
    tell('stored', session);
    return session;
  }

  function loadSession() {
    const text = attempt(() => storage.getItem(key));
    if (text === null || text === undefined) return null;
    const session = attempt(() => parseStored(JSON.parse(text)));
    if (session === null) remove();
    return session;
  }

  function clearSession() {
    const had = loadSession() !== null;
    remove();
    if (had) tell('cleared', null);
  }

  function getAccessToken() {
    return liveToken('accessToken', 'accessExpiresAt');
  }

  function ensureValidIdToken() {
    return liveToken('idToken', 'idExpiresAt');
  }

  async function refreshSession() {
    const session = loadSession();
    if (session === null) throw noSession();
    return refresh(session);
  }

  async function authFetch(input, init = {}) {
    const isRequest = typeof Request === 'function' && input instanceof Request;
    const url = resolve(isRequest ? input.url : input);
    const request = isRequest ? new Request(input, init) : null;
    const sendWith = (token) => {
      const headers = new Headers(isRequest ? request.headers : init.headers);
      headers.set('Authorization', `Bearer ${token}`);
      // Not every browser takes the header off when a redirect leads to another origin.
      const safe = { headers, redirect: 'error' };
      return isRequest ? send(new Request(request.clone(), safe)) : send(url, { ...init, ...safe });
    };

    const token = await getAccessToken();
    const response = await sendWith(token);
    const replayable = !(typeof ReadableStream === 'function' && init.body instanceof ReadableStream);
    if (!replayable || !(await refusesTheToken(response))) return response;
    // This clock and the API's disagree, or the guest was signed out everywhere: a refresh tells which.
    const session = loadSession();
    if (session === null) return response;
    let renewed = session;
    if (session.accessToken === token) {
      try {
        renewed = await refresh(session);
      } catch {
        return response;
      }
    }
    return sendWith(renewed.accessToken);
  }

  function onSessionChange(listener) {
    const entry = { listener };
    listeners.add(entry);
    return () => listeners.delete(entry);
  }

  async function liveToken(token, expiresAt) {
    const session = loadSession();
    if (session === null) throw noSession();
    // Half of a life at most, so that tokens shorter than the leeway are not renewed on every call.
    const leeway = Math.min(leewayMs, (session[expiresAt] - session.receivedAt) / 2);
    if (session[expiresAt] - now() > leeway) return session[token];
    try {
      return (await refresh(session))[token];
    } catch (error) {
      // No connection is no reason to stop using a token that still has seconds to live.
      const kept = error.code === 'REFRESH_FAILED' ? loadSession() : null;
      if (kept !== null && kept[expiresAt] > now()) return kept[token];
      throw error;
    }
  }

  /** One refresh at a time in this page, and in all pages of this origin where the browser has locks. */
  function refresh(stale) {
    refreshing ??= underLock(() => refreshOnce(stale)).finally(() => {
      refreshing = null;
    });
    return refreshing;
  }

  async function underLock(work) {
    if (!locks) return work();
    let entered = false;
    try {
      return await locks.request(`${key} ${api.href}`, () => {
        entered = true;
        return work();
      });
    } catch (error) {
      // Locks are refused to documents without an origin of their own; those have no other tabs either.
      if (entered) throw error;
      return work();
    }
  }

  async function refreshOnce(stale) {
    const before = loadSession();
    if (before === null) throw noSession();
    // Another tab was faster, or somebody signed in meanwhile.
    if (before.accessToken !== stale.accessToken) return before;
    if (now() < refreshNotBefore) {
      const retryAfterSeconds = Math.ceil((refreshNotBefore - now()) / 1000);
      throw new LatchkeyError('REFRESH_FAILED', 'the API asked to wait', { retryAfterSeconds });
    }

    const { status, retryAfterSeconds, body } = await postRefresh(before.refreshToken);
    const tokens = status === 200 ? attempt(() => parseTokens(body, now())) : null;
    const code = status === 401 ? attempt(() => own(body, 'code')) : null;
    // In cookie mode, AUTH_REQUIRED says that the cookie is gone: another tab signed out, or the browser dropped it.
    const cookieIsGone = code === 'AUTH_REQUIRED' && before.refreshToken === null;
    const refused = code === 'INVALID_REFRESH_TOKEN' || cookieIsGone;
    // And somebody else may have signed in since in another tab: then the cookie is theirs.
    const someoneElses = tokens !== null && tokens.cognitoSub !== before.cognitoSub;

    const after = loadSession();
    if (after?.accessToken !== before.accessToken) {
      // Signed out, or in again, while the request was on its way: that stands.
      if (after === null) throw noSession();
      return after;
    }
    if (refused || someoneElses) {
      remove();
      tell('refused', null);
      throw new LatchkeyError('REFRESH_REFUSED', 'the session has ended', { status });
    }
    if (tokens === null) {
      if (retryAfterSeconds !== undefined) refreshNotBefore = now() + retryAfterSeconds * 1000;
      throw new LatchkeyError('REFRESH_FAILED', 'the session could not be renewed', { status, retryAfterSeconds });
    }
    const session = Object.freeze({
      ...before,
      ...tokens,
      // Where the client does not rotate, the token stays; in cookie mode none is kept, whatever the answer holds.
      refreshToken: before.refreshToken === null ? null : (tokens.refreshToken ?? before.refreshToken),
    });
    write(session);
    tell('refreshed', session);
    return session;
  }

  async function postRefresh(refreshToken) {
    const cookieMode = refreshToken === null;
    try {
      const response = await send(join('/auth/refresh'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
        body: JSON.stringify(cookieMode ? {} : { refreshToken }),
        // A cookie that an earlier sign-in left must not compete with the token in the body.
        credentials: cookieMode ? 'include' : 'omit',
        cache: 'no-store',
        redirect: 'error',
        signal: AbortSignal.timeout(REFRESH_TIMEOUT_MS),
      });
      const retryAfter = response.headers.get('Retry-After');
      return {
        status: response.status,
        retryAfterSeconds: /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined,
        body: await readJson(response),
      };
    } catch (cause) {
      throw new LatchkeyError('REFRESH_FAILED', 'the API could not be reached', { cause });
    }
  }

  /** The address as the API's, or an error: a token must not leave for anywhere else. */
  function resolve(input) {
    const address = String(input);
    let url;
    try {
      url = new URL(/^\/(?![/\\])/.test(address) ? join(address) : address, `${api.href}/`);
    } catch (cause) {
      throw new LatchkeyError('FOREIGN_ADDRESS', 'this is not an address', { cause });
    }
    const inside = url.pathname === api.path || url.pathname.startsWith(`${api.path}/`);
    if (url.origin !== api.origin || !inside || url.username !== '' || url.password !== '') {
      throw new LatchkeyError('FOREIGN_ADDRESS', 'the access token is only for the API');
    }
    return url.href;
  }

  function join(path) {
    return api.href + path;
  }

  function write(session) {
    const text = JSON.stringify(session);
    try {
      storage.setItem(key, text);
    } catch {
      // Full or forbidden: losing a rotated refresh token would sign the person out, so this page keeps it.
      remove();
      storage = memoryStorage();
      storage.setItem(key, text);
    }
  }

  function remove() {
    attempt(() => storage.removeItem(key));
  }

  function tell(reason, session) {
    for (const { listener } of [...listeners]) {
      try {
        listener({ reason, session });
      } catch (error) {
        // One listener's mistake is no other's.
        (globalThis.reportError ?? console.error)(error);
      }
    }
  }

  return Object.freeze({
    storeSession,
    loadSession,
    clearSession,
    getAccessToken,
    ensureValidIdToken,
    refreshSession,
    authFetch,
    onSessionChange,
  });
}

let shared = null;

/** Options for the functions below. Once, before any of them is used: a session must not change its place half-way. */
export function configure(options) {
  if (shared !== null) throw new LatchkeyError('CONFIGURATION', 'configure() comes once, before everything else');
  shared = createLatchkey(options);
}

const keeper = () => (shared ??= createLatchkey());

export const storeSession = (delivered) => keeper().storeSession(delivered);
export const loadSession = () => keeper().loadSession();
export const clearSession = () => keeper().clearSession();
export const getAccessToken = async () => keeper().getAccessToken();
export const ensureValidIdToken = async () => keeper().ensureValidIdToken();
export const refreshSession = async () => keeper().refreshSession();
export const authFetch = async (input, init) => keeper().authFetch(input, init);
export const onSessionChange = (listener) => keeper().onSessionChange(listener);

/** The agent's token delivery event. It may be shown again hours later, so its tokens' own end counts as well. */
function parseEvent(value, receivedAt) {
  if (!isRecord(value) || own(value, 'event_type') !== 'auth_tokens' || own(value, 'success') !== true) return null;
  const refreshToken = own(value, 'refresh_token');
  const tokens = parseTokens(
    {
      accessToken: own(value, 'access_token'),
      idToken: own(value, 'id_token'),
      refreshToken,
      expiresIn: own(value, 'expires_in'),
      tokenType: 'Bearer',
    },
    receivedAt,
  );
  const guest = parseGuest(own(value, 'guest_id'), own(value, 'email'), own(value, 'cognito_sub'));
  if (tokens === null || guest === null || tokens.cognitoSub !== guest.cognitoSub) return null;
  if (tokens.refreshToken === null) return null;
  return Object.freeze({
    version: 1,
    ...guest,
    ...tokens,
    accessExpiresAt: Math.min(tokens.accessExpiresAt, readClaims(tokens.accessToken).exp * 1000),
    idExpiresAt: Math.min(tokens.idExpiresAt, readClaims(tokens.idToken).exp * 1000),
  });
}

/** The answer of a sign-in over HTTP: tokens and a user. Without a refresh token, it is in the cookie. */
function parseSignIn(value, receivedAt) {
  const tokens = parseTokens(value, receivedAt);
  const user = isRecord(value) ? own(value, 'user') : null;
  if (tokens === null || !isRecord(user)) return null;
  const guest = parseGuest(own(user, 'guestId'), own(user, 'email'), own(user, 'cognitoSub'));
  if (guest === null || tokens.cognitoSub !== guest.cognitoSub) return null;
  return Object.freeze({ version: 1, ...guest, ...tokens });
}

/**
 * Times count from now on this clock: the tokens are fresh, and a clock that is wrong is wrong in the same way later.
 */
function parseTokens(value, receivedAt) {
  if (!isRecord(value) || own(value, 'tokenType') !== 'Bearer') return null;
  const accessToken = own(value, 'accessToken');
  const idToken = own(value, 'idToken');
  const refreshToken = own(value, 'refreshToken') ?? null;
  const expiresIn = own(value, 'expiresIn');
  const access = readClaims(accessToken);
  const id = readClaims(idToken);
  if (access === null || id === null || access.token_use !== 'access' || id.token_use !== 'id') return null;
  if (!isMatch(id.sub, SUB) || access.sub !== id.sub) return null;
  if (refreshToken !== null && !isToken(refreshToken, REFRESH_TOKEN)) return null;
  if (!isLifetime(expiresIn) || !isLifetime(id.exp - id.iat) || !isLifetime(access.exp - access.iat)) return null;
  return {
    cognitoSub: id.sub,
    accessToken,
    idToken,
    refreshToken,
    receivedAt,
    accessExpiresAt: receivedAt + expiresIn * 1000,
    idExpiresAt: receivedAt + (id.exp - id.iat) * 1000,
  };
}

function parseGuest(guestId, email, cognitoSub) {
  const fits = isMatch(guestId, GUEST_ID) && isMatch(email, EMAIL) && email.length <= 254 && isMatch(cognitoSub, SUB);
  return fits ? { guestId, email, cognitoSub } : null;
}

/** What this module wrote; other scripts, other versions and people can write there too. */
function parseStored(value) {
  if (!isRecord(value) || value.version !== 1) return null;
  const guest = parseGuest(value.guestId, value.email, value.cognitoSub);
  const { accessToken, idToken, refreshToken, receivedAt, accessExpiresAt, idExpiresAt } = value;
  const times = [receivedAt, accessExpiresAt, idExpiresAt];
  if (guest === null || !isToken(accessToken, JWT) || !isToken(idToken, JWT)) return null;
  if (refreshToken !== null && !isToken(refreshToken, REFRESH_TOKEN)) return null;
  if (!times.every((time) => Number.isFinite(time)) || readClaims(idToken) === null) return null;
  const tokens = { accessToken, idToken, refreshToken };
  return Object.freeze({ version: 1, ...guest, ...tokens, receivedAt, accessExpiresAt, idExpiresAt });
}

function parseApiUrl(value) {
  const url = attempt(() => new URL(value));
  if (url === null) throw new LatchkeyError('CONFIGURATION', 'apiUrl must be an absolute URL');
  const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw new LatchkeyError('CONFIGURATION', 'apiUrl must be https, so that tokens do not travel in the clear');
  }
  const path = url.pathname.replace(/\/+$/, '');
  return { origin: url.origin, path, href: url.origin + path };
}

/**
 * True when the answer says that the token was the trouble: the gateway's bare 401, or `AUTH_REQUIRED`. Other 401s (a
 * wrong password, say) must not be sent twice, since each counts as an attempt.
 */
async function refusesTheToken(response) {
  if (response.status !== 401) return false;
  try {
    const body = await readJson(response.clone());
    const code = isRecord(body) ? own(body, 'code') : undefined;
    return code === undefined || code === 'AUTH_REQUIRED';
  } catch {
    return false;
  }
}

/** The body as JSON, or null when it is none. Reading can fail as any network operation can. */
async function readJson(response) {
  const text = await response.text();
  return text.length > MAX_ANSWER_LENGTH ? null : attempt(() => JSON.parse(text));
}

function openStorage(choice) {
  if (typeof choice === 'object' && choice !== null) return choice;
  if (choice === 'memory') return memoryStorage();
  if (choice !== 'session' && choice !== 'local') {
    throw new LatchkeyError('CONFIGURATION', "storage must be 'session', 'local', 'memory' or an object like them");
  }
  // Asking for storage throws where the person has forbidden it.
  return attempt(() => globalThis[`${choice}Storage`]) ?? memoryStorage();
}

function memoryStorage() {
  const items = new Map();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, text) => void items.set(name, text),
    removeItem: (name) => void items.delete(name),
  };
}

function noSession() {
  return new LatchkeyError('NO_SESSION', 'nobody is signed in');
}

function issuedAt(session) {
  return readClaims(session.idToken)?.iat ?? 0;
}

function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of an own data property: no getter runs, no prototype answers. */
function own(record, name) {
  return Object.getOwnPropertyDescriptor(record, name)?.value;
}

function isMatch(value, pattern) {
  return typeof value === 'string' && pattern.test(value);
}

function isToken(value, pattern) {
  return isMatch(value, pattern) && value.length <= MAX_TOKEN_LENGTH;
}

function isLifetime(seconds) {
  return Number.isInteger(seconds) && seconds > 0 && seconds <= MAX_LIFETIME_SECONDS;
}

/** The work's result, or null when it throws: for parsing, where every failure means the same. */
function attempt(work) {
  try {
    return work();
  } catch {
    return null;
  }
}
