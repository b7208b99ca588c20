// The API as this page uses it: every request is logged, every refusal becomes one shape of
// problem.
import { createLatchkey } from './latchkey.js';
import { solveChallenge } from './proof-of-work.js';
import { now } from './clock.js';

const listeners = new Set();

export function onRequest(listener) {
  listeners.add(listener);
}

/** `fetch` that tells the log what was asked, what came back and how long it took. */
export async function loggedFetch(input, init) {
  const url = new URL(input instanceof Request ? input.url : input, location.origin);
  const entry = { at: now(), method: init?.method ?? 'GET', path: url.pathname + url.search, status: null, code: null };
  const began = performance.now();
  try {
    const response = await fetch(input, init);
    entry.status = response.status;
    if (!response.ok) entry.code = (await readProblem(response.clone())).code;
    return response;
  } finally {
    entry.ms = Math.round(performance.now() - began);
    listeners.forEach((listener) => listener(entry));
  }
}

export const latchkey = createLatchkey({ apiUrl: location.origin, fetch: loggedFetch, now });

/**
 * Posts JSON. Where a refusal can be paid for with work, the work is done and the request sent once more; `onProgress` hears how
 * far it is, from 0 to 1.
 */
export async function post(path, body, onProgress) {
  const response = await loggedFetch(path, jsonRequest('POST', body));
  if (response.status !== 429) return response;
  const { challenge } = await response.clone().json().catch(() => ({}));
  if (!challenge) return response;
  let proofOfWork;
  try {
    proofOfWork = await solveChallenge(challenge, { onProgress });
  } catch {
    // The refusal stands, and says how long to wait.
    return response;
  }
  return loggedFetch(path, jsonRequest('POST', { ...body, proofOfWork }));
}

export function jsonRequest(method, body) {
  return {
    method,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(body),
  };
}

/** Problem details (RFC 9457), the gateway's own `{"message"}`, or whatever else came, in one shape. */
export async function readProblem(response) {
  const body = await response.json().catch(() => null);
  const text = (value) => (typeof value === 'string' && value !== '' ? value : null);
  const retryAfter = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
  return {
    status: response.status,
    code: text(body?.code),
    title: text(body?.title) ?? text(body?.message) ?? `The API answered ${response.status}`,
    detail: text(body?.detail),
    requestId: text(body?.requestId),
    errors: Array.isArray(body?.errors)
      ? body.errors.filter((error) => typeof error?.field === 'string' && text(error?.message))
      : [],
    attemptsRemaining: Number.isInteger(body?.attemptsRemaining) ? body.attemptsRemaining : null,
    retryAfterSeconds: retryAfter > 0 ? retryAfter : null,
  };
}

/** The problem of a request that threw instead of answering. */
export function problemOf(error) {
  const titles = {
    NO_SESSION: 'You are signed out',
    REFRESH_REFUSED: 'The session has ended',
    REFRESH_FAILED: 'The session could not be renewed',
  };
  return {
    title: titles[error?.code] ?? 'No answer',
    detail: titles[error?.code] ? null : 'The API could not be reached. Is the local run still up?',
    errors: [],
    attemptsRemaining: null,
    retryAfterSeconds: error?.retryAfterSeconds ?? null,
  };
}
