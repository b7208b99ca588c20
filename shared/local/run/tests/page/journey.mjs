// Walks through the local page in Chromium, by keyboard wherever a person could:
// node journey.mjs PATH_OF_AUTH_LOCAL
// CHROMIUM and PLAYWRIGHT name the browser and playwright-core's module if they are not in their
// usual places.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const { chromium } = await import(process.env.PLAYWRIGHT ?? 'playwright-core');

// A page that asks another host for anything fails below; these keep the browser itself from doing
// so.
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
const PROVOKED = /Failed to load resource: the server responded with a status of (400|401|409|410|429)/;

const local = spawn(process.argv[2], ['--port', '0', '--memory', '--json', '--quiet'], { stdio: ['ignore', 'pipe', 'inherit'] });
const [readyLine] = await once(createInterface(local.stdout), 'line');
const { gateway, agentcore, cognito } = JSON.parse(readyLine);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: BROWSER_FLAGS });

const complaints = [];
let steps = 0;

function seen(what) {
  steps += 1;
  console.log(`ok ${what}`);
}

async function open({ hosts = [gateway], ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !PROVOKED.test(message.text())) complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && !hosts.includes(origin)) complaints.push(`request to another host: ${request.url()}`);
  });
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => console.error('CSP', event.violatedDirective, event.blockedURI));
  });
  await page.goto(gateway);
  await page.waitForSelector('#email', { state: 'visible' });
  return page;
}

async function latestCode(to) {
  const response = await fetch(`${gateway}/_local/mailbox/latest?to=${encodeURIComponent(to)}&wait=5`);
  return (await response.json()).code;
}

const focus = (page) => page.evaluate(() => document.activeElement?.id ?? '');
const focusReaches = (page, id) => page.waitForFunction((wanted) => document.activeElement?.id === wanted, id);
const says = (page, selector, pattern) =>
  page.waitForFunction(([where, source]) => new RegExp(source, 'u').test(document.querySelector(where)?.textContent ?? ''), [selector, pattern.source]);
const storedSession = (page) => page.evaluate(() => sessionStorage.getItem('latchkey.session'));
const storedSessionChanges = (page, before) => page.waitForFunction((old) => sessionStorage.getItem('latchkey.session') !== old, before);
const moveClock = (page, seconds) => page.click(`[data-advance="${seconds}"]`);

async function tabUntil(page, what, reached) {
  for (let presses = 0; presses < 40; presses += 1) {
    if (await reached()) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${what}`);
}

const tabTo = (page, id) => tabUntil(page, `#${id}`, async () => (await focus(page)) === id);

async function askForCode(page, address) {
  await page.fill('#email', address);
  await page.press('#email', 'Enter');
  await focusReaches(page, 'code');
}

async function signIn(page, address) {
  await askForCode(page, address);
  await page.fill('#code', await latestCode(address));
  await page.press('#code', 'Enter');
  await page.waitForSelector('#profile dd');
}

async function signInByKeyboard(page, address) {
  await tabTo(page, 'email');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#email-error:not(:empty)');
  seen('an empty address is refused beside its field');

  await page.keyboard.type('not an address');
  await page.keyboard.press('Enter');
  await says(page, '#sign-in-problem', /./);
  await focusReaches(page, 'email');
  seen('a refusal of the API is shown, and the focus is where it can be mended');

  await page.keyboard.press('Control+A');
  await page.keyboard.type(address);
  await page.keyboard.press('Enter');
  await focusReaches(page, 'code');
  assert.deepEqual(await page.$eval('#code', (field) => [field.autocomplete, field.inputMode]), ['one-time-code', 'numeric']);
  seen('Enter mails a code and moves the focus to its field');

  await page.waitForSelector('.code-chip');
  await says(page, '#resend-code', /in 0:/);
  await says(page, '#code-time', /^[45]:\d\d left$/);
  seen('the mail is beside the form, and the countdowns run');

  const code = await latestCode(address);
  await page.keyboard.type(code.replace(/^./, (digit) => (digit === '9' ? '1' : '9')));
  await page.keyboard.press('Enter');
  await says(page, '#code-attempts', /2 attempts left/);
  assert.equal(await focus(page), 'code');
  seen('a wrong code says how many attempts are left');

  await page.reload();
  await page.waitForSelector('#code', { state: 'visible' });
  seen('a reload keeps the sign-in');

  await tabUntil(page, 'the code in the mail', () => page.evaluate(() => document.activeElement.classList.contains('code-chip')));
  await page.keyboard.press('Enter');
  assert.equal(await page.inputValue('#code'), code);
  assert.equal(await focus(page), 'code');
  await page.keyboard.press('Enter');
  await focusReaches(page, 'session-heading');
  await page.waitForSelector('#profile dd');
  seen('the code in the mail fills the field, and signs in');
}

async function useTheSession(page) {
  const name = 'Ada <b>Lovelace</b>';
  await tabTo(page, 'name');
  await page.keyboard.type(name);
  await page.keyboard.press('Enter');
  await says(page, '#status', /^Saved\.$/);
  await page.reload();
  await page.waitForFunction((saved) => document.querySelector('#name').value === saved, name);
  seen('the name is saved as typed, and the session survives a reload');

  await page.click('#access-claims >> xpath=ancestor::details/summary');
  await says(page, '#access-claims', /token_use[\s\S]*access/);
  const before = await storedSession(page);
  await tabTo(page, 'refresh');
  await page.keyboard.press('Enter');
  await storedSessionChanges(page, before);
  assert.equal(await focus(page), 'refresh');
  seen('refreshing renews the tokens, and the focus stays');

  await moveClock(page, 301);
  await says(page, '#access-token-left', /^5[45]:/);
  await moveClock(page, 3601);
  await says(page, '#access-token-left', /ended/);
  await page.click('#save-name');
  await says(page, '#access-token-left', /left/);
  seen('a token that has ended is renewed by the next request');

  await page.click('#sign-out');
  await focusReaches(page, 'email');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  seen('signing out leaves nothing behind');
}

async function useCookies(page, address) {
  await page.check('input[value=cookie]');
  await askForCode(page, address);
  await moveClock(page, 31);
  await says(page, '#resend-code', /^Send another code$/);
  await page.click('#resend-code');
  await says(page, '#resend-code', /in 0:/);
  seen('another code may be asked for after 30 seconds');

  await page.fill('#code', await latestCode(address));
  await page.press('#code', 'Enter');
  await says(page, '#refresh-token', /cookie/);
  const before = await storedSession(page);
  assert.equal(JSON.parse(before).refreshToken, null);
  await page.click('#refresh');
  await storedSessionChanges(page, before);
  seen('in cookie mode no script sees a refresh token, and refreshing works');

  const other = await open();
  await signIn(other, address);
  await moveClock(page, 31);
  await page.click('#sign-out-everywhere');
  await focusReaches(page, 'email');
  await other.click('#save-name');
  await says(other, '#sign-in-problem', /has ended/);
  seen('signing out everywhere ends the session in the other browser, which says so');
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

async function signInByPassword(page, address, password) {
  await page.fill('#password-email', address);
  await page.fill('#password-field', password);
  await page.press('#password-field', 'Enter');
}

async function registerAndGuard(address) {
  const page = await open({ acceptDownloads: true });
  const password = 'nine lives of a cat';
  await page.fill('#password-email', address);
  await page.fill('#password-field', 'short');
  await page.click('#register');
  await says(page, '#password-field-error', /12 characters/);
  await page.fill('#password-field', password);
  await page.click('#register');
  await focusReaches(page, 'confirm-code');
  await page.fill('#confirm-code', await latestCode(address));
  await page.press('#confirm-code', 'Enter');
  await page.waitForSelector('#profile dd');
  seen('an address is registered, and confirming it signs in');

  await page.click('#authenticator-summary');
  await page.fill('#proof-password', password);
  await page.press('#proof-password', 'Enter');
  await page.waitForSelector('#qr img');
  assert.match(await page.getAttribute('#qr img', 'src'), /^data:image\/svg\+xml;base64,/);
  assert.ok(await page.$eval('#qr img', (image) => image.complete && image.naturalWidth > 100));
  const secret = await page.textContent('#secret');
  await page.fill('#first-code', await appCode(secret));
  await page.press('#first-code', 'Enter');
  await focusReaches(page, 'backup-codes-heading');
  const codes = await page.$$eval('#backup-codes li', (items) => items.map((item) => item.textContent));
  assert.equal(codes.length, 10);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download-backup-codes')]);
  assert.equal(download.suggestedFilename(), 'latchkey-backup-codes.txt');
  await page.click('#copy-backup-codes');
  await says(page, '#status', /copied|Select the text/);
  await page.click('#backup-codes-kept');
  assert.equal(await page.textContent('#backup-codes'), '');
  seen('an authenticator is set up by its QR code, and its backup codes are copied and saved');

  await page.click('#sign-out');
  await focusReaches(page, 'email');
  await signInByPassword(page, address, password);
  await focusReaches(page, 'factor');
  await page.fill('#factor', '000000');
  await page.press('#factor', 'Enter');
  await says(page, '#factor-problem', /2 attempts left/);
  await moveClock(page, 31);
  await page.fill('#factor', await appCode(secret));
  await page.press('#factor', 'Enter');
  await page.waitForSelector('#profile dd');
  seen('a password, and then the authenticator, sign in');

  await page.click('#sign-out-everywhere');
  await focusReaches(page, 'email');
  await askForCode(page, address);
  await page.fill('#code', await latestCode(address));
  await page.press('#code', 'Enter');
  await focusReaches(page, 'factor');
  await page.fill('#factor', codes[0].toLowerCase());
  await page.press('#factor', 'Enter');
  await says(page, '#status', /Backup codes left: 9/);
  await page.waitForSelector('#profile dd');
  seen('a code by mail, and then a backup code, sign in, and the codes left are shown');

  await page.click('#sign-out');
  await page.fill('#password-email', address);
  await page.click('#forgot');
  await focusReaches(page, 'confirm-code');
  await page.fill('#confirm-code', await latestCode(address));
  await page.fill('#new-password', 'ten lives of a lucky cat');
  await page.press('#new-password', 'Enter');
  await focusReaches(page, 'password-field');
  await signInByPassword(page, address, 'ten lives of a lucky cat');
  await focusReaches(page, 'factor');
  await page.fill('#factor', codes[1]);
  await page.press('#factor', 'Enter');
  await page.waitForSelector('#profile dd');
  seen('a forgotten password is chosen anew, and the authenticator is asked for all the same');

  await page.click('#authenticator-summary');
  await page.fill('#proof-password', 'ten lives of a lucky cat');
  await page.fill('#present-factor', codes[2]);
  await page.click('#disable');
  await says(page, '#status', /no authenticator any more/);
  seen('the authenticator is removed by password and backup code');
  await page.context().close();
}

async function signInWithTheAgent(page, address) {
  await page.click('[data-view="agent"]');
  await focusReaches(page, 'agent-heading');
  await tabTo(page, 'agent-answer');
  await page.keyboard.type(address);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#agent-take-code', { state: 'visible' });
  await says(page, '#conversation', /initiate_cognito_login[\s\S]*"success": true/);
  await page.keyboard.type('00000000');
  await page.keyboard.press('Enter');
  await says(page, '#conversation', /verify_cognito_otp[\s\S]*INVALID_OTP/);
  seen('an agent asks for the address and mails a code, and its tools and their results are shown');

  await tabTo(page, 'agent-take-code');
  await page.keyboard.press('Enter');
  await focusReaches(page, 'agent-answer');
  await page.keyboard.press('Enter');
  await focusReaches(page, 'agent-authorize');
  await says(page, '#conversation', /"event_type": "auth_tokens"/);
  const { accessToken, refreshToken } = JSON.parse(await storedSession(page));
  assert.ok(refreshToken);
  assert.ok(!(await page.textContent('#conversation')).includes(accessToken), 'tokens are cut short');
  await page.reload();
  await says(page, '#conversation', /Hello again/);
  await page.waitForSelector('#agent-authorize', { state: 'visible' });
  seen('the page recognises the token delivery event among the results, and keeps the session');
}

async function letTheAgentAct(page, address) {
  await tabTo(page, 'agent-authorize');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${cognito}/**/login?**`);
  await page.keyboard.type(address);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#code');
  await page.fill('#code', await latestCode(address));
  await page.press('#code', 'Enter');
  await says(page, '#conversation', /You have consented[\s\S]*get_authenticated_guest[\s\S]*You are guest GST-/);
  assert.equal(page.url(), `${gateway}/#agent`);
  assert.equal(await page.evaluate(() => sessionStorage.getItem('latchkey.agent')), null);
  seen('a person consents on the pool’s own page, comes back, and the agent knows its guest');
}

/** The hosted session is still alive here: the person signs in again all the same. */
async function allowOnTheLinksPage(page, address) {
  for (const button of ['Cancel', 'Allow']) {
    await page.goto(`${gateway}/#agent`);
    await page.reload();
    await page.waitForSelector('#agent-ask', { state: 'visible' });
    await page.click('#agent-ask');
    await page.click('#conversation a');
    await page.waitForURL(`${gateway}/auth/oauth2/start/**`);
    assert.match(await page.textContent('h1'), /asks to act for you/);
    const [allow, cancel] = await Promise.all(['Allow', 'Cancel'].map((name) => page.getByRole('button', { name }).boundingBox()));
    assert.deepEqual([allow.width, allow.height], [cancel.width, cancel.height]);
    await page.setViewportSize({ width: 360, height: 640 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight), 'no scrolling');
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.getByRole('button', { name: button }).click();
    if (button === 'Cancel') await says(page, '#conversation', /You have not consented/);
  }
  await page.waitForURL(`${cognito}/**/login?**`);
  await page.fill('#username', address);
  await page.press('#username', 'Enter');
  await page.waitForSelector('#code');
  await page.fill('#code', await latestCode(address));
  await page.press('#code', 'Enter');
  await says(page, '#conversation', /You have consented[\s\S]*You are guest GST-/);
  seen('an agent’s link shows a page, whose buttons are of one size: one cancels, one leads to a fresh sign-in');
}

async function letAnAuthorizationRunOut(page) {
  await page.goto(`${gateway}/#agent`);
  await page.context().clearCookies({ name: 'cognito-local' });
  await page.click('#agent-authorize');
  await page.waitForURL(`${cognito}/**/login?**`);
  await page.goto(`${gateway}/#agent`);
  await says(page, '#agent-time', /(10:00|9:\d\d) left/);
  await fetch(`${gateway}/_local/clock`, { method: 'POST', body: JSON.stringify({ advanceSeconds: 601 }) });
  await says(page, '#conversation', /The time for this ran out/);
  assert.equal(await page.textContent('#agent-time'), '');
  seen('whoever leaves the pool’s page is told when the time for the consent has run out');

  await page.goto(`${gateway}/?auth=error&code=AUTH_CANCELLED`);
  await says(page, '#conversation', /You have not consented/);
  assert.equal(page.url(), `${gateway}/#agent`);
  await page.context().close();
  seen('whoever comes back without a consent is told why');
}

async function letACodeExpire(page, address) {
  await askForCode(page, address);
  await moveClock(page, 301);
  await page.fill('#code', '12345678');
  await page.press('#code', 'Enter');
  await focusReaches(page, 'email');
  await says(page, '#sign-in-problem', /./);
  seen('a code that came too late leads back to the address, with the reason');
}

async function readTheContract(page) {
  await page.goto(`${gateway}/#contract`);
  await page.waitForSelector('.operation');
  assert.ok((await page.$$('.operation')).length >= 7);
  await says(page, '#operations', /curl -X POST/);
  seen('the contract is rendered');
}

async function fitTheScreen(colorScheme, width) {
  const page = await open({ colorScheme, viewport: { width, height: 844 } });
  const fits = async (what) => {
    const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(content <= screen, `${what} is ${content} wide on ${screen}, ${colorScheme}`);
  };
  const address = `${colorScheme}.${width}@example.com`;
  await askForCode(page, address);
  await page.waitForSelector('.code-chip');
  await fits('the code form');
  await page.fill('#code', await latestCode(address));
  await page.press('#code', 'Enter');
  await page.waitForSelector('#profile dd');
  await page.click('#access-claims >> xpath=ancestor::details/summary');
  await fits('the session');
  await page.goto(`${gateway}/#agent`);
  await page.waitForSelector('#agent-authorize', { state: 'visible' });
  await fits('the agent');
  await page.goto(`${gateway}/#contract/verifyOtp`);
  await page.waitForSelector('.operation');
  await fits('the contract');
  await page.context().close();
}

try {
  const page = await open();
  await signInByKeyboard(page, 'ada@example.com');
  await useTheSession(page);
  await useCookies(page, 'ada@example.com');
  await registerAndGuard('grace@example.com');
  const conversation = await open({ hosts: [gateway, agentcore, cognito] });
  await signInWithTheAgent(conversation, 'agnes@example.com');
  await letTheAgentAct(conversation, 'agnes@example.com');
  await allowOnTheLinksPage(conversation, 'agnes@example.com');
  await letAnAuthorizationRunOut(conversation);
  await letACodeExpire(page, 'late@example.com');
  await readTheContract(page);
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [390, 1280]) await fitTheScreen(colorScheme, width);
  }
  seen('nothing is wider than the screen, in light and dark, at 390 and 1280 pixels');
  assert.deepEqual(complaints, []);
  seen('the console is empty: no error, no policy violation, no request to another host');
  console.log(`${steps} steps seen`);
} finally {
  await browser.close();
  local.kill();
}
