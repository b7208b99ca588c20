// Takes a sign-in's tokens into cookies that no script reads.
import { sessionCookies } from 'latchkey/server';

import { ask, isOwnRequest } from '../../latchkey.js';

const MOST_SECONDS = 86_400;

export async function POST(request) {
  // Else another site could sign its visitors in here as somebody else.
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

/** What may stand in a cookie: nothing that would end it. */
function tokensOf(given) {
  const { accessToken, refreshToken, expiresIn } = given ?? {};
  const areTokens = [accessToken, refreshToken].every((token) => /^[\w.-]{1,4000}$/.test(token));
  const isTime = Number.isInteger(expiresIn) && expiresIn > 0 && expiresIn <= MOST_SECONDS;
  return areTokens && isTime ? { accessToken, refreshToken, expiresIn } : null;
}
