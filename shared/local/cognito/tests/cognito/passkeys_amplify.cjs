// Registers a passkey with Amplify in Chromium, whose virtual authenticator answers, signs in by it
// and deletes it: node passkeys_amplify.cjs ENDPOINT POOL CLIENT USERNAME PASSWORD
//
// CHROMIUM names the browser. NODE_PATH has aws-amplify, esbuild and playwright-core.
const assert = require('node:assert/strict');
const { createServer } = require('node:http');
const { delimiter } = require('node:path');
const { build } = require('esbuild');
const { chromium } = require('playwright-core');

const [userPoolEndpoint, userPoolId, userPoolClientId, username, password] = process.argv.slice(2);
const config = { Auth: { Cognito: { userPoolId, userPoolClientId, userPoolEndpoint } } };

const PAGE = '<!doctype html><title>Amplify</title><script src="/page.js"></script>';
const SCRIPT = `
  import { Amplify } from 'aws-amplify';
  import * as auth from 'aws-amplify/auth';
  Amplify.configure(${JSON.stringify(config)});
  globalThis.call = (name, input) => auth[name](input).then((answer) => ({ answer }), ({ name, message }) => ({ name, message }));
`;

async function serve() {
  const { outputFiles } = await build({
    stdin: { contents: SCRIPT, resolveDir: __dirname },
    nodePaths: process.env.NODE_PATH.split(delimiter),
    bundle: true,
    format: 'iife',
    write: false,
  });
  const site = createServer((asked, answer) => {
    const isScript = asked.url === '/page.js';
    answer.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' }).end(isScript ? outputFiles[0].text : PAGE);
  });
  await new Promise((listening) => site.listen(0, '127.0.0.1', listening));
  return site;
}

(async () => {
  const site = await serve();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    const context = await browser.newContext();
    const tab = await context.newPage();
    await tab.goto(`http://localhost:${site.address().port}`);
    const devtools = await context.newCDPSession(tab);
    await devtools.send('WebAuthn.enable');
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    const outcome = (name, input) => tab.evaluate(([name, input]) => globalThis.call(name, input), [name, input]);
    const call = async (name, input) => {
      const came = await outcome(name, input);
      assert.ok('answer' in came, `${name}: ${JSON.stringify(came)}`);
      return came.answer;
    };
    const isSignedIn = async (options, more = {}) => (await call('signIn', { username, ...more, options })).isSignedIn;

    assert.ok(await isSignedIn({ authFlowType: 'USER_PASSWORD_AUTH' }, { password }));
    await call('associateWebAuthnCredential');
    const { credentials } = await call('listWebAuthnCredentials');
    assert.equal(credentials.length, 1, JSON.stringify(credentials));
    assert.equal(credentials[0].relyingPartyId, 'localhost');
    const again = await outcome('associateWebAuthnCredential');
    assert.equal(again.name, 'PasskeyAlreadyExists', JSON.stringify(again));

    await call('signOut');
    assert.ok(await isSignedIn({ authFlowType: 'USER_AUTH', preferredChallenge: 'WEB_AUTHN' }));
    await call('deleteWebAuthnCredential', { credentialId: credentials[0].credentialId });
    assert.deepEqual((await call('listWebAuthnCredentials')).credentials, []);
    console.log('signed in');
  } finally {
    await browser.close();
    site.close();
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});

// The test that started it must not wait for a browser that hangs.
setTimeout(() => {
  console.error('the browser does not come to an end');
  process.exit(1);
}, 90_000).unref();
