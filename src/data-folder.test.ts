// The folder at its first start.
import assert from 'node:assert/strict';
import fs, {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { openDataFolder } from './data-folder.ts';
import { StartError } from './errors.ts';
import { settingsFromOptions } from './settings.ts';

test('a secret that was made is on the disk, with its folder, before anything is sealed with it', () => {
  const data = mkdtempSync(join(tmpdir(), 'latchkey-'));
  const names = new Map<number, string>();
  const synced: (string | undefined)[] = [];
  const { openSync } = fs;
  mock.method(fs, 'openSync', (...given: Parameters<typeof openSync>) => {
    const handle = openSync(...given);
    // It gets its own name once it is whole.
    names.set(handle, String(given[0]).replace(/\.[\w-]+$/, ''));
    return handle;
  });
  mock.method(fs, 'fsyncSync', (handle: number) => void synced.push(names.get(handle)));
  syncBuiltinESMExports();
  try {
    const { made } = openDataFolder(settingsFromOptions({ data }, {}, String));
    assert.ok(made);
    assert.deepEqual(synced, [join(data, 'secret'), ...(process.platform === 'win32' ? [] : [data])]);
  } finally {
    mock.restoreAll();
    syncBuiltinESMExports();
    rmSync(data, { recursive: true, force: true });
  }
});

const onUnix = { skip: process.platform === 'win32' };
const mode = (name: string) => statSync(name).mode & 0o777;

/** Opens a folder, open to others, that holds these files; a name that ends with a slash is a folder. */
function openWith(names: readonly string[], also: { mode?: number; database?: string } = {}) {
  const data = mkdtempSync(join(tmpdir(), 'latchkey-'));
  for (const name of names) {
    if (name.endsWith('/')) mkdirSync(join(data, name));
    else writeFileSync(join(data, name), name === 'secret' ? 'x'.repeat(43) : 'text', { mode: 0o644 });
  }
  const before = also.mode ?? 0o755;
  chmodSync(data, before);
  try {
    const database = also.database === undefined ? {} : { database: join(data, also.database) };
    const secret = 'kX3v0h7nQzm2TJw8rBu5CyD1fsG4aPl6eIO9ktXVw-r';
    const environment =
      names.includes('secret') || names.includes('secret/') ? {} : { LATCHKEY_SECRET: secret };
    openDataFolder(settingsFromOptions({ data, ...database }, environment, String));
    return mode(data);
  } catch (error) {
    assert.ok(error instanceof StartError, String(error));
    assert.equal(mode(data), before);
    return error.message;
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

test('a folder of ours, or one with nothing in it, is closed to others', onUnix, () => {
  assert.equal(openWith([]), 0o700);
  assert.equal(openWith(['secret']), 0o700);
  assert.equal(openWith(['lost+found/', '.gitkeep', 'backups/', '2026-11-25.db']), 0o700);
  assert.equal(openWith(['latchkey.db', 'latchkey.db-wal', 'latchkey.db.lock']), 0o700);
  assert.equal(openWith(['db/', 'db/accounts'], { database: 'db/accounts' }), 0o700);
  assert.equal(openWith(['accounts.sqlite', 'accounts.sqlite-wal'], { database: 'accounts.sqlite' }), 0o700);
});

test(
  'a folder that holds the files of others keeps its mode, and is refused where others may write in it',
  onUnix,
  () => {
    for (const names of [
      ['package.json'],
      ['db/'],
      ['bin/', 'etc/'],
      ['.bashrc'],
      ['secrets.txt'],
      ['latchkey.db', 'a.log'],
    ]) {
      assert.equal(openWith(names), 0o755, names.join());
      assert.equal(openWith(names, { mode: 0o700 }), 0o700);
      assert.match(
        String(openWith(names, { mode: 0o777 })),
        /Others may write in the data folder .* chmod 700/,
      );
      assert.match(String(openWith(names, { mode: 0o770 })), /Others may write in the data folder/);
    }
  },
);

test('a folder that is shared is told of at the start', onUnix, () => {
  const data = mkdtempSync(join(tmpdir(), 'latchkey-'));
  try {
    const settings = settingsFromOptions({ data }, {}, String);
    assert.equal(openDataFolder(settings).notice, null);
    writeFileSync(join(data, 'server.log'), '');
    assert.equal(openDataFolder(settings).notice, null, 'it is closed to others');
    chmodSync(data, 0o755);
    assert.match(String(openDataFolder(settings).notice), /holds other files too/);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});

test('a file called secret that holds none keeps its mode, and a folder of that name is told', onUnix, () => {
  const data = mkdtempSync(join(tmpdir(), 'latchkey-'));
  const settings = settingsFromOptions({ data }, {}, String);
  const file = join(data, 'secret');
  try {
    writeFileSync(file, 'a recipe', { mode: 0o644 });
    assert.throws(() => openDataFolder(settings), /is damaged/);
    assert.deepEqual([mode(file), readFileSync(file, 'utf8')], [0o644, 'a recipe']);
    rmSync(file);
    mkdirSync(file);
    assert.throws(
      () => openDataFolder(settings),
      (error) => error instanceof StartError && /EISDIR/.test(error.message),
    );
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});
