import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { beforeEach, describe, test } from 'node:test';

import * as module from 'latchkey';
import {
  Api,
  API,
  Clock,
  FakeLocks,
  Hub,
  MemoryStorage,
  SUB,
  cookieSignIn,
  copyOf,
  event,
  gate,
  json,
  jwt,
  problem,
  signIn,
  tokens,
} from './world.mjs';

const { createLatchkey, isTokenDeliveryEvent, readClaims } = module;
const KEY = 'latchkey.session';

let clock;
let api;
let storage;
let latchkey;
let changes;

/** Another tab is another keeper with the same storage and locks. */
function open(options = {}) {
  return createLatchkey({ apiUrl: API, storage, now: clock.now, fetch: api.fetch, locks: null, channel: null, ...options });
}

beforeEach(() => {
  clock = new Clock();
  api = new Api();
  api.routes['/auth/refresh'] = () => json(200, tokens(clock));
  api.routes['/me'] = () => json(200, { name: 'Ada' });
  storage = new MemoryStorage();
  latchkey = open();
  changes = [];
  latchkey.onSessionChange(({ reason }) => changes.push(reason));
});

describe('events', () => {
  test('the event of the agent tool is recognised and stored', () => {
    const delivered = event(clock);
    assert.equal(isTokenDeliveryEvent(delivered), true);
    const session = latchkey.storeSession(delivered);
    assert.equal(session.accessToken, delivered.access_token);
    assert.equal(session.refreshToken, delivered.refresh_token);
    assert.deepEqual(latchkey.loadSession(), session);
    assert.deepEqual(changes, ['stored']);
  });

  test('fields that are added later do no harm', () => {
    assert.equal(isTokenDeliveryEvent({ ...event(clock), new_field: {} }), true);
  });

  const broken = {
    'another event': (e) => ({ ...e, event_type: 'message' }),
    'a failure': (e) => ({ ...e, success: false }),
    'success as a word': (e) => ({ ...e, success: 'true' }),
    'a token that is no JWT': (e) => ({ ...e, access_token: 'abc' }),
    'a token with a line break': (e) => ({ ...e, access_token: `${e.access_token}\r\nX-Evil: 1` }),
    'a trailing line break': (e) => ({ ...e, id_token: `${e.id_token}\n` }),
    'a huge token': (e) => ({ ...e, id_token: `${e.id_token}${'a'.repeat(10_000)}` }),
    'tokens that changed places': (e) => ({ ...e, id_token: e.access_token, access_token: e.id_token }),
    'tokens of two people': (e) => ({ ...e, access_token: event(clock, { sub: 'someone-else' }).access_token }),
    'the sub of somebody else': (e) => ({ ...e, cognito_sub: 'someone-else' }),
    'claims that are no object': (e) => ({ ...e, id_token: jwt([]) }),
    'claims without times': (e) => ({ ...e, id_token: jwt({ sub: SUB, token_use: 'id' }) }),
    'a life of a year': (e) => ({ ...e, expires_in: 31_536_000 }),
    'a life of no time': (e) => ({ ...e, expires_in: 0 }),
    'a life before it began': (e) => ({ ...e, expires_in: -1 }),
    'a life that is a string': (e) => ({ ...e, expires_in: '3600' }),
    'a life that is no number': (e) => ({ ...e, expires_in: Number.NaN }),
    'no refresh token': ({ refresh_token: _, ...e }) => e,
    'a refresh token with spaces': (e) => ({ ...e, refresh_token: 'a b' }),
    'a refresh token that is an object': (e) => ({ ...e, refresh_token: { toString: () => 'x' } }),
    'an email with a line break': (e) => ({ ...e, email: 'ada@example.com\nbcc: x' }),
    'an email of 255 characters': (e) => ({ ...e, email: `${'a'.repeat(243)}@example.com` }),
    'a guest id with markup': (e) => ({ ...e, guest_id: '<img src=x onerror=alert(1)>' }),
    'an array': (e) => Object.assign([], e),
    'a string of JSON': (e) => JSON.stringify(e),
    'fields on the prototype': (e) => Object.create(e),
    null: () => null,
    undefined: () => undefined,
    'a number': () => 7,
    'a function': (e) => Object.assign(() => {}, e),
  };
  for (const [name, breakIt] of Object.entries(broken)) {
    test(`${name} is refused, and what was stored stays`, () => {
      const kept = latchkey.storeSession(signIn(clock));
      const hostile = breakIt(event(clock));
      assert.equal(isTokenDeliveryEvent(hostile), false);
      assert.throws(() => latchkey.storeSession(hostile), { name: 'LatchkeyError', code: 'INVALID_TOKENS' });
      assert.deepEqual(latchkey.loadSession(), kept);
    });
  }

  test('no getter of a hostile event runs', () => {
    let ran = false;
    const hostile = event(clock);
    Object.defineProperty(hostile, 'access_token', {
      enumerable: true,
      get() {
        ran = true;
        throw new Error('gotcha');
      },
    });
    assert.equal(isTokenDeliveryEvent(hostile), false);
    assert.equal(ran, false);
  });

  test('a proxy that throws is no event', () => {
    const hostile = new Proxy(
      {},
      {
        getOwnPropertyDescriptor: () => {
          throw new Error('gotcha');
        },
      },
    );
    assert.equal(isTokenDeliveryEvent(hostile), false);
  });

  test('a revoked proxy is no event', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    assert.equal(isTokenDeliveryEvent(proxy), false);
  });

  test('an event that is shown again does not undo the refreshes since', async () => {
    const delivered = event(clock);
    latchkey.storeSession(delivered);
    clock.advance(3590);
    const refreshed = await latchkey.refreshSession();
    assert.deepEqual(latchkey.storeSession(delivered), refreshed);
    assert.deepEqual(latchkey.loadSession(), refreshed);
  });

  test('an event that is shown twice is stored once', () => {
    const delivered = event(clock);
    const session = latchkey.storeSession(delivered);
    clock.advance(60);
    assert.deepEqual(latchkey.storeSession(delivered), session);
    assert.deepEqual(changes, ['stored']);
  });

  test('an event that is shown hours later is refreshed before it is used', async () => {
    const delivered = event(clock);
    clock.advance(7200);
    latchkey.storeSession(delivered);
    assert.notEqual(await latchkey.ensureValidIdToken(), delivered.id_token);
    assert.equal(api.refreshes().length, 1);
  });
});

describe('the session', () => {
  test('survives a reload', () => {
    const session = latchkey.storeSession(signIn(clock));
    assert.deepEqual(open().loadSession(), session);
  });

  test('of somebody else replaces the one before', () => {
    latchkey.storeSession(signIn(clock));
    clock.advance(-60);
    latchkey.storeSession(signIn(clock, { sub: 'another' }));
    assert.equal(latchkey.loadSession().cognitoSub, 'another');
  });

  test('cannot be changed from outside', () => {
    const session = latchkey.storeSession(signIn(clock));
    assert.throws(() => {
      session.accessToken = 'x';
    }, TypeError);
  });

  const rubbish = {
    'no JSON': 'not json',
    null: 'null',
    'an array': '[]',
    'another version': '{"version":2}',
    'an incomplete session': '{"version":1,"accessToken":"a.b.c"}',
  };
  for (const [name, text] of Object.entries(rubbish)) {
    test(`reads as none, and is removed, when storage holds ${name}`, () => {
      storage.setItem(KEY, text);
      assert.equal(latchkey.loadSession(), null);
      assert.equal(storage.getItem(KEY), null);
    });
  }

  for (const [field, value] of Object.entries({
    accessToken: 'a.b.c\r\nX: 1',
    refreshToken: 7,
    idExpiresAt: null,
    accessExpiresAt: '9',
    guestId: 'x',
    idToken: 'a.b.c',
  })) {
    test(`reads as none when its ${field} was tampered with`, () => {
      const session = latchkey.storeSession(signIn(clock));
      storage.setItem(KEY, JSON.stringify({ ...session, [field]: value }));
      assert.equal(latchkey.loadSession(), null);
    });
  }

  test('is forgotten by clearSession, and listeners hear of it once', () => {
    latchkey.storeSession(signIn(clock));
    latchkey.clearSession();
    latchkey.clearSession();
    assert.equal(latchkey.loadSession(), null);
    assert.equal(storage.items.size, 0);
    assert.deepEqual(changes, ['stored', 'cleared']);
  });

  test('lives on in memory when storage is full', () => {
    storage.setItem = () => {
      throw new Error('QuotaExceededError');
    };
    const session = latchkey.storeSession(signIn(clock));
    assert.deepEqual(latchkey.loadSession(), session);
  });

  test('is kept in memory alone when that is asked for', () => {
    const inMemory = open({ storage: 'memory' });
    inMemory.storeSession(signIn(clock));
    assert.equal(storage.items.size, 0);
    assert.notEqual(inMemory.loadSession(), null);
  });

  test('is in sessionStorage by default, and in localStorage when that is asked for', (t) => {
    const browser = { document: {}, sessionStorage: new MemoryStorage(), localStorage: new MemoryStorage() };
    for (const [name, value] of Object.entries(browser)) {
      Object.defineProperty(globalThis, name, { value, configurable: true });
    }
    t.after(() => Object.keys(browser).forEach((name) => delete globalThis[name]));
    open({ storage: undefined }).storeSession(signIn(clock));
    assert.deepEqual([browser.sessionStorage.items.size, browser.localStorage.items.size], [1, 0]);
    open({ storage: 'local' }).storeSession(signIn(clock));
    assert.deepEqual([browser.sessionStorage.items.size, browser.localStorage.items.size], [1, 1]);
  });

  test('is kept in memory when the browser forbids storage', (t) => {
    Object.defineProperty(globalThis, 'document', { value: {}, configurable: true });
    Object.defineProperty(globalThis, 'sessionStorage', {
      get() {
        throw new Error('SecurityError');
      },
      configurable: true,
    });
    t.after(() => ['document', 'sessionStorage'].forEach((name) => delete globalThis[name]));
    const inMemory = open({ storage: undefined });
    inMemory.storeSession(signIn(clock));
    assert.notEqual(inMemory.loadSession(), null);
  });

  test('a listener that throws keeps the others from nothing', (t) => {
    const reported = t.mock.method(console, 'error', () => {});
    const heard = [];
    latchkey.onSessionChange(() => {
      throw new Error('mine');
    });
    latchkey.onSessionChange(({ session }) => heard.push(session.email));
    latchkey.storeSession(signIn(clock));
    assert.deepEqual(heard, ['ada@example.com']);
    assert.equal(reported.mock.callCount(), 1);
  });

  test('a listener that was taken off hears nothing', () => {
    const heard = [];
    const stop = latchkey.onSessionChange(() => heard.push(1));
    stop();
    latchkey.storeSession(signIn(clock));
    assert.deepEqual(heard, []);
  });
});

describe('renewal', () => {
  test('without a session there is no token', async () => {
    await assert.rejects(latchkey.ensureValidIdToken(), { code: 'NO_SESSION' });
    await assert.rejects(latchkey.getAccessToken(), { code: 'NO_SESSION' });
    await assert.rejects(latchkey.refreshSession(), { code: 'NO_SESSION' });
    assert.equal(api.requests.length, 0);
  });

  test('a token 61 seconds before its end is used as it is', async () => {
    const { idToken, accessToken } = latchkey.storeSession(signIn(clock));
    clock.advance(3600 - 61);
    assert.equal(await latchkey.ensureValidIdToken(), idToken);
    assert.equal(await latchkey.getAccessToken(), accessToken);
    assert.equal(api.requests.length, 0);
  });

  for (const seconds of [60, 1, 0, -1, -86_400]) {
    test(`a token ${seconds} seconds before its end is renewed first`, async () => {
      const { idToken } = latchkey.storeSession(signIn(clock));
      clock.advance(3600 - seconds);
      const renewed = await latchkey.ensureValidIdToken();
      assert.notEqual(renewed, idToken);
      assert.equal(renewed, latchkey.loadSession().idToken);
      assert.deepEqual(changes, ['stored', 'refreshed']);
    });
  }

  test('id and access token have ends of their own', async () => {
    const iat = Math.floor(clock.now() / 1000);
    const longId = jwt({ sub: SUB, iat, exp: iat + 7200, token_use: 'id' });
    const { accessToken } = latchkey.storeSession(signIn(clock, { idToken: longId }));
    clock.advance(3600);
    assert.equal(await latchkey.ensureValidIdToken(), longId);
    assert.equal(api.refreshes().length, 0);
    assert.notEqual(await latchkey.getAccessToken(), accessToken);
    assert.equal(api.refreshes().length, 1);
  });

  test('a clock that is hours wrong does not shorten a fresh token', async () => {
    const answer = signIn(clock);
    clock.advance(5 * 3600);
    latchkey.storeSession(answer);
    assert.equal(await latchkey.ensureValidIdToken(), answer.idToken);
  });

  test('a clock that is set back does not lengthen the life of a token', async () => {
    const { idToken } = latchkey.storeSession(signIn(clock));
    clock.advance(-30);
    assert.equal(await latchkey.ensureValidIdToken(), idToken);
    clock.advance(-7200);
    const renewed = await latchkey.ensureValidIdToken();
    assert.notEqual(renewed, idToken);
    assert.equal(await latchkey.ensureValidIdToken(), renewed);
    assert.equal(api.refreshes().length, 1);
  });

  test('tokens that live shorter than the leeway are not renewed on every call', async () => {
    latchkey.storeSession(signIn(clock, { lifetime: 50 }));
    await latchkey.ensureValidIdToken();
    assert.equal(api.refreshes().length, 0);
    clock.advance(26);
    await latchkey.ensureValidIdToken();
    assert.equal(api.refreshes().length, 1);
  });

  test('the request carries the refresh token and no cookie', async () => {
    const { refreshToken } = latchkey.storeSession(signIn(clock));
    await latchkey.refreshSession();
    const [{ url, init }] = api.refreshes();
    assert.equal(url.href, `${API}/auth/refresh`);
    assert.equal(init.method, 'POST');
    assert.deepEqual(JSON.parse(init.body), { refreshToken });
    assert.equal(init.credentials, 'omit');
    assert.equal(init.redirect, 'error');
    assert.equal(new Headers(init.headers).get('Content-Type'), 'application/json');
  });

  test('a rotated refresh token replaces the one before', async () => {
    latchkey.storeSession(signIn(clock));
    await latchkey.refreshSession();
    const rotated = latchkey.loadSession().refreshToken;
    await latchkey.refreshSession();
    assert.deepEqual(JSON.parse(api.refreshes()[1].body), { refreshToken: rotated });
  });

  test('the guest of the answer is kept: the address may be another one since', async () => {
    const before = latchkey.storeSession(signIn(clock));
    const user = { guestId: before.guestId, email: 'ada@lovelace.example', cognitoSub: before.cognitoSub };
    api.routes['/auth/refresh'] = () => json(200, { ...tokens(clock), user });
    assert.equal((await latchkey.refreshSession()).email, 'ada@lovelace.example');
    const another = { ...user, email: 'eve@example.com', cognitoSub: 'another' };
    api.routes['/auth/refresh'] = () => json(200, { ...tokens(clock), user: another });
    assert.equal((await latchkey.refreshSession()).email, 'ada@lovelace.example');
  });

  test('a refresh token that is not rotated stays', async () => {
    const { refreshToken } = latchkey.storeSession(signIn(clock));
    api.routes['/auth/refresh'] = () => json(200, { ...tokens(clock), refreshToken: undefined });
    await latchkey.refreshSession();
    assert.equal(latchkey.loadSession().refreshToken, refreshToken);
  });

  test('twenty callers share one refresh', async () => {
    latchkey.storeSession(signIn(clock));
    clock.advance(3600);
    const { opened, open: answer } = gate();
    api.routes['/auth/refresh'] = async () => {
      await opened;
      return json(200, tokens(clock));
    };
    const callers = Array.from({ length: 20 }, (_, i) =>
      i % 2 ? latchkey.ensureValidIdToken() : latchkey.getAccessToken(),
    );
    answer();
    const results = new Set(await Promise.all(callers));
    const { idToken, accessToken } = latchkey.loadSession();
    assert.deepEqual(results, new Set([accessToken, idToken]));
    assert.equal(api.refreshes().length, 1);
  });

  test('twenty callers share one failure, and the next one tries again', async () => {
    latchkey.storeSession(signIn(clock));
    clock.advance(3600);
    api.routes['/auth/refresh'] = () => {
      throw new TypeError('Failed to fetch');
    };
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => latchkey.getAccessToken()));
    assert.equal(
      results.every(({ reason }) => reason?.code === 'REFRESH_FAILED'),
      true,
    );
    assert.equal(api.refreshes().length, 1);
    api.routes['/auth/refresh'] = () => json(200, tokens(clock));
    await latchkey.getAccessToken();
    assert.equal(api.refreshes().length, 2);
  });

  test("tabs that share a session share one refresh through the browser's locks", async () => {
    const locks = new FakeLocks();
    const tabs = Array.from({ length: 5 }, () => open({ locks }));
    tabs[0].storeSession(signIn(clock));
    clock.advance(3600);
    const results = new Set(await Promise.all(tabs.map((tab) => tab.ensureValidIdToken())));
    assert.equal(results.size, 1);
    assert.equal(api.refreshes().length, 1);
    assert.equal(new Set(locks.names).size, 1);
  });

  test('a browser that refuses locks refreshes without them', async () => {
    const locks = {
      request: async () => {
        throw new Error('SecurityError');
      },
    };
    const tab = open({ locks });
    tab.storeSession(signIn(clock));
    await tab.refreshSession();
    assert.equal(api.refreshes().length, 1);
  });

  test('a lock that a frozen tab holds is not waited for without end', async () => {
    const locks = {
      request: async (name, { signal }) => {
        assert.ok(signal instanceof AbortSignal);
        throw new DOMException('the wait is over', 'TimeoutError');
      },
    };
    const tab = open({ locks });
    tab.storeSession(signIn(clock));
    await tab.refreshSession();
    assert.equal(api.refreshes().length, 1);
  });

  test('a failure under a lock is not tried again without it', async () => {
    const tab = open({ locks: new FakeLocks() });
    tab.storeSession(signIn(clock));
    api.routes['/auth/refresh'] = () => problem(503, 'SERVICE_UNAVAILABLE');
    await assert.rejects(tab.refreshSession(), { code: 'REFRESH_FAILED', status: 503 });
    assert.equal(api.refreshes().length, 1);
  });

  test('a refused refresh clears the session and tells the listeners', async () => {
    latchkey.storeSession(signIn(clock));
    clock.advance(3600);
    api.routes['/auth/refresh'] = () => problem(401, 'INVALID_REFRESH_TOKEN');
    await assert.rejects(latchkey.getAccessToken(), { code: 'REFRESH_REFUSED', status: 401 });
    assert.equal(latchkey.loadSession(), null);
    assert.deepEqual(changes, ['stored', 'refused']);
  });

  const unwell = {
    'a lost connection': () => {
      throw new TypeError('Failed to fetch');
    },
    'a time-out': () => {
      throw new DOMException('too slow', 'TimeoutError');
    },
    'a 503': () => problem(503, 'SERVICE_UNAVAILABLE'),
    'a 429': () => problem(429, 'RATE_LIMITED'),
    'a 500': () => problem(500, 'INTERNAL'),
    'a 401 of something in between': () => new Response('<h1>Login</h1>', { status: 401 }),
    'a 401 with another code': () => problem(401, 'AUTH_REQUIRED'),
    'a 403 with the code': () => problem(403, 'INVALID_REFRESH_TOKEN'),
    'a 200 that is no JSON': () => new Response('<h1>Welcome to the hotel</h1>'),
    'a 200 without tokens': () => json(200, {}),
    'a 200 with null': () => json(200, null),
    'a 200 with rubbish for a token': () => json(200, { ...tokens(clock), accessToken: 'x\r\ny' }),
    'an endless answer': () => new Response('x'.repeat(100_000)),
    'a body that breaks off': () => new Response(new ReadableStream({ pull: (c) => c.error(new TypeError('reset')) })),
  };
  for (const [name, answer] of Object.entries(unwell)) {
    test(`${name} keeps the session`, async () => {
      const session = latchkey.storeSession(signIn(clock));
      clock.advance(3600);
      api.routes['/auth/refresh'] = answer;
      await assert.rejects(latchkey.getAccessToken(), { name: 'LatchkeyError', code: 'REFRESH_FAILED' });
      assert.deepEqual(latchkey.loadSession(), session);
      assert.deepEqual(changes, ['stored']);
    });
  }

  test('without a connection, a token that has not ended is still used', async () => {
    const { accessToken } = latchkey.storeSession(signIn(clock));
    api.routes['/auth/refresh'] = unwell['a lost connection'];
    clock.advance(3599);
    assert.equal(await latchkey.getAccessToken(), accessToken);
    clock.advance(1);
    await assert.rejects(latchkey.getAccessToken(), { code: 'REFRESH_FAILED' });
  });

  test('Retry-After is waited for', async () => {
    latchkey.storeSession(signIn(clock));
    clock.advance(3600);
    api.routes['/auth/refresh'] = () => problem(503, 'SERVICE_UNAVAILABLE', { 'Retry-After': '5' });
    await assert.rejects(latchkey.getAccessToken(), { code: 'REFRESH_FAILED', status: 503, retryAfterSeconds: 5 });
    api.routes['/auth/refresh'] = () => json(200, tokens(clock));
    clock.advance(4);
    await assert.rejects(latchkey.getAccessToken(), { code: 'REFRESH_FAILED', retryAfterSeconds: 1 });
    assert.equal(api.refreshes().length, 1);
    clock.advance(1);
    await latchkey.getAccessToken();
    assert.equal(api.refreshes().length, 2);
  });

  test('Retry-After ends too where the clock was set back', async () => {
    latchkey.storeSession(signIn(clock));
    clock.advance(3600);
    api.routes['/auth/refresh'] = () => problem(503, 'SERVICE_UNAVAILABLE', { 'Retry-After': '5' });
    await assert.rejects(latchkey.refreshSession(), { code: 'REFRESH_FAILED' });
    api.routes['/auth/refresh'] = () => json(200, tokens(clock));
    clock.advance(-7200);
    await latchkey.refreshSession();
    assert.equal(api.refreshes().length, 2);
  });

  test('a sign-out during a refresh stands', async () => {
    latchkey.storeSession(signIn(clock));
    api.routes['/auth/refresh'] = () => {
      latchkey.clearSession();
      return json(200, tokens(clock));
    };
    await assert.rejects(latchkey.refreshSession(), { code: 'NO_SESSION' });
    assert.equal(latchkey.loadSession(), null);
    assert.deepEqual(changes, ['stored', 'cleared']);
  });

  test('a sign-in during a refresh is not cleared by its refusal', async () => {
    latchkey.storeSession(signIn(clock));
    let fresh;
    api.routes['/auth/refresh'] = () => {
      fresh = latchkey.storeSession(signIn(clock));
      return problem(401, 'INVALID_REFRESH_TOKEN');
    };
    assert.deepEqual(await latchkey.refreshSession(), fresh);
    assert.deepEqual(latchkey.loadSession(), fresh);
  });
});

describe('cookie mode', () => {
  test('stores no refresh token, and refreshes with the cookie alone', async () => {
    latchkey.storeSession(cookieSignIn(clock));
    assert.equal(latchkey.loadSession().refreshToken, null);
    clock.advance(3600);
    api.routes['/auth/refresh'] = () => json(200, { ...tokens(clock), refreshToken: undefined });
    await latchkey.getAccessToken();
    const [{ init }] = api.refreshes();
    assert.equal(init.body, '{}');
    assert.equal(init.credentials, 'include');
  });

  test('a refresh token that comes all the same is not stored', async () => {
    latchkey.storeSession(cookieSignIn(clock));
    await latchkey.refreshSession();
    assert.equal(latchkey.loadSession().refreshToken, null);
    assert.doesNotMatch(storage.getItem(KEY), /refresh-/);
  });

  test('a cookie that is gone ends the session', async () => {
    latchkey.storeSession(cookieSignIn(clock));
    api.routes['/auth/refresh'] = () => problem(401, 'AUTH_REQUIRED');
    await assert.rejects(latchkey.refreshSession(), { code: 'REFRESH_REFUSED' });
    assert.equal(latchkey.loadSession(), null);
    assert.deepEqual(changes, ['stored', 'refused']);
  });

  test("a cookie that is somebody else's by now ends the session", async () => {
    latchkey.storeSession(cookieSignIn(clock));
    api.routes['/auth/refresh'] = () => json(200, tokens(clock, { sub: 'somebody-else' }));
    await assert.rejects(latchkey.refreshSession(), { code: 'REFRESH_REFUSED' });
    assert.equal(latchkey.loadSession(), null);
    assert.deepEqual(changes, ['stored', 'refused']);
  });
});

describe('authFetch', () => {
  test("sends the access token with the caller's own request", async () => {
    const { accessToken } = latchkey.storeSession(signIn(clock));
    const response = await latchkey.authFetch('/me', {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json', Authorization: 'Bearer mine' },
      body: '{"name":"Ada"}',
    });
    assert.equal((await response.json()).name, 'Ada');
    const [{ url, headers, init }] = api.requests;
    assert.equal(url.href, `${API}/me`);
    assert.equal(headers.get('Authorization'), `Bearer ${accessToken}`);
    assert.equal(headers.get('Content-Type'), 'application/json');
    assert.equal(init.method, 'PATCH');
    assert.equal(init.redirect, 'error');
  });

  for (const address of ['/me', `${API}/me`, new URL(`${API}/me?x=1`), 'me', new Request(`${API}/me`)]) {
    test(`goes to ${address.url ?? address} (${address.constructor.name})`, async () => {
      latchkey.storeSession(signIn(clock));
      await latchkey.authFetch(address);
      assert.equal(api.requests[0].path, '/me');
      assert.match(api.requests[0].headers.get('Authorization'), /^Bearer /);
    });
  }

  for (const address of [
    'https://evil.example/me',
    'http://app.example/api/me',
    'https://app.example:8443/api/me',
    'https://app.example.evil.example/api/me',
    'https://app.example@evil.example/api/me',
    'https://user:pass@app.example/api/me',
    '//evil.example/me',
    '/\\evil.example/me',
    '\\\\evil.example/me',
    '/../me',
    '/..%2f/../../me',
    'https://app.example/apix/me',
    'https://app.example/',
    'javascript:alert(1)',
    'data:text/plain,x',
    'blob:https://app.example/1',
    'https://',
    new Request('https://evil.example/api/me'),
  ]) {
    test(`refuses ${address.url ?? address} before any request`, async () => {
      latchkey.storeSession(signIn(clock));
      clock.advance(3600);
      await assert.rejects(latchkey.authFetch(address), { code: 'FOREIGN_ADDRESS' });
      assert.equal(api.requests.length, 0);
    });
  }

  test('renews an ended token before the request', async () => {
    latchkey.storeSession(signIn(clock));
    clock.advance(3600);
    await latchkey.authFetch('/me');
    assert.deepEqual(
      api.requests.map(({ path }) => path),
      ['/auth/refresh', '/me'],
    );
  });

  for (const [name, refusal] of Object.entries({
    'the gateway': () => json(401, { message: 'Unauthorized' }),
    'an operation': () => problem(401, 'AUTH_REQUIRED'),
  })) {
    test(`renews once and repeats once when ${name} refuses the token`, async () => {
      latchkey.storeSession(signIn(clock));
      let calls = 0;
      api.routes['/me'] = () => (++calls === 1 ? refusal() : json(200, {}));
      const response = await latchkey.authFetch('/me', { method: 'PATCH', body: '{"name":"Ada"}' });
      assert.equal(response.status, 200);
      assert.deepEqual(
        api.requests.map(({ path }) => path),
        ['/me', '/auth/refresh', '/me'],
      );
      assert.equal(api.requests[2].body, '{"name":"Ada"}');
      assert.notEqual(api.requests[2].headers.get('Authorization'), api.requests[0].headers.get('Authorization'));
    });
  }

  test('repeats a Request with its body', async () => {
    latchkey.storeSession(signIn(clock));
    let calls = 0;
    api.routes['/me'] = () => (++calls === 1 ? problem(401, 'AUTH_REQUIRED') : json(200, {}));
    await latchkey.authFetch(new Request(`${API}/me`, { method: 'PATCH', body: '{"name":"Ada"}' }));
    assert.deepEqual([api.requests[0].body, api.requests[2].body], ['{"name":"Ada"}', '{"name":"Ada"}']);
  });

  test('gives up after the second refusal', async () => {
    latchkey.storeSession(signIn(clock));
    api.routes['/me'] = () => problem(401, 'AUTH_REQUIRED');
    assert.equal((await latchkey.authFetch('/me')).status, 401);
    assert.equal(api.requests.length, 3);
  });

  test('does not repeat what was refused for another reason', async () => {
    latchkey.storeSession(signIn(clock));
    api.routes['/me'] = () => problem(401, 'INVALID_CREDENTIALS');
    const response = await latchkey.authFetch('/me');
    assert.equal((await response.json()).code, 'INVALID_CREDENTIALS');
    assert.equal(api.requests.length, 1);
  });

  test('is not sent for another person, who signs in during the renewal', async () => {
    latchkey.storeSession(signIn(clock));
    clock.advance(3600);
    api.routes['/auth/refresh'] = () => {
      latchkey.storeSession(signIn(clock, { sub: 'another' }));
      return json(200, tokens(clock));
    };
    await assert.rejects(latchkey.authFetch('/me', { method: 'PATCH', body: '{}' }), { code: 'REFRESH_REFUSED' });
    assert.equal(api.requests.length, 1);
    assert.equal((await latchkey.authFetch('/me')).status, 200);
  });

  for (const at of ['/me', '/auth/refresh']) {
    test(`does not repeat for another person, who signs in during ${at}`, async () => {
      latchkey.storeSession(signIn(clock));
      const answers = { '/me': () => problem(401, 'AUTH_REQUIRED'), '/auth/refresh': () => json(200, tokens(clock)) };
      Object.assign(api.routes, answers);
      api.routes[at] = () => {
        latchkey.storeSession(signIn(clock, { sub: 'another' }));
        return answers[at]();
      };
      const response = await latchkey.authFetch('/me', { method: 'PATCH', body: '{"name":"Ada"}' });
      assert.equal(response.status, 401);
      assert.equal(api.requests.filter(({ path }) => path === '/me').length, 1);
    });
  }

  test('does not repeat a stream', async () => {
    latchkey.storeSession(signIn(clock));
    api.routes['/me'] = () => problem(401, 'AUTH_REQUIRED');
    const body = new ReadableStream();
    assert.equal((await latchkey.authFetch('/me', { method: 'POST', body, duplex: 'half' })).status, 401);
    assert.equal(api.requests.length, 1);
  });

  test('a guest who was signed out everywhere is signed out here', async () => {
    latchkey.storeSession(signIn(clock));
    api.routes['/me'] = () => problem(401, 'AUTH_REQUIRED');
    api.routes['/auth/refresh'] = () => problem(401, 'INVALID_REFRESH_TOKEN');
    assert.equal((await latchkey.authFetch('/me')).status, 401);
    assert.equal(latchkey.loadSession(), null);
    assert.deepEqual(changes, ['stored', 'refused']);
  });
});

describe('configuration', () => {
  for (const apiUrl of [
    'http://app.example',
    'ftp://app.example',
    'file:///api',
    '/api',
    '',
    'http://127.0.0.1.evil.example',
  ]) {
    test(`refuses ${apiUrl || 'nothing'} as the API's address`, () => {
      assert.throws(() => createLatchkey({ apiUrl }), { code: 'CONFIGURATION' });
    });
  }

  for (const apiUrl of [
    'https://app.example',
    'http://127.0.0.1:8787',
    'http://localhost:1',
    'http://[::1]:8787/api/',
  ]) {
    test(`accepts ${apiUrl} as the API's address`, () => {
      createLatchkey({ apiUrl, storage: 'memory' });
    });
  }

  test('refuses a storage that it does not know', () => {
    assert.throws(() => open({ storage: 'cookie' }), { code: 'CONFIGURATION' });
  });

  test('a server has no default session that its people would share', async () => {
    assert.throws(() => module.loadSession(), { code: 'CONFIGURATION' });
    await assert.rejects(module.getAccessToken(), { code: 'CONFIGURATION' });
    assert.throws(() => module.configure({ apiUrl: API }), { code: 'CONFIGURATION' });
  });

  test("a server's own storage is nobody's session", (t) => {
    for (const name of ['sessionStorage', 'localStorage']) {
      Object.defineProperty(globalThis, name, { value: storage, configurable: true });
    }
    t.after(() => ['sessionStorage', 'localStorage'].forEach((name) => delete globalThis[name]));
    open({ storage: undefined }).storeSession(signIn(clock));
    open({ storage: 'local' }).storeSession(signIn(clock));
    assert.equal(storage.items.size, 0);
  });

  test('the shared functions use what was configured, and it cannot change under them', async (t) => {
    Object.defineProperty(globalThis, 'document', { value: {}, configurable: true });
    t.after(() => delete globalThis.document);
    module.configure({ apiUrl: API, storage, now: clock.now, fetch: api.fetch, locks: null, channel: null });
    const heard = [];
    const stop = module.onSessionChange(({ reason }) => heard.push(reason));
    const { accessToken, idToken } = module.storeSession(signIn(clock));
    assert.equal(await module.getAccessToken(), accessToken);
    assert.equal(await module.ensureValidIdToken(), idToken);
    assert.equal((await module.authFetch('/me')).status, 200);
    assert.notEqual((await module.refreshSession()).idToken, idToken);
    module.clearSession();
    assert.equal(module.loadSession(), null);
    stop();
    assert.deepEqual(heard, ['stored', 'refreshed', 'cleared']);
    assert.throws(() => module.configure({}), { code: 'CONFIGURATION' });
  });

  test("another tab's change of localStorage is told, and its refresh as one", async (t) => {
    const heard = [];
    let onStorage;
    Object.defineProperty(globalThis, 'document', { value: {}, configurable: true });
    Object.defineProperty(globalThis, 'localStorage', { value: storage, configurable: true });
    globalThis.addEventListener = (type, listener) => {
      if (type === 'storage') onStorage = listener;
    };
    t.after(() => {
      delete globalThis.document;
      delete globalThis.localStorage;
      delete globalThis.addEventListener;
    });
    const tab = open({ storage: 'local', channel: null });
    tab.onSessionChange(({ reason, session }) => heard.push([reason, session?.accessToken ?? null]));
    const other = open();
    const { accessToken } = other.storeSession(signIn(clock));
    onStorage({ key: KEY });
    onStorage({ key: KEY });
    onStorage({ key: 'unrelated' });
    const refreshed = await other.refreshSession();
    onStorage({ key: KEY });
    const another = other.storeSession(signIn(clock, { sub: 'another' }));
    onStorage({ key: KEY });
    other.clearSession();
    onStorage({ key: null });
    assert.deepEqual(heard, [
      ['elsewhere', accessToken],
      ['refreshed', refreshed.accessToken],
      ['elsewhere', another.accessToken],
      ['elsewhere', null],
    ]);
  });
});

describe('tabs', () => {
  let hub;
  beforeEach(() => {
    hub = new Hub();
  });
  const tabWith = (own, options) => open({ storage: own, channel: hub.open(), ...options });

  /** The next change that a tab hears of. */
  const nextChange = (tab) =>
    new Promise((resolve) => {
      const stop = tab.onSessionChange((change) => {
        stop();
        resolve(change);
      });
    });

  /**
   * Refreshes as the API does after the grace: each token once, and a repeated one ends the
   * session.
   */
  function rotateStrictly() {
    const used = new Set();
    api.routes['/auth/refresh'] = ({ body }) => {
      const { refreshToken } = JSON.parse(body);
      if (used.has(refreshToken)) return problem(401, 'INVALID_REFRESH_TOKEN');
      used.add(refreshToken);
      return json(200, tokens(clock));
    };
  }

  test('a duplicated tab takes the tokens that its sibling has rotated', async () => {
    rotateStrictly();
    const first = tabWith(storage);
    first.storeSession(signIn(clock));
    const second = tabWith(copyOf(storage));
    clock.advance(3600);
    const { accessToken } = await first.refreshSession();
    assert.equal(await second.getAccessToken(), accessToken);
    assert.equal(api.refreshes().length, 1);
    clock.advance(3600);
    const renewed = await second.getAccessToken();
    assert.equal(await first.getAccessToken(), renewed);
    assert.equal(api.refreshes().length, 2);
  });

  test('a duplicated tab has the newer tokens before its sibling closes', async () => {
    rotateStrictly();
    const channel = hub.open();
    const first = open({ storage, channel });
    first.storeSession(signIn(clock));
    const second = tabWith(copyOf(storage));
    clock.advance(3600);
    const heard = nextChange(second);
    const refreshed = await first.refreshSession();
    assert.deepEqual(await heard, { reason: 'refreshed', session: refreshed });
    channel.close();
    assert.deepEqual(second.loadSession(), refreshed);
    clock.advance(3600);
    await second.getAccessToken();
    assert.equal(api.refreshes().length, 2);
  });

  test("a sibling's tokens that have ended are renewed, by the sibling's refresh token", async () => {
    rotateStrictly();
    const first = tabWith(storage);
    first.storeSession(signIn(clock));
    const copy = copyOf(storage);
    clock.advance(3600);
    const { accessToken: ended, refreshToken } = await first.refreshSession();
    // It was frozen, and missed the newer tokens.
    const second = tabWith(copy);
    clock.advance(3600);
    const renewed = await second.getAccessToken();
    assert.notEqual(renewed, ended);
    assert.deepEqual(
      api.refreshes().map(({ body }) => JSON.parse(body).refreshToken).slice(1),
      [refreshToken],
    );
    assert.equal(second.loadSession().accessToken, renewed);
  });

  test('tokens that a sibling has announced are waited for, on a busy machine too', async (t) => {
    rotateStrictly();
    const first = tabWith(storage);
    first.storeSession(signIn(clock));
    const copy = copyOf(storage);
    clock.advance(3600);
    const { accessToken } = await first.refreshSession();
    const second = tabWith(copy);
    const { opened, open: encrypt } = gate();
    const real = crypto.subtle.encrypt.bind(crypto.subtle);
    t.mock.method(crypto.subtle, 'encrypt', (...input) => opened.then(() => real(...input)));
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const token = second.getAccessToken();
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(1_000);
    encrypt();
    assert.equal(await token, accessToken);
    assert.equal(api.refreshes().length, 1);
  });

  test('newer tokens are newer where this clock was set back meanwhile', async () => {
    const apiClock = new Clock();
    const first = tabWith(storage);
    first.storeSession(signIn(apiClock));
    const second = tabWith(copyOf(storage));
    apiClock.advance(1800);
    clock.advance(-7200);
    api.routes['/auth/refresh'] = () => json(200, tokens(apiClock));
    const heard = nextChange(second);
    const refreshed = await first.refreshSession();
    await heard;
    assert.deepEqual(second.loadSession(), refreshed);
  });

  test('what tabs say holds no token', async () => {
    const first = tabWith(storage);
    first.storeSession(signIn(clock));
    const old = copyOf(storage);
    const channel = hub.open();
    const second = open({ storage: copyOf(storage), channel });
    clock.advance(3600);
    const heard = nextChange(second);
    await first.refreshSession();
    await heard;
    channel.close();
    const third = tabWith(old);
    await third.getAccessToken();
    first.clearSession();
    assert.deepEqual(
      hub.said.map(({ type }) => type).sort(),
      ['ask', 'ask', 'changed', 'changed', 'changed', 'have', 'have', 'newer'],
    );
    const secrets = Object.values(first.storeSession(signIn(clock))).filter((value) => String(value).length > 60);
    for (const message of hub.said) {
      const text = JSON.stringify(message) + Buffer.from(message.sealed ?? []).toString('latin1');
      assert.doesNotMatch(text, /eyJ|refresh-/);
      secrets.forEach((secret) => assert.equal(text.includes(secret), false));
    }
  });

  test('a tab with another session of the same guest gets no tokens', async () => {
    const first = tabWith(storage);
    first.storeSession(signIn(clock));
    const second = tabWith(new MemoryStorage());
    second.storeSession(signIn(clock));
    clock.advance(3600);
    await first.refreshSession();
    await second.refreshSession();
    assert.equal(api.refreshes().length, 2);
    assert.notEqual(first.loadSession().accessToken, second.loadSession().accessToken);
  });

  const forged = {
    'an answer of rubbish': { iv: new Uint8Array(12), sealed: new Uint8Array(40) },
    'an answer without anything': {},
    'an answer in clear': { session: 'x', sealed: 'y' },
  };
  for (const [name, answer] of Object.entries(forged)) {
    test(`${name} changes nothing`, async () => {
      const tab = tabWith(storage);
      tab.storeSession(signIn(clock));
      const liar = hub.open();
      liar.addEventListener('message', ({ data }) => {
        if (data.type === 'ask') liar.postMessage({ type: 'have', tab: data.tab, ...answer });
      });
      await tab.refreshSession();
      assert.equal(api.refreshes().length, 1);
    });
  }

  for (const message of [null, 7, 'changed', [], {}, { type: 'ask' }, { type: 'changed' }, { type: 'newer' }, { type: 'have' }]) {
    test(`the message ${JSON.stringify(message)} changes nothing`, async () => {
      const tab = tabWith(storage);
      const session = tab.storeSession(signIn(clock));
      hub.open().postMessage(message);
      await Promise.resolve();
      assert.deepEqual(tab.loadSession(), session);
    });
  }

  test('a sign-out in one copy signs the other out', async () => {
    const first = tabWith(storage);
    first.storeSession(signIn(clock));
    const second = tabWith(copyOf(storage));
    const heard = [];
    second.onSessionChange(({ reason, session }) => heard.push([reason, session]));
    first.clearSession();
    await Promise.resolve();
    assert.equal(second.loadSession(), null);
    assert.deepEqual(heard, [['elsewhere', null]]);
  });

  test('a sign-out leaves a session of its own in another tab alone', async () => {
    const first = tabWith(storage);
    first.storeSession(signIn(clock));
    const second = tabWith(new MemoryStorage());
    const session = second.storeSession(signIn(clock));
    first.clearSession();
    await Promise.resolve();
    assert.deepEqual(second.loadSession(), session);
  });

  test('two clients of one page hear of each other', async () => {
    const first = tabWith(storage);
    const second = tabWith(storage);
    const heard = [];
    second.onSessionChange(({ reason, session }) => heard.push([reason, session?.accessToken ?? null]));
    const { accessToken } = first.storeSession(signIn(clock));
    await Promise.resolve();
    const refreshed = await first.refreshSession();
    await Promise.resolve();
    first.clearSession();
    await Promise.resolve();
    assert.deepEqual(heard, [
      ['elsewhere', accessToken],
      ['refreshed', refreshed.accessToken],
      ['elsewhere', null],
    ]);
  });

  test('in cookie mode all tabs sign out together, and hear of a sign-in', async () => {
    const first = tabWith(storage, { tokenDelivery: 'cookie' });
    const second = tabWith(new MemoryStorage(), { tokenDelivery: 'cookie' });
    const heard = [];
    second.onSessionChange(({ reason }) => heard.push(reason));
    first.storeSession(cookieSignIn(clock));
    await Promise.resolve();
    assert.deepEqual(heard, ['elsewhere']);
    second.storeSession(cookieSignIn(clock));
    first.clearSession();
    await Promise.resolve();
    assert.equal(second.loadSession(), null);
  });

  test("in cookie mode another person's sign-in ends the session of every other tab", async () => {
    const first = tabWith(storage, { tokenDelivery: 'cookie' });
    const second = tabWith(new MemoryStorage(), { tokenDelivery: 'cookie' });
    first.storeSession(cookieSignIn(clock));
    second.storeSession(cookieSignIn(clock, { sub: 'another' }));
    await Promise.resolve();
    assert.equal(first.loadSession(), null);
  });

  test("a tab that finds another person's cookie ends its own session, and not that person's", async () => {
    const first = tabWith(storage, { tokenDelivery: 'cookie' });
    first.storeSession(cookieSignIn(clock));
    const same = tabWith(copyOf(storage), { tokenDelivery: 'cookie' });
    await Promise.resolve();
    // The other two were frozen when that person signed in.
    const theirs = new MemoryStorage();
    open({ storage: theirs, tokenDelivery: 'cookie' }).storeSession(cookieSignIn(clock, { sub: 'another' }));
    const another = tabWith(theirs, { tokenDelivery: 'cookie' });
    api.routes['/auth/refresh'] = () => json(200, tokens(clock, { sub: 'another' }));
    await assert.rejects(first.refreshSession(), { code: 'REFRESH_REFUSED' });
    await Promise.resolve();
    assert.equal(same.loadSession(), null);
    assert.equal(another.loadSession()?.cognitoSub, 'another');
  });

  test('a page that comes back from the back-forward cache hears what it missed', (t) => {
    const handlers = {};
    Object.defineProperty(globalThis, 'document', { value: {}, configurable: true });
    globalThis.addEventListener = (type, handler) => {
      handlers[type] = handler;
    };
    t.after(() => ['document', 'addEventListener'].forEach((name) => delete globalThis[name]));
    const tab = tabWith(storage);
    tab.storeSession(signIn(clock));
    const heard = [];
    tab.onSessionChange(({ reason, session }) => heard.push([reason, session]));
    handlers.pageshow({ persisted: true });
    assert.deepEqual(heard, []);
    storage.removeItem(KEY);
    handlers.pageshow({ persisted: false });
    handlers.pageshow({ persisted: true });
    handlers.pageshow({ persisted: true });
    assert.deepEqual(heard, [['elsewhere', null]]);
  });
});

describe('signing out', () => {
  beforeEach(() => {
    api.routes['/auth/logout'] = () => new Response(null, { status: 204 });
  });

  test('ends the session at the API and here', async () => {
    const { accessToken, refreshToken } = latchkey.storeSession(signIn(clock));
    await latchkey.signOut();
    const [{ headers, body, init }] = api.requests;
    assert.equal(headers.get('Authorization'), `Bearer ${accessToken}`);
    assert.deepEqual(JSON.parse(body), { refreshToken });
    assert.equal(init.credentials, 'omit');
    assert.equal(latchkey.loadSession(), null);
    assert.deepEqual(changes, ['stored', 'cleared']);
  });

  test('everywhere says so, and in cookie mode sends the cookie', async () => {
    latchkey.storeSession(cookieSignIn(clock));
    await latchkey.signOut({ everywhere: true });
    assert.deepEqual(JSON.parse(api.requests[0].body), { everywhere: true });
    assert.equal(api.requests[0].init.credentials, 'include');
  });

  test('without a session does nothing', async () => {
    await latchkey.signOut();
    assert.equal(api.requests.length, 0);
  });

  const unheard = {
    'a lost connection': () => {
      throw new TypeError('Failed to fetch');
    },
    'a 503': () => problem(503, 'SERVICE_UNAVAILABLE', { 'Retry-After': '7' }),
    'a 401 for another reason': () => problem(401, 'SOMETHING_ELSE'),
  };
  for (const [name, answer] of Object.entries(unheard)) {
    test(`that ends in ${name} keeps the session, and succeeds later`, async () => {
      const session = latchkey.storeSession(signIn(clock));
      api.routes['/auth/logout'] = answer;
      const failure = await latchkey.signOut({ everywhere: true }).catch((error) => error);
      assert.equal(failure.code, 'SIGN_OUT_FAILED');
      if (name === 'a 503') assert.deepEqual([failure.status, failure.retryAfterSeconds], [503, 7]);
      assert.deepEqual(latchkey.loadSession(), session);
      assert.deepEqual(changes, ['stored']);
      api.routes['/auth/logout'] = () => new Response(null, { status: 204 });
      await latchkey.signOut({ everywhere: true });
      assert.equal(latchkey.loadSession(), null);
    });
  }

  test('without a connection for the refresh before it keeps the session', async () => {
    const session = latchkey.storeSession(signIn(clock));
    clock.advance(3600);
    api.routes['/auth/refresh'] = unheard['a lost connection'];
    await assert.rejects(latchkey.signOut(), { code: 'SIGN_OUT_FAILED' });
    assert.deepEqual(latchkey.loadSession(), session);
  });

  for (const [name, refusal] of Object.entries({
    'the gateway': () => json(401, { message: 'Unauthorized' }),
    'the operation': () => problem(401, 'AUTH_REQUIRED'),
  })) {
    test(`renews once and repeats once when ${name} refuses the token`, async () => {
      latchkey.storeSession(signIn(clock));
      let calls = 0;
      api.routes['/auth/logout'] = () => (++calls === 1 ? refusal() : new Response(null, { status: 204 }));
      let renewed;
      api.routes['/auth/refresh'] = () => json(200, (renewed = tokens(clock)));
      await latchkey.signOut();
      assert.deepEqual(
        api.requests.map(({ path }) => path),
        ['/auth/logout', '/auth/refresh', '/auth/logout'],
      );
      const { headers, body } = api.requests[2];
      assert.equal(headers.get('Authorization'), `Bearer ${renewed.accessToken}`);
      assert.deepEqual(JSON.parse(body), { refreshToken: renewed.refreshToken });
      assert.equal(latchkey.loadSession(), null);
    });
  }

  test('gives up after the second refusal, and keeps the session', async () => {
    latchkey.storeSession(signIn(clock));
    api.routes['/auth/logout'] = () => problem(401, 'AUTH_REQUIRED');
    await assert.rejects(latchkey.signOut(), { code: 'SIGN_OUT_FAILED', status: 401 });
    assert.equal(api.requests.length, 3);
    assert.notEqual(latchkey.loadSession(), null);
  });

  test('of a session that was ended elsewhere is no failure', async () => {
    latchkey.storeSession(signIn(clock));
    api.routes['/auth/logout'] = () => problem(401, 'AUTH_REQUIRED');
    api.routes['/auth/refresh'] = () => problem(401, 'INVALID_REFRESH_TOKEN');
    await latchkey.signOut();
    assert.equal(latchkey.loadSession(), null);
    assert.deepEqual(changes, ['stored', 'refused']);
  });

  test('of a session that has ended already is no failure', async () => {
    latchkey.storeSession(signIn(clock));
    clock.advance(3600);
    api.routes['/auth/refresh'] = () => problem(401, 'INVALID_REFRESH_TOKEN');
    await latchkey.signOut();
    assert.equal(latchkey.loadSession(), null);
  });

  test('does not end the session of another person who signs in during its refresh', async () => {
    latchkey.storeSession(signIn(clock));
    clock.advance(3600);
    api.routes['/auth/refresh'] = () => {
      latchkey.storeSession(signIn(clock, { sub: 'another' }));
      return json(200, tokens(clock));
    };
    await latchkey.signOut({ everywhere: true });
    assert.deepEqual(
      api.requests.map(({ path }) => path),
      ['/auth/refresh'],
    );
    assert.equal(latchkey.loadSession().cognitoSub, 'another');
  });

  test("leaves another person's sign-in meanwhile alone", async () => {
    latchkey.storeSession(signIn(clock));
    api.routes['/auth/logout'] = () => {
      latchkey.storeSession(signIn(clock, { sub: 'another' }));
      return new Response(null, { status: 204 });
    };
    await latchkey.signOut();
    assert.equal(latchkey.loadSession().cognitoSub, 'another');
  });
});

describe('restoring', () => {
  const withUser = () => ({ ...cookieSignIn(clock) });

  test('a new tab finds the session of the cookie', async () => {
    api.routes['/auth/refresh'] = () => json(200, withUser());
    const tab = open({ tokenDelivery: 'cookie' });
    const session = await tab.restore();
    assert.equal(session.email, 'ada@example.com');
    assert.deepEqual(tab.loadSession(), session);
    assert.equal(api.requests[0].init.credentials, 'include');
  });

  test('asks whose session it is where the tokens’ answer does not say', async () => {
    const { user, ...answer } = withUser();
    api.routes['/auth/refresh'] = () => json(200, answer);
    api.routes['/me'] = ({ headers }) => {
      assert.equal(headers.get('Authorization'), `Bearer ${answer.accessToken}`);
      return json(200, user);
    };
    assert.equal((await open({ tokenDelivery: 'cookie' }).restore()).guestId, user.guestId);
    for (const unwell of [() => problem(503, 'SERVICE_UNAVAILABLE'), () => json(200, { ...user, cognitoSub: 'another' })]) {
      api.routes['/me'] = unwell;
      await assert.rejects(open({ tokenDelivery: 'cookie', storage: new MemoryStorage() }).restore(), { code: 'REFRESH_FAILED' });
    }
  });

  test('finds none where there is none', async () => {
    api.routes['/auth/refresh'] = () => problem(401, 'AUTH_REQUIRED');
    assert.equal(await open({ tokenDelivery: 'cookie' }).restore(), null);
  });

  for (const [name, answer] of Object.entries({
    'a 503': () => problem(503, 'SERVICE_UNAVAILABLE', { 'Retry-After': '5' }),
    'a 429': () => problem(429, 'RATE_LIMITED', { 'Retry-After': '5' }),
    'a 401 of something in between': () => new Response('<h1>Login</h1>', { status: 401, headers: { 'Retry-After': '5' } }),
  })) {
    test(`says after ${name} that it does not know`, async () => {
      api.routes['/auth/refresh'] = answer;
      await assert.rejects(open({ tokenDelivery: 'cookie' }).restore(), { code: 'REFRESH_FAILED', retryAfterSeconds: 5 });
    });
  }

  test('stores no refresh token, whatever the answer contains', async () => {
    api.routes['/auth/refresh'] = () => json(200, signIn(clock));
    assert.equal((await open({ tokenDelivery: 'cookie' }).restore()).refreshToken, null);
    assert.doesNotMatch(storage.getItem(KEY), /refresh-/);
  });

  test('is one request for all who ask, and one after the other in several tabs', async () => {
    let running = 0;
    api.routes['/auth/refresh'] = async () => {
      assert.equal((running += 1), 1);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return json(200, withUser());
    };
    const locks = new FakeLocks();
    const tabs = [1, 2].map(() => open({ tokenDelivery: 'cookie', storage: new MemoryStorage(), locks }));
    const found = await Promise.all(tabs.flatMap((tab) => [tab.restore(), tab.restore()]));
    assert.equal(new Set(found.map(({ accessToken }) => accessToken)).size, 2);
    assert.equal(api.refreshes().length, 2);
  });

  test('is one request for tabs that share the storage', async () => {
    api.routes['/auth/refresh'] = () => json(200, withUser());
    const locks = new FakeLocks();
    const [first, second] = [1, 2].map(() => open({ tokenDelivery: 'cookie', locks }));
    const found = await Promise.all([first.restore(), second.restore()]);
    assert.deepEqual(found[0], found[1]);
    assert.equal(api.refreshes().length, 1);
  });

  test('tells other tabs of no sign-in, but ends the session of another person there', async () => {
    const hub = new Hub();
    const inTab = () => open({ tokenDelivery: 'cookie', storage: new MemoryStorage(), channel: hub.open() });
    const [first, second, third] = [inTab(), inTab(), inTab()];
    third.storeSession(cookieSignIn(clock, { sub: 'another' }));
    await Promise.resolve();
    const heard = [];
    second.onSessionChange(({ reason }) => heard.push(reason));
    api.routes['/auth/refresh'] = () => json(200, withUser());
    await first.restore();
    await Promise.resolve();
    assert.deepEqual(heard, []);
    assert.equal(third.loadSession(), null);
  });

  test('asks for nothing where tokens are kept here', async () => {
    assert.equal(await latchkey.restore(), null);
    const session = latchkey.storeSession(signIn(clock));
    assert.deepEqual(await latchkey.restore(), session);
    assert.equal(api.requests.length, 0);
  });
});

describe('claims', () => {
  test('are read as UTF-8', () => {
    assert.equal(readClaims(jwt({ name: 'Zoë 🗝' })).name, 'Zoë 🗝');
  });

  for (const value of [
    null,
    undefined,
    7,
    '',
    'a.b',
    'a.b.c.d',
    'a.!.c',
    'e30.e30.',
    `a.${'A'.repeat(9000)}.c`,
    'a._w.c',
  ]) {
    test(`of ${String(value).slice(0, 20)} are none`, () => {
      assert.equal(readClaims(value), null);
    });
  }
});

describe('the package', () => {
  test('declares exactly what each of its imports exports', async () => {
    const { exports } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
    for (const [name, { types, default: source }] of Object.entries(exports)) {
      // React is a peer, and is not installed here.
      if (name === './react') continue;
      const declarations = await readFile(new URL(`../${types}`, import.meta.url), 'utf8');
      const declared = [...declarations.matchAll(/^export (?:declare )?(?:class|(?:async )?function|const) (\w+)/gm)];
      const passedOn = [...declarations.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, names]) => names.split(','));
      const names = [...declared.map(([, each]) => each), ...passedOn.map((each) => each.trim()).filter(Boolean)];
      assert.deepEqual([...new Set(names)].sort(), Object.keys(await import(`../${source}`)).sort(), name);
    }
  });

  test('comes under the licences of the whole', async () => {
    for (const name of ['LICENSE-APACHE', 'LICENSE-MIT']) {
      const [ours, whole] = await Promise.all(
        ['../', '../../../'].map((folder) => readFile(new URL(`${folder}${name}`, import.meta.url), 'utf8')),
      );
      assert.equal(ours, whole);
    }
  });

  test('never evaluates, never writes markup, imports only itself', async () => {
    const inside = async (folder) => (await readdir(new URL(folder, import.meta.url))).map((name) => folder + name);
    const names = [...(await inside('../')), ...(await inside('../elements/'))].filter((name) => name.endsWith('.js'));
    for (const name of names) {
      const source = await readFile(new URL(name, import.meta.url), 'utf8');
      assert.doesNotMatch(source, /\beval\s*\(|new Function|innerHTML|outerHTML|insertAdjacent|parseFromString|document\.write/);
      for (const [, from] of source.matchAll(/^(?:import|export)\b[^;]*? from '([^']+)'/gm)) {
        if (name === '../react.js' && from === 'react') continue;
        assert.match(from, /^\.{1,2}\/(elements\/)?[a-z-]+\.js$/);
      }
    }
  });
});

describe('texts', () => {
  test('have the same keys and values in every language', async () => {
    const { TEXTS } = await import('latchkey/components');
    const values = (text) => [...text.matchAll(/\{\w+\}/g)].map(([value]) => value).sort();
    for (const [language, texts] of Object.entries(TEXTS)) {
      assert.deepEqual(Object.keys(texts), Object.keys(TEXTS.en), language);
      for (const [key, text] of Object.entries(texts)) assert.deepEqual(values(text), values(TEXTS.en[key]), key);
    }
  });

  test('have a sentence for every code of a problem that an element meets', async () => {
    const { TEXTS } = await import('latchkey/components');
    const declarations = await readFile(new URL('../operations.d.ts', import.meta.url), 'utf8');
    const [, union] = /export type ProblemCode =([^;]+);/.exec(declarations);
    const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code);
    // These are faults of a program, and have the general sentence with the request's id.
    const programs = ['INTERNAL', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];
    assert.deepEqual(codes.filter((code) => !(`problem.${code}` in TEXTS.en)), programs);
  });
});
