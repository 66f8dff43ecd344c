// One SQLite file takes the place of another. Only while the store is held whole: see `holdStore`.
import {
  closeSync,
  constants,
  copyFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { lockFileOf, openSqlite } from './sqlite-file.ts';

/** What SQLite keeps beside a file while it is open, or after a crash. */
const companions = ['-wal', '-shm', '-journal'] as const;

/** Copy a file as it lies, with what a crash left beside it, into a new one that only we can read. */
export async function takeCopy(from: string, to: string): Promise<void> {
  for (const part of ['', '-wal', '-journal']) {
    if (part !== '' && !existsSync(from + part)) continue;
    await pipeline(createReadStream(from + part), createWriteStream(to + part, { flags: 'wx', mode: 0o600 }));
  }
}

/** Put a closed file in the place of the one at `path`, which keeps living at `aside`. Tells whether there was one. */
export function exchange(path: string, prepared: string, aside: string): boolean {
  const before = existsSync(path);
  // What is only in the log goes into the file first. One that is damaged keeps its log, under the other name too.
  if (before) foldLog(path);
  for (const part of ['', '-wal']) if (existsSync(path + part)) keepAs(path + part, aside + part);
  // Before the exchange: a log that is found beside another file would be played back into it.
  for (const part of companions) rmSync(path + part, { force: true });
  syncPath(prepared);
  // In one step: at no instant is there no database under this name.
  renameSync(prepared, path);
  syncPath(dirname(path));
  return before;
}

/** Remove a file that was prepared, and all that lies beside it. */
export function discard(prepared: string): void {
  for (const name of [prepared, lockFileOf(prepared), ...companions.map((part) => prepared + part)])
    rmSync(name, { force: true });
}

function foldLog(path: string): void {
  try {
    openSqlite(path).close();
  } catch {
    // Damaged: that is why it is exchanged.
  }
}

function keepAs(path: string, aside: string): void {
  try {
    linkSync(path, aside);
  } catch {
    // A file system without links.
    copyFileSync(path, aside, constants.COPYFILE_EXCL);
  }
}

function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  fsyncSync(handle);
  closeSync(handle);
}
