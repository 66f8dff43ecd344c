// A password was right when it was checked, and is so no longer when its log-in goes on: what was decided meanwhile holds.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { logInFresh } from '../../src/flows/log-in.ts';
import { refresh } from '../../src/flows/refresh.ts';
import { type OpenHouse, openHouse } from '../../src/latchkey.ts';
import { openSqlite } from '../../src/store/engines/sqlite-file.ts';

const credentials = { name: 'anna', password: 'kettle orbit lantern 7' };
const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
let meanwhile: () => Promise<unknown> = async () => {};
let opened: OpenHouse;
let userId: string;

before(async () => {
  const hooks = { beforeLogIn: async () => void (await meanwhile()) };
  opened = await openHouse({ data: folder, environment: {}, log: 'off', hooks });
  userId = (await opened.latchkey.signUp({ username: 'anna', password: credentials.password })).id;
});
after(async () => {
  await opened.latchkey.close();
  rmSync(folder, { recursive: true, force: true });
});

const raiseEpoch = () =>
  opened.house.store.accounts.change(userId, ({ account, passwordHash }) => ({
    outcome: null,
    next: { account: { ...account, epoch: account.epoch + 1 }, passwordHash },
  }));

test('a log-in that was overtaken by a change of password gets no session', async () => {
  meanwhile = raiseEpoch;
  await assert.rejects(opened.latchkey.logIn(credentials), { code: 'invalid_credentials' });
  meanwhile = async () => {};
  assert.deepEqual(await opened.latchkey.sessions.list(userId), []);
});

test('a fresh log-in that was overtaken by one is refused as such, and not as a store that is down', async () => {
  const { accessToken } = await opened.latchkey.logIn(credentials);
  const caller = opened.house.gate.check(accessToken);
  meanwhile = raiseEpoch;
  await assert.rejects(logInFresh(opened.house, credentials, {}, caller), { code: 'invalid_credentials' });
  meanwhile = async () => {};
});

test('a refresh that was overtaken by a raised epoch hands out a token of the new one, and not one that is born dead', async () => {
  const { refreshToken } = await opened.latchkey.logIn(credentials);
  const { store } = opened.house;
  let overtaken = false;
  const change: typeof store.sessions.change = (id, decide) =>
    store.sessions.change(id, (...read) => {
      const decision = decide(...read);
      if (overtaken) return decision;
      overtaken = true;
      // Between what was read and what is written: by another process, at once.
      const other = openSqlite(opened.house.settings.databaseFile);
      other.run('UPDATE users SET epoch = epoch + 1 WHERE id = ?', [userId]);
      other.close();
      return decision;
    });
  const house = { ...opened.house, store: { ...store, sessions: { ...store.sessions, change } } };
  const { accessToken } = await refresh(house, refreshToken);
  const stored = await store.accounts.find(userId);
  assert.equal(opened.house.gate.check(accessToken).epoch, stored?.account.epoch);
});
