// The API as this page uses it: one client for the elements, the agent and the developer's tools.
import { createLatchkey } from './latchkey.js';
import { now } from './clock.js';

const DELIVERY_KEY = 'latchkey.local.delivery';

/** Where refresh tokens go, `body` or `cookie`: a client has one answer for its whole life. */
export const tokenDelivery = kept(DELIVERY_KEY) === 'cookie' ? 'cookie' : 'body';

export const latchkey = createLatchkey({ apiUrl: location.origin, tokenDelivery, now });

/** Starts the page anew with the other kind of client; nobody stays signed in. */
export function deliverTo(delivery) {
  latchkey.clearSession();
  keep(DELIVERY_KEY, delivery);
  location.reload();
}

/** What the control interface answers to a GET, or null where it does not answer. */
export async function local(path) {
  try {
    const response = await fetch(`/_local/${path}`, { cache: 'no-store' });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

export function jsonRequest(method, body) {
  return {
    method,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(body),
  };
}

/** What a failure says to people. */
export function problemOf(error) {
  const titles = {
    NO_SESSION: 'You are signed out.',
    AUTH_REQUIRED: 'You are signed out.',
    REFRESH_REFUSED: 'The session has ended. Sign in again.',
    REFRESH_FAILED: 'The session could not be renewed. Try again.',
    UNREACHABLE: 'The API does not answer. Is the local run still up?',
  };
  const title = titles[error?.code] ?? error?.title ?? 'The API does not answer. Is the local run still up?';
  return { title, detail: error?.detail };
}

/** What this tab remembers across a reload; nothing where storage is forbidden. */
export function kept(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

export function keep(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, value);
  } catch {
    // Then a reload begins anew, and nothing else is lost.
  }
}
