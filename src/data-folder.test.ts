// The folder at its first start.
import assert from 'node:assert/strict';
import fs, { mkdtempSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { openDataFolder } from './data-folder.ts';
import { settingsFromOptions } from './settings.ts';

test('a secret that was made is on the disk, with its folder, before anything is sealed with it', () => {
  const data = mkdtempSync(join(tmpdir(), 'latchkey-'));
  const names = new Map<number, string>();
  const synced: (string | undefined)[] = [];
  const { openSync } = fs;
  mock.method(fs, 'openSync', (...given: Parameters<typeof openSync>) => {
    const handle = openSync(...given);
    // It gets its own name once it is whole.
    names.set(handle, String(given[0]).replace(/\.\d+$/, ''));
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
