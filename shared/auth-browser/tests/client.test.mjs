import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import { createLatchkey, isProblem, LatchkeyProblem } from 'latchkey';
import { Api, API, Clock, MemoryStorage, cookieSignIn, json, problem, signIn, tokens } from './world.mjs';

const TOKEN = 'x'.repeat(43);
let clock;
let api;
let latchkey;

const open = (options) =>
  createLatchkey({
    apiUrl: API,
    storage: new MemoryStorage(),
    now: clock.now,
    fetch: api.fetch,
    locks: null,
    channel: null,
    ...options,
  });

beforeEach(() => {
  clock = new Clock();
  api = new Api();
  latchkey = open();
});

describe('an operation', () => {
  test('is a method with its input and its answer', async () => {
    const sent = { sessionToken: TOKEN, expiresIn: 300, resendAfter: 30, delivery: {}, message: 'sent' };
    api.routes['/auth/otp/initiate'] = () => json(200, sent);
    assert.deepEqual(await latchkey.initiateOtp({ email: 'ada@example.com' }), sent);
    const [{ url, init, headers, body }] = api.requests;
    assert.equal(url.href, `${API}/auth/otp/initiate`);
    assert.deepEqual([init.method, init.credentials, init.redirect], ['POST', 'same-origin', 'error']);
    assert.equal(headers.get('Content-Type'), 'application/json');
    assert.equal(headers.get('Authorization'), null);
    assert.deepEqual(JSON.parse(body), { email: 'ada@example.com' });
  });

  test('that signs in stores the session, in the way that the client takes tokens', async () => {
    api.routes['/auth/otp/verify'] = () => json(200, signIn(clock));
    const answer = await latchkey.verifyOtp({ email: 'ada@example.com', code: '12345678', sessionToken: TOKEN });
    assert.equal(latchkey.loadSession().accessToken, answer.accessToken);
    assert.equal(JSON.parse(api.requests[0].body).tokenDelivery, 'body');

    const inCookies = open({ tokenDelivery: 'cookie' });
    api.routes['/auth/login'] = () => json(200, cookieSignIn(clock));
    await inCookies.loginUser({ email: 'ada@example.com', password: 'correct horse battery' });
    assert.equal(JSON.parse(api.requests[1].body).tokenDelivery, 'cookie');
    assert.equal(api.requests[1].init.credentials, 'include');
    assert.equal(inCookies.loadSession().refreshToken, null);
  });

  test('that wants a second factor stores nothing', async () => {
    api.routes['/auth/login'] = () => json(200, { sessionToken: TOKEN, mfaRequired: true, tokenType: 'Bearer' });
    const answer = await latchkey.loginUser({ email: 'ada@example.com', password: 'correct horse battery' });
    assert.equal(answer.mfaRequired, true);
    assert.equal(latchkey.loadSession(), null);
  });

  test('for guests carries the token, and renews it first where it has ended', async () => {
    api.routes['/auth/refresh'] = () => json(200, tokens(clock));
    api.routes['/me'] = () => json(200, { name: 'Ada' });
    latchkey.storeSession(signIn(clock));
    clock.advance(3600);
    assert.equal((await latchkey.getProfile()).name, 'Ada');
    await latchkey.updateProfile({ name: 'Ada L.' });
    assert.deepEqual(
      api.requests.map(({ path, init }) => `${init.method} ${path}`),
      ['POST /auth/refresh', 'GET /me', 'PATCH /me'],
    );
    assert.equal(api.requests[1].body, undefined);
    assert.equal(api.requests[2].headers.get('Authorization'), `Bearer ${latchkey.loadSession().accessToken}`);
  });

  test('for guests is not sent where nobody is signed in', async () => {
    await assert.rejects(latchkey.getProfile(), { code: 'NO_SESSION' });
    assert.equal(api.requests.length, 0);
  });

  test('for guests and others carries the token where there is one', async () => {
    api.routes['/auth/oauth2/authorize'] = () => json(200, { sessionId: 'urn:x' });
    await latchkey.startAuthorization({ conversationId: 'c', email: 'ada@example.com' });
    latchkey.storeSession(signIn(clock));
    await latchkey.startAuthorization({ conversationId: 'c' });
    assert.deepEqual(
      api.requests.map(({ headers }) => headers.has('Authorization')),
      [false, true],
    );
  });

  test('puts what its path names there, percent-encoded', async () => {
    const sessionId = 'urn:ietf:params:oauth:request_uri:a/b?c';
    api.routes[`/auth/session/${encodeURIComponent(sessionId)}`] = () => json(200, { status: 'PENDING' });
    assert.equal((await latchkey.getSessionStatus({ sessionId })).status, 'PENDING');
    for (const missing of [undefined, null, '', 7]) {
      await assert.rejects(latchkey.getSessionStatus({ sessionId: missing }), { code: 'VALIDATION_FAILED' });
    }
    assert.equal(api.requests.length, 1);
  });

  test('answers with as much as Lambda sends, and refuses more', async () => {
    latchkey.storeSession(signIn(clock));
    const exported = (length) => ({ activity: ['x'.repeat(length)] });
    api.routes['/me/export'] = () => json(200, exported(5_000_000));
    assert.deepEqual(await latchkey.exportAccount({ password: 'correct horse battery' }), exported(5_000_000));
    api.routes['/me/export'] = () => json(200, exported(7_000_000));
    await assert.rejects(latchkey.exportAccount({ password: 'correct horse battery' }), { code: 'UNEXPECTED_ANSWER' });
  });

  test('without content answers nothing', async () => {
    api.routes['/auth/password/reset/confirm'] = () => new Response(null, { status: 204 });
    const input = { email: 'ada@example.com', code: '123456', newPassword: 'correct horse battery' };
    assert.equal(await latchkey.confirmPasswordReset(input), undefined);
  });
});

describe('a problem', () => {
  test('says all that the API said', async () => {
    const body = {
      type: 'https://latchkey.dev/problems/invalid-otp',
      title: 'The code is not right',
      detail: 'Look again',
      status: 401,
      code: 'INVALID_OTP',
      attemptsRemaining: 2,
      requestId: 'r-1',
    };
    api.routes['/auth/otp/verify'] = () => json(401, body);
    const error = await latchkey.verifyOtp({ email: 'a@b.c', code: '123456', sessionToken: TOKEN }).catch((e) => e);
    assert.ok(error instanceof LatchkeyProblem && isProblem(error) && isProblem(error, 'verifyOtp'));
    assert.equal(isProblem(error, 'noSuchOperation'), false);
    const { code, status, title, detail, requestId, attemptsRemaining, errors } = error;
    assert.deepEqual(
      { code, status, title, detail, requestId, attemptsRemaining, errors },
      { code: 'INVALID_OTP', status: 401, title: body.title, detail: 'Look again', requestId: 'r-1', attemptsRemaining: 2, errors: [] },
    );
  });

  test('carries fields, waiting time, challenge and cause', async () => {
    const errors = [{ field: 'email', code: 'invalid', message: 'is no address' }];
    const challenge = { parameters: {}, signature: 'x' };
    api.routes['/auth/otp/initiate'] = () => json(400, { code: 'VALIDATION_FAILED', errors });
    await assert.rejects(latchkey.initiateOtp({ email: 'x' }), { errors });
    api.routes['/auth/otp/initiate'] = () => json(429, { code: 'RATE_LIMITED', challenge }, { 'Retry-After': '17' });
    await assert.rejects(latchkey.initiateOtp({ email: 'x' }), { retryAfterSeconds: 17, challenge });
    api.routes['/auth/refresh'] = () => json(401, { code: 'INVALID_REFRESH_TOKEN', cause: 'reused' });
    await assert.rejects(latchkey.refreshToken({ refreshToken: 'r' }), { reason: 'reused' });
  });

  const gateways = {
    'a bare 401': [401, 'AUTH_REQUIRED'],
    'a bare 413': [413, 'PAYLOAD_TOO_LARGE'],
    'a bare 429': [429, 'RATE_LIMITED'],
    'a bare 503': [503, 'SERVICE_UNAVAILABLE'],
    'a bare 404': [404, 'UNEXPECTED_ANSWER'],
  };
  for (const [name, [status, code]] of Object.entries(gateways)) {
    test(`of ${name} has a code too`, async () => {
      api.routes['/auth/otp/initiate'] = () => json(status, { message: 'x' });
      await assert.rejects(latchkey.initiateOtp({ email: 'x' }), { name: 'LatchkeyProblem', code, status });
    });
  }

  for (const [name, answer] of Object.entries({
    'a page': () => new Response('<h1>Hotel</h1>'),
    'an array': () => json(400, []),
    'a code that is no text': () => json(400, { code: { a: 1 } }),
  })) {
    test(`of ${name} is told as such`, async () => {
      api.routes['/auth/otp/initiate'] = answer;
      await assert.rejects(latchkey.initiateOtp({ email: 'x' }), { code: 'UNEXPECTED_ANSWER' });
    });
  }

  test('of the connection is told, and a mail is not asked for twice', async () => {
    api.routes['/auth/otp/initiate'] = () => {
      throw new TypeError('Failed to fetch');
    };
    await assert.rejects(latchkey.initiateOtp({ email: 'x' }), { code: 'UNREACHABLE' });
    assert.equal(api.requests.length, 1);
  });
});

describe('another try', () => {
  beforeEach(() => latchkey.storeSession(signIn(clock)));

  test('is made of what is safe to repeat', async (t) => {
    t.mock.method(globalThis, 'setTimeout', (work) => setImmediate(work));
    let calls = 0;
    api.routes['/me'] = () => (++calls < 3 ? problem(503, 'SERVICE_UNAVAILABLE') : json(200, { name: 'Ada' }));
    assert.equal((await latchkey.getProfile()).name, 'Ada');
    assert.equal(calls, 3);
  });

  test('is made twice at most', async (t) => {
    t.mock.method(globalThis, 'setTimeout', (work) => setImmediate(work));
    api.routes['/me'] = () => problem(503, 'SERVICE_UNAVAILABLE');
    await assert.rejects(latchkey.getProfile(), { code: 'SERVICE_UNAVAILABLE' });
    assert.equal(api.requests.length, 3);
  });

  test('is not made where the API asks for more patience than a person has', async () => {
    api.routes['/me'] = () => problem(503, 'SERVICE_UNAVAILABLE', { 'Retry-After': '30' });
    await assert.rejects(latchkey.getProfile(), { retryAfterSeconds: 30 });
    assert.equal(api.requests.length, 1);
  });

  test('is not made of what was refused', async () => {
    api.routes['/me'] = () => problem(404, 'NOT_FOUND');
    await assert.rejects(latchkey.getProfile(), { code: 'NOT_FOUND' });
    assert.equal(api.requests.length, 1);
  });
});

describe('the end of a call', () => {
  test('by its signal rejects with the reason', async () => {
    const controller = new AbortController();
    api.routes['/auth/otp/initiate'] = ({ init }) => {
      controller.abort(new Error('the page has gone'));
      init.signal.throwIfAborted();
    };
    await assert.rejects(latchkey.initiateOtp({ email: 'x' }, { signal: controller.signal }), /the page has gone/);
    await assert.rejects(latchkey.initiateOtp({ email: 'x' }, { signal: controller.signal }), /the page has gone/);
    assert.equal(api.requests.length, 1);
  });

  test('by its time is told', async (t) => {
    // Node does not wait for a signal's time by itself.
    const awake = setInterval(() => {}, 1_000);
    t.after(() => clearInterval(awake));
    api.routes['/auth/otp/initiate'] = ({ init }) =>
      new Promise((_, reject) => init.signal.addEventListener('abort', () => reject(init.signal.reason)));
    await assert.rejects(latchkey.initiateOtp({ email: 'x' }, { timeoutMs: 1 }), { code: 'TIMEOUT' });
  });
});
