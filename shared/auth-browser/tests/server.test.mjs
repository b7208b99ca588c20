import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { bearerToken, clearedCookies, createRequestClient, readCookies, renewCookies, sessionCookies } from 'latchkey/server';
import { Api, API, Clock, json, problem, signIn, tokens } from './world.mjs';

const headerOf = (cookies) => cookies.map((cookie) => cookie.split(';')[0]).join('; ');

describe('cookies', () => {
  test('keep the tokens where no script reads them', () => {
    const answer = signIn(new Clock());
    const cookies = sessionCookies(answer);
    assert.equal(cookies.length, 2);
    for (const cookie of cookies) assert.match(cookie, /^__Host-.*; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
    assert.deepEqual(readCookies(headerOf(cookies)), {
      accessToken: answer.accessToken,
      refreshToken: answer.refreshToken,
    });
    for (const cookie of clearedCookies()) assert.match(cookie, /^__Host-[\w-]+=; Max-Age=0; /);
  });

  for (const header of [undefined, null, '', 'a', 'a=b', '=;=', '__Host-latchkey-app-access', '__Host-latchkey-app-access=a b']) {
    test(`of ${header} are none`, () => {
      assert.deepEqual(readCookies(header), { accessToken: null, refreshToken: null });
    });
  }

  test('that come twice are not believed', () => {
    const { accessToken } = signIn(new Clock());
    const twice = `__Host-latchkey-app-access=evil; __Host-latchkey-app-access=${accessToken}`;
    assert.equal(readCookies(twice).accessToken, null);
  });
});

describe('renewing', () => {
  const clock = new Clock();
  const api = new Api();
  const renew = (header) => renewCookies(header, { apiUrl: `${API}/`, fetch: api.fetch, now: clock.now });

  test('leaves a token that lives alone', async () => {
    const answer = signIn(clock);
    const header = headerOf(sessionCookies(answer));
    assert.deepEqual(await renew(header), { accessToken: answer.accessToken, setCookies: [] });
    assert.equal(api.requests.length, 0);
  });

  test('brings new tokens, and both cookies', async () => {
    const header = headerOf(sessionCookies(signIn(clock)));
    clock.advance(3600);
    const renewed = tokens(clock);
    api.routes['/auth/refresh'] = () => json(200, renewed);
    const { accessToken, setCookies } = await renew(header);
    assert.equal(accessToken, renewed.accessToken);
    assert.deepEqual(readCookies(headerOf(setCookies)), { accessToken, refreshToken: renewed.refreshToken });
  });

  test('finds the session when the access token’s cookie has gone', async () => {
    const renewed = tokens(clock);
    api.routes['/auth/refresh'] = () => json(200, renewed);
    const [, refresh] = sessionCookies(signIn(clock));
    assert.equal((await renew(headerOf([refresh]))).accessToken, renewed.accessToken);
  });

  test('forgets a session that has ended, and keeps one that is only out of reach', async () => {
    const header = headerOf(sessionCookies(signIn(clock)));
    clock.advance(3600);
    api.routes['/auth/refresh'] = () => problem(401, 'INVALID_REFRESH_TOKEN');
    assert.deepEqual(await renew(header), { accessToken: null, setCookies: clearedCookies() });
    for (const unwell of [() => problem(503, 'SERVICE_UNAVAILABLE'), () => new Response('<h1>'), () => json(200, null)]) {
      api.routes['/auth/refresh'] = unwell;
      assert.deepEqual(await renew(header), { accessToken: null, setCookies: [] });
    }
  });

  test('is nothing for a visitor', async () => {
    assert.deepEqual(await renew(''), { accessToken: null, setCookies: [] });
  });
});

test('two requests share no session', async () => {
  const clock = new Clock();
  const api = new Api();
  const [one, other] = [1, 2].map(() => createRequestClient({ apiUrl: API, fetch: api.fetch, now: clock.now }));
  one.storeSession(signIn(clock));
  assert.equal(other.loadSession(), null);
});

test('a bearer token is read from its header alone', () => {
  assert.equal(bearerToken('Bearer a.b.c'), 'a.b.c');
  for (const header of [null, undefined, '', 'Basic a.b.c', 'Bearer a', 'Bearer a.b.c d', 'Bearer a.b.c\n']) {
    assert.equal(bearerToken(header), null);
  }
});
