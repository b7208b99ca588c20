// A small browser: a clock that is moved by hand, a storage, and an API with given answers.

export const API = 'https://app.example/api';
export const SUB = '7c1d0a52-9f8e-4b6a-8f0e-2d6c1f0b9a11';

export class Clock {
  #now = Date.UTC(2026, 0, 15, 12);
  now = () => this.#now;
  advance(seconds) {
    this.#now += seconds * 1000;
  }
}

export class MemoryStorage {
  items = new Map();
  getItem(key) {
    return this.items.get(key) ?? null;
  }
  setItem(key, value) {
    this.items.set(key, String(value));
  }
  removeItem(key) {
    this.items.delete(key);
  }
}

/** The Web Locks API's exclusive locks, for several tabs of one test. */
export class FakeLocks {
  names = [];
  #tails = new Map();
  request(name, options, work) {
    this.names.push(name);
    const turn = (this.#tails.get(name) ?? Promise.resolve()).then(() => work());
    this.#tails.set(
      name,
      turn.catch(() => {}),
    );
    return turn;
  }
}

/**
 * The channels of one origin: each message of one tab reaches the others after the sender's turn.
 */
export class Hub {
  said = [];
  #tabs = [];
  open() {
    const listeners = new Set();
    const tab = {
      postMessage: (message) => {
        const data = structuredClone(message);
        this.said.push(data);
        queueMicrotask(() => {
          for (const other of this.#tabs.filter((each) => each !== tab)) other.hear(data);
        });
      },
      addEventListener: (_, listener) => void listeners.add(listener),
      removeEventListener: (_, listener) => void listeners.delete(listener),
      close: () => {
        this.#tabs = this.#tabs.filter((each) => each !== tab);
      },
      hear: (data) => [...listeners].forEach((listener) => listener({ data })),
    };
    this.#tabs.push(tab);
    return tab;
  }
}

/** Storage as a duplicated tab finds it. */
export function copyOf(storage) {
  const copy = new MemoryStorage();
  storage.items.forEach((value, key) => copy.setItem(key, value));
  return copy;
}

export function jwt(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', kid: 'k' })}.${part(claims)}.c2lnbmF0dXJl`;
}

let serial = 0;

/** Fresh tokens, as the API would issue them now. */
export function tokens(clock, { sub = SUB, lifetime = 3600, ...rest } = {}) {
  const iat = Math.floor(clock.now() / 1000);
  serial += 1;
  const claims = { sub, iat, exp: iat + lifetime, jti: String(serial) };
  return {
    accessToken: jwt({ ...claims, token_use: 'access' }),
    idToken: jwt({ ...claims, token_use: 'id' }),
    refreshToken: `refresh-${serial}`,
    tokenType: 'Bearer',
    expiresIn: lifetime,
    ...rest,
  };
}

export function signIn(clock, options = {}) {
  const user = { guestId: 'GST-2026-7K3QXB', email: 'ada@example.com', cognitoSub: options.sub ?? SUB };
  return { ...tokens(clock, options), user };
}

export function cookieSignIn(clock, options) {
  const { refreshToken: _, ...answer } = signIn(clock, options);
  return answer;
}

export function event(clock, options = {}) {
  const issued = tokens(clock, options);
  return {
    event_type: 'auth_tokens',
    success: true,
    id_token: issued.idToken,
    access_token: issued.accessToken,
    refresh_token: issued.refreshToken,
    expires_in: issued.expiresIn,
    guest_id: 'GST-2026-7K3QXB',
    email: 'ada@example.com',
    cognito_sub: options.sub ?? SUB,
  };
}

export function json(status, body, headers = {}) {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
}

export function problem(status, code, headers) {
  return json(status, { status, code, title: code }, { 'Content-Type': 'application/problem+json', ...headers });
}

/**
 * A fetch that records its requests, and answers by path. A handler may throw, as a lost connection
 * does.
 */
export class Api {
  requests = [];
  routes = {};
  /** Bound, so that it can be passed alone. */
  fetch = async (input, init) => {
    const isRequest = input instanceof Request;
    const url = new URL(isRequest ? input.url : input);
    const headers = new Headers(isRequest ? input.headers : init?.headers);
    const body = isRequest ? await input.text() : init?.body;
    const request = { url, path: url.pathname.replace(/^\/api/, ''), headers, body, init, input };
    this.requests.push(request);
    const route = this.routes[request.path];
    if (!route) throw new TypeError(`no route for ${request.path}`);
    return route(request);
  };
  refreshes() {
    return this.requests.filter(({ path }) => path === '/auth/refresh');
  }
}

/** A promise that the test settles. */
export function gate() {
  let open;
  const opened = new Promise((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
