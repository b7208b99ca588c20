/**
 * Keeps a guest's Latchkey session in a browser: takes the tokens, renews them before they end, and
 * sends the access token to the API and to no other server. No dependencies; works in any browser
 * with ES2022.
 *
 * Events, answers and stored text are untrusted until this module has parsed them. It reads own
 * data properties only, checks every field, and refuses the whole where one part does not fit. It
 * evaluates nothing and touches no document. It checks no signature: the API does that on each
 * request, and a forged token gets nothing from it. So give `storeSession` messages of your own
 * agent or API only. With `postMessage` or the address bar as its source, a stranger could sign the
 * person in as somebody else.
 *
 * ## Where the session is kept
 * Any script of the page can use the session, wherever it is kept. The choice decides how long a
 * session lies around:
 * - `'session'` (the default): `sessionStorage`. Survives a reload, ends with the tab, unseen by
 *   other tabs.
 * - `'local'`: `localStorage`. Shared by all tabs and kept after the browser closes, for a device
 *   of one's own.
 * - `'memory'`: this page only. Least to steal, and a reload signs out.
 *
 * In cookie mode (`tokenDelivery: 'cookie'`) the refresh token never reaches a script. Prefer it
 * wherever page and API share a site.
 *
 * ## Several tabs
 * All tabs refresh one after the other, under one lock. A duplicated tab starts with a copy of the
 * session, and the first refresh in either tab makes the other's copy old. So a tab that has
 * refreshed gives its siblings the newer tokens, and a tab asks for them before it refreshes. They
 * travel in ciphertext, under a key that only copies of the same session hold.
 */

/** Under this key in the storage, unless the options say otherwise. */
const STORAGE_KEY = 'latchkey.session';

/**
 * A token this close to its end is renewed first: covers a slow request and a clock that runs a
 * little late.
 */
const LEEWAY_MS = 60_000;

/**
 * Longer than the API's slowest answer to a refresh, and well inside the 60 s for which the API
 * takes a rotated token again: a try after a lost answer renews the session.
 */
const REFRESH_TIMEOUT_MS = 10_000;

/**
 * A frozen tab can hold the lock for ever. After this time the refresh continues without it, as the
 * API's grace allows.
 */
const LOCK_WAIT_MS = 5_000;

/** A living tab answers its sibling within a few milliseconds. */
const SIBLING_WAIT_MS = 150;

/** A busy machine needs longer to encrypt the tokens that a sibling has announced. */
const SEALED_WAIT_MS = 2_000;

/** Cognito's longest life for an id or access token is one day. */
const MAX_LIFETIME_SECONDS = 86_400;

/**
 * Cognito's tokens have 1 to 4 KB; API Gateway takes 10 KB of request line and headers together.
 */
const MAX_TOKEN_LENGTH = 8_192;

/** A token answer is three tokens and a user; `/me` is shorter. */
const MAX_TOKEN_ANSWER_LENGTH = 65_536;

/** Lambda sends no more than 6 MB (its quota for an answer, in bytes). */
const MAX_ANSWER_LENGTH = 6_291_556;

/** RFC 7519 in the compact serialization of RFC 7515: three base64url parts. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
/**
 * Opaque to a client (RFC 6749 §1.5); anything that fits in a header (VSCHAR of its appendix A).
 */
const REFRESH_TOKEN = /^[\x21-\x7e]+$/;
/** Year and six characters of Crockford base32. */
const GUEST_ID = /^GST-\d{4}-[0-9A-HJKMNP-TV-Z]{6}$/;
const EMAIL = /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u;
const SUB = /^[\w-]{1,128}$/;
/** A public name and a secret key, each of 16 bytes in hexadecimal. */
const TAB_KEY = /^[0-9a-f]{32}\.[0-9a-f]{32}$/;
/** In messages between tabs, the name of the one session that a cookie holds. */
const COOKIE = 'cookie';

/** An error with a `code` to branch on; the type declarations say when each is thrown. */
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
 * True exactly for an event that `storeSession` accepts. Never throws, runs no getter of the value,
 * and does not prove its sender.
 */
export function isTokenDeliveryEvent(value) {
  return attempt(() => parseEvent(value, 0)) !== null;
}

/**
 * A JWT's claims for display and for timing, or null for other text. Unverified: never use them to
 * decide about permissions.
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
 * A session keeper: the part of `createLatchkey` that knows no operation but refresh and logout.
 */
export function createSession(options = {}) {
  const api = parseApiUrl(options.apiUrl ?? globalThis.location?.origin);
  const key = options.storageKey ?? STORAGE_KEY;
  const leewayMs = options.leewayMs ?? LEEWAY_MS;
  const now = options.now ?? Date.now;
  const send = options.fetch ?? ((...request) => globalThis.fetch(...request));
  const locks = options.locks === undefined ? globalThis.navigator?.locks : options.locks;
  const tokenDelivery = options.tokenDelivery ?? 'body';
  if (tokenDelivery !== 'body' && tokenDelivery !== 'cookie') {
    throw new LatchkeyError('CONFIGURATION', "tokenDelivery must be 'body' or 'cookie'");
  }
  const choice = options.storage ?? 'session';
  let storage = openStorage(choice);
  const channel = options.channel === undefined ? openChannel(`${key} ${api.href}`) : options.channel;
  const listeners = new Set();
  let refreshing = null;
  let restoring = null;
  let wait = { at: 0, notBefore: 0 };
  /** Called when a sibling announces newer tokens. */
  let onAnnounced = () => {};
  // The last state that listeners received, to find the changes that others have made.
  let known = loadSession();

  channel?.addEventListener('message', ({ data }) => onSibling(data));
  if (isBrowser()) {
    if (choice === 'local') {
      globalThis.addEventListener?.('storage', (event) => {
        // A null key means that everything was cleared.
        if (event.key === key || event.key === null) notice();
      });
    }
    // The page was frozen in the back-forward cache, and received no messages meanwhile.
    globalThis.addEventListener?.('pageshow', (event) => {
      if (event.persisted) notice();
    });
  }

  function storeSession(delivered) {
    const session = attempt(() => parseEvent(delivered, now())) ?? attempt(() => parseSignIn(delivered, now()));
    if (session === null) {
      throw new LatchkeyError('INVALID_TOKENS', 'these are not the tokens of a sign-in');
    }
    // A conversation that is shown again replays its events; an old one must not undo later
    // refreshes.
    const kept = loadSession();
    const isKept = kept?.accessToken === session.accessToken;
    if (isKept || (kept?.cognitoSub === session.cognitoSub && issuedAt(kept) > issuedAt(session))) return kept;
    return begin(session, 'stored');
  }

  /** To siblings a found session is no sign-in: they would look for it again, and tell of it. */
  function begin(session, said) {
    wait = { at: 0, notBefore: 0 };
    const stored = Object.freeze({ ...session, tabKey: newTabKey() });
    write(stored);
    tell('stored', stored, { said });
    return stored;
  }

  function loadSession() {
    const text = attempt(() => storage.getItem(key));
    if (text === null || text === undefined) return null;
    const session = attempt(() => parseStored(JSON.parse(text)));
    if (session === null) remove();
    return session;
  }

  function clearSession() {
    const had = loadSession();
    remove();
    if (had !== null) tell('cleared', null, { before: had });
  }

  async function signOut({ everywhere = false } = {}) {
    const session = loadSession();
    if (session === null) return;
    let response;
    try {
      await getAccessToken();
      const sent = keptAs(session);
      response = await postLogout(sent, everywhere);
      if (await refusesTheToken(response)) {
        // The token has just ended, or its session has: a refresh tells which.
        await refresh(sent);
        response = await postLogout(keptAs(session), everywhere);
      }
    } catch (cause) {
      // A session that has ended already is signed out too.
      if (cause.code === 'REFRESH_REFUSED' || cause.code === 'NO_SESSION') return;
      throw signOutFailed({ cause, status: cause.status, retryAfterSeconds: cause.retryAfterSeconds });
    }
    if (response.status !== 204) {
      throw signOutFailed({ status: response.status, retryAfterSeconds: retryAfterOf(response) });
    }
    if (isSame(loadSession(), session)) clearSession();
  }

  /** This session with its present tokens. Another sign-in meanwhile is another one, and stays. */
  function keptAs(session) {
    const kept = loadSession();
    if (!isSame(kept, session)) throw noSession();
    return kept;
  }

  function postLogout({ accessToken, refreshToken }, everywhere) {
    return post('/auth/logout', {
      body: { ...(refreshToken !== null && { refreshToken }), ...(everywhere && { everywhere }) },
      credentials: refreshToken === null ? 'include' : 'omit',
      accessToken,
    });
  }

  async function restore() {
    const session = loadSession();
    if (session !== null || tokenDelivery !== 'cookie') return session;
    // It uses the cookie up as a refresh does.
    restoring ??= underLock(restoreOnce).finally(() => {
      restoring = null;
    });
    return restoring;
  }

  async function restoreOnce() {
    // Another tab that shares this storage was faster.
    const kept = loadSession();
    if (kept !== null) return kept;
    const { status, retryAfterSeconds, body } = await postRefresh(null);
    const isGood = status === 200 && isRecord(body);
    const user = isGood ? (own(body, 'user') ?? (await readUser(own(body, 'accessToken')))) : undefined;
    const found = loadSession();
    if (found !== null) return found;
    if (endsCookie(status, body)) return null;
    // No token of the cookie is stored, whatever the answer contains.
    const restored = isGood ? attempt(() => parseSignIn({ ...body, user, refreshToken: undefined }, now())) : null;
    if (restored === null) {
      throw new LatchkeyError('REFRESH_FAILED', 'the session could not be found', { status, retryAfterSeconds });
    }
    return begin(restored, 'restored');
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

    // The request is for the person who makes it, not for one who signs in meanwhile.
    const maker = loadSession()?.cognitoSub;
    const token = await getAccessToken();
    if (readClaims(token)?.sub !== maker) {
      throw new LatchkeyError('REFRESH_REFUSED', 'another person has signed in meanwhile');
    }
    const response = await sendWith(token);
    const replayable = !(typeof ReadableStream === 'function' && init.body instanceof ReadableStream);
    if (!replayable || !(await refusesTheToken(response))) return response;
    // This clock and the API's disagree, or the guest was signed out everywhere: a refresh tells
    // which.
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
    return renewed.cognitoSub === maker ? sendWith(renewed.accessToken) : response;
  }

  function onSessionChange(listener) {
    const entry = { listener };
    listeners.add(entry);
    return () => listeners.delete(entry);
  }

  async function liveToken(token, expiresAt) {
    const session = loadSession();
    if (session === null) throw noSession();
    if (outlivesLeeway(session, expiresAt)) return session[token];
    try {
      return (await refresh(session))[token];
    } catch (error) {
      // No connection is no reason to stop using a token that still has seconds to live.
      const kept = error.code === 'REFRESH_FAILED' ? loadSession() : null;
      if (kept !== null && kept[expiresAt] > now()) return kept[token];
      throw error;
    }
  }

  function outlivesLeeway(session, expiresAt) {
    // Half of a life at most, so that tokens shorter than the leeway are not renewed on every call.
    const leeway = Math.min(leewayMs, (session[expiresAt] - session.receivedAt) / 2);
    // Tokens of the future came before this clock was set back, and have ended some time ago.
    const isSetBack = session.receivedAt - now() > leewayMs;
    return !isSetBack && session[expiresAt] - now() > leeway;
  }

  function isFresh(session) {
    return outlivesLeeway(session, 'accessExpiresAt') && outlivesLeeway(session, 'idExpiresAt');
  }

  /**
   * One refresh at a time in this page, and in all pages of this origin if the browser has locks.
   */
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
      return await locks.request(`${key} ${api.href}`, { signal: AbortSignal.timeout(LOCK_WAIT_MS) }, () => {
        entered = true;
        return work();
      });
    } catch (error) {
      // Documents without an origin of their own are refused locks. And a frozen tab keeps its
      // lock.
      if (entered) throw error;
      return work();
    }
  }

  async function refreshOnce(stale) {
    // Another tab was faster, or a person signed in meanwhile. Tokens that have ended since are
    // renewed in their turn.
    const isRenewed = (session) => session.accessToken !== stale.accessToken && isFresh(session);
    let before = loadSession();
    if (before !== null && !isRenewed(before)) {
      await askSiblings(before);
      before = loadSession();
    }
    if (before === null) throw noSession();
    if (isRenewed(before)) return before;
    // On a clock that was set back, the wait would last longer than the API asked for.
    if (now() >= wait.at && now() < wait.notBefore) {
      const retryAfterSeconds = Math.ceil((wait.notBefore - now()) / 1000);
      throw new LatchkeyError('REFRESH_FAILED', 'the API asked to wait', { retryAfterSeconds });
    }

    const { status, retryAfterSeconds, body } = await postRefresh(before.refreshToken);
    const tokens = status === 200 ? attempt(() => parseTokens(body, now())) : null;
    const refused = before.refreshToken === null ? endsCookie(status, body) : isRefusal(status, body);
    // Another person may have signed in since in another tab: then the cookie is theirs.
    const someoneElses = tokens !== null && tokens.cognitoSub !== before.cognitoSub;

    const after = loadSession();
    if (after?.accessToken !== before.accessToken) {
      // Signed out, or in again, during the request: that counts.
      if (after === null) throw noSession();
      return after;
    }
    if (refused || someoneElses) {
      remove();
      tell('refused', null, { before });
      throw new LatchkeyError('REFRESH_REFUSED', 'the session has ended', { status });
    }
    if (tokens === null) {
      if (retryAfterSeconds !== undefined) wait = { at: now(), notBefore: now() + retryAfterSeconds * 1000 };
      throw new LatchkeyError('REFRESH_FAILED', 'the session could not be renewed', { status, retryAfterSeconds });
    }
    const user = attempt(() => parseUser(own(body, 'user')));
    const session = Object.freeze({
      ...before,
      // The address may be another one since.
      ...(user?.cognitoSub === before.cognitoSub && user),
      ...tokens,
      // If the client does not rotate, the token stays; in cookie mode none is stored, whatever the
      // answer contains.
      refreshToken: before.refreshToken === null ? null : (tokens.refreshToken ?? before.refreshToken),
    });
    write(session);
    tell('refreshed', session);
    // This tab may close before a sibling asks.
    share(session);
    return session;
  }

  async function postRefresh(refreshToken) {
    const cookieMode = refreshToken === null;
    try {
      const response = await post('/auth/refresh', {
        body: cookieMode ? {} : { refreshToken },
        // A cookie that an earlier sign-in left must not compete with the token in the body.
        credentials: cookieMode ? 'include' : 'omit',
      });
      return {
        status: response.status,
        retryAfterSeconds: retryAfterOf(response),
        body: await readJson(response, MAX_TOKEN_ANSWER_LENGTH),
      };
    } catch (cause) {
      throw new LatchkeyError('REFRESH_FAILED', 'the API could not be reached', { cause });
    }
  }

  /** The owner of these tokens, if the answer does not name one. */
  async function readUser(accessToken) {
    if (!isToken(accessToken, JWT)) return undefined;
    try {
      const response = await send(join('/me'), {
        headers: { Accept: 'application/json', Authorization: `Bearer ${accessToken}` },
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'error',
        signal: AbortSignal.timeout(REFRESH_TIMEOUT_MS),
      });
      return response.status === 200 ? await readJson(response, MAX_TOKEN_ANSWER_LENGTH) : undefined;
    } catch (cause) {
      throw new LatchkeyError('REFRESH_FAILED', 'the API could not be reached', { cause });
    }
  }

  function post(path, { body, credentials, accessToken }) {
    return send(join(path), {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json',
        ...(accessToken !== undefined && { Authorization: `Bearer ${accessToken}` }),
      },
      body: JSON.stringify(body),
      credentials,
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(REFRESH_TIMEOUT_MS),
    });
  }

  /** By which name and key the copies of this session speak; null if it can have none. */
  function copiesOf(session) {
    // Tabs share localStorage, and the cookie of cookie mode. A page's memory has no copies.
    const hasCopies = choice !== 'local' && choice !== 'memory' && session.refreshToken !== null;
    return channel !== null && hasCopies ? tabOf(session) : null;
  }

  /** Waits a moment for the tokens of a sibling that has refreshed this very session. */
  async function askSiblings(session) {
    const tab = copiesOf(session);
    if (tab === null) return;
    await new Promise((resolve) => {
      let timer = setTimeout(settle, SIBLING_WAIT_MS);
      onAnnounced = () => {
        clearTimeout(timer);
        timer = setTimeout(settle, SEALED_WAIT_MS);
      };
      const stop = onSessionChange((change) => {
        if (change.session === null || isFresh(change.session)) settle();
      });
      channel.postMessage({ type: 'ask', tab: tab.id, ...timesOf(session) });

      function settle() {
        clearTimeout(timer);
        onAnnounced = () => {};
        stop();
        resolve();
      }
    });
  }

  function share(session) {
    const tab = copiesOf(session);
    if (tab === null) return;
    seal(tab, session)
      .then((sealed) => channel.postMessage({ type: 'have', tab: tab.id, ...sealed }))
      .catch(() => {});
  }

  /** Takes a sibling's tokens, if they are newer ones of this very session. */
  async function adopt(message) {
    const newer = await unseal(copiesOf(loadSession()), message);
    const mine = loadSession();
    if (!isSame(mine, newer) || !isNewer(timesOf(newer), timesOf(mine))) return;
    write(newer);
    tellHere('refreshed', newer);
  }

  function onSibling(message) {
    if (!isRecord(message)) return;
    const mine = loadSession();
    const tab = mine && copiesOf(mine);
    const isCopy = tab !== null && own(message, 'tab') === tab.id;
    if (own(message, 'type') === 'ask') {
      const asker = { issuedAt: own(message, 'issuedAt'), receivedAt: own(message, 'receivedAt') };
      if (!isCopy || !isNewer(timesOf(mine), asker)) return;
      channel.postMessage({ type: 'newer', tab: tab.id });
      share(mine);
    } else if (own(message, 'type') === 'newer') {
      if (isCopy) onAnnounced();
    } else if (own(message, 'type') === 'have') {
      if (isCopy) void adopt(message);
    } else if (own(message, 'type') === 'changed' && choice !== 'local') {
      notice();
      const ended = own(message, 'reason') === 'cleared' || own(message, 'reason') === 'refused';
      const isTheirs = mine !== null && own(message, 'sub') === mine.cognitoSub;
      // All cookies have one name: a tab that lost its session to another person's cookie says so.
      const isMine = isTheirs && own(message, 'tab') === nameOf(mine);
      // A cookie belongs to all tabs: a sign-in in one is a sign-in, or another's, in all.
      const isSignIn = own(message, 'reason') === 'stored';
      const cookie = own(message, 'tab') === COOKIE && (isSignIn || own(message, 'reason') === 'restored');
      const isForeign = cookie && mine?.refreshToken === null && !isTheirs;
      if ((ended && isMine) || isForeign) {
        remove();
        tellHere('elsewhere', null);
      } else if (cookie && isSignIn && mine === null && tokenDelivery === 'cookie') {
        tellHere('elsewhere', null);
      }
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
      // Full or forbidden: losing a rotated refresh token would sign the person out, so this page
      // keeps it.
      remove();
      storage = memoryStorage();
      storage.setItem(key, text);
    }
  }

  function remove() {
    attempt(() => storage.removeItem(key));
  }

  /** Tells this page, and its siblings: those hear which session it was, and no token. */
  function tell(reason, session, { before = session, said = reason } = {}) {
    if (choice !== 'local' && before !== null) {
      attempt(() => channel?.postMessage({ type: 'changed', reason: said, tab: nameOf(before), sub: before.cognitoSub }));
    }
    tellHere(reason, session);
  }

  /** Tells this page of a change that another page, or another client of this one, has stored. */
  function notice() {
    const session = loadSession();
    if (session?.accessToken === known?.accessToken) return;
    tellHere(isSame(session, known) ? 'refreshed' : 'elsewhere', session);
  }

  function tellHere(reason, session) {
    known = session;
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
    signOut,
    restore,
    now,
    tokenDelivery,
    /** For the client: the URL of a path of the API, and the sending of a request. */
    request: (path, init) => send(join(path), init),
  });
}

/**
 * The agent's token delivery event. It may be shown again hours later, so its tokens' own end
 * counts as well.
 */
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

/**
 * The answer of a sign-in over HTTP: tokens and a user. Without a refresh token, it is in the
 * cookie.
 */
function parseSignIn(value, receivedAt) {
  const tokens = parseTokens(value, receivedAt);
  const guest = isRecord(value) ? parseUser(own(value, 'user')) : null;
  if (tokens === null || guest === null || tokens.cognitoSub !== guest.cognitoSub) return null;
  return Object.freeze({ version: 1, ...guest, ...tokens });
}

/**
 * Times count from now on this clock: the tokens are fresh, and a wrong clock is wrong by the same
 * amount later.
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

function parseUser(user) {
  return isRecord(user) ? parseGuest(own(user, 'guestId'), own(user, 'email'), own(user, 'cognitoSub')) : null;
}

function parseGuest(guestId, email, cognitoSub) {
  const fits = isMatch(guestId, GUEST_ID) && isMatch(email, EMAIL) && email.length <= 254 && isMatch(cognitoSub, SUB);
  return fits ? { guestId, email, cognitoSub } : null;
}

/** This module's own stored text; other scripts, other versions and people can write there too. */
function parseStored(value) {
  if (!isRecord(value) || value.version !== 1) return null;
  const guest = parseGuest(value.guestId, value.email, value.cognitoSub);
  const { accessToken, idToken, refreshToken, receivedAt, accessExpiresAt, idExpiresAt } = value;
  const times = [receivedAt, accessExpiresAt, idExpiresAt];
  if (guest === null || !isToken(accessToken, JWT) || !isToken(idToken, JWT)) return null;
  if (refreshToken !== null && !isToken(refreshToken, REFRESH_TOKEN)) return null;
  if (!times.every((time) => Number.isFinite(time)) || readClaims(idToken) === null) return null;
  const tabKey = isMatch(value.tabKey, TAB_KEY) ? value.tabKey : null;
  const tokens = { accessToken, idToken, refreshToken, tabKey };
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
 * True when the answer says that the token was the trouble: the gateway's bare 401, or
 * `AUTH_REQUIRED`. Other 401s (a wrong password, say) must not be sent twice, since each counts as
 * an attempt.
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

function isRefusal(status, body, code = 'INVALID_REFRESH_TOKEN') {
  return status === 401 && isRecord(body) && own(body, 'code') === code;
}

/** In cookie mode AUTH_REQUIRED says that there is no cookie: signed out in a tab, or dropped. */
function endsCookie(status, body) {
  return isRefusal(status, body) || isRefusal(status, body, 'AUTH_REQUIRED');
}

/** The seconds of `Retry-After`, if it has some. */
export function retryAfterOf(response) {
  const text = response.headers.get('Retry-After');
  return /^\d{1,6}$/.test(text ?? '') ? Number(text) : undefined;
}

/** The body as JSON, or null when it is none. Reading can fail as any network operation can. */
export async function readJson(response, longest = MAX_ANSWER_LENGTH) {
  const text = await response.text();
  return text.length > longest ? null : attempt(() => JSON.parse(text));
}

function openStorage(choice) {
  if (typeof choice === 'object' && choice !== null) return choice;
  if (choice === 'memory') return memoryStorage();
  if (choice !== 'session' && choice !== 'local') {
    throw new LatchkeyError('CONFIGURATION', "storage must be 'session', 'local', 'memory' or an object like them");
  }
  // A server has one storage for all its people. And access throws if the person has forbidden
  // storage.
  return (isBrowser() && attempt(() => globalThis[`${choice}Storage`])) || memoryStorage();
}

/**
 * True in pages and their workers; false in Node and at the edge, where one module serves many
 * people.
 */
export function isBrowser() {
  return typeof document === 'object' || typeof indexedDB === 'object';
}

/** In documents only: a channel keeps Node's process alive, and a worker has no tabs beside it. */
function openChannel(name) {
  return typeof document === 'object' && typeof BroadcastChannel === 'function' ? new BroadcastChannel(name) : null;
}

function newTabKey() {
  const random = () => hex(crypto.getRandomValues(new Uint8Array(16)));
  return typeof globalThis.crypto?.subtle === 'object' ? `${random()}.${random()}` : null;
}

/** By which name siblings speak of a session. */
function nameOf(session) {
  return session.refreshToken === null ? COOKIE : (tabOf(session)?.id ?? null);
}

function tabOf(session) {
  if (session.tabKey === null) return null;
  const [id, key] = session.tabKey.split('.');
  return { id, key };
}

async function cipherOf(tab, iv) {
  const raw = Uint8Array.from(tab.key.match(/../g), (digits) => Number.parseInt(digits, 16));
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
  return [{ name: 'AES-GCM', iv }, key];
}

async function seal(tab, session) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const [algorithm, key] = await cipherOf(tab, iv);
  return { iv, sealed: await crypto.subtle.encrypt(algorithm, key, new TextEncoder().encode(JSON.stringify(session))) };
}

/** The session in a sibling's message; null for everything else. */
async function unseal(tab, message) {
  try {
    const [algorithm, key] = await cipherOf(tab, own(message, 'iv'));
    const text = new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, key, own(message, 'sealed')));
    return parseStored(JSON.parse(text));
  } catch {
    return null;
  }
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
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

function signOutFailed(details) {
  return new LatchkeyError('SIGN_OUT_FAILED', 'the session may not have ended, and is kept', details);
}

/** True for two states of one sign-in's session. */
function isSame(one, other) {
  return one !== null && other !== null && one.cognitoSub === other.cognitoSub && one.tabKey === other.tabKey;
}

function timesOf(session) {
  return { issuedAt: issuedAt(session), receivedAt: session.receivedAt };
}

/** By the API's clock, as this one may have been set back; within a second by this one. */
function isNewer(one, other) {
  return one.issuedAt > other.issuedAt || (one.issuedAt === other.issuedAt && one.receivedAt > other.receivedAt);
}

function issuedAt(session) {
  return readClaims(session.idToken)?.iat ?? 0;
}

export function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of an own data property: no getter runs, no prototype answers. */
export function own(record, name) {
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
export function attempt(work) {
  try {
    return work();
  } catch {
    return null;
  }
}
