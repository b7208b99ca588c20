/**
 * The client of a Latchkey API: each operation as a method, and the resulting session. No
 * dependencies.
 *
 * `createLatchkey` makes one. The functions beside it share a default session of the page, for
 * pages with one API; a bundle that uses only those contains no operations. The head of keeper.js
 * describes the storage of a session.
 */
import { OPERATIONS } from './operations.js';
import {
  LatchkeyError,
  createSession,
  isBrowser,
  isRecord,
  own,
  readJson,
  retryAfterOf,
} from './keeper.js';

export { LatchkeyError, isTokenDeliveryEvent, readClaims } from './keeper.js';

/** API Gateway itself gives up after 30 seconds. */
const TIMEOUT_MS = 30_000;

/** Twice at most: the third failure in a row is no accident. */
const RETRIES = 2;

/** For longer waits, a person should be told and decide. */
const LONGEST_RETRY_AFTER_SECONDS = 5;

/** An operation's problem (RFC 9457), or a failure on the way to it; `code` says which. */
export class LatchkeyProblem extends LatchkeyError {
  constructor(code, message, { cause, status, retryAfterSeconds, body } = {}) {
    super(code, message, { cause, status, retryAfterSeconds });
    this.name = 'LatchkeyProblem';
    const member = (name, type) => (typeof own(body ?? {}, name) === type ? own(body, name) : undefined);
    this.title = member('title', 'string');
    this.detail = member('detail', 'string');
    this.requestId = member('requestId', 'string');
    this.attemptsRemaining = member('attemptsRemaining', 'number');
    this.errors = Array.isArray(own(body ?? {}, 'errors')) ? own(body, 'errors') : [];
    this.challenge = own(body ?? {}, 'challenge') ?? undefined;
    this.signInWith = member('signInWith', 'string');
    this.reason = member('cause', 'string');
  }
}

/** True for a problem; with an operation's name, its `code` is one of that operation's. */
export function isProblem(error, operation) {
  return error instanceof LatchkeyProblem && (operation === undefined || Object.hasOwn(OPERATIONS, operation));
}

/** A client with a session of its own. */
export function createLatchkey(options = {}) {
  const { request, ...session } = createSession(options);
  const credentials = options.credentials ?? (session.tokenDelivery === 'cookie' ? 'include' : 'same-origin');

  async function call(route, input, { signal, timeoutMs = TIMEOUT_MS } = {}) {
    const [method, , caller, delivers] = route;
    const { path, body } = requestOf(route, delivers ? { tokenDelivery: session.tokenDelivery, ...input } : input);
    const withToken = caller === 'jwt' || (caller === 'either' && session.loadSession() !== null);
    for (let tried = 0; ; tried += 1) {
      signal?.throwIfAborted();
      const late = AbortSignal.timeout(timeoutMs);
      const init = {
        method,
        headers: { Accept: 'application/json', ...(body !== undefined && { 'Content-Type': 'application/json' }) },
        body,
        credentials,
        cache: 'no-store',
        redirect: 'error',
        signal: signal ? AbortSignal.any([signal, late]) : late,
      };
      let failure;
      try {
        const response = await (withToken ? session.authFetch(path, init) : request(path, init));
        if (response.status === 204) return undefined;
        const answer = await readJson(response);
        if (response.ok && answer !== null) return answer;
        failure = problemOf(response, answer);
      } catch (cause) {
        signal?.throwIfAborted();
        if (cause instanceof LatchkeyError) throw cause;
        failure = late.aborted
          ? new LatchkeyProblem('TIMEOUT', 'the API did not answer in time', { cause })
          : new LatchkeyProblem('UNREACHABLE', 'the API could not be reached', { cause });
      }
      if (tried === RETRIES || !isWorthAnother(method, failure)) throw failure;
      await pause((failure.retryAfterSeconds ?? 0) * 1000 + 200 * 2 ** tried * (0.5 + Math.random()), signal);
    }
  }

  const operations = {};
  for (const [name, route] of Object.entries(OPERATIONS)) {
    operations[name] = async (input = {}, callOptions) => {
      const answer = await call(route, input, callOptions);
      // Whatever signs a guest in answers with tokens and the guest.
      if (isRecord(answer) && Object.hasOwn(answer, 'accessToken') && Object.hasOwn(answer, 'user')) {
        session.storeSession(answer);
      }
      return answer;
    };
  }
  return Object.freeze({ ...session, ...operations });
}

/**
 * Path and body of a request: the path's parameters go there, all other input into the body, or
 * into the query without a body.
 */
function requestOf([method, template], input) {
  const rest = { ...input };
  let path = template.replace(/\{(\w+)\}/g, (_, name) => {
    const value = rest[name];
    delete rest[name];
    if (typeof value !== 'string' || value === '') {
      throw new LatchkeyProblem('VALIDATION_FAILED', `${name} is missing`, {
        body: { errors: [{ field: name, code: 'required', message: 'is required' }] },
      });
    }
    return encodeURIComponent(value);
  });
  if (method === 'GET') {
    const query = new URLSearchParams(Object.entries(rest).filter(([, value]) => value !== undefined && value !== null));
    if (query.size > 0) path += `?${query}`;
    return { path };
  }
  return { path, body: JSON.stringify(rest) };
}

function problemOf(response, answer) {
  const body = isRecord(answer) ? answer : {};
  const code = own(body, 'code');
  const details = { status: response.status, retryAfterSeconds: retryAfterOf(response), body };
  if (typeof code === 'string') return new LatchkeyProblem(code, String(own(body, 'title') ?? code), details);
  // API Gateway's own answers have no code.
  const gateways = { 401: 'AUTH_REQUIRED', 413: 'PAYLOAD_TOO_LARGE', 429: 'RATE_LIMITED', 503: 'SERVICE_UNAVAILABLE' };
  return new LatchkeyProblem(gateways[response.status] ?? 'UNEXPECTED_ANSWER', 'the API gave no clear answer', details);
}

/**
 * Operations that can be repeated safely, and may succeed the next time. A code must not be mailed
 * twice.
 */
function isWorthAnother(method, { code, retryAfterSeconds = 0 }) {
  const passing = code === 'UNREACHABLE' || code === 'SERVICE_UNAVAILABLE';
  return method !== 'POST' && passing && retryAfterSeconds <= LONGEST_RETRY_AFTER_SECONDS;
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

let shared = null;

/**
 * Options for the functions below. Once, before any of them is used: a session must not change its
 * place half-way.
 */
export function configure(options) {
  if (shared !== null) throw new LatchkeyError('CONFIGURATION', 'configure() comes once, before everything else');
  shared = createShared(options);
}

/** A server's module serves many people: a session that they share would sign one in as another. */
function createShared(options) {
  if (!isBrowser()) {
    throw new LatchkeyError('CONFIGURATION', 'there is no default session on a server: use createLatchkey for each request');
  }
  return createSession(options);
}

const keeper = () => (shared ??= createShared());

export const storeSession = (delivered) => keeper().storeSession(delivered);
export const loadSession = () => keeper().loadSession();
export const clearSession = () => keeper().clearSession();
export const getAccessToken = async () => keeper().getAccessToken();
export const ensureValidIdToken = async () => keeper().ensureValidIdToken();
export const refreshSession = async () => keeper().refreshSession();
export const authFetch = async (input, init) => keeper().authFetch(input, init);
export const onSessionChange = (listener) => keeper().onSessionChange(listener);
export const signOut = async (options) => keeper().signOut(options);
export const restore = async () => keeper().restore();
