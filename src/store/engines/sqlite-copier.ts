// The thread that copies a database in use into a new file, and does not end before the copy is on the disk and proven whole.
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { workerData } from 'node:worker_threads';
import { openSqlite } from './sqlite-file.ts';

/** What the thread is given: the database, and an empty file that only we can read. */
export interface CopierData {
  readonly path: string;
  readonly file: string;
}

const { path, file } = workerData as CopierData;

const source = openSqlite(path, { readOnly: true });
// backup() starts over whenever somebody writes; VACUUM INTO reads one snapshot.
source.run('VACUUM INTO ?', [file]);
source.close();

const copy = openSqlite(file, { readOnly: true });
const { rows } = copy.run('PRAGMA integrity_check(1)', []);
copy.close();
if (rows[0]?.integrity_check !== 'ok') throw new Error('The copy is not whole.');

for (const name of [file, dirname(file)]) {
  const handle = openSync(name, 'r');
  fsyncSync(handle);
  closeSync(handle);
}
