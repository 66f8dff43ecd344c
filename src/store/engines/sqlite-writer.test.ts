// What a batch promises: units are whole or not at all, and one that fails takes nobody along.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Unit } from '../engine.ts';
import { openSqlite, type SqliteFile } from './sqlite-file.ts';
import { writeBatch } from './sqlite-writer.ts';

let folder: string;
let path: string;
let file: SqliteFile;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
  path = join(folder, 'batch.sqlite');
  file = openSqlite(path);
  file.exec('CREATE TABLE marks (name TEXT PRIMARY KEY, weight BLOB)');
  file.exec('CREATE TABLE entries (id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL)');
});
afterEach(() => {
  file.close();
  rmSync(folder, { recursive: true, force: true });
});

const put = (name: string, bytes = 0) => ({
  sql: 'INSERT INTO marks VALUES (?, zeroblob(?))',
  parameters: [name, bytes],
  rows: 1,
});
const nobody = { sql: "UPDATE marks SET weight = NULL WHERE name = 'nobody'", parameters: [], rows: 1 };
const entry = (subject: string) => ({
  sql: 'INSERT INTO entries (subject) VALUES (?) RETURNING *',
  parameters: [subject],
  rows: 1,
});
const unit = (...statements: Unit['statements']): Unit => ({ statements });
/** What another process sees. */
function names(): unknown[] {
  const other = openSqlite(path, { readOnly: true });
  const { rows } = other.run('SELECT name FROM marks ORDER BY rowid', []);
  other.close();
  return rows.map(({ name }) => name);
}

test('a unit that fails takes no other of its batch along', () => {
  const broken = { sql: 'INSERT INTO nowhere VALUES (1)', parameters: [], rows: 1 };
  const { results, refused } = writeBatch(file, [
    unit(put('a')),
    unit(put('b'), broken),
    unit(put('c'), nobody),
    unit(put('d')),
  ]);
  assert.deepEqual(
    results.map(({ outcome }) => outcome),
    ['done', 'failed', 'conflict', 'done'],
  );
  assert.equal(refused, false);
  assert.deepEqual(names(), ['a', 'd']);
});

test('a count that does not match undoes the whole unit, what it revokes too, and names the statement', () => {
  const { results, entries } = writeBatch(file, [
    { statements: [put('a'), nobody], entries: entry('undone') },
    { statements: [put('b')], entries: { ...entry('miscounted'), rows: 2 } },
    { statements: [put('c')], entries: entry('kept') },
  ]);
  assert.deepEqual(results[0], { outcome: 'conflict', statement: 1 });
  assert.deepEqual(results[1], { outcome: 'conflict', statement: -1 });
  assert.deepEqual(
    entries.map((each) => ({ ...each })),
    [{ id: 1, subject: 'kept' }],
  );
  assert.deepEqual(names(), ['c']);
});

test('a duplicate tells its column', () => {
  const { results } = writeBatch(file, [unit(put('a')), unit(put('a')), unit(put('b'))]);
  assert.deepEqual(results[1], { outcome: 'duplicate', column: 'marks.name' });
  assert.deepEqual(names(), ['a', 'b']);
});

test('a full disk refuses every unit of the batch, and none is half there', () => {
  const pages = Number(file.run('PRAGMA page_count', []).rows[0]?.page_count);
  file.exec(`PRAGMA max_page_count = ${pages + 2}`);
  const { results, entries, refused } = writeBatch(file, [
    { statements: [put('before')], entries: entry('before') },
    unit(put('too much', 1_000_000)),
    unit(put('after')),
  ]);
  assert.deepEqual(
    results.map(({ outcome }) => outcome),
    ['failed', 'failed', 'failed'],
  );
  assert.ok(refused);
  assert.deepEqual(entries, []);
  assert.deepEqual(names(), []);
  file.exec('PRAGMA max_page_count = 100000');
  assert.equal(writeBatch(file, [unit(put('again'))]).results[0]?.outcome, 'done');
  assert.equal(file.run('PRAGMA integrity_check', []).rows[0]?.integrity_check, 'ok');
});

test('a disk that is full at the commit refuses every unit, and the transaction is not left open', () => {
  const failing: SqliteFile = {
    ...file,
    exec(sql) {
      if (sql === 'COMMIT') throw new Error('database or disk is full');
      file.exec(sql);
    },
  };
  const { results, refused } = writeBatch(failing, [unit(put('a')), unit(put('b'))]);
  assert.ok(refused && results.every(({ outcome }) => outcome === 'failed'));
  assert.equal(file.inTransaction(), false);
  assert.deepEqual(names(), []);
});

test('a lock that another process holds refuses the batch and is tried again with the next', () => {
  const other = openSqlite(path);
  const impatient = openSqlite(path, { lockWithin: 0 });
  other.exec('BEGIN IMMEDIATE');
  assert.equal(writeBatch(impatient, [unit(put('a'))]).refused, true);
  other.exec('COMMIT');
  assert.equal(writeBatch(impatient, [unit(put('a'))]).refused, false);
  other.close();
  impatient.close();
  assert.deepEqual(names(), ['a']);
});
