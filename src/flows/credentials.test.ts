// What a password proves, whatever else is going on.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { refuse } from '../errors.ts';
import { openHouse } from '../latchkey.ts';
import { proveWho } from './credentials.ts';
import type { House } from './house.ts';

test('a password that is right lets in also when there is no time to hash it anew', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
  const { house, latchkey } = await openHouse({ data: folder, environment: {}, log: 'off' });
  try {
    // Django's pbkdf2 of `correct horse battery`, which is hashed anew at a log-in.
    const passwordHash = 'pbkdf2_sha256$1000$saltsaltsaltsalt$Cf9xjlisAEzRbMZsosxST/5+wkpfUV6uoqiZkYtP6iQ=';
    const { id } = await latchkey.users.add({ username: 'mary', passwordHash });
    const { verify } = house.lane;
    const lane = { ...house.lane, verify, hash: () => Promise.reject(refuse('busy', { retryAfter: 1 })) };
    const { account } = await proveWho(
      { ...house, lane },
      { name: 'mary', password: 'correct horse battery' },
    );
    assert.equal(account.id, id);
  } finally {
    await latchkey.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('threat 92: whoever is not let in has cost one hash: unknown, disabled, wrong, and names that nobody can have', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
  const { house, latchkey } = await openHouse({ data: folder, environment: {}, log: 'off' });
  try {
    const password = 'correct horse battery';
    await latchkey.users.add({ username: 'mary', email: 'mary@example.com', password });
    await latchkey.users.add({ username: 'asleep', password }, { disabled: true });
    let hashed = 0;
    const verify: House['lane']['verify'] = (...given) => {
      hashed += 1;
      return house.lane.verify(...given);
    };
    const watched = { ...house, lane: { ...house.lane, verify } };
    const names = [
      'mary',
      'mary@example.com',
      'asleep',
      'nobody',
      'nobody@example.com',
      '',
      '@',
      'a b',
      '\0',
    ];
    for (const name of names) {
      hashed = 0;
      // The right password of the one that is asleep, which tells nothing either.
      const tried = name === 'asleep' ? password : 'not the password';
      await assert.rejects(proveWho(watched, { name, password: tried }), { code: 'invalid_credentials' });
      assert.equal(hashed, 1, name);
    }
  } finally {
    await latchkey.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
