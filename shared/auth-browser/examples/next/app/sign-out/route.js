// Ends the session at the API, and forgets its tokens here.
import { clearedCookies, readCookies, renewCookies } from 'latchkey/server';

import { API_URL, ask, isOwnRequest } from '../../latchkey.js';

export async function POST(request) {
  if (!isOwnRequest(request)) return new Response(null, { status: 403 });
  const cookie = request.headers.get('cookie');
  const { accessToken, setCookies } = await renewCookies(cookie, { apiUrl: API_URL });
  if (accessToken !== null) {
    const renewed = setCookies.map((each) => each.split(';')[0]).join('; ');
    const refreshToken = readCookies(renewed).refreshToken ?? readCookies(cookie).refreshToken;
    const answered = await ask('/auth/logout', accessToken, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ refreshToken }),
    });
    if (!answered.ok && answered.status !== 401) {
      return new Response('Sign-out did not work. Try again.', { status: 503 });
    }
  }
  const response = new Response(null, { status: 303, headers: { Location: '/' } });
  for (const each of clearedCookies()) response.headers.append('Set-Cookie', each);
  return response;
}
