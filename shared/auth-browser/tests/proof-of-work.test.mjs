import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import { describe, test } from 'node:test';

import { solveChallenge } from 'latchkey/proof-of-work';

/** As the API makes them, but with less work. */
function challenge(changed = {}) {
  const parameters = {
    algorithm: 'PBKDF2/SHA-256',
    cost: 75,
    data: { address: 'ab'.repeat(32), operation: 'initiate-otp' },
    expiresAt: 4_102_444_800,
    keyLength: 32,
    keyPrefix: '00',
    nonce: '05'.repeat(16),
    salt: '07'.repeat(16),
    ...changed,
  };
  return { parameters, signature: 'ab'.repeat(32) };
}

const read = (text) => JSON.parse(Buffer.from(text, 'base64').toString());

describe('proof of work', () => {
  test('a solution is the whole challenge with a counter whose key begins as it must', async () => {
    for (const keyPrefix of ['00', 'a', '1f3']) {
      const asked = challenge({ keyPrefix });
      const { challenge: returned, solution } = read(await solveChallenge(asked));
      assert.deepEqual(returned, asked);
      const counter = Buffer.alloc(4);
      counter.writeUInt32BE(solution.counter);
      const password = Buffer.concat([Buffer.from(asked.parameters.nonce, 'hex'), counter]);
      const derived = pbkdf2Sync(password, Buffer.from(asked.parameters.salt, 'hex'), 75, 32, 'sha256').toString('hex');
      assert.equal(solution.derivedKey, derived);
      assert.ok(derived.startsWith(keyPrefix));
    }
  });

  test('progress goes from 0 towards 1 and never back', async () => {
    const heard = [];
    await solveChallenge(challenge({ keyPrefix: '000', cost: 1 }), { onProgress: (progress) => heard.push(progress) });
    assert.ok(heard.length > 0);
    assert.deepEqual(heard, heard.toSorted((one, other) => one - other));
    assert.ok(heard[0] > 0 && heard.at(-1) < 1);
  });

  test('an aborted search ends with the reason', async () => {
    const abort = new AbortController();
    const solving = solveChallenge(challenge({ keyPrefix: '00000' }), {
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('enough')),
    });
    await assert.rejects(solving, /enough/);
    await assert.rejects(solveChallenge(challenge(), { signal: AbortSignal.abort() }), { name: 'AbortError' });
  });

  test('what is not understood is refused before any work', async () => {
    const unsigned = { parameters: challenge().parameters };
    const foreign = [
      { algorithm: 'ARGON2ID' },
      { algorithm: 'toString' },
      { cost: 0 },
      { cost: 5_000_000 },
      { keyPrefix: '' },
      { keyPrefix: '000000' },
      { keyPrefix: 'xyz' },
      { nonce: '' },
      { salt: '0' },
      { keyLength: 1000 },
    ].map(challenge);
    for (const refused of [null, undefined, {}, 'challenge', unsigned, ...foreign]) {
      await assert.rejects(async () => solveChallenge(refused), TypeError);
    }
  });
});
