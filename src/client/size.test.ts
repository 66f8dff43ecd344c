// The client is small: what is published of it and of all that it loads, gzipped, without a bundler's help.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'latchkey-size-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A compiled file with all that it imports. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, to] of readFileSync(file, 'utf8').matchAll(/\bfrom '([^']+)'/g)) {
    loadedBy(join(dirname(file), to!), seen);
  }
  return seen;
}

test('the client is under 6 kB gzipped, and loads nothing but its own files and the clock', () => {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const args = ['-p', join(root, 'tsconfig.build.json'), '--outDir', folder, '--removeComments'];
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...args], { cwd: root, encoding: 'utf8' });
  assert.equal(status, 0, stdout);
  assert.ok(existsSync(join(folder, 'client/index.js')));
  const files = [...loadedBy(join(folder, 'client/index.js'))];
  const own = globSync('client/*.js', { cwd: folder }).map((file) => join(folder, file));
  assert.deepEqual(files.sort(), [...own, join(folder, 'clock.js')].sort());
  const bytes = gzipSync(files.map((file) => readFileSync(file, 'utf8')).join('\n')).length;
  assert.ok(bytes < 6_000, `${bytes} bytes`);
});
