/** The API's address: for this server, and for browsers, which sign in there themselves. */
export const API_URL = process.env.LATCHKEY_URL ?? 'http://localhost:8787';

/** The header in which the proxy hands the access token to the pages behind it. */
export const ACCESS_TOKEN = 'x-latchkey-access-token';

/** Whether one of this site's own pages sent the request. */
export function isOwnRequest(request) {
  return request.headers.get('sec-fetch-site') === 'same-origin';
}

/** Calls the API with a guest's token. No answer is cached for another guest. */
export function ask(path, accessToken, init = {}) {
  const headers = { ...init.headers, Authorization: `Bearer ${accessToken}` };
  return fetch(API_URL + path, { ...init, headers, cache: 'no-store' });
}
