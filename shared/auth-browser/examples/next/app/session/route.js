// Takes a sign-in's tokens into cookies that no script reads.
import { sessionCookies } from 'latchkey/server';

import { ask, isOwnRequest } from '../../latchkey.js';

const MOST_SECONDS = 86_400;
/** RFC 6265's cookie-octets, as many as a browser keeps. */
const COOKIE_VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,4000}$/;

export async function POST(request) {
  // Otherwise another site could sign its visitors in here as another person.
  if (!isOwnRequest(request)) return new Response(null, { status: 403 });
  const given = await request.json().catch(() => null);
  const tokens = tokensOf(given);
  if (tokens === null) return new Response(null, { status: 400 });
  const answered = await ask('/me', tokens.accessToken);
  if (!answered.ok) return new Response(null, { status: answered.status === 401 ? 401 : 503 });
  const response = new Response(null, { status: 204 });
  for (const cookie of sessionCookies(tokens)) response.headers.append('Set-Cookie', cookie);
  return response;
}

/** The characters allowed in a cookie: none that would end it. */
function tokensOf(given) {
  const { accessToken, refreshToken, expiresIn } = given ?? {};
  const isToken = (value) => typeof value === 'string' && COOKIE_VALUE.test(value);
  const isTime = Number.isInteger(expiresIn) && expiresIn > 0 && expiresIn <= MOST_SECONDS;
  if (!isToken(accessToken) || !isToken(refreshToken) || !isTime) return null;
  return { accessToken, refreshToken, expiresIn };
}
