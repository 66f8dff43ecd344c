// The first start of a house, by several processes at once: they must come to one secret, one store and one ring of keys.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const latchkey = new URL('../../src/latchkey.ts', import.meta.url).href;
const code = `
  const { openHouse } = await import(${JSON.stringify(latchkey)});
  const { house, latchkey } = await openHouse({ data: process.argv[1], log: 'off', environment: {} });
  process.stdout.write(JSON.stringify([house.settings.secret, house.keys.records().map(({ kid }) => kid).sort()]));
  await latchkey.close();`;

test('processes that start at once in an empty folder come to one secret and one ring of keys', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
  const data = join(folder, 'data');
  const start = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', code, data]);
  try {
    const told = await Promise.all([start(), start(), start(), start()]);
    assert.equal(new Set(told.map(({ stdout }) => stdout)).size, 1);
    assert.deepEqual(readdirSync(data).sort(), ['latchkey.db', 'latchkey.db.lock', 'secret']);
    for (const name of ['latchkey.db', 'latchkey.db.lock', 'secret'])
      assert.equal(statSync(join(data, name)).mode & 0o777, 0o600);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
