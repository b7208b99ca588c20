// An API of a team's own: a guest's reservations, for the access token that Latchkey gave.
import { createServer } from 'node:http';
import { bearerToken, createTokenVerifier } from 'latchkey/server';
import { reservationsOf } from './reservations.js';

const { COGNITO_ISSUER: issuer, API_CLIENT_IDS = '', PORT = '3000' } = process.env;
const verify = createTokenVerifier({ issuer, clientId: API_CLIENT_IDS.split(',') });

createServer(async (request, response) => {
  let [status, body] = [503, { code: 'SERVICE_UNAVAILABLE' }];
  try {
    const { sub } = await verify(bearerToken(request.headers.authorization) ?? '');
    [status, body] = [200, { reservations: reservationsOf(sub) }];
  } catch (error) {
    // Any other error means that the pool's keys are unavailable, and says nothing about the token.
    const isRefused = /^(INVALID_TOKENS|ERR_J(WT|WS|OSE_ALG|WKS_NO_MATCHING_KEY))/.test(error.code);
    if (isRefused) [status, body] = [401, { code: 'AUTH_REQUIRED' }];
  }
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(body));
}).listen(Number(PORT), '127.0.0.1');
