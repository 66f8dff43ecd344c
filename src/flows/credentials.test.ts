// What a password proves, whatever else is going on.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { refuse } from '../errors.ts';
import { openHouse } from '../latchkey.ts';
import { proveWho } from './credentials.ts';

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
