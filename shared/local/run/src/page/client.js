// The API as this page uses it: one client for the elements, the agent and the developer's tools.
import { createLatchkey } from './latchkey.js';
import { now } from './clock.js';

const DELIVERY_KEY = 'latchkey.local.delivery';

/** The delivery of refresh tokens, `body` or `cookie`: a client has one for its whole life. */
export const tokenDelivery = kept(DELIVERY_KEY) === 'cookie' ? 'cookie' : 'body';

export const latchkey = createLatchkey({ apiUrl: location.origin, tokenDelivery, now });

/** Restarts the page with the other kind of client; no person stays signed in. */
export function deliverTo(delivery) {
  latchkey.clearSession();
  keep(DELIVERY_KEY, delivery);
  location.reload();
}

/** The control interface's answer to a GET, or null without one. */
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

/** A failure's message for people. */
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

/** This tab's notes across a reload; empty if storage is forbidden. */
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
    // Then a reload begins anew, without another loss.
  }
}
