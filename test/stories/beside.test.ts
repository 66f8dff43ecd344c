// Who has a store open: keepers, which stay, and visitors, which come for one errand. What a crash leaves is told from a stop in order.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type TurnableClock, turnableClock } from '../../src/clock.ts';
import { resealKeys, rotateKeys } from '../../src/flows/rotate-keys.ts';
import { generateSecret } from '../../src/house-secret.ts';
import { openHouse } from '../../src/latchkey.ts';
import { openSqliteEngine } from '../../src/store/engines/sqlite.ts';
import { openStore, type Store } from '../../src/store/store.ts';

const root = mkdtempSync(join(tmpdir(), 'latchkey-'));
after(() => rmSync(root, { recursive: true }));

let count = 0;
const freshFolder = (): string => join(root, `${count++}`);
const open = (data: string, errand: 'keep' | 'visit' = 'keep', clock: TurnableClock = turnableClock()) =>
  openHouse({ data, environment: {}, log: 'off', clock }, errand);

async function storeAt(data: string): Promise<Store> {
  return openStore(await openSqliteEngine(join(data, 'latchkey.db')), turnableClock());
}

/** Whether a keeper that starts now would think that those before it stopped in order. */
async function isClean(data: string): Promise<boolean> {
  const store = await storeAt(data);
  const clean = await store.facts.begin('probe');
  await store.facts.end('probe');
  await store.close();
  return clean;
}

test('a stop in order is told from a crash', async () => {
  const data = freshFolder();
  const opened = await open(data);
  const crashed = `${data}-crashed`;
  cpSync(data, crashed, { recursive: true });
  await opened.latchkey.close();
  assert.equal(await isClean(data), true);
  assert.equal(await isClean(crashed), false);
  assert.equal(await isClean(crashed), true, 'what it left was taken away by the first that came');
});

test('a visitor beside a keeper neither covers its crash nor makes its stop look like one', async () => {
  const data = freshFolder();
  const keeper = await open(data);
  await (await open(data, 'visit')).latchkey.close();
  const crashed = `${data}-crashed`;
  cpSync(data, crashed, { recursive: true });
  await keeper.latchkey.close();
  assert.equal(await isClean(data), true);
  assert.equal(await isClean(crashed), false);
});

test('of two keepers the one that crashes is not covered by the one that stops in order', async () => {
  const data = freshFolder();
  const first = await open(data);
  const second = await open(data);
  await second.latchkey.close();
  const crashed = `${data}-crashed`;
  cpSync(data, crashed, { recursive: true });
  await first.latchkey.close();
  assert.equal(await isClean(crashed), false);
  assert.equal(await isClean(data), true);
});

test('a visitor makes keys only where nothing signs any more', async () => {
  const data = freshFolder();
  const clock = turnableClock();
  const made = await open(data, 'visit', clock);
  const kid = made.house.keys.signing().kid;
  await made.latchkey.close();
  clock.turn(60 * 24 * 3_600_000);
  const later = await open(data, 'visit', clock);
  assert.equal(later.house.keys.signing().kid, kid);
  await later.latchkey.close();
  clock.turn(60 * 24 * 3_600_000);
  const last = await open(data, 'visit', clock);
  assert.notEqual(last.house.keys.signing().kid, kid);
  await last.latchkey.close();
});

test('keys that are sealed anew beside a keeper that does not know the new secret yet do not stop it', async () => {
  const data = freshFolder();
  const keeper = await open(data);
  const { house } = keeper;
  const next = generateSecret();
  const store = await storeAt(data);
  assert.equal(await resealKeys(store, next, house.settings.secret!), 2);
  await store.close();
  assert.equal(house.store.catchUp(), true);
  assert.doesNotThrow(() => house.keys.signing());
  // A new ring is sealed with what this keeper knows, and its own keys stay good.
  await rotateKeys(house, 'at_once');
  assert.equal(house.store.catchUp(), true);
  await keeper.latchkey.close();
});
