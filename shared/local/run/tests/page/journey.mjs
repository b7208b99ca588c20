// Walks through the console in Chromium, by keyboard wherever a person could, with axe on every
// state: node journey.mjs PATH_OF_AUTH_LOCAL
//
// CHROMIUM, PLAYWRIGHT and AXE name the browser and the modules where they are not in their usual
// places. SCREENSHOTS names a folder for pictures of every state. With FROM_DISK, the page's files
// come from the working tree, so that a change needs no build.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const { chromium } = await import(process.env.PLAYWRIGHT ?? 'playwright-core');
const axe = await readFile(process.env.AXE ?? fileURLToPath(import.meta.resolve('axe-core')), 'utf8');
const screenshots = process.env.SCREENSHOTS;

// A page that asks another host for anything fails below; these keep the browser from doing so.
const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

// The browser logs each refusal that fetch gets as an error; those below are provoked on purpose.
const PROVOKED = /Failed to load resource: (the server responded with a status of (400|401|403|404|409|410|429)|net::ERR_INTERNET_DISCONNECTED)/;

const folder = await mkdtemp(join(tmpdir(), 'latchkey-'));
await writeFile(join(folder, 'settings'), 'REMEMBER_DEVICE_DAYS = 14');
const options = ['--port', '0', '--memory', '--json', '--quiet', '--config', join(folder, 'settings')];
const local = spawn(process.argv[2], options, { stdio: ['ignore', 'pipe', 'inherit'] });
const [readyLine] = await once(createInterface(local.stdout), 'line');
await rm(folder, { recursive: true });
const { gateway: byAddress, page: home, agentcore, cognito } = JSON.parse(readyLine);
// The page's own name, which passkeys need. The API answers under both.
const gateway = new URL(home).origin;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: BROWSER_FLAGS });

const complaints = [];
let steps = 0;

function seen(what) {
  steps += 1;
  console.log(`ok ${what}`);
}

const pageFolder = new URL('../../src/page/', import.meta.url);
const package_ = new URL('../../../../auth-browser/', import.meta.url);

async function fromDisk(route) {
  const { pathname } = new URL(route.request().url());
  const name = pathname === '/' ? 'index.html' : pathname.slice('/_local/page/'.length);
  const body = await readFile(new URL(name, pageFolder)).catch(() => readFile(new URL(name, package_)));
  const response = await route.fetch();
  const type = { html: 'text/html', css: 'text/css', js: 'text/javascript' }[name.split('.').at(-1)];
  await route.fulfill({ status: 200, headers: { ...response.headers(), 'content-type': `${type}; charset=utf-8` }, body });
}

function watch(page, hosts) {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !PROVOKED.test(message.text())) complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (!['data:', 'about:'].includes(protocol) && !hosts.includes(origin)) complaints.push(`request to another host: ${request.url()}`);
  });
}

async function open({ hosts = [gateway], context, hash = '', ...options } = {}) {
  if (context === undefined) {
    context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    if (process.env.FROM_DISK) await context.route((url) => url.origin === gateway && (url.pathname === '/' || url.pathname.startsWith('/_local/page/')), fromDisk);
    context.on('page', (page) => watch(page, hosts));
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => console.error('CSP', event.violatedDirective, event.blockedURI));
    });
  }
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  await page.goto(`${gateway}/${hash}`);
  await page.locator('main:not([hidden])').waitFor();
  return page;
}

const signInElement = (page) => page.locator('latchkey-sign-in');
const account = (page) => page.locator('latchkey-account');
const step = (page, name) => page.locator(`latchkey-sign-in[data-step="${name}"]:visible`).waitFor();
const field = (page, name) => page.locator(`latchkey-sign-in input[name="${name}"]`);
const go = (page) => page.locator('latchkey-sign-in button.primary').click();
const said = (page, pattern) => page.locator('latchkey-sign-in .said').filter({ hasText: pattern }).waitFor();
const signedIn = (page) => account(page).getByRole('textbox', { name: 'Name' }).waitFor();
const says = (page, selector, pattern) => page.locator(selector).filter({ hasText: pattern }).first().waitFor();
const storedSession = (page) => page.evaluate(() => JSON.parse(sessionStorage.getItem('latchkey.session')));

async function latestCode(to) {
  const response = await fetch(`${gateway}/_local/mailbox/latest?to=${encodeURIComponent(to)}&wait=5`);
  return (await response.json()).code;
}

/** Moves the clock as a person does: by the control in the header. */
async function moveClock(page, seconds) {
  if (!(await page.locator('#clock').evaluate((clock) => clock.open))) await page.click('#clock > summary');
  const moved = page.waitForResponse((response) => response.url().endsWith('/_local/clock') && response.request().method() === 'POST');
  await page.click(`[data-advance="${seconds}"]`);
  await moved;
  await page.keyboard.press('Escape');
}

/** The focused part, inside elements too: an id, or a field's name, or a button's words. */
const focused = (page) =>
  page.evaluate(() => {
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    if (active === document.body) return '';
    return active?.getAttribute('name') || active?.id || active?.textContent.trim() || '';
  });

async function tabTo(page, what) {
  for (let presses = 0; presses < 90; presses += 1) {
    if ((await focused(page)).includes(what)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${what}; the focus is on ${await focused(page)}`);
}

async function isGood(page, what) {
  // A page that allows no foreign script still lets the browser's own tools look at it.
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  const { result } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, { resultTypes: ['violations'], iframes: false }).then((found) => JSON.stringify(found.violations.map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 160))])))`,
    awaitPromise: true,
  });
  // Left attached: with the first session that ends, Chromium removes the virtual authenticator.
  assert.deepEqual(JSON.parse(result.value), [], `axe finds fault with ${what}`);
  const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= screen, `${what} is ${content} wide on ${screen}`);
  if (screenshots) await page.screenshot({ path: `${screenshots}/${what.replaceAll(/\W+/gu, '-')}.png` });
}

async function askForCode(page, address) {
  await field(page, 'email').fill(address);
  await field(page, 'email').press('Enter');
  await step(page, 'code');
}

async function signIn(page, address) {
  await askForCode(page, address);
  await field(page, 'code').fill(await latestCode(address));
  await field(page, 'code').press('Enter');
  await signedIn(page);
}

async function signInByKeyboard(page, address) {
  await step(page, 'start');
  await isGood(page, 'the console');
  await tabTo(page, 'email');
  await page.keyboard.type(address);
  await page.keyboard.press('Enter');
  await step(page, 'code');
  assert.equal(await focused(page), 'code');
  await page.locator('.code-chip').waitFor();
  await says(page, '#unread', /1 unread/);
  await isGood(page, 'a code on its way');
  seen('Enter mails a code, its field has the focus, and the mailbox counts one unread');

  const code = await latestCode(address);
  await page.keyboard.type(code.replace(/^./, (digit) => (digit === '9' ? '1' : '9')));
  await page.keyboard.press('Enter');
  await said(page, /2 more times/);
  await page.reload();
  await step(page, 'code');
  seen('a wrong code says how many tries are left, and a reload keeps the sign-in');

  await tabTo(page, code);
  await page.keyboard.press('Enter');
  assert.equal(await focused(page), 'code');
  assert.equal(await field(page, 'code').inputValue(), code);
  await page.keyboard.press('Enter');
  await signedIn(page);
  await isGood(page, 'somebody signed in');
  seen('the code in the mail fills the field by keyboard, and signs in');
}

async function readMails(page) {
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('m');
  await page.waitForFunction(() => document.activeElement !== document.body);
  assert.match(await focused(page), /sign|code/i);
  await page.keyboard.press('Enter');
  const mail = page.locator('.mail').first();
  const frame = mail.locator('iframe');
  await frame.waitFor();
  assert.equal(await frame.getAttribute('sandbox'), '');
  await mail.getByRole('button', { name: 'Show as text' }).click();
  await mail.locator('.mail-text').waitFor();
  await isGood(page, 'an open mail');
  await page.keyboard.press('Escape');
  assert.equal(await mail.locator('details').evaluate((details) => details.open), false);
  seen('m goes to the mails, Enter opens one as HTML and as text, and Escape closes it');
}

async function openRequests(page) {
  const row = page.locator('#requests > li').filter({ hasText: 'POST /auth/otp/verify' }).filter({ hasText: '200' }).first();
  await row.locator('summary').first().click();
  await row.locator('.calls').waitFor();
  const text = await row.innerText();
  for (const words of ['AdminRespondToAuthChallenge', 'UpdateItem', '"accessToken": "•••"', '"code": "•••"', 'a million', 'log line']) {
    assert.ok(text.includes(words), `${words} is not in ${text}`);
  }
  const { accessToken, refreshToken } = await storedSession(page);
  for (const secret of [accessToken, refreshToken]) assert.ok(!text.includes(secret));
  await isGood(page, 'an open request');
  await row.getByRole('link', { name: 'verifyOtp in the contract' }).click();
  await page.locator('#contract\\/verifyOtp h2:focus').waitFor();
  await page.goBack();
  seen('a request opens: bodies without secrets, AWS calls with times and prices, its operation');
}

async function useTheSession(page) {
  await account(page).getByLabel('Name').fill('Ada <b>Lovelace</b>');
  await account(page).getByRole('button', { name: 'Save' }).click();
  await page.locator('latchkey-account .said').filter({ hasText: 'Saved' }).waitFor();
  await page.reload();
  await signedIn(page);
  assert.equal(await account(page).getByLabel('Name').inputValue(), 'Ada <b>Lovelace</b>');
  await page.click('#session >> text=Claims of the access token');
  await says(page, '#access-claims', /token_use[\s\S]*access/);
  const before = (await storedSession(page)).accessToken;
  await page.click('#refresh');
  await page.waitForFunction((old) => !sessionStorage.getItem('latchkey.session').includes(old), before);
  await moveClock(page, 3601);
  await says(page, '#access-token-left', /ended/);
  await says(page, '#clock-ahead', /1 hour 1 second ahead/);
  await account(page).getByRole('button', { name: 'Save' }).click();
  await says(page, '#access-token-left', /left/);
  seen('the name is kept as typed, claims are shown, and tokens are renewed, after their end too');
  await account(page).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(page, 'start');
  assert.equal(await page.evaluate(() => sessionStorage.getItem('latchkey.session')), null);
  seen('signing out leaves nothing behind');
}

async function connect(page) {
  await page.locator('#connect').getByText('boto3', { exact: true }).click();
  await page.locator('#connect pre:visible').filter({ hasText: 'endpoint_url' }).waitFor();
  await isGood(page, 'the connect card');
  for (const name of ['API', 'User pool', 'Public client', 'Cognito', 'DynamoDB', 'AgentCore', 'Lambda']) {
    assert.ok(await page.locator('#connect').getByRole('button', { name: `Copy ${name}`, exact: true }).isVisible(), name);
  }
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.locator('#connect').getByRole('button', { name: 'Copy API' }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), byAddress);
  await page.click('#connect > summary');
  // The browser tells of the toggle in a task of its own.
  await page.waitForFunction(() => localStorage.getItem('latchkey.local.connect') === 'closed');
  await page.reload();
  await step(page, 'start');
  await page.locator('#connect:not([open])').waitFor();
  seen('the Connect card has everything to copy, and stays as it was left');
}

async function tryTheContract(page) {
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('/');
  await page.locator('#contract-search:focus').waitFor();
  await page.keyboard.type('mailed code');
  await says(page, '#contract-found', /of \d+ operations/);
  await page.fill('#contract-search', 'getProfile');
  await says(page, '#contract-found', /^\d+ of/);
  await page.fill('#contract-search', 'initiateOtp');
  const operation = page.locator('.operation:visible').filter({ hasText: '/auth/otp/initiate' }).first();
  await operation.locator('.try > summary').click();
  await operation.getByLabel('Body').fill('{');
  await operation.getByRole('button', { name: 'Send' }).click();
  await says(page, '.try:visible', /no JSON/);
  await operation.getByLabel('Body').fill('{"email":"tried@example.com"}');
  await operation.getByRole('button', { name: 'Send' }).click();
  await says(page, '.try:visible', /Answered 200/);
  await isGood(page, 'the contract, searched and tried');
  assert.match(await latestCode('tried@example.com'), /^\d{8}$/);
  seen('/ searches the contract, and an operation is tried from it');
}

async function cookiesInTwoTabs(page, address) {
  await page.goto(`${gateway}/#try`);
  await step(page, 'start');
  await page.selectOption('#delivery', 'cookie');
  await page.waitForFunction(() => sessionStorage.getItem('latchkey.local.delivery') === 'cookie');
  await step(page, 'start');
  await signIn(page, address);
  assert.equal((await storedSession(page)).refreshToken, null);
  await page.click('#refresh');
  await says(page, '#status', /new/);
  seen('with cookies no script sees a refresh token, and renewing works');

  const other = await open();
  await signIn(other, address);
  await moveClock(page, 31);
  await account(page).getByRole('button', { name: 'Sign out on all devices' }).click();
  await step(page, 'start');
  await account(other).getByRole('button', { name: 'Save' }).click();
  await step(other, 'start');
  await says(other, '#status', /has ended/);
  await other.context().close();
  seen('signing out on all devices ends the session in the other browser, which says so');
  await page.selectOption('#delivery', 'body');
  await step(page, 'start');
}

/** The code that an authenticator app shows now (RFC 6238), by the local run's clock. */
async function appCode(secret) {
  const clock = await (await fetch(`${gateway}/_local/clock`)).json();
  const bits = [...secret.replaceAll(' ', '')].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'));
  const key = Buffer.from(bits.join('').match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.parse(clock.now) / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const number = mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** A registration that is left half-way is no dead end. */
async function registerAndGuard(address) {
  const page = await open();
  const password = 'nine lives of a cat';
  await signInElement(page).getByRole('button', { name: 'Create an account' }).click();
  await field(page, 'email').fill(address);
  await field(page, 'newPassword').fill('short');
  await go(page);
  await signInElement(page).getByText('At least 12 characters.', { exact: true }).waitFor();
  await field(page, 'newPassword').fill(password);
  await go(page);
  await step(page, 'confirm');
  await signInElement(page).getByRole('button', { name: 'Use another address' }).click();
  await step(page, 'start');
  await signInElement(page).getByRole('button', { name: 'Create an account' }).click();
  await field(page, 'email').fill(address);
  await field(page, 'newPassword').fill(password);
  await go(page);
  await step(page, 'confirm');
  const chip = page.locator('.code-chip').filter({ hasText: address }).first();
  await chip.click();
  await field(page, 'code').press('Enter');
  await signedIn(page);
  seen('a registration that was left can be begun again, and confirming it signs in');

  await account(page).getByRole('button', { name: 'Set up' }).click();
  await account(page).locator('input[name="password"]').fill(password);
  await account(page).getByRole('button', { name: 'Set up' }).click();
  await account(page).locator('svg.qr').waitFor();
  await isGood(page, 'an authenticator to set up');
  const secret = await account(page).locator('code').innerText();
  await account(page).locator('input[name="code"]').fill(await appCode(secret));
  await account(page).getByRole('button', { name: 'Turn on' }).click();
  await account(page).locator('.codes li').first().waitFor();
  const codes = await account(page).locator('.codes li').allInnerTexts();
  assert.equal(codes.length, 10);
  await account(page).getByRole('button', { name: 'I have kept them' }).click();
  await account(page).getByRole('button', { name: 'Sign out', exact: true }).click();
  await step(page, 'start');
  await signInElement(page).getByRole('button', { name: 'Use a password' }).click();
  await field(page, 'email').fill(address);
  await field(page, 'password').fill(password);
  await go(page);
  await step(page, 'factor');
  await signInElement(page).getByLabel('Do not ask again in this browser for 14 days').waitFor();
  await moveClock(page, 31);
  await field(page, 'code').fill(await appCode(secret));
  await go(page);
  await signedIn(page);
  seen('an authenticator is set up, and a password and its code sign in');

  await account(page).getByRole('button', { name: 'Sign out', exact: true }).click();
  await signInElement(page).getByRole('button', { name: 'Use a password' }).click();
  await field(page, 'email').fill(address);
  await signInElement(page).getByRole('button', { name: 'Forgot password?' }).click();
  await go(page);
  await step(page, 'reset');
  await signInElement(page).getByText('At least 12 characters. A few words').waitFor();
  await signInElement(page).getByRole('button', { name: /Another code in/ }).waitFor();
  await moveClock(page, 31);
  await signInElement(page).getByRole('button', { name: 'Send another code' }).click();
  await said(page, /Another code is on its way/);
  await field(page, 'code').fill(await latestCode(address));
  await field(page, 'newPassword').fill('ten lives of a lucky cat');
  await go(page);
  await step(page, 'password');
  await field(page, 'password').fill('ten lives of a lucky cat');
  await go(page);
  await step(page, 'factor');
  await signInElement(page).getByRole('button', { name: 'Use a backup code' }).click();
  await field(page, 'backupCode').fill(codes[0]);
  await go(page);
  await signedIn(page);
  seen('recovery shows its rule and sends another code, and the authenticator is asked for all the same');
  await page.context().close();
}

async function signInWithTheAgent(page, address) {
  await page.click('[data-view="agent"]');
  await tabTo(page, 'answer');
  await page.keyboard.type(address);
  await page.keyboard.press('Enter');
  await says(page, '#conversation', /initiate_cognito_login[\s\S]*"success": true/);
  await says(page, '#agent-answer-label', /The code/);
  await page.keyboard.type('00000000');
  await page.keyboard.press('Enter');
  await says(page, '#conversation', /verify_cognito_otp[\s\S]*INVALID_OTP/);
  await isGood(page, 'a conversation with the agent');
  await page.locator('.code-chip').filter({ hasText: address }).first().click();
  await page.keyboard.press('Enter');
  await page.locator('#agent-authorize').waitFor();
  await says(page, '#conversation', /"event_type": "auth_tokens"/);
  const { accessToken, refreshToken } = await storedSession(page);
  assert.ok(refreshToken);
  assert.ok(!(await page.textContent('#conversation')).includes(accessToken), 'tokens are cut short');
  await page.reload();
  await says(page, '#conversation', /Hello again/);
  seen('an agent signs a person in by its tools, with the mailbox beside it, and the page keeps the session');
}

async function consentOnThePoolsPage(consent, page, address) {
  await consent.waitForURL(`${cognito}/**/login?**`);
  await consent.getByText('asks you to sign in').waitFor();
  await isGood(consent, 'the pool asks for an address');
  await consent.getByLabel('Email address').fill(address);
  await consent.keyboard.press('Enter');
  await consent.getByLabel('Code').waitFor();
  await isGood(consent, 'the pool asks for a code');
  assert.ok(await page.locator('.code-chip').first().isVisible(), 'the mailbox is in sight');
  await consent.getByLabel('Code').fill(await latestCode(address));
  await consent.keyboard.press('Enter');
}

async function letTheAgentAct(page, address) {
  const [consent] = await Promise.all([page.waitForEvent('popup'), page.click('#agent-authorize')]);
  await consentOnThePoolsPage(consent, page, address);
  await consent.locator('latchkey-consent-result[data-outcome="allowed"]').waitFor();
  await consent.getByText('You can close this page now').waitFor();
  assert.equal(new URL(consent.url()).search, '');
  await isGood(consent, 'the end of a consent');
  await consent.close();
  await says(page, '#conversation', /You have consented[\s\S]*get_authenticated_guest[\s\S]*You are guest GST-/);
  assert.equal(await page.evaluate(() => sessionStorage.getItem('latchkey.agent')), null);
  seen('a person consents in a window beside the mailbox, is told what happened, and the agent knows its guest');
}

async function cancelOnThePoolsPage(page) {
  await page.context().clearCookies({ name: 'cognito-local' });
  const [consent] = await Promise.all([page.waitForEvent('popup'), page.click('#agent-authorize')]);
  await consent.waitForURL(`${cognito}/**/login?**`);
  await consent.getByRole('button', { name: 'Cancel' }).click();
  await consent.locator('latchkey-consent-result[data-outcome="AUTH_CANCELLED"]').waitFor();
  await consent.close();
  await says(page, '#conversation', /You have not allowed it/);
  seen('the pool’s page can be cancelled, and both windows say so');
}

/** The hosted session is still alive here: the person signs in again all the same. */
async function allowOnTheLinksPage(page, address) {
  for (const button of ['Cancel', 'Allow']) {
    await page.reload();
    await page.click('#agent-ask');
    const [consent] = await Promise.all([page.waitForEvent('popup'), page.click('#conversation a')]);
    await consent.waitForURL(`${gateway}/auth/oauth2/start/**`);
    assert.match(await consent.textContent('h1'), /asks to act for you/);
    const [allow, cancel] = await Promise.all(['Allow', 'Cancel'].map((name) => consent.getByRole('button', { name }).boundingBox()));
    assert.deepEqual([allow.width, allow.height], [cancel.width, cancel.height]);
    await consent.setViewportSize({ width: 360, height: 640 });
    assert.ok(await consent.evaluate(() => document.documentElement.scrollHeight <= innerHeight), 'no scrolling');
    await isGood(consent, `the consent page before ${button}`);
    await consent.getByRole('button', { name: button }).click();
    if (button === 'Cancel') {
      await consent.locator('latchkey-consent-result[data-outcome="AUTH_CANCELLED"]').waitFor();
      await says(page, '#conversation', /You have not allowed it/);
    } else {
      await consentOnThePoolsPage(consent, page, address);
      await consent.locator('latchkey-consent-result[data-outcome="allowed"]').waitFor();
      await says(page, '#conversation', /You have consented[\s\S]*You are guest GST-/);
    }
    await consent.close();
  }
  seen('an agent’s link shows a page, whose buttons are of one size: one cancels, one leads to a fresh sign-in');
}

async function letAnAuthorizationRunOut(page) {
  const [consent] = await Promise.all([page.waitForEvent('popup'), page.click('#agent-authorize')]);
  await says(page, '#agent-time', /(10:00|9:\d\d) left/);
  await consent.close();
  await fetch(`${gateway}/_local/clock`, { method: 'POST', body: JSON.stringify({ advanceSeconds: 601 }) });
  await says(page, '#conversation', /The time for this ran out/);
  assert.equal(await page.textContent('#agent-time'), '');
  seen('a person who closes the window is told when the time for the consent has run out');

  for (const [query, outcome] of [
    ['?auth=success&session_id=urn%3Amade-up', 'failed'],
    ['?auth=error&code=SESSION_EXPIRED', 'SESSION_EXPIRED'],
    ['?auth=error&code=constructor', 'failed'],
  ]) {
    await page.goto(`${gateway}/${query}`);
    await page.locator(`latchkey-consent-result[data-outcome="${outcome}"]`).waitFor();
    await isGood(page, `the landing of ${query}`);
  }
  await page.context().close();
  seen('the landing page says what the API knows, whatever the address claims');
}

async function letACodeExpire(page, address) {
  await askForCode(page, address);
  await moveClock(page, 301);
  await signInElement(page).getByText('The time for this code is over').waitFor();
  const button = signInElement(page).locator('button.primary');
  assert.equal(await button.getAttribute('aria-disabled'), 'true');
  await isGood(page, 'a code whose time is over');
  await signInElement(page).getByRole('button', { name: 'Send another code' }).click();
  await signInElement(page).getByText('The code works for another').waitFor();
  await field(page, 'code').fill(await latestCode(address));
  await go(page);
  await signedIn(page);
  await account(page).getByRole('button', { name: 'Sign out', exact: true }).click();
  seen('when the time is up the button is off and says why, and another code signs in');

  await moveClock(page, 31);
  await step(page, 'start');
  await askForCode(page, 'clumsy@example.com');
  for (const pattern of [/2 more times/, /once more/, /last attempt/]) {
    await field(page, 'code').fill('00000000');
    await go(page);
    await said(page, pattern);
  }
  await step(page, 'start');
  await isGood(page, 'attempts that are spent');
  seen('the third wrong code begins anew, and says that the attempts are spent');
}

async function offline(page) {
  await page.context().setOffline(true);
  await field(page, 'email').fill('away@example.com');
  await go(page);
  await said(page, /no connection/);
  await says(page, '#mailbox-state', /does not answer/);
  await isGood(page, 'no connection');
  await page.context().setOffline(false);
  await go(page);
  await step(page, 'code');
  seen('without a connection both the sign-in and the mailbox say so, and the next press works');
}

async function helpAGuest(page, address) {
  await page.click('[data-view="operator"]');
  await tabTo(page, 'operator-guest');
  await page.keyboard.type('nobody@example.com');
  await page.keyboard.press('Enter');
  await says(page, '#operator-problem', /Not found/);
  await page.fill('#operator-guest', address);
  await page.locator('#operator-find:enabled').waitFor();
  await page.keyboard.press('Enter');
  await says(page, '#operator-found', /GST-\d{4}-[\s\S]*active/);
  await isGood(page, 'a guest as an operator sees them');
  await page.fill('#operator-reason', 'Ticket 4711');
  await page.getByRole('button', { name: 'Disable' }).click();
  await says(page, '#operator-found', /disabled/);
  await page.getByRole('button', { name: 'Enable' }).click();
  await says(page, '#operator-found', /active/);
  seen('an operator finds a guest, disables and enables them, by signed requests');
}

async function fitTheScreen(colorScheme, width) {
  const page = await open({ colorScheme, viewport: { width, height: 844 } });
  const called = (what) => `${what}, ${colorScheme}, ${width}`;
  const address = `${colorScheme}.${width}@example.com`;
  await askForCode(page, address);
  await page.locator('.code-chip').first().waitFor();
  await isGood(page, called('a code'));
  await field(page, 'code').fill(await latestCode(address));
  await go(page);
  await signedIn(page);
  await page.locator('#requests > li').filter({ hasText: 'otp/verify' }).first().locator('summary').first().click();
  await page.locator('.calls').first().waitFor();
  await isGood(page, called('a session'));
  await page.goto(`${gateway}/#agent`);
  await page.locator('#agent-authorize').waitFor();
  await isGood(page, called('the agent'));
  await page.goto(`${gateway}/#operator`);
  await page.fill('#operator-guest', address);
  await page.keyboard.press('Enter');
  await says(page, '#operator-found', /active/);
  await isGood(page, called('the operator'));
  await page.goto(`${gateway}/#contract/verifyOtp`);
  await page.locator('.operation').first().waitFor();
  await isGood(page, called('the contract'));
  await page.context().close();
}

/** The page has a name, so passkeys work there: a virtual authenticator answers for the device. */
async function signInByPasskey(address) {
  const page = await open();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const device = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
  await devtools.send('WebAuthn.addVirtualAuthenticator', { options: { ...device, automaticPresenceSimulation: true } });
  await askForCode(page, address);
  await field(page, 'code').fill(await latestCode(address));
  await go(page);
  await step(page, 'offer');
  await isGood(page, 'the offer of a passkey');
  await go(page);
  await page.locator('latchkey-sign-in').getByRole('button', { name: 'Email me a code' }).click();
  await page.locator('latchkey-sign-in').getByLabel('Code from the mail').waitFor();
  await page.locator('.code-chip').filter({ hasText: await latestCode(address) }).click();
  await go(page);
  await account(page).locator('[part="passkeys"] li').waitFor();
  await isGood(page, 'an account with a passkey');
  await account(page).getByRole('button', { name: 'Sign out', exact: true }).click();
  await says(page, '#requests', /passkey\/verify/);
  await signedIn(page);
  seen('a passkey is offered after a sign-in, made by a code from the mailbox, and signs in');
  await page.context().close();
}

try {
  const page = await open();
  await signInByKeyboard(page, 'ada@example.com');
  await readMails(page);
  await openRequests(page);
  await useTheSession(page);
  await connect(page);
  await tryTheContract(page);
  await cookiesInTwoTabs(page, 'ada@example.com');
  await letACodeExpire(page, 'late@example.com');
  await offline(page);
  await page.context().close();
  await registerAndGuard('grace@example.com');
  await signInByPasskey('passkey@example.com');
  const desk = await open();
  await helpAGuest(desk, 'grace@example.com');
  await desk.context().close();
  const conversation = await open({ hosts: [gateway, agentcore, cognito] });
  await signInWithTheAgent(conversation, 'agnes@example.com');
  await letTheAgentAct(conversation, 'agnes@example.com');
  await cancelOnThePoolsPage(conversation);
  await allowOnTheLinksPage(conversation, 'agnes@example.com');
  await letAnAuthorizationRunOut(conversation);
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [320, 768, 1920]) await fitTheScreen(colorScheme, width);
  }
  seen('nothing is wider than the screen, in light and dark, at 320, 768 and 1920 pixels');
  assert.deepEqual(complaints, []);
  seen('the browser’s console is empty: no error, no policy violation, no request to another host');
  console.log(`${steps} steps seen`);
} catch (error) {
  // The contents of every open page, if a folder for pictures is named.
  const pages = browser.contexts().flatMap((context) => context.pages());
  for (const [number, page] of screenshots ? pages.entries() : []) await page.screenshot({ path: `${screenshots}/failed-${number}.png` }).catch(() => null);
  console.error(complaints.join('\n'));
  throw error;
} finally {
  await browser.close();
  local.kill();
}
