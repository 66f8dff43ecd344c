import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { StartError } from '../errors.ts';
import { loadConfig } from './config.ts';

const root = mkdtempSync(join(tmpdir(), 'latchkey-'));
after(() => rmSync(root, { recursive: true }));

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(root, 'config-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

async function problemOf(folder: string, named: string | null = null): Promise<string> {
  const error = await loadConfig(folder, named).then(
    () => null,
    (thrown) => thrown,
  );
  assert.ok(error instanceof StartError);
  return error.problems.join('\n');
}

test('the config file of the working folder is loaded, in each of its three spellings', async () => {
  assert.deepEqual(await loadConfig(folderWith({}), null), {});
  for (const name of ['latchkey.config.ts', 'latchkey.config.mjs', 'latchkey.config.js']) {
    const folder = folderWith({
      [name]: `export default { accessTtl: '5m' }`,
      'package.json': '{"type":"module"}',
    });
    assert.deepEqual({ ...(await loadConfig(folder, null)) }, { accessTtl: '5m' }, name);
  }
});

test('another file can be named', async () => {
  const folder = folderWith({ 'mine.ts': `const ttl: string = '7m'; export default { accessTtl: ttl }` });
  assert.deepEqual({ ...(await loadConfig(folder, 'mine.ts')) }, { accessTtl: '7m' });
  assert.match(await problemOf(folder, 'gone.ts'), /gone\.ts is not there/);
});

test('a config file that does not load stops with one plain sentence', async () => {
  for (const [text, why] of [
    [`export default {`, /does not load: SyntaxError/],
    [`throw new Error('no luck\\nmore')`, /does not load: Error: no luck$/],
    [`import './gone.mjs'; export default {}`, /does not load: Error: Cannot find module/],
    [`export const options = {}`, /exports no options/],
    [`export default []`, /exports no options/],
    [`export default { environment: {} }`, /may not set `environment`/],
    [`export default { clock: null }`, /may not set `clock`/],
  ] as const) {
    assert.match(await problemOf(folderWith({ 'latchkey.config.mjs': text })), why, text);
  }
});

test('two config files are refused: nobody could tell which one holds', async () => {
  const folder = folderWith({
    'latchkey.config.ts': 'export default {}',
    'latchkey.config.mjs': 'export default {}',
  });
  assert.match(await problemOf(folder), /more than one/);
});
