// Giving tokens back: what one account does to what everybody remembers.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type OpenHouse, openHouse } from '../latchkey.ts';
import { mostOfOneUser } from '../revocations/entry.ts';
import { revokeToken } from './introspect.ts';

let folder: string;
let opened: OpenHouse;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
  opened = await openHouse({ data: folder, environment: {}, log: 'off' });
});
after(async () => {
  await opened.latchkey.close();
  rmSync(folder, { recursive: true, force: true });
});

test('an account that refreshes and gives its access tokens back again and again fills no view', async () => {
  const { house, latchkey } = opened;
  const password = 'correct horse battery';
  await latchkey.signUp({ username: 'mary', password });
  let { accessToken, refreshToken } = await latchkey.logIn({ name: 'mary', password });
  for (let count = 0; count < 4 * mostOfOneUser; count++) {
    await revokeToken(house, accessToken, null);
    assert.throws(() => latchkey.verify(accessToken));
    ({ accessToken, refreshToken } = await latchkey.refresh(refreshToken));
  }
  latchkey.verify(accessToken);
  house.view.sweep(house.store.now());
  assert.ok(house.view.size <= mostOfOneUser + 1, `${house.view.size} entries are held`);
});

test('once its entries were gathered, an account that gives one more token back leaves its other sessions alone', async () => {
  const { house, latchkey } = opened;
  const password = 'correct horse battery';
  await latchkey.signUp({ username: 'olga', password });
  const other = await latchkey.logIn({ name: 'olga', password });
  let { accessToken, refreshToken } = await latchkey.logIn({ name: 'olga', password });
  for (let count = 0; count < 2 * mostOfOneUser; count++) {
    await revokeToken(house, accessToken, null);
    ({ accessToken, refreshToken } = await latchkey.refresh(refreshToken));
  }
  const { accessToken: untouched } = await latchkey.refresh(other.refreshToken);
  await revokeToken(house, accessToken, null);
  latchkey.verify(untouched);
});
