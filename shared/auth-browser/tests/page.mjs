// Drives the page of a deployment, and a router's pages in React, where the settings, the session
// or the API are not there: node page.mjs PATH_OF_AUTH_LOCAL
//
// CHROMIUM and PLAYWRIGHT name the browser and the module where they are not in their usual places.
// ONLY names journeys.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import { TEXTS } from '../components.js';
import { MEDIA, POLICY, bundle, html, launched, passOn, shipped } from './deployment.mjs';

const SETTINGS = { apiUrl: '/api', tokenDelivery: 'cookie', ways: 'code', rememberDeviceDays: 0, product: 'Example', language: null };
const REACT_HTML = '<!doctype html><html lang="en"><title>React</title><div id="root"></div><script type="module" src="/react/page.js"></script>';

/** What the site answers in place of its own, by path: a status, or a promise of one. */
const instead = new Map();

const site = createServer(async (asked, answer) => {
  const { pathname } = new URL(asked.url, 'http://site');
  const status = await instead.get(pathname);
  const send = (text, type) => answer.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY }).end(text);
  if (status !== undefined) {
    answer.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  } else if (pathname.startsWith('/api/')) {
    passOn(asked, answer, gateway);
  } else if (pathname.startsWith('/latchkey/v/')) {
    const name = pathname.slice('/latchkey/v/'.length);
    send(name === 'settings.json' ? JSON.stringify(SETTINGS) : await shipped(name), MEDIA[name.split('.').at(-1)]);
  } else if (pathname === '/react') {
    send(REACT_HTML, 'text/html');
  } else if (pathname.startsWith('/react/')) {
    send((await bundle()).get(pathname.slice('/react/'.length)), MEDIA.js);
  } else {
    send(pathname === '/' ? html : '', 'text/html; charset=utf-8');
  }
});
site.listen(0, '127.0.0.1');
await once(site, 'listening');
const origin = `http://localhost:${site.address().port}`;

const local = spawn(process.argv[2], ['--port', '0', '--memory', '--json', '--quiet', '--frontend', origin], { stdio: ['ignore', 'pipe', 'inherit'] });
const [ready] = await once(createInterface(local.stdout), 'line');
const { gateway } = JSON.parse(ready);

const browser = await launched();
const seen = (what) => console.log(`ok ${what}`);
const complaints = [];

async function open(path = '', context = undefined, options = {}) {
  context ??= await browser.newContext(options);
  const tab = await context.newPage();
  tab.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  await tab.goto(`${origin}/${path}`, { waitUntil: 'commit' });
  return tab;
}

const account = (tab) => tab.locator('latchkey-account');
const form = (tab) => tab.locator('latchkey-sign-in');
const step = (tab, name) => tab.locator(`latchkey-sign-in[data-step="${name}"]:visible`).waitFor();
const note = (tab, text) => tab.locator('#note [role="status"]').getByText(text, { exact: true }).waitFor();
/** What has the focus, inside of its element. */
const focusIs = (tab, host, inner) =>
  tab.waitForFunction(([name, selector]) => document.activeElement?.localName === name && document.activeElement.shadowRoot.activeElement?.matches(selector), [host, inner]);

async function signIn(tab, email) {
  await step(tab, 'start');
  await form(tab).locator('input[name="email"]').fill(email);
  await form(tab).locator('button.primary').click();
  await step(tab, 'code');
  const latest = await (await fetch(`${gateway}/_local/mailbox/latest?to=${encodeURIComponent(email)}&wait=5`)).json();
  await form(tab).locator('input[name="code"]').fill(latest.code);
  await form(tab).locator('button.primary').click();
}

const press = (tab, name, within = tab) => within.getByRole('button', { name, exact: true }).click();

/** Sentences at once, in the person's language; the form is for people who are signed out. */
async function troubles() {
  const settingsPath = '/latchkey/v/settings.json';
  let letGo;
  instead.set(settingsPath, new Promise((resolve) => (letGo = resolve)));
  const tab = await open('', undefined, { locale: 'de-DE' });
  await note(tab, TEXTS.de.busy);
  seen('a word stands there before the settings come');
  letGo(503);
  await note(tab, TEXTS.de['problem.SERVICE_UNAVAILABLE']);
  const again = tab.getByRole('button', { name: 'Noch einmal versuchen' });
  await again.click();
  await note(tab, TEXTS.de['problem.SERVICE_UNAVAILABLE']);
  instead.clear();
  await again.click();
  await signIn(tab, 'settings@example.com');
  await account(tab).getByRole('heading', { level: 2 }).waitFor();
  seen('without settings there is a sentence in German, and another try');

  const context = tab.context();
  const other = await context.newPage();
  await other.addInitScript(() => Object.defineProperty(navigator, 'language', { value: 'en-GB' }));
  for (const status of [503, 429, 401]) {
    instead.set('/api/auth/refresh', status);
    await other.goto(`${origin}/`);
    await note(other, TEXTS.en['problem.SERVICE_UNAVAILABLE']);
    assert.equal(await form(other).isVisible(), false);
  }
  await other.route('**/api/auth/refresh', (route) => route.abort());
  await other.reload();
  await note(other, TEXTS.en['problem.UNREACHABLE']);
  await other.unroute('**/api/auth/refresh');
  await press(other, 'Try again');
  await note(other, TEXTS.en['problem.SERVICE_UNAVAILABLE']);
  instead.set('/api/auth/refresh', new Promise((resolve) => (letGo = resolve)));
  await press(other, 'Try again');
  await note(other, TEXTS.en.busy);
  letGo(undefined);
  await account(other).getByRole('heading', { level: 2 }).waitFor();
  await focusIs(other, 'latchkey-account', 'h2');
  instead.clear();
  seen('a signed-in person sees no form while the API is unwell, and another try finds the session');

  instead.set('/api/auth/refresh', 503);
  await other.goto(`${origin}/?auth=error&code=AUTH_CANCELLED`);
  await other.locator('latchkey-consent-result').getByText(TEXTS.en['consent.AUTH_CANCELLED']).waitFor();
  instead.clear();
  seen('the result of an agent’s request needs no session');

  instead.set('/latchkey/v/components.js', 503);
  const third = await open('', undefined, { locale: 'fr-FR' });
  await note(third, TEXTS.en['problem.UNREACHABLE']);
  instead.set('/latchkey/v/latchkey.js', 503);
  await third.reload();
  await note(third, TEXTS.en['problem.UNREACHABLE']);
  instead.clear();
  await press(third, 'Try again');
  await step(third, 'start');
  seen('without a module there is a sentence, and another try');
  for (const each of [context, third.context()]) await each.close();
}

async function focus() {
  const tab = await open();
  await step(tab, 'start');
  assert.equal(await tab.evaluate(() => document.activeElement.localName), 'body');
  await signIn(tab, 'focus@example.com');
  await focusIs(tab, 'latchkey-account', 'h2');
  seen('a sign-in moves the focus to the account’s heading');
  instead.set('/api/auth/logout', 503);
  await press(tab, 'Sign out on all devices', account(tab));
  await account(tab).locator('.said.wrong').filter({ hasText: TEXTS.en['problem.SIGN_OUT_FAILED'] }).waitFor();
  assert.equal(await form(tab).isVisible(), false);
  instead.clear();
  seen('a sign-out that failed keeps the account, and says so');
  await press(tab, 'Sign out', account(tab));
  await step(tab, 'start');
  await focusIs(tab, 'latchkey-sign-in', 'input[name="email"]');
  assert.equal(await account(tab).isVisible(), false);
  seen('a sign-out moves the focus to the address');
  await tab.context().close();
}

async function tabs() {
  const first = await open();
  const second = await open('', first.context());
  await step(second, 'start');
  await signIn(first, 'two@example.com');
  await account(second).getByRole('heading', { level: 2 }).waitFor();
  await press(second, 'Sign out', account(second));
  for (const tab of [first, second]) await step(tab, 'start');
  seen('a sign-in and a sign-out in one tab are the other’s too');
  await first.context().close();
}

async function react() {
  const tab = await open('react?router');
  await press(tab, 'to /sign-in');
  await signIn(tab, 'router@example.com');
  await tab.getByText('for guests').waitFor();
  seen('a route that listens to no session signs in, and the next one knows');
  await press(tab, 'to /about');
  await press(tab, 'leave');
  await press(tab, 'to /');
  await tab.getByRole('button', { name: 'to /sign-in' }).waitFor();
  assert.equal(await tab.getByText('for guests').count(), 0);
  seen('a sign-out that no component heard leaves no guest');
  const other = await open('react?router', tab.context());
  await press(other, 'to /sign-in');
  await signIn(other, 'router-two@example.com');
  await tab.getByText('for guests').waitFor();
  seen('with cookies a sign-in in another tab is one here');
  await tab.context().close();
}

const JOURNEYS = { troubles, focus, tabs, react };

try {
  for (const journey of process.env.ONLY?.split(' ') ?? Object.keys(JOURNEYS)) await JOURNEYS[journey]();
  assert.deepEqual(complaints, []);
} finally {
  await browser.close();
  site.close();
  site.closeAllConnections();
  local.kill();
}
