// Two who change the ring at the same time.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type OpenHouse, openHouse } from '../latchkey.ts';

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

test('a rotation at once is not forgotten because another change of the ring was faster', async () => {
  const { keys } = opened.latchkey;
  const before = opened.house.keys.signing().kid;
  await Promise.all([keys.rotate('planned'), keys.rotate('at_once')]);
  assert.notEqual(opened.house.keys.signing().kid, before);
});

test('the same rotation asked for twice at once is made once', async () => {
  const { keys } = opened.latchkey;
  const count = keys.list().length;
  await Promise.all([keys.rotate('at_once'), keys.rotate('at_once')]);
  assert.equal(keys.list().length, count + 1);
});
