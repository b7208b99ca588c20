// Registers passkeys and signs in by them in Chromium, whose virtual authenticator answers, against
// a real API: node passkeys.mjs PATH_OF_AUTH_LOCAL. CHROMIUM and PLAYWRIGHT name the browser and
// the module where they are not in their usual places.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const { chromium } = await import(process.env.PLAYWRIGHT ?? 'playwright-core');
const EMAIL = 'ada@example.com';
const PASSWORD = 'nine lives of a cat';

const site = createServer(async (asked, answer) => {
  const name = new URL(asked.url, 'http://site').pathname.slice(1);
  if (name === '') return answer.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Passkeys</title><input autocomplete="username webauthn">');
  const text = await readFile(new URL(`../${name}`, import.meta.url)).catch(() => null);
  answer.writeHead(text === null ? 404 : 200, { 'content-type': 'text/javascript' }).end(text);
});
site.listen(0, '127.0.0.1');
await once(site, 'listening');
const origin = `http://localhost:${site.address().port}`;

const local = spawn(process.argv[2], ['--port', '0', '--memory', '--json', '--quiet', '--frontend', origin], { stdio: ['ignore', 'pipe', 'inherit'] });
const [readyLine] = await once(createInterface(local.stdout), 'line');
const { gateway } = JSON.parse(readyLine);
const apiUrl = gateway.replace('127.0.0.1', 'localhost');

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** A device that answers by itself. */
const authenticator = (verifies) => ({
  protocol: 'ctap2',
  transport: 'internal',
  hasResidentKey: true,
  hasUserVerification: verifies,
  isUserVerified: verifies,
  automaticPresenceSimulation: true,
});

/** A page with an authenticator of its own, and the package in it. */
async function open(verifies = true, address = origin) {
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(address);
  const devtools = await context.newCDPSession(tab);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: authenticator(verifies),
  });
  await tab.evaluate(async (apiUrl) => {
    const [{ createLatchkey }, { createPasskeys }] = await Promise.all([import('/latchkey.js'), import('/passkeys.js')]);
    globalThis.latchkey = createLatchkey({ apiUrl });
    globalThis.passkeys = createPasskeys(globalThis.latchkey);
    globalThis.outcome = (promise) => promise.then((answer) => ({ answer }), ({ code, errors }) => ({ code, errors }));
  }, apiUrl);
  return { tab, devtools, authenticatorId };
}

const seen = (what) => console.log(`ok ${what}`);
const proof = { password: PASSWORD };

async function signUp(tab) {
  const { sessionToken } = await tab.evaluate((input) => globalThis.latchkey.registerUser(input), { email: EMAIL, ...proof });
  const [{ code }] = await (await fetch(`${gateway}/_local/mailbox?to=${encodeURIComponent(EMAIL)}`)).json();
  await tab.evaluate((input) => globalThis.latchkey.confirmRegistration(input), { sessionToken, code });
}

const register = (tab, options) => tab.evaluate((options) => globalThis.outcome(globalThis.passkeys.register(options)), options);
const signIn = (tab, options = {}) => tab.evaluate((options) => globalThis.outcome(globalThis.passkeys.signIn(options)), { email: EMAIL, ...options });

try {
  const first = await open();
  assert.equal(await first.tab.evaluate(() => globalThis.passkeys.isAvailable()), true);
  await signUp(first.tab);
  const registered = await register(first.tab, { ...proof, name: 'Laptop' });
  assert.equal(registered.answer?.name, 'Laptop', JSON.stringify(registered));
  assert.equal(registered.answer.userVerified, true);
  seen('a passkey is registered');

  await first.tab.evaluate(() => globalThis.latchkey.signOut());
  const signedIn = await signIn(first.tab);
  assert.equal(signedIn.answer?.user.email, EMAIL, JSON.stringify(signedIn));
  seen('it signs in');

  const prove = (tab, purpose) => tab.evaluate((purpose) => globalThis.outcome(globalThis.passkeys.prove({ purpose })), purpose);
  const shown = await prove(first.tab, 'export');
  const exported = await first.tab.evaluate((proof) => globalThis.outcome(globalThis.latchkey.exportAccount({ proof })), shown.answer);
  assert.equal(exported.answer?.user.email, EMAIL, JSON.stringify([shown, exported]));
  seen('it is a fresh proof');

  const again = await register(first.tab, proof);
  assert.equal(again.code, 'ALREADY_REGISTERED', JSON.stringify(again));
  seen('the same device is told from another');

  const second = await open(false);
  const nothing = await signIn(second.tab);
  assert.equal(nothing.code, 'NOT_ALLOWED', JSON.stringify(nothing));
  seen('a device without the passkey has none to give');
  await second.tab.evaluate((input) => globalThis.latchkey.loginUser(input), { email: EMAIL, ...proof });
  const touched = await register(second.tab, proof);
  assert.equal(touched.answer?.userVerified, false, JSON.stringify(touched));
  // Chromium protects it (credProtect): without verification it is used only by its id. And the
  // options contain no ids, so that they do not reveal who has a passkey.
  const hidden = await signIn(second.tab);
  assert.equal(hidden.code, 'NOT_ALLOWED', JSON.stringify(hidden));
  // A signed-in guest's options name the passkeys.
  const named = await prove(second.tab, 'export');
  assert.equal(typeof named.answer?.credential.id, 'string', JSON.stringify(named));
  seen('a device that verifies nobody registers, and is not offered');

  const third = await open();
  await third.tab.evaluate((input) => globalThis.latchkey.loginUser(input), { email: EMAIL, ...proof });
  assert.equal((await register(third.tab, { ...proof, name: 'Phone' })).answer?.name, 'Phone');
  for (const { answer } of await Promise.all([signIn(first.tab), signIn(third.tab)])) assert.equal(answer?.user.email, EMAIL);
  seen('two browsers sign in at one address at once, each by a passkey of its own');

  const { credentials } = await first.devtools.send('WebAuthn.getCredentials', { authenticatorId: first.authenticatorId });
  const [{ credentialId, signCount }] = credentials;
  const counted = async (signCount) => {
    await first.devtools.send('WebAuthn.removeCredential', { authenticatorId: first.authenticatorId, credentialId });
    await first.devtools.send('WebAuthn.addCredential', { authenticatorId: first.authenticatorId, credential: { ...credentials[0], signCount } });
  };
  await counted(0);
  assert.equal((await signIn(first.tab)).code, 'INVALID_CREDENTIALS');
  await counted(signCount + 1);
  assert.equal((await signIn(first.tab)).answer?.user.email, EMAIL);
  seen('a counter that goes back is refused');

  const answers = (enabled) => first.devtools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: first.authenticatorId, enabled });
  await answers(false);
  const givenUp = (how) =>
    first.tab.evaluate(({ email, autofill, reason }) => {
      const page = new AbortController();
      setTimeout(() => page.abort(reason), 700);
      const signal = reason === 'late' ? AbortSignal.timeout(700) : page.signal;
      return globalThis.outcome(globalThis.passkeys.signIn({ email, autofill, signal }));
    }, { email: EMAIL, ...how });
  for (const autofill of [false, true]) {
    for (const reason of [undefined, 'late', 'the page has gone']) {
      const { code } = await givenUp({ autofill, reason });
      assert.equal(code, 'CANCELLED', JSON.stringify({ autofill, reason }));
    }
  }
  seen('a page that gives up the question is told so, whatever its reason');
  await answers(true);
  const chosen = await signIn(first.tab, { autofill: true });
  assert.equal(chosen.answer?.user.email, EMAIL, JSON.stringify(chosen));
  seen('autofill signs in');

  await first.tab.evaluate((input) => globalThis.latchkey.deletePasskey(input), { passkeyId: registered.answer.passkeyId, ...proof });
  assert.equal((await signIn(first.tab)).code, 'INVALID_CREDENTIALS');
  seen('a removed passkey signs nobody in');

  // The same pages by the host's number: passkeys are made for a name.
  const elsewhere = await open(true, origin.replace('localhost', '127.0.0.1'));
  const begun = await first.tab.evaluate((email) => globalThis.latchkey.initiatePasskey({ email }), EMAIL);
  const misplaced = await elsewhere.tab.evaluate(async (begun) => {
    const { createPasskeys } = await import('/passkeys.js');
    return globalThis.outcome(createPasskeys({ initiatePasskey: async () => begun }).signIn({ email: '' }));
  }, begun);
  assert.equal(misplaced.code, 'WRONG_SITE', JSON.stringify(misplaced));
  seen('a page of another name gets no passkey');

  const crowd = await open();
  await crowd.tab.evaluate((input) => globalThis.latchkey.loginUser(input), { email: EMAIL, ...proof });
  const { passkeys: listed } = await crowd.tab.evaluate(() => globalThis.latchkey.listPasskeys());
  let { authenticatorId } = crowd;
  for (let number = listed.length + 1; number <= 21; number += 1) {
    const added = await register(crowd.tab, { ...proof, name: `Device ${number}` });
    if (number <= 20) assert.equal(added.answer?.name, `Device ${number}`, JSON.stringify(added));
    else assert.equal(added.code, 'PASSKEY_LIMIT', JSON.stringify(added));
    await crowd.devtools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
    ({ authenticatorId } = await crowd.devtools.send('WebAuthn.addVirtualAuthenticator', { options: authenticator(true) }));
  }
  seen('there are twenty passkeys, and no more');
} finally {
  await browser.close();
  local.kill();
  site.close();
}
