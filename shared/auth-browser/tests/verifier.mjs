// Tries the token verifier with `jose`, which only its users install: node verifier.mjs, beside
// both packages.
import assert from 'node:assert/strict';

import * as jose from 'jose';
import { createTokenVerifier } from 'latchkey/server';

const issuer = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI';
const { publicKey, privateKey } = await jose.generateKeyPair('RS256');
const stranger = await jose.generateKeyPair('RS256');
const jwk = { ...(await jose.exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' };
const asked = [];
const verify = createTokenVerifier({
  issuer,
  clientId: 'operations',
  fetch: async (url) => {
    asked.push(String(url));
    return Response.json({ keys: [jwk] });
  },
});

const good = { token_use: 'access', client_id: 'operations', scope: 'openid latchkey/session', sub: 's' };
const token = (claims = {}, { key = privateKey, from = issuer, expires = '1h', alg = 'RS256' } = {}) =>
  new jose.SignJWT({ ...good, ...claims })
    .setProtectedHeader({ alg, kid: 'k' })
    .setIssuedAt()
    .setIssuer(from)
    .setExpirationTime(expires)
    .sign(key);

assert.equal((await verify(await token())).sub, 's');
assert.deepEqual(asked, [`${issuer}/.well-known/jwks.json`]);
const refused = {
  "another client's token": token({ client_id: 'amplify' }),
  'an id token': token({ token_use: 'id' }),
  'a token without the scope': token({ scope: 'latchkey/session2' }),
  'a token of another issuer': token({}, { from: 'https://evil.example' }),
  'a token that has ended': token({}, { expires: '-1m' }),
  'a token signed by a stranger': token({}, { key: stranger.privateKey }),
  'a token signed by a secret': token({}, { key: new TextEncoder().encode('k'.repeat(32)), alg: 'HS256' }),
  'no token': Promise.resolve('a.b.c'),
};
for (const [name, text] of Object.entries(refused)) {
  await assert.rejects(verify(await text), `${name} was let in`);
}
assert.throws(() => createTokenVerifier({ issuer }), { code: 'CONFIGURATION' });
console.log(`the verifier refuses ${Object.keys(refused).length} kinds of tokens`);
