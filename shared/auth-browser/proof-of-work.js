/**
 * Solves the challenge that an answer with `RATE_LIMITED` may carry (ALTCHA, proof of work version
 * 2), so that the same request is admitted with `proofOfWork` in its body. No dependencies.
 *
 * The search runs in workers, which are this module again, so that the page stays responsive.
 * Without workers, or if a policy forbids them, it runs here: WebCrypto derives the keys beside the
 * page, and each try yields to it.
 */

/** The name by which this module knows that it runs as a worker. */
const WORKER = 'latchkey-proof-of-work';

/** More would leave a phone nothing for the page. */
const MOST_WORKERS = 4;

/** Tries between two words on the progress: some twenty milliseconds. */
const TRIES_A_REPORT = 128;

/** The key derivations that are understood, by their names in a challenge and in WebCrypto. */
const HASHES = { 'PBKDF2/SHA-256': 'SHA-256', 'PBKDF2/SHA-384': 'SHA-384', 'PBKDF2/SHA-512': 'SHA-512' };

/**
 * Latchkey's ask for 600 iterations and three digits at most. A challenge that asks for far more is
 * not Latchkey's, or would take minutes.
 */
const MOST_ITERATIONS = 1_000_000;
const MOST_DIGITS = 5;

/** Counters are 32 bits. */
const MOST_TRIES = 2 ** 32;

/**
 * The text for `proofOfWork`. `onProgress` gets the progress, from 0 to 1: the probability of a
 * solution by now. Rejects with a `TypeError` for an unknown challenge, and with the signal's
 * reason once it is aborted.
 */
export async function solveChallenge(challenge, { signal, onProgress } = {}) {
  const { parameters } = parse(challenge);
  signal?.throwIfAborted();
  const solution = await searchEverywhere(parameters, signal, onProgress ?? (() => {}));
  return btoa(JSON.stringify({ challenge, solution }));
}

function parse(challenge) {
  const parameters = challenge?.parameters;
  const isHex = (text) => typeof text === 'string' && /^([0-9a-f]{2})+$/.test(text);
  const isWithin = (number, most) => Number.isInteger(number) && number >= 1 && number <= most;
  const understood =
    typeof challenge?.signature === 'string' &&
    Object.hasOwn(HASHES, parameters?.algorithm ?? '') &&
    isWithin(parameters.cost, MOST_ITERATIONS) &&
    isWithin(parameters.keyLength, 64) &&
    new RegExp(`^[0-9a-f]{1,${MOST_DIGITS}}$`).test(parameters.keyPrefix) &&
    isHex(parameters.nonce) &&
    isHex(parameters.salt);
  if (!understood) throw new TypeError('this challenge is not understood');
  return challenge;
}

async function searchEverywhere(parameters, signal, onProgress) {
  const count = Math.min(MOST_WORKERS, globalThis.navigator?.hardwareConcurrency ?? 1);
  const odds = 16 ** parameters.keyPrefix.length;
  const tries = Array.from({ length: count }, () => 0);
  const report = (index, tried) => {
    tries[index] = tried;
    onProgress(1 - Math.exp(-tries.reduce((sum, one) => sum + one) / odds));
  };
  const workers = startWorkers(count);
  if (workers.length === 0) return search(parameters, 0, 1, { signal, onTries: (tried) => report(0, tried) });
  try {
    return await Promise.any(
      workers.map((worker, index) => askWorker(worker, { parameters, start: index, step: workers.length }, (tried) => report(index, tried), signal)),
    );
  } catch {
    signal?.throwIfAborted();
    // No worker could be loaded: a policy of the page, say.
    return search(parameters, 0, 1, { signal, onTries: (tried) => report(0, tried) });
  } finally {
    workers.forEach((worker) => worker.terminate());
  }
}

function startWorkers(count) {
  if (typeof Worker !== 'function') return [];
  try {
    const address = trusted(new URL('./proof-of-work.js', import.meta.url).href);
    return Array.from({ length: count }, () => new Worker(address, { type: 'module', name: WORKER }));
  } catch {
    return [];
  }
}

let policy = null;

/**
 * Under Trusted Types a worker's address needs a policy; `trusted-types latchkey` allows this one.
 */
function trusted(address) {
  policy ??= globalThis.trustedTypes?.createPolicy('latchkey', { createScriptURL: (url) => url });
  return policy?.createScriptURL(address) ?? address;
}

function askWorker(worker, task, onTries, signal) {
  return new Promise((resolve, reject) => {
    worker.addEventListener('message', ({ data }) => {
      if (data.solution) resolve(data.solution);
      else if (data.failed) reject(new Error('the search ended without a solution'));
      else onTries(data.tries);
    });
    worker.addEventListener('error', () => reject(new Error('the worker does not start')));
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    worker.postMessage(task);
  });
}

/** Tries every `step`-th counter from `start` on, until a derived key begins as it must. */
async function search(parameters, start, step, { signal, onTries }) {
  const nonce = bytes(parameters.nonce);
  const password = new Uint8Array(nonce.length + 4);
  password.set(nonce);
  const counterBytes = new DataView(password.buffer, nonce.length);
  const algorithm = {
    name: 'PBKDF2',
    hash: HASHES[parameters.algorithm],
    salt: bytes(parameters.salt),
    iterations: parameters.cost,
  };
  for (let counter = start, tries = 1; counter < MOST_TRIES; counter += step, tries += 1) {
    counterBytes.setUint32(0, counter);
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
    const derived = hex(new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, parameters.keyLength * 8)));
    if (derived.startsWith(parameters.keyPrefix)) return { counter, derivedKey: derived };
    if (tries % TRIES_A_REPORT === 0) {
      onTries(tries);
      signal?.throwIfAborted();
      // Promises alone would never let the page paint.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  throw new Error('no counter solves this challenge');
}

function bytes(text) {
  return Uint8Array.from(text.match(/../g), (digits) => Number.parseInt(digits, 16));
}

function hex(array) {
  return Array.from(array, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

if (typeof WorkerGlobalScope === 'function' && globalThis.name === WORKER) {
  globalThis.addEventListener('message', async ({ data: { parameters, start, step } }) => {
    try {
      const solution = await search(parameters, start, step, {
        onTries: (tries) => globalThis.postMessage({ tries }),
      });
      globalThis.postMessage({ solution });
    } catch {
      globalThis.postMessage({ failed: true });
    }
  });
}
