// Drives the elements in Chromium, against a real API and under a strict policy: node
// components.mjs PATH_OF_AUTH_LOCAL
//
// CHROMIUM, PLAYWRIGHT and AXE name the browser and the modules where they are not in their usual
// places. ONLY names journeys, and SCREENSHOTS a folder for pictures of every state.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { MEDIA, POLICY, bundle, html, launched, passOn, shipped } from './deployment.mjs';

const axe = await readFile(process.env.AXE ?? fileURLToPath(import.meta.resolve('axe-core')), 'utf8');
const screenshots = process.env.SCREENSHOTS;
const complaints = [];

const settings = {
  apiUrl: '/api',
  tokenDelivery: 'cookie',
  ways: 'code password passkey register',
  rememberDeviceDays: 30,
  product: 'Example',
  language: null,
};
const served = (name) => (name === 'settings.json' ? JSON.stringify(settings) : shipped(name));

/** A page of a team's own with both elements and no script of its own, by the query's settings. */
const bareHtml = (query) => {
  const shared = `api-url="/api" token-delivery="${settings.tokenDelivery}"`;
  const within = new URLSearchParams(query).get('sections') ?? 'profile sign-out';
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Bare</title><link rel="icon" href="data:,"><main><h1>Bare</h1>' +
    `<latchkey-sign-in ${shared} ways="${settings.ways}"></latchkey-sign-in>` +
    `<latchkey-account ${shared} sections="${within}"></latchkey-account>` +
    '</main><script type="module" src="/latchkey/v/components.js"></script>'
  );
};

const REACT_HTML = '<!doctype html><html lang="en"><title>React</title><main><h1>React</h1><div id="root"></div></main><script type="module" src="/react/page.js"></script>';

const site = createServer(async (asked, answer) => {
  const { pathname, search } = new URL(asked.url, 'http://site');
  if (pathname.startsWith('/api/')) {
    passOn(asked, answer, gateway);
  } else if (pathname.startsWith('/latchkey/v/')) {
    const name = pathname.slice('/latchkey/v/'.length);
    const text = await Promise.resolve(served(name)).catch(() => null);
    if (text === null) complaints.push(`nothing is at ${pathname}`);
    answer.writeHead(text === null ? 404 : 200, { 'content-type': MEDIA[name.split('.').at(-1)] }).end(text);
  } else if (pathname === '/react' || pathname.startsWith('/react/')) {
    const name = pathname.slice('/react/'.length);
    const text = name === '' ? REACT_HTML : (await bundle()).get(name);
    const headers = { 'content-type': name === '' ? 'text/html' : 'text/javascript', 'content-security-policy': POLICY };
    answer.writeHead(text === undefined ? 404 : 200, headers).end(text);
  } else if (pathname === '/bare') {
    answer.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': POLICY }).end(bareHtml(search));
  } else if (pathname === '/') {
    answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY }).end(html);
  } else {
    answer.writeHead(404).end();
  }
});
site.listen(0, '127.0.0.1');
await once(site, 'listening');
const origin = `http://localhost:${site.address().port}`;

/** A local run of its own, with an operator's settings. */
async function start(...settings) {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-'));
  await writeFile(join(folder, 'settings'), settings.join('\n'));
  const options = ['--port', '0', '--memory', '--json', '--quiet', '--frontend', origin, '--config', join(folder, 'settings')];
  const child = spawn(process.argv[2], options, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [readyLine] = await once(createInterface(child.stdout), 'line');
  await rm(folder, { recursive: true });
  return { ...JSON.parse(readyLine), stop: () => child.kill() };
}

const local = await start();
/** The address of the page's API. */
let { gateway } = local;

const browser = await launched();
let steps = 0;
const seen = (what) => {
  steps += 1;
  console.log(`ok ${what}`);
};

const PROVOKED = /Failed to load resource: (the server responded with a status of (400|401|404|409|410|429|502|503)|net::ERR_(FAILED|INTERNET_DISCONNECTED))/;

/** The page in a window of its own; `ways`, `days` and `dir` are a deployment's possible settings. */
async function open({ query = '', ways = 'code password passkey register', days = 30, dir = 'ltr', delivery = 'body', context, ...options } = {}) {
  Object.assign(settings, { ways, rememberDeviceDays: days, tokenDelivery: delivery });
  context ??= await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const tab = await context.newPage();
  tab.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !PROVOKED.test(message.text())) complaints.push(message.text());
  });
  tab.on('response', (answered) => answered.status() === 404 && !answered.url().startsWith(`${origin}/api/`) && complaints.push(`404: ${answered.url()}`));
  tab.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  tab.on('request', (asked) => {
    if (new URL(asked.url()).origin !== origin) complaints.push(`request to another host: ${asked.url()}`);
  });
  await tab.addInitScript((wanted) => {
    addEventListener('securitypolicyviolation', (event) => console.error('CSP', event.violatedDirective, event.blockedURI));
    document.addEventListener('DOMContentLoaded', () => document.documentElement.setAttribute('dir', wanted));
  }, dir);
  await tab.goto(`${origin}/${query}`);
  await tab.locator('latchkey-sign-in h2:visible, latchkey-account h2:visible, latchkey-consent-result h2:visible').first().waitFor();
  return tab;
}

const step = (tab, name) => tab.waitForSelector(`latchkey-sign-in[data-step="${name}"]`);
const fill = (tab, name, value) => tab.locator(`latchkey-sign-in input[name="${name}"]`).fill(value);
const go = (tab) => tab.locator('latchkey-sign-in button.primary').click();
const press = (tab, text) => tab.locator('latchkey-sign-in').getByRole('button', { name: text }).click();
const account = (tab) => tab.locator('latchkey-account');
const said = (tab, pattern, element = 'latchkey-sign-in') =>
  tab.locator(`${element} .said`).filter({ hasText: pattern }).waitFor();
/** The element that has the focus, by its name. */
const focusedElement = (tab) => tab.evaluate(() => document.activeElement?.localName ?? null);
const focused = (tab) => tab.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.getAttribute('name') ?? null);

/** The newest mail's code for an address, once there are so many mails to it. */
async function code(to, count = 1) {
  for (;;) {
    const mails = await (await fetch(`${gateway}/_local/mailbox?to=${encodeURIComponent(to)}`)).json();
    const codes = mails.filter((mail) => mail.code);
    if (codes.length >= count) return codes[0].code;
  }
}

async function isAccessible(tab, what) {
  // A page that allows no foreign script still lets the browser's own tools look at it.
  const session = await tab.context().newCDPSession(tab);
  await session.send('Runtime.evaluate', { expression: axe });
  const { result } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, { resultTypes: ['violations'] }).then((found) => JSON.stringify(found.violations.map((each) => [each.id, each.nodes.map((node) => node.html)])))`,
    awaitPromise: true,
  });
  assert.deepEqual(JSON.parse(result.value), [], `axe finds fault with ${what}`);
  const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${what} is wider than the window`);
  if (screenshots) await tab.screenshot({ path: `${screenshots}/${what.replaceAll(' ', '-')}.png` });
}

function totp(secret) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  return fetch(`${gateway}/_local/clock`)
    .then((response) => response.json())
    .then(({ now }) => {
      counter.writeBigUInt64BE(BigInt(Math.floor(new Date(now) / 30_000)));
      const mac = createHmac('sha1', key).update(counter).digest();
      return String((mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
    });
}

const advance = (seconds) =>
  fetch(`${gateway}/_local/clock`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ advanceSeconds: seconds }) });
const fault = (body) =>
  fetch(`${gateway}/_local/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

async function signInByCode() {
  const address = 'ada@example.com';
  const tab = await open({ days: 0 });
  await isAccessible(tab, 'the start');
  await go(tab);
  await tab.locator('latchkey-sign-in .note.wrong').waitFor();
  assert.equal(await focused(tab), 'email');
  seen('nothing typed is marked, and nothing is sent');
  await fill(tab, 'email', address);
  await tab.keyboard.press('Enter');
  await step(tab, 'code');
  assert.equal(await focused(tab), 'code');
  await isAccessible(tab, 'the code');
  seen('the code is asked for, and its field has the focus');
  const right = await code(address);
  await tab.reload();
  await step(tab, 'code');
  seen('a reload keeps the step');
  await fill(tab, 'code', right.replace(/^./, (digit) => (digit === '9' ? '1' : '9')));
  await go(tab);
  await said(tab, /2 more times/);
  await isAccessible(tab, 'a wrong code');
  await fill(tab, 'code', ` ${right.slice(0, 4)}-${right.slice(4)} `);
  await tab.keyboard.press('Enter');
  await account(tab).getByText(address).waitFor();
  assert.equal(await focusedElement(tab), 'latchkey-account');
  seen('a wrong code says how many are left, and a code with spaces and dashes signs in');
  await account(tab).getByLabel('Name').fill('Ada Lovelace');
  await account(tab).getByRole('button', { name: 'Save' }).click();
  await said(tab, /Saved/, 'latchkey-account');
  await isAccessible(tab, 'the account');
  await tab.reload();
  await account(tab).getByLabel('Name').waitFor();
  assert.equal(await account(tab).getByLabel('Name').inputValue(), 'Ada Lovelace');
  assert.equal(await focusedElement(tab), 'body');
  seen('the account shows the name, also after a reload, and the page keeps its focus');
  return tab;
}

async function secondFactor(tab) {
  const address = 'ada@example.com';
  await account(tab).getByRole('button', { name: 'Set up' }).click();
  await isAccessible(tab, 'the proof');
  await account(tab).getByRole('button', { name: 'Email me a code' }).click();
  await account(tab).getByLabel('Code from the mail').waitFor();
  await account(tab).getByRole('button', { name: 'Set up' }).click();
  await account(tab).locator('.note.wrong').filter({ hasText: 'fill this in' }).waitFor();
  await account(tab).getByLabel('Code from the mail').fill(await code(address, 2));
  await account(tab).getByRole('button', { name: 'Set up' }).click();
  const secret = (await account(tab).locator('code').innerText()).replaceAll(' ', '');
  assert.ok(await account(tab).locator('svg.qr path').count());
  await isAccessible(tab, 'the QR code');
  await account(tab).locator('input[name="code"]').fill(await totp(secret));
  await account(tab).getByRole('button', { name: 'Turn on' }).click();
  await account(tab).locator('.codes li').first().waitFor();
  const backupCodes = await account(tab).locator('.codes li').allInnerTexts();
  assert.equal(backupCodes.length, 10);
  await isAccessible(tab, 'the backup codes');
  await account(tab).getByRole('button', { name: 'I have kept them' }).click();
  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(tab, 'start');
  await tab.waitForFunction(() => document.activeElement.shadowRoot?.activeElement?.name === 'email');
  seen('an authenticator is set up, with backup codes, and the sign-out leaves nothing');

  await advance(60);
  await tab.reload();
  await step(tab, 'start');
  await fill(tab, 'email', address);
  await go(tab);
  await step(tab, 'code');
  await fill(tab, 'code', await code(address, 3));
  await go(tab);
  await step(tab, 'factor');
  await isAccessible(tab, 'the second factor');
  assert.equal(await tab.locator('latchkey-sign-in [name="rememberDevice"]').count(), 0);
  seen('a deployment that spares no browser offers it to nobody');
  await tab.reload();
  await step(tab, 'factor');
  await press(tab, 'Use a backup code');
  await fill(tab, 'backupCode', backupCodes[0].toLowerCase());
  await go(tab);
  await said(tab, /^9 backup codes left\.$/, 'latchkey-account');
  seen('a backup code completes the sign-in, after a reload too, and the others are counted');

  await account(tab).getByRole('button', { name: 'Turn off' }).click();
  await account(tab).getByRole('button', { name: 'Email me a code' }).click();
  await account(tab).getByLabel('Code from the mail').fill(await code(address, 4));
  await account(tab).getByLabel('or a backup code').fill(backupCodes[1].toLowerCase());
  await account(tab).getByRole('button', { name: 'Turn off' }).click();
  await said(tab, /is off/, 'latchkey-account');
  await isAccessible(tab, 'the authenticator removed');
  seen('a mailed code and a backup code remove the authenticator');
  await tab.context().close();
}

async function passwords() {
  const address = 'grace@example.com';
  const tab = await open({ ways: 'password code register', colorScheme: 'dark', viewport: { width: 320, height: 640 } });
  await isAccessible(tab, 'the password on a narrow dark screen');
  await press(tab, 'Email me a code instead');
  await press(tab, 'Create an account');
  await step(tab, 'register');
  await fill(tab, 'email', address);
  await fill(tab, 'newPassword', 'short');
  await go(tab);
  await tab.locator('latchkey-sign-in .note.wrong').filter({ hasText: 'At least 12' }).waitFor();
  await fill(tab, 'newPassword', 'passwordpassword');
  await isAccessible(tab, 'the registration on a narrow dark screen');
  await fill(tab, 'newPassword', 'a lantern over the harbour');
  await fill(tab, 'name', 'Grace');
  await go(tab);
  await step(tab, 'confirm');
  await isAccessible(tab, 'the confirmation on a narrow dark screen');
  await tab.reload();
  await step(tab, 'confirm');
  await fill(tab, 'code', await code(address));
  await go(tab);
  await account(tab).getByLabel('Name').waitFor();
  seen('a registration is confirmed after a reload, and signs in');
  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(tab, 'password');
  await tab.reload();
  await step(tab, 'password');
  await fill(tab, 'email', address);
  await fill(tab, 'password', 'not this one at all');
  await go(tab);
  await said(tab, /not right/);
  assert.equal(await focused(tab), 'password');
  await press(tab, 'Forgot password?');
  await go(tab);
  await step(tab, 'reset');
  await isAccessible(tab, 'the new password on a narrow dark screen');
  await fill(tab, 'code', await code(address, 2));
  await fill(tab, 'newPassword', 'another lantern in the rain');
  await go(tab);
  await step(tab, 'password');
  await said(tab, /is set/);
  await fill(tab, 'password', 'another lantern in the rain');
  await go(tab);
  await account(tab).getByLabel('Name').waitFor();
  seen('a forgotten password is set anew, and signs in');
  await tab.context().close();
}

async function troubles() {
  const address = 'mary@example.com';
  const tab = await open({ locale: 'de-DE', dir: 'rtl' });
  await fill(tab, 'email', address);
  await tab.context().setOffline(true);
  await go(tab);
  await said(tab, /keine Verbindung/);
  await isAccessible(tab, 'no connection in German from right to left');
  await tab.context().setOffline(false);
  await fault({ service: 'cognito-idp', action: 'AdminInitiateAuth', fault: 'throttle', times: 9 });
  await go(tab);
  await said(tab, /gerade nicht/);
  await fetch(`${gateway}/_local/faults`, { method: 'DELETE' });
  await go(tab);
  await step(tab, 'code');
  seen('no connection and a service that is unwell are told, and the next press works');
  for (const left of [2, 1]) {
    await fill(tab, 'code', '00000000');
    await go(tab);
    await said(tab, left === 2 ? /noch 2 Versuche/ : /noch einen Versuch/);
  }
  await fill(tab, 'code', '00000000');
  await go(tab);
  await step(tab, 'start');
  await said(tab, /letzte Versuch|stimmt nicht/);
  seen('the last wrong code begins anew, and says why');
  await tab.context().close();
}

async function limits() {
  const address = 'flooded@example.com';
  const tab = await open();
  for (let sent = 0; sent < 6; sent += 1) {
    await fetch(`${gateway}/auth/otp/initiate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: address }),
    });
  }
  // While this browser works, others raise the price: its first solution is answered with a second
  // challenge.
  let refused;
  let paid = 0;
  await tab.route('**/auth/otp/initiate', async (route) => {
    if (route.request().postDataJSON().proofOfWork === undefined) {
      const response = await route.fetch();
      refused = { status: response.status(), headers: response.headers(), body: await response.text() };
      return route.fulfill(refused);
    }
    paid += 1;
    return paid === 1 ? route.fulfill(refused) : route.continue();
  });
  await fill(tab, 'email', address);
  await go(tab);
  await tab.waitForSelector('latchkey-sign-in[data-step="wait"], latchkey-sign-in[data-step="code"]');
  await step(tab, 'code');
  assert.equal(paid, 2);
  seen('where strangers have spent the budget, the browser works for a few seconds and goes on');
  await tab.context().close();
}

async function twoTabs() {
  const address = 'tabs@example.com';
  const first = await open({ delivery: 'cookie' });
  await fill(first, 'email', address);
  await go(first);
  await step(first, 'code');
  await fill(first, 'code', await code(address));
  await go(first);
  await account(first).getByLabel('Name').waitFor();
  const stored = await first.evaluate(() => sessionStorage.getItem('latchkey.session'));
  assert.equal(JSON.parse(stored).refreshToken, null);
  seen('with cookies no script holds a refresh token');
  const second = await open({ delivery: 'cookie', context: first.context() });
  await account(second).getByText(address).waitFor();
  seen('a new tab finds the session');
  await account(first).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(first, 'start');
  await step(second, 'start');
  await second.reload();
  await step(second, 'start');
  seen('a sign-out in one tab is one in the other, and stays one');
  await first.context().close();
}

async function signIn(tab, address, count) {
  await fill(tab, 'email', address);
  await go(tab);
  await step(tab, 'code');
  await fill(tab, 'code', await code(address, count));
  await go(tab);
  await account(tab).getByLabel('Name').waitFor();
}

/** Comes back to a tab that was out of sight. */
const look = (tab) => tab.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));

async function sessions() {
  const address = 'sessions@example.com';
  const first = await open();
  const second = await open();
  const third = await open({ locale: 'de-DE', colorScheme: 'dark', viewport: { width: 320, height: 640 } });
  await signIn(first, address, 1);
  await signIn(second, address, 2);
  await signIn(third, address, 3);
  const rows = (tab) => account(tab).locator('[part="sessions"] li');
  await rows(third).nth(2).waitFor();
  await account(third).getByText('Chrome auf Linux · dieser Browser').waitFor();
  await isAccessible(third, 'the sessions in German on a narrow dark screen');
  await account(third).getByRole('button', { name: 'Abmelden', exact: true }).click();
  await step(third, 'start');
  await first.reload();
  await rows(first).nth(1).waitFor();
  assert.equal(await rows(first).count(), 2);
  await isAccessible(first, 'the sessions');
  await account(first).getByRole('button', { name: 'End the session on Chrome on Linux' }).click();
  await said(first, /has ended/, 'latchkey-account');
  await account(first).getByText('this browser').waitFor();
  assert.equal(await rows(first).count(), 1);
  assert.equal(await account(first).getByRole('button', { name: 'End all others' }).count(), 0);
  await isAccessible(first, 'the only session');
  await look(second);
  await step(second, 'start');
  await said(second, /^Your session has ended/);
  await isAccessible(second, 'a session that has ended');
  seen('a session that is ended in another browser finds itself signed out, and says so');
  await signIn(second, address, 4);
  await account(second).getByRole('button', { name: 'End all others' }).click();
  await said(second, /All other sessions/, 'latchkey-account');
  await account(first).getByRole('button', { name: 'Save' }).click();
  await step(first, 'start');
  seen('all others end at once, and this browser goes on');
  for (const tab of [first, second, third]) await tab.context().close();
}

async function activity() {
  const address = 'busy@example.com';
  const tab = await open({ locale: 'de-DE', colorScheme: 'dark', viewport: { width: 320, height: 640 } });
  const password = 'a lantern over the harbour';
  const { sessionToken } = await post('/auth/register', { email: address, password });
  await post('/auth/register/confirm', { sessionToken, code: await code(address) });
  // As many sign-ins as one page of events does not hold.
  for (let count = 0; count < 20; count += 1) await post('/auth/login', { email: address, password });
  await press(tab, 'Mit Passwort anmelden');
  await fill(tab, 'email', address);
  await fill(tab, 'password', password);
  await go(tab);
  await account(tab).getByRole('button', { name: /^Zeigen, was geschehen/ }).click();
  const rows = account(tab).locator('[part="activity"] li');
  await rows.nth(19).waitFor();
  assert.equal(await rows.count(), 20);
  await account(tab).getByText(/Angemeldet/).first().waitFor();
  await isAccessible(tab, 'what happened in German on a narrow dark screen');
  await account(tab).getByRole('button', { name: 'Mehr zeigen' }).click();
  await rows.nth(21).waitFor();
  assert.equal(await account(tab).getByRole('button', { name: 'Mehr zeigen' }).count(), 0);
  assert.equal(await tab.evaluate(() => document.activeElement.shadowRoot.activeElement.tagName), 'LI');
  seen('what happened is listed in pages, the newest first');
  await tab.context().close();
}

/** An operator's reset of the second factors, as a live session shows it. */
async function factorReset() {
  const address = 'lost@example.com';
  const password = 'a lantern over the harbour';
  const { sessionToken } = await post('/auth/register', { email: address, password });
  const { user } = await post('/auth/register/confirm', { sessionToken, code: await code(address) });
  const tab = await open();
  await press(tab, 'Use a password');
  await fill(tab, 'email', address);
  await fill(tab, 'password', password);
  await go(tab);
  const waiting = account(tab).getByRole('heading', { name: /about to be removed/ });
  await account(tab).getByLabel('Name').waitFor();
  assert.equal(await waiting.count(), 0);
  const asked = { guestId: user.guestId, principal: 'arn:aws:iam::000000000000:user/support' };
  const answered = await fetch(`${local.lambda}/2015-03-31/functions/reset-factors/invocations`, { method: 'POST', body: JSON.stringify(asked) });
  assert.equal(answered.status, 200);
  await tab.reload();
  await waiting.waitFor();
  await isAccessible(tab, 'a reset that waits');
  await account(tab).getByRole('button', { name: 'Keep them' }).click();
  await said(tab, /stay/, 'latchkey-account');
  assert.equal(await waiting.count(), 0);
  seen('a reset of the second factors is shown, and stopped');
  await tab.context().close();
}

/** A deployment that requires a second factor of all people. */
async function required() {
  const strict = await start('SECOND_FACTOR = required', 'REMEMBER_DEVICE_DAYS = 14');
  gateway = strict.gateway;
  try {
    await authenticatorRequired('first@example.com');
    await passkeyRequired('second@example.com');
  } finally {
    ({ gateway } = local);
    strict.stop();
  }
}

async function authenticatorRequired(address) {
  const tab = await open({ ways: 'code', days: 14, colorScheme: 'dark', viewport: { width: 320, height: 640 } });
  const withCode = async (count) => {
    await fill(tab, 'email', address);
    await go(tab);
    await step(tab, 'code');
    await fill(tab, 'code', await code(address, count));
    await go(tab);
  };
  await withCode(1);
  await step(tab, 'set-up');
  await isAccessible(tab, 'a second factor to set up on a narrow dark screen');
  await tab.reload();
  await step(tab, 'set-up');
  await go(tab);
  const secret = (await tab.locator('latchkey-sign-in code').innerText()).replaceAll(' ', '');
  await fill(tab, 'code', await totp(secret));
  await go(tab);
  await tab.locator('latchkey-sign-in .codes li').nth(9).waitFor();
  await isAccessible(tab, 'backup codes on a narrow dark screen');
  await press(tab, 'I have kept them');
  await account(tab).getByLabel('Name').waitFor();
  seen('a sign-in waits for an authenticator, also over a reload, and its set-up signs in');

  await advance(60);
  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(tab, 'start');
  await withCode(2);
  await step(tab, 'factor');
  await tab.locator('latchkey-sign-in').getByLabel('Do not ask again in this browser for 14 days').check();
  await isAccessible(tab, 'a browser to be spared on a narrow dark screen');
  await fill(tab, 'code', await totp(secret));
  await go(tab);
  await account(tab).getByLabel('Name').waitFor();
  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(tab, 'start');
  await withCode(3);
  await account(tab).getByLabel('Name').waitFor();
  seen('a browser that is to be spared is not asked for the second factor again');

  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(tab, 'start');
  await advance(14 * 86_400);
  await tab.reload();
  await step(tab, 'start');
  await withCode(4);
  await step(tab, 'factor');
  seen('a browser is spared for the days that the page has named');
  await tab.context().close();
}

async function passkeyRequired(address) {
  const tab = await open({ ways: 'code passkey' });
  await screenLock(tab);
  await tab.reload();
  await fill(tab, 'email', address);
  await go(tab);
  await step(tab, 'code');
  await fill(tab, 'code', await code(address));
  await go(tab);
  await step(tab, 'set-up');
  await press(tab, 'Use a passkey');
  await press(tab, 'Email me a code');
  await tab.locator('latchkey-sign-in').getByLabel('Code from the mail').fill(await code(address, 2));
  await isAccessible(tab, 'a passkey as the second factor');
  await tab.evaluate(() => {
    globalThis.heard = 0;
    addEventListener('latchkey-signed-in', () => (globalThis.heard += 1));
  });
  await go(tab);
  await account(tab).getByLabel('Name', { exact: true }).waitFor();
  assert.equal(await tab.evaluate(() => globalThis.heard), 1);
  seen('a passkey that checks who uses it is the second factor too, and one sign-in is told once');
  await tab.context().close();
}

/** The owner's possible changes of an account, each under a proof. */
async function ownAccount() {
  const address = 'owner@example.com';
  const moved = 'owner@elsewhere.example';
  const first = 'a lantern over the harbour';
  const second = 'another lantern in the rain';
  const { sessionToken } = await post('/auth/register', { email: address, password: first, name: 'Olive' });
  await post('/auth/register/confirm', { sessionToken, code: await code(address) });
  const tab = await open({ ways: 'password code', acceptDownloads: true });
  const other = await open({ ways: 'password code' });
  for (const each of [tab, other]) {
    await fill(each, 'email', address);
    await fill(each, 'password', first);
    await go(each);
    await account(each).getByLabel('Name').waitFor();
  }
  const choose = (name) => account(tab).getByRole('button', { name, exact: true }).click();
  const type = (label, text) => account(tab).getByLabel(label, { exact: true }).fill(text);

  await choose('Change the password');
  await isAccessible(tab, 'another password');
  await type('New password', 'short');
  await type('Password', 'not this one at all');
  await choose('Set password');
  await account(tab).locator('.note.wrong').filter({ hasText: 'At least 12' }).waitFor();
  await type('New password', second);
  await choose('Set password');
  await said(tab, /not right/, 'latchkey-account');
  // A code that was begun and is out of sight is in nobody's way.
  await choose('Email me a code');
  await type('Code from the mail', '123');
  await choose('Use the password');
  await type('Password', first);
  await choose('Set password');
  await said(tab, /password is changed/, 'latchkey-account');
  await look(other);
  await step(other, 'password');
  seen('a password is changed, and the other browser is signed out');

  await choose('Change the address');
  await isAccessible(tab, 'another address');
  await type('New email address', moved);
  await type('Password', second);
  await choose('Change the address');
  await account(tab).getByText('Confirm your address').waitFor();
  await isAccessible(tab, 'the code of another address');
  await type('Code', await code(moved));
  await choose('Confirm');
  await said(tab, /is owner@elsewhere\.example now/, 'latchkey-account');
  await account(tab).getByText(moved, { exact: true }).waitFor();
  seen('an address is changed by the code that the new one got');

  await choose('Download your data');
  await type('Password', second);
  const downloaded = tab.waitForEvent('download');
  await choose('Download your data');
  const file = await downloaded;
  assert.equal(file.suggestedFilename(), 'account.json');
  assert.match(await readFile(await file.path(), 'utf8'), /owner@elsewhere\.example/);
  await said(tab, /has been downloaded/, 'latchkey-account');
  seen('everything that is stored is downloaded as a file');

  await choose('Delete the account');
  await isAccessible(tab, 'the end of an account');
  await choose('Email me a code');
  await type('Code from the mail', await code(moved, 2));
  await choose('Delete for good');
  await step(tab, 'password');
  await said(tab, /is being deleted/);
  const answer = await post('/auth/login', { email: moved, password: second });
  assert.equal(answer.code, 'INVALID_CREDENTIALS');
  seen('an account is deleted, and nothing signs in to it');
  for (const each of [tab, other]) await each.context().close();
}

/** The same elements in React's hands, in its strict mode, which mounts everything twice. */
async function inReact() {
  const address = 'rea@example.com';
  const tab = await open({ query: 'react', delivery: 'cookie' });
  await screenLock(tab);
  await tab.reload();
  await fill(tab, 'email', address);
  await go(tab);
  await step(tab, 'code');
  await fill(tab, 'code', await code(address));
  await go(tab);
  await step(tab, 'offer');
  assert.equal(await account(tab).count(), 0);
  await isAccessible(tab, 'React’s offer of a passkey');
  await press(tab, 'Not now');
  await account(tab).getByLabel('Name').waitFor();
  await tab.getByText(`done ${address}`).waitFor();
  await tab.reload();
  await account(tab).getByText('Your account').waitFor();
  assert.equal(await account(tab).getByText('Passkeys').count(), 0);
  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(tab, 'start');
  await tab.goto(`${origin}/react?auth=error&code=AUTH_CANCELLED`);
  await tab.locator('latchkey-consent-result').getByText(/have not allowed/).waitFor();
  await tab.getByText('heard AUTH_CANCELLED once').waitFor();
  seen('React keeps the sign-in until it asks nothing more, and tells a consent’s outcome once');
  await tab.context().close();
}

/** The screen lock of the device: a virtual authenticator, which answers when it may. */
async function screenLock(tab) {
  const devtools = await tab.context().newCDPSession(tab);
  await devtools.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', { options: { ...options, automaticPresenceSimulation: true } });
  return {
    answers: (enabled) => devtools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
    refuses: (refuses) => devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: !refuses }),
    count: async () => (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
  };
}

async function passkeys() {
  const address = 'keys-of-her-own@example.com';
  const tab = await open({ ways: 'code password passkey register', acceptDownloads: true });
  const lock = await screenLock(tab);
  await tab.reload();
  await press(tab, 'Use a passkey');
  await tab.locator('latchkey-sign-in .note.wrong').waitFor();
  assert.equal(await focused(tab), 'email');
  await fill(tab, 'email', address);
  await press(tab, 'Use a passkey');
  await said(tab, /No passkey was used/);
  await isAccessible(tab, 'no passkey here');
  seen('a device without a passkey says so, and the other ways stand beside');

  await fill(tab, 'email', address);
  await go(tab);
  await step(tab, 'code');
  await fill(tab, 'code', await code(address));
  await go(tab);
  await step(tab, 'offer');
  await isAccessible(tab, 'the offer of a passkey');
  await go(tab);
  await press(tab, 'Email me a code');
  await tab.locator('latchkey-sign-in').getByLabel('Code from the mail').fill(await code(address, 2));
  await isAccessible(tab, 'the proof for a passkey');
  await go(tab);
  await account(tab).getByText('Your account').waitFor();
  const rows = account(tab).locator('[part="passkeys"] li');
  await rows.first().waitFor();
  assert.equal(await lock.count(), 1);
  await isAccessible(tab, 'the account with a passkey');
  seen('after the first sign-in a passkey is offered, and made with a proof');

  const downloaded = tab.waitForEvent('download');
  await account(tab).getByRole('button', { name: 'Download your data', exact: true }).click();
  await account(tab).getByRole('button', { name: 'Use a passkey', exact: true }).click();
  assert.equal((await downloaded).suggestedFilename(), 'account.json');
  await said(tab, /has been downloaded/, 'latchkey-account');
  seen('a passkey is the proof of a change');

  await lock.answers(false);
  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(tab, 'start');
  await tab.reload();
  await step(tab, 'start');
  assert.equal(await tab.locator('latchkey-sign-in input[name="email"]').inputValue(), address);
  assert.match(await tab.locator('latchkey-sign-in input[name="email"]').getAttribute('autocomplete'), /webauthn/);
  await isAccessible(tab, 'the start where a passkey is');
  await press(tab, 'Use a code instead');
  await step(tab, 'code');
  await fill(tab, 'code', await code(address, 3));
  await go(tab);
  await account(tab).getByText('Your account').waitFor();
  seen('where a passkey is, a code still signs in, and nothing is offered again');
  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(tab, 'start');
  // The press ends the browser's offer in the input: the device answers one question at a time.
  await go(tab);
  await lock.answers(true);
  await account(tab).getByText('Your account').waitFor();
  seen('a passkey signs in by one press');
  // The account of before stands there until the sign-out is over.
  const signedIn = tab.waitForResponse((response) => response.url().endsWith('/auth/passkey/verify'));
  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).click();
  await signedIn;
  await account(tab).getByText('Your account').waitFor();
  seen('the browser offers the passkey in the address’s input, and one choice signs in');

  await rows.first().waitFor();
  await account(tab).getByRole('button', { name: /^Rename/ }).click();
  await account(tab).getByLabel('Name of the passkey').fill('Kitchen tablet');
  await isAccessible(tab, 'the name of a passkey');
  await account(tab).getByRole('button', { name: 'Save' }).click();
  await account(tab).getByText('Kitchen tablet').waitFor();
  await account(tab).getByRole('button', { name: 'Add a passkey' }).click();
  await account(tab).getByRole('button', { name: 'Email me a code' }).click();
  await account(tab).getByLabel('Code from the mail').fill(await code(address, 4));
  await account(tab).getByRole('button', { name: 'Add a passkey' }).click();
  await said(tab, /has a passkey of your account already/, 'latchkey-account');
  await account(tab).getByRole('button', { name: 'Cancel' }).click();
  await account(tab).getByRole('button', { name: 'Remove Kitchen tablet' }).click();
  await account(tab).getByRole('button', { name: 'Email me a code' }).click();
  await isAccessible(tab, 'the removal of a passkey');
  await account(tab).getByLabel('Code from the mail').fill(await code(address, 5));
  await account(tab).getByRole('button', { name: 'Remove' }).click();
  await said(tab, /Kitchen tablet has been removed/, 'latchkey-account');
  assert.equal(await rows.count(), 0);
  seen('a passkey is renamed, not added twice, and removed');
  await tab.context().close();
}

const json = { 'content-type': 'application/json' };

/** An operation's answer, past every browser. */
const post = async (path, body, headers = json) =>
  (await fetch(`${gateway}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json();

/** An agent's request that a person has allowed: begun signed in, and consented to at the pool. */
async function consented(address) {
  const { sessionToken } = await post('/auth/otp/initiate', { email: address });
  const { accessToken } = await post('/auth/otp/verify', { email: address, code: await code(address), sessionToken });
  return post('/auth/oauth2/authorize', { conversationId: 'a-conversation' }, { ...json, authorization: `Bearer ${accessToken}` });
}

async function news() {
  const { sessionId } = await consented('agnes@example.com');
  for (const [query, outcome, pattern] of [
    ['?auth=success&session_id=urn%3Ax', 'failed', /Nothing was allowed/],
    [`?auth=success&session_id=${encodeURIComponent(sessionId)}`, 'failed', /Nothing was allowed/],
    ['?auth=error&code=AUTH_CANCELLED', 'AUTH_CANCELLED', /have not allowed/],
    ['?auth=error&code=constructor', 'failed', /new link/],
  ]) {
    const tab = await open({ query });
    const result = tab.locator(`latchkey-consent-result[data-outcome="${outcome}"]`);
    await result.waitFor();
    await result.getByText(pattern).waitFor();
    assert.equal(new URL(tab.url()).search, '');
    assert.equal(await tab.locator('latchkey-sign-in').isVisible(), false);
    await isAccessible(tab, `the news of ${query.split('=').at(-1).slice(0, 20)}`);
    await tab.reload();
    await step(tab, 'start');
    assert.equal(await tab.locator('latchkey-consent-result').isVisible(), false);
    await tab.context().close();
  }
  seen('what became of an agent’s request is looked up and told once, whatever the address says');
}

/** Both elements on a page that does nothing of its own. */
async function bare() {
  const address = 'bare@example.com';
  const tab = await open({ query: 'bare' });
  await signIn(tab, address, 1);
  await step(tab, 'done');
  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(tab, 'start');
  assert.equal(await account(tab).getByRole('button').count(), 0);
  await tab.waitForFunction(() => document.activeElement.shadowRoot?.activeElement?.name === 'email');
  await signIn(tab, address, 2);
  seen('without a script of the page a sign-out asks again, and the next sign-in works');
  await tab.context().close();

  const first = await open({ query: 'bare', delivery: 'cookie' });
  const second = await open({ query: 'bare', delivery: 'cookie', context: first.context() });
  await signIn(first, address, 3);
  await account(second).getByLabel('Name').waitFor();
  await step(second, 'done');
  await second.reload();
  await account(second).getByLabel('Name').waitFor();
  assert.equal(await focusedElement(second), 'body');
  seen('with cookies a sign-in in one tab is one in the other, and a reload finds it');
  await account(first).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(first, 'start');
  await step(second, 'start');
  await said(second, /^You are signed out/);
  await first.context().close();

  const deployed = await open({ delivery: 'cookie' });
  const sibling = await open({ delivery: 'cookie', context: deployed.context() });
  await signIn(deployed, address, 4);
  await account(sibling).getByLabel('Name').waitFor();
  assert.equal(await sibling.locator('latchkey-sign-in').isVisible(), false);
  seen('the deployed page follows a sign-in in another tab too');
  await deployed.context().close();
}

/** A sign-out that the API has not heard of is none, and can be tried again. */
async function failedSignOut() {
  const address = 'leaving@example.com';
  let count = 0;
  for (const [query, delivery] of [['', 'cookie'], ['', 'body'], ['bare', 'cookie'], ['bare', 'body']]) {
    const tab = await open({ query, delivery });
    await signIn(tab, address, (count += 1));
    await tab.evaluate(() => {
      globalThis.left = [];
      addEventListener('latchkey-signed-out', ({ detail }) => globalThis.left.push(detail.everywhere));
    });
    const leave = (name) => account(tab).getByRole('button', { name, exact: true }).click();
    await tab.context().setOffline(true);
    await leave('Sign out');
    await said(tab, /^You are still signed in/, 'latchkey-account');
    await tab.context().setOffline(false);
    const refuse = (route) => route.fulfill({ status: 503, json: { code: 'SERVICE_UNAVAILABLE', status: 503 } });
    await tab.route('**/api/auth/logout', refuse);
    await leave('Sign out on all devices');
    await said(tab, /^You are still signed in/, 'latchkey-account');
    await isAccessible(tab, `a sign-out that failed at ${query} with ${delivery}`);
    assert.deepEqual(await tab.evaluate(() => globalThis.left), []);
    await tab.unroute('**/api/auth/logout', refuse);
    await leave('Sign out on all devices');
    await step(tab, 'start');
    assert.deepEqual(await tab.evaluate(() => globalThis.left), [true]);
    await tab.reload();
    await step(tab, 'start');
    await tab.context().close();
  }
  seen('a sign-out that fails says that the person is still signed in, and the next try works');
}

/** Codes that are shown once stay, whatever becomes of the session. */
async function keptCodes() {
  for (const [address, query] of [['careful@example.com', ''], ['careful@elsewhere.example', 'bare?sections=authenticator sessions']]) {
    const tab = await open({ query, days: 0 });
    await fill(tab, 'email', address);
    await go(tab);
    await step(tab, 'code');
    await fill(tab, 'code', await code(address));
    await go(tab);
    await account(tab).getByRole('button', { name: 'Set up' }).click();
    await account(tab).getByRole('button', { name: 'Email me a code' }).click();
    await account(tab).getByLabel('Code from the mail').fill(await code(address, 2));
    await account(tab).getByRole('button', { name: 'Set up' }).click();
    const secret = (await account(tab).locator('code').innerText()).replaceAll(' ', '');
    await account(tab).locator('input[name="code"]').fill(await totp(secret));
    await account(tab).getByRole('button', { name: 'Turn on' }).click();
    const codes = account(tab).locator('.codes li');
    await codes.nth(9).waitFor();
    const [backup] = await codes.allInnerTexts();
    await tab.evaluate(() => {
      const writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
      Object.defineProperty(navigator, 'clipboard', { value: { writeText } });
    });
    await account(tab).getByRole('button', { name: 'Copy' }).click();
    await said(tab, /has not copied/, 'latchkey-account');
    await isAccessible(tab, `codes that cannot be copied at ${query}`);

    await advance(60);
    const { sessionToken } = await post('/auth/otp/initiate', { email: address });
    const held = await post('/auth/otp/verify', { email: address, code: await code(address, 3), sessionToken });
    const { accessToken } = await post('/auth/mfa/verify', { sessionToken: held.sessionToken, backupCode: backup });
    const authorization = { ...json, authorization: `Bearer ${accessToken}` };
    await fetch(`${gateway}/me/sessions`, { method: 'DELETE', headers: authorization });
    await look(tab);
    await step(tab, 'start');
    await said(tab, /^Your session has ended/);
    assert.equal(await codes.nth(9).isVisible(), true);
    await account(tab).getByRole('button', { name: 'I have kept them' }).click();
    await codes.first().waitFor({ state: 'detached' });
    assert.equal(await account(tab).getByRole('button').count(), 0);
    await tab.context().close();
  }
  seen('backup codes stay until the person has kept them, though the session ends meanwhile');
}

/** The ways that a page has chosen, and no others. */
async function chosenWays() {
  const address = 'chosen@example.com';
  const password = 'a lantern over the harbour';
  const watched = async (options) => {
    const tab = await open(options);
    tab.on('request', (asked) => asked.url().endsWith('/auth/otp/initiate') && complaints.push(`a code is mailed at ${options.ways}`));
    return tab;
  };
  const tab = await watched({ ways: 'password register' });
  await step(tab, 'password');
  await isAccessible(tab, 'a password or an account');
  await press(tab, 'Create an account');
  await step(tab, 'register');
  await press(tab, 'I have an account');
  await step(tab, 'password');
  await press(tab, 'Create an account');
  await fill(tab, 'email', address);
  await fill(tab, 'newPassword', password);
  await go(tab);
  await step(tab, 'confirm');
  await press(tab, 'Use another address');
  await step(tab, 'password');
  await press(tab, 'Create an account');
  await fill(tab, 'newPassword', password);
  await go(tab);
  await step(tab, 'confirm');
  await fill(tab, 'code', await code(address, 2));
  await go(tab);
  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(tab, 'password');
  await fill(tab, 'password', 'not this one at all');
  await go(tab);
  await said(tab, /^Address or password is not right\.$/);
  await tab.context().close();
  seen('a page with passwords and registration leads to both, and mails no code');

  const keys = await watched({ ways: 'password passkey' });
  await screenLock(keys);
  await keys.reload();
  await press(keys, 'Use a passkey');
  await keys.locator('latchkey-sign-in .note.wrong').filter({ hasText: 'fill this in' }).waitFor();
  await fill(keys, 'email', address);
  await press(keys, 'Use a passkey');
  await said(keys, /No passkey was used/);
  await fill(keys, 'password', password);
  await go(keys);
  await step(keys, 'offer');
  await go(keys);
  await account(keys).locator('[part="passkeys"] li').waitFor();
  await account(keys).getByRole('button', { name: 'Sign out', exact: true }).click();
  await account(keys).locator('[part="passkeys"] li').waitFor();
  await keys.context().close();
  seen('a page with passwords and passkeys leads to a passkey of another device');

  const first = await watched({ ways: 'register password' });
  await step(first, 'register');
  await press(first, 'I have an account');
  await step(first, 'password');
  await first.context().close();

  const alone = await watched({ ways: 'passkey' });
  await screenLock(alone);
  await alone.reload();
  await fill(alone, 'email', address);
  await go(alone);
  await said(alone, /No passkey/);
  await alone.context().close();
  seen('the first of the ways is the one that a page has chosen, and never a code that it has not');
}

/** An account that cannot be read at once. */
async function unreadable() {
  const address = 'patient@example.com';
  const tab = await open();
  const profile = (url) => url.pathname === '/api/me';
  let answers = null;
  await tab.route(profile, async (route) => {
    const answer = await new Promise((resolve) => (answers = resolve));
    return answer === 'abort' ? route.abort() : route.continue();
  });
  const answer = async (how) => {
    while (answers === null) await tab.evaluate(() => null);
    answers(how);
    answers = null;
  };
  await fill(tab, 'email', address);
  await go(tab);
  await step(tab, 'code');
  await fill(tab, 'code', await code(address));
  await go(tab);
  await account(tab).getByText('One moment').waitFor();
  await isAccessible(tab, 'an account on its way');
  for (let tried = 0; tried < 3; tried += 1) await answer('abort');
  await account(tab).getByText('There is no connection').waitFor();
  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).waitFor();
  await isAccessible(tab, 'an account that cannot be read');
  await account(tab).getByRole('button', { name: 'Try again' }).click();
  await answer('continue');
  await account(tab).getByLabel('Name').waitFor();
  await tab.unroute(profile);
  const passkeys = (url) => url.pathname === '/api/me/passkeys';
  await tab.route(passkeys, (route) => route.fulfill({ status: 404, body: '{}' }));
  await tab.reload();
  const again = account(tab).getByRole('button', { name: 'Try again' });
  await again.waitFor();
  await tab.unroute(passkeys);
  await again.click();
  await account(tab).getByRole('button', { name: 'Add a passkey' }).waitFor();
  seen('an account says that it is on its way, and takes another try');
  await tab.context().close();
}

/** Codes in digits of another script, and a code that the pool itself has mailed. */
async function otherCodes() {
  const address = 'digits@example.com';
  const tab = await open();
  await fill(tab, 'email', address);
  await go(tab);
  await step(tab, 'code');
  const arabic = (await code(address)).replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit)));
  await fill(tab, 'code', arabic);
  await go(tab);
  await account(tab).getByLabel('Name').waitFor();
  seen('a code in digits of another script signs in');
  await account(tab).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(tab, 'start');
  const pools = { sessionToken: 'a-session', mfaRequired: true, challenge: 'EMAIL_OTP', tokenType: 'Bearer' };
  await tab.route('**/api/auth/login', (route) => route.fulfill({ status: 200, json: pools }));
  await press(tab, 'Use a password');
  await press(tab, 'Forgot password?');
  await tab.locator('latchkey-sign-in').getByText('if it has an account').waitFor();
  await press(tab, 'Back');
  await fill(tab, 'password', 'a lantern over the harbour');
  await go(tab);
  await step(tab, 'factor');
  await tab.locator('latchkey-sign-in').getByText('Enter the code from the mail').waitFor();
  assert.equal(await tab.locator('latchkey-sign-in').getByRole('button', { name: 'backup code' }).count(), 0);
  await isAccessible(tab, 'a code that the pool has mailed');
  seen('a code that the pool has mailed is asked for as one');
  await tab.context().close();
}

/** What the profile says of its factors, as far as an API says it. */
async function knownFactors() {
  const address = 'known@example.com';
  const tab = await open();
  const profile = (url) => url.pathname === '/api/me';
  const saying = async (more) => {
    await tab.unroute(profile);
    await tab.route(profile, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), ...more } });
    });
  };
  const buttons = (name) => account(tab).getByRole('button', { name, exact: true });
  await saying({ hasPassword: false, hasAuthenticator: false });
  await signIn(tab, address, 1);
  assert.deepEqual([await buttons('Set up').count(), await buttons('Turn off').count()], [1, 0]);
  await buttons('Set a password').click();
  assert.equal(await account(tab).getByLabel('Password', { exact: true }).isVisible(), false);
  await account(tab).getByLabel('New password', { exact: true }).fill('a lantern over the harbour');
  await isAccessible(tab, 'a first password');
  await buttons('Email me a code').click();
  await said(tab, /on its way/, 'latchkey-account');
  assert.equal(await buttons('Use the password').count(), 0);
  await account(tab).getByLabel('Code from the mail').fill(await code(address, 2));
  await isAccessible(tab, 'a first password, and a mailed code');
  await buttons('Set password').click();
  await said(tab, /password is changed/, 'latchkey-account');
  seen('without a password, a proof begins with the mailed code');
  for (const [left, pattern, isFew] of [[7, /^7 backup codes left\.$/, false], [1, /^One backup code left\. For new ones/, true], [0, /^No backup code left/, true]]) {
    await saying({ hasPassword: true, hasAuthenticator: true, backupCodesLeft: left });
    await tab.reload();
    const note = account(tab).locator('.note').filter({ hasText: pattern });
    await note.waitFor();
    assert.equal(await note.evaluate((node) => node.classList.contains('wrong')), isFew);
    assert.deepEqual([await buttons('Set up').count(), await buttons('Turn off').count()], [0, 1]);
  }
  await isAccessible(tab, 'no backup code left');
  await buttons('Change the password').click();
  await account(tab).getByLabel('or a backup code').waitFor();
  await account(tab).getByLabel('Password', { exact: true }).waitFor();
  seen('the account says what the second step has left, and offers what there is to do');
  await tab.context().close();

  const few = await open();
  const held = { sessionToken: 'a-session', mfaRequired: true, challenge: 'SOFTWARE_TOKEN_MFA', tokenType: 'Bearer' };
  const login = await post('/auth/login', { email: address, password: 'a lantern over the harbour' });
  await few.route('**/api/auth/login', (route) => route.fulfill({ status: 200, json: held }));
  await few.route('**/api/auth/mfa/verify', (route) => route.fulfill({ status: 200, json: { ...login, backupCodesLeft: 2 } }));
  await press(few, 'Use a password');
  await fill(few, 'email', address);
  await fill(few, 'password', 'a lantern over the harbour');
  await go(few);
  await step(few, 'factor');
  await press(few, 'Use a backup code');
  await fill(few, 'backupCode', '7K3Q-XB2M-9FTR-04WZ');
  await go(few);
  await step(few, 'codes');
  await few.locator('latchkey-sign-in').getByText('2 backup codes left. For new ones').waitFor();
  await isAccessible(few, 'few backup codes');
  await go(few);
  await account(few).getByLabel('Name').waitFor();
  seen('a sign-in that leaves few backup codes says so before it goes on');
  await few.context().close();
}

/** The whole of a sign-in by keys alone, in German. */
async function byKeyboard() {
  const address = 'keys@example.com';
  const tab = await open({ locale: 'de-DE' });
  const reach = async (name) => {
    for (let presses = 0; presses < 20; presses += 1) {
      if ((await focused(tab)) === name) return;
      await tab.keyboard.press('Tab');
    }
    throw new Error(`Tab does not reach ${name}`);
  };
  await reach('email');
  await tab.keyboard.type(address);
  let pressed = performance.now();
  await tab.keyboard.press('Enter');
  await step(tab, 'code');
  const toCode = performance.now() - pressed;
  assert.equal(await focused(tab), 'code');
  await isAccessible(tab, 'the code in German');
  await tab.keyboard.type(await code(address));
  pressed = performance.now();
  await tab.keyboard.press('Enter');
  await account(tab).getByLabel('Name').waitFor();
  const toAccount = performance.now() - pressed;
  console.log(`from press to page: the code in ${toCode.toFixed(0)} ms, signed in in ${toAccount.toFixed(0)} ms`);
  await reach('name');
  await tab.keyboard.type('Konrad');
  await tab.keyboard.press('Enter');
  await said(tab, /Gespeichert/, 'latchkey-account');
  await isAccessible(tab, 'the account in German');
  seen('a whole sign-in by keys alone, in German, keeps the focus where the person is');
  await tab.context().close();
}

/** The browser's clock runs away, as on a laptop that slept. */
async function clockMoved() {
  const address = 'sleeper@example.com';
  const tab = await open();
  await tab.clock.install();
  await tab.reload();
  await step(tab, 'start');
  await fill(tab, 'email', address);
  await go(tab);
  await step(tab, 'code');
  await tab.clock.fastForward('05:01');
  await tab.locator('latchkey-sign-in').getByText('The time for this code is over.').waitFor();
  assert.equal(await tab.locator('latchkey-sign-in button.primary').getAttribute('aria-disabled'), 'true');
  await isAccessible(tab, 'a code whose time is over');
  await advance(301);
  await press(tab, 'Send another code');
  await tab.locator('latchkey-sign-in').getByText('The code works for another').waitFor();
  await fill(tab, 'code', await code(address, 2));
  await go(tab);
  await account(tab).getByLabel('Name').waitFor();
  seen('a code whose time is over cannot be sent, and another one signs in');
  await tab.context().close();
}

/** Every step of a sign-in on the widest and the narrowest screen, in light and dark. */
async function screens() {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [320, 1920]) {
      const address = `${colorScheme}${width}@example.com`;
      const tab = await open({ colorScheme, viewport: { width, height: 800 } });
      const called = (what) => `${what} in ${colorScheme} at ${width}`;
      await isAccessible(tab, called('the start'));
      await fill(tab, 'email', address);
      await go(tab);
      await step(tab, 'code');
      await isAccessible(tab, called('the code'));
      await fill(tab, 'code', await code(address));
      await go(tab);
      await account(tab).getByLabel('Name').waitFor();
      await isAccessible(tab, called('the account'));
      await tab.context().close();
    }
  }
  seen('every step fits 320 and 1920 pixels, in light and dark');
}

/** By the names that ONLY takes. */
const JOURNEYS = {
  code: async () => secondFactor(await signInByCode()),
  passwords,
  troubles,
  limits,
  tabs: twoTabs,
  sessions,
  activity,
  reset: factorReset,
  required,
  account: ownAccount,
  bare,
  out: failedSignOut,
  kept: keptCodes,
  ways: chosenWays,
  unreadable,
  codes: otherCodes,
  factors: knownFactors,
  passkeys,
  react: inReact,
  news,
  keys: byKeyboard,
  screens,
  clock: clockMoved,
};

try {
  const wanted = process.env.ONLY?.split(' ') ?? Object.keys(JOURNEYS);
  for (const journey of wanted) {
    await JOURNEYS[journey]();
    // One network may begin only so many sign-ins in a quarter of an hour.
    await advance(901);
  }
  assert.deepEqual(complaints, []);
  console.log(`${steps} steps`);
} catch (error) {
  // The contents of every open page, if a folder for pictures is named.
  const pages = browser.contexts().flatMap((context) => context.pages());
  for (const [number, page] of screenshots ? pages.entries() : []) await page.screenshot({ path: `${screenshots}/failed-${number}.png` }).catch(() => null);
  throw error;
} finally {
  await browser.close();
  site.close();
  site.closeAllConnections();
  local.stop();
}
