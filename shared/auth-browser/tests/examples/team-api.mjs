// Drives the team's API: node team-api.mjs FOLDER_OF_THE_INSTALLED_EXAMPLE
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { drive, freePort, startLatchkey, startServer } from './harness.mjs';

const cwd = process.argv[2];

drive(async (seen) => {
  const latchkey = await startLatchkey();
  const ada = await latchkey.signIn('ada@example.com');
  const bob = await latchkey.signIn('bob@example.com');
  const [head, claims, signature] = ada.accessToken.split('.');
  const { iss: issuer, client_id: client } = JSON.parse(Buffer.from(claims, 'base64url'));
  const url = await start({ COGNITO_ISSUER: issuer, API_CLIENT_IDS: client });

  const [status, { reservations }] = await ask(url, ada.accessToken);
  assert.equal(status, 200);
  assert.equal(reservations.length, 1);
  const [, others] = await ask(url, bob.accessToken);
  assert.notDeepEqual(others.reservations, reservations);
  assert.deepEqual((await ask(url, ada.accessToken))[1].reservations, reservations);
  seen('each guest gets reservations of their own');

  const changed = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, 'base64url')), sub: bob.user.cognitoSub }));
  const refused = {
    'no token': '',
    'an id token': ada.idToken,
    "another client's token": await tokenOfThePublicClient('ada@example.com'),
    "a token in whose claims somebody put another guest's sub": `${head}.${changed.toString('base64url')}.${signature}`,
    'a token without a signature': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`,
  };
  for (const [what, token] of Object.entries(refused)) {
    assert.deepEqual(await ask(url, token), [401, { code: 'AUTH_REQUIRED' }], `${what} was let in`);
    seen(`${what} is refused`);
  }

  const nowhere = createServer((_, response) => response.writeHead(500).end()).listen(0, '127.0.0.1');
  await once(nowhere, 'listening');
  const without = await start({ COGNITO_ISSUER: `http://127.0.0.1:${nowhere.address().port}/pool`, API_CLIENT_IDS: client });
  assert.deepEqual(await ask(without, ada.accessToken), [503, { code: 'SERVICE_UNAVAILABLE' }]);
  seen('a good token is not called bad while the keys are out of reach');

  const { handler } = await import(pathToFileURL(resolve(cwd, 'behind-authorizer.js')).href);
  for (const kind of ['http-api', 'rest-api']) {
    const { accessToken, user } = await latchkey.signIn('cleo@example.com');
    const passed = await authorized(kind, accessToken);
    assert.equal(passed.context.sub, user.cognitoSub, kind);
    const authorizer = kind === 'http-api' ? { lambda: passed.context } : passed.context;
    const answered = await handler({ requestContext: { authorizer } });
    assert.equal(answered.statusCode, 200, kind);
    assert.equal(JSON.parse(answered.body).reservations.length, 1, kind);
    const [ended] = await latchkey.call('/auth/logout', {}, { Authorization: `Bearer ${accessToken}` });
    assert.equal(ended, 204, kind);
    assert.equal(await authorized(kind, accessToken), null, kind);
    seen(`behind the authorizer, an ended session is refused (${kind})`);
  }

  /** The authorizer's answer to the gateway's event; null for a refusal. */
  async function authorized(kind, token) {
    const events = new URL('../../../../crates/authorize-request/events/', import.meta.url);
    const event = JSON.parse(await readFile(new URL(`${kind}.json`, events), 'utf8'));
    if (kind === 'http-api') {
      event.headers.authorization = `Bearer ${token}`;
      event.identitySource = [event.headers.authorization];
    } else event.authorizationToken = `Bearer ${token}`;
    const asked = await fetch(`${latchkey.lambda}/2015-03-31/functions/authorize-request/invocations`, {
      method: 'POST',
      body: JSON.stringify(event),
    });
    const answer = await asked.json();
    const isPassed = answer.isAuthorized ?? answer.policyDocument.Statement[0].Effect === 'Allow';
    return isPassed ? answer : null;
  }

  async function start(environment) {
    const port = await freePort();
    const at = `http://127.0.0.1:${port}`;
    await startServer(process.execPath, ['server.js'], { url: at, cwd, env: { ...process.env, ...environment, PORT: String(port) } });
    return at;
  }

  /** An access token that the pool signed too, for its public client. */
  async function tokenOfThePublicClient(email) {
    const { length } = (await latchkey.mails(email)).filter((mail) => mail.code);
    const { Session } = await cognito('InitiateAuth', {
      AuthFlow: 'USER_AUTH',
      AuthParameters: { USERNAME: email, PREFERRED_CHALLENGE: 'EMAIL_OTP' },
    });
    const answer = { USERNAME: email, EMAIL_OTP_CODE: await latchkey.code(email, length + 1) };
    const answered = await cognito('RespondToAuthChallenge', { Session, ChallengeName: 'EMAIL_OTP', ChallengeResponses: answer });
    return answered.AuthenticationResult.AccessToken;
  }

  async function cognito(action, input) {
    const answered = await fetch(latchkey.cognito, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': `AWSCognitoIdentityProviderService.${action}` },
      body: JSON.stringify({ ClientId: latchkey.clientId, ...input }),
    });
    return answered.json();
  }
});

async function ask(url, token) {
  const answered = await fetch(url, { headers: token === '' ? {} : { Authorization: `Bearer ${token}` } });
  return [answered.status, await answered.json()];
}
