// Drives the Next.js app: node next.mjs FOLDER_OF_THE_INSTALLED_EXAMPLE
import assert from 'node:assert/strict';
import { join } from 'node:path';

import { build, drive, freePort, startBrowser, startLatchkey, startServer } from './harness.mjs';

const cwd = process.argv[2];
const ACCESS = '__Host-latchkey-app-access';
const REFRESH = '__Host-latchkey-app-refresh';

drive(async (seen) => {
  await build(cwd, 'build');
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const latchkey = await startLatchkey({ frontend: origin });
  const api = latchkey.gateway.replace('127.0.0.1', 'localhost');
  const next = join(cwd, 'node_modules/next/dist/bin/next');
  await startServer(process.execPath, [next, 'start', '--port', String(port)], {
    url: origin,
    cwd,
    env: { ...process.env, LATCHKEY_URL: api },
  });
  const { person, complaints } = await startBrowser({ hosts: [origin, api] });
  const page = await person();
  const context = page.context();
  const isAdas = (tab) => tab.locator('output', { hasText: 'ada@example.com is guest GST-' }).waitFor();
  const cookie = async (name) => (await context.cookies(origin)).find((each) => each.name === name);

  await page.goto(`${origin}/account`);
  assert.equal(page.url(), `${origin}/sign-in`);
  seen('a stranger is sent from a protected page to the sign-in');

  await page.locator('latchkey-sign-in input[name="email"]').fill('ada@example.com');
  await page.locator('latchkey-sign-in button.primary').click();
  await page.locator('latchkey-sign-in input[name="code"]').fill(await latchkey.code('ada@example.com'));
  await page.locator('latchkey-sign-in button.primary').click();
  await isAdas(page);
  assert.equal(page.url(), `${origin}/account`);
  const kept = { access: await cookie(ACCESS), refresh: await cookie(REFRESH) };
  for (const each of Object.values(kept)) {
    assert.ok(each.httpOnly && each.secure && each.sameSite === 'Lax' && each.path === '/');
  }
  const rendered = await (await context.request.get(`${origin}/account`)).text();
  assert.ok(rendered.includes('ada@example.com'), 'the server does not render the guest');
  seen('somebody signs in, and the server renders their page');

  const visible = await page.evaluate(() => document.cookie + JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  for (const text of [visible, rendered, await page.content()]) {
    for (const { value } of Object.values(kept)) assert.ok(!text.includes(value), 'a script can read a token');
  }
  seen('no script can read a token');

  await latchkey.advance(3601);
  // As the browser does at the end of its time.
  await context.clearCookies({ name: ACCESS });
  await page.reload();
  await isAdas(page);
  assert.notEqual((await cookie(ACCESS)).value, kept.access.value);
  assert.notEqual((await cookie(REFRESH)).value, kept.refresh.value);
  seen('the proxy renews both cookies before the page is rendered');

  await context.clearCookies({ name: ACCESS });
  const another = await context.newPage();
  await Promise.all([page.reload(), another.goto(`${origin}/account`)]);
  await Promise.all([isAdas(page), isAdas(another)]);
  await context.clearCookies({ name: ACCESS });
  await page.reload();
  await isAdas(page);
  seen('two tabs may renew at once');

  const stolen = (await cookie(ACCESS)).value;
  const theirs = { headers: { 'Sec-Fetch-Site': 'cross-site', 'Content-Type': 'application/json' }, maxRedirects: 0 };
  const tokens = { accessToken: stolen, refreshToken: 'x', expiresIn: 3600 };
  assert.equal((await context.request.post(`${origin}/session`, { ...theirs, data: tokens })).status(), 403);
  assert.equal((await context.request.post(`${origin}/sign-out`, theirs)).status(), 403);
  const own = { headers: { ...theirs.headers, 'Sec-Fetch-Site': 'same-origin' } };
  const forged = { ...tokens, accessToken: `${stolen.slice(0, -8)}AAAAAAAA` };
  assert.equal((await context.request.post(`${origin}/session`, { ...own, data: forged })).status(), 401);
  const split = { ...tokens, refreshToken: 'x; Domain=example.com' };
  assert.equal((await context.request.post(`${origin}/session`, { ...own, data: split })).status(), 400);
  seen('another site changes no session, and only good tokens become one');

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Welcome' }).waitFor();
  assert.equal(await cookie(ACCESS), undefined);
  assert.equal(await cookie(REFRESH), undefined);
  await another.reload();
  assert.equal(another.url(), `${origin}/sign-in`);
  seen('signing out ends the session, in the other tab too');
  assert.deepEqual(complaints, []);
});
