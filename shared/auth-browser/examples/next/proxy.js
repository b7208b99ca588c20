// Before each page: renews the tokens in the visitor's cookies if that is due. Pages after it read
// and never renew, because they cannot answer with cookies. Before Next 16 this file and its
// function are called middleware.
import { renewCookies } from 'latchkey/server';
import { NextResponse } from 'next/server';

import { ACCESS_TOKEN, API_URL } from './latchkey.js';

const PROTECTED = ['/account'];

export async function proxy(request) {
  const cookie = request.headers.get('cookie');
  const { accessToken, setCookies } = await renewCookies(cookie, { apiUrl: API_URL });
  const headers = new Headers(request.headers);
  headers.delete(ACCESS_TOKEN);
  if (accessToken !== null) headers.set(ACCESS_TOKEN, accessToken);

  const { pathname } = request.nextUrl;
  const isProtected = PROTECTED.some((path) => pathname === path || pathname.startsWith(`${path}/`));
  const response =
    isProtected && accessToken === null
      ? NextResponse.redirect(new URL('/sign-in', request.url))
      : NextResponse.next({ request: { headers } });
  for (const each of setCookies) response.headers.append('Set-Cookie', each);
  return response;
}

// Route handlers that change the cookies themselves stay out.
export const config = { matcher: ['/((?!_next/|session$|sign-out$|.*\\..*).*)'] };
