// A backup is brought back: nothing that was ended or revoked after it lives again, nothing is lost when it cannot be done.
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isLatchkeyError } from '../../src/errors.ts';
import type { Tokens } from '../../src/flows/house.ts';
import { generateSecret } from '../../src/house-secret.ts';
import { latchkey } from '../../src/latchkey.ts';
import { type Ran, runCommand } from './run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
const data = join(folder, 'data');
const database = join(data, 'latchkey.db');
const backup = join(folder, 'backup.db');
const environment = { LATCHKEY_DATA: data };
let tokens: Tokens;

const open = () => latchkey({ data, environment: {}, log: 'off' });
const run = (argv: readonly string[], more = {}): Promise<Ran> =>
  runCommand(argv, { environment: { ...environment, ...more }, folder });

before(async () => {
  const house = await open();
  await house.signUp({ username: 'ada', password: 'correct horse battery' });
  tokens = await house.logIn({ name: 'ada', password: 'correct horse battery' });
  await house.close();
  assert.equal((await run(['backup', backup])).code, 0);
});
after(() => rmSync(folder, { recursive: true }));

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'good';
  } catch (error) {
    assert.ok(isLatchkeyError(error));
    return error.code;
  }
}

test('restore is refused beside whoever has the database open, also where it is damaged', async () => {
  const house = await open();
  const whole = readFileSync(database);
  assert.match((await run(['restore', backup])).stderr, /Stop it first/);
  assert.equal(await codeOf(() => house.verify(tokens.accessToken)), 'good');
  await house.close();
  const holder = await open();
  writeFileSync(database, 'garbage');
  assert.match((await run(['restore', backup])).stderr, /Stop it first/);
  await holder.close().catch(() => {});
  for (const name of ['-wal', '-shm']) rmSync(database + name, { force: true });
  writeFileSync(database, whole);
});

test('a link leads to the database: restore is refused beside whoever has it open by the other name, and exchanges the file', {
  skip: process.platform === 'win32',
}, async () => {
  const link = join(folder, 'link.db');
  symlinkSync(database, link);
  const more = { LATCHKEY_DATABASE: link };
  const house = await open();
  const beside = await run(['restore', backup, '--keep-sessions'], more);
  await house.close();
  assert.match(beside.stderr, /Stop it first/);
  assert.equal((await run(['restore', backup, '--keep-sessions'], more)).code, 0);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.ok(readdirSync(data).some((name) => name.startsWith('latchkey.db.before-')));
});

test("a lock file that nobody holds, as a crash leaves it, stands in nobody's way", async () => {
  assert.ok(existsSync(`${database}.lock`));
  assert.equal((await run(['restore', backup, '--keep-sessions'])).code, 0);
});

test('with --keep-sessions what the backup knows lives on', async () => {
  const house = await open();
  assert.equal(await codeOf(() => house.verify(tokens.accessToken)), 'good');
  await house.close();
});

test('what cannot be brought back changes nothing: damaged, not ours, the database itself, keys of another secret', async () => {
  const before = readFileSync(database);
  const names = readdirSync(data).sort();
  const cut = join(folder, 'cut.db');
  writeFileSync(cut, readFileSync(backup));
  truncateSync(cut, 20_000);
  const text = join(folder, 'text.db');
  writeFileSync(text, 'no database');
  for (const [argv, more, why] of [
    [[cut], {}, /damaged/],
    [[text], {}, /damaged/],
    [[join(folder, 'gone.db')], {}, /There is no file/],
    [[database], {}, /the database itself/],
    [[backup], { LATCHKEY_SECRET: generateSecret() }, /do not open with the secret/],
  ] as const) {
    const ran = await run(['restore', ...argv], more);
    assert.equal(ran.code, 1, ran.stdout);
    assert.match(ran.stderr, why);
    assert.deepEqual(readFileSync(database), before);
    assert.deepEqual(readdirSync(data).sort(), names);
  }
});

test('without a secret nothing is restored, and none is made', async () => {
  const elsewhere = join(folder, 'elsewhere');
  const ran = await run(['restore', backup], { LATCHKEY_DATA: elsewhere });
  assert.match(ran.stderr, /There is no secret/);
  assert.deepEqual(
    readdirSync(elsewhere).filter((name) => !name.endsWith('.lock')),
    [],
  );
});

test('restore ends every session and every access token, and keeps the database that was there aside', async () => {
  const house = await open();
  const later = await house.logIn({ name: 'ada', password: 'correct horse battery' });
  const ada = await house.users.findByName('ada');
  await house.users.add({ username: 'after-backup', password: 'correct horse battery' });
  // Raises the epoch past that of the backup: a token of the replaced world must not look newer than the restored one.
  await house.users.setPassword(ada!.id, 'another horse battery');
  const newest = await house.logIn({ name: 'ada', password: 'another horse battery' });
  await house.close();
  const fileBefore = statSync(backup).mtimeMs;

  const answer = (await run(['restore', backup, '--json'])).json();
  assert.equal(answer.sessions, 'ended');
  assert.equal(statSync(backup).mtimeMs, fileBefore, 'the backup is only read');
  for (const name of ['-wal', '-shm']) assert.equal(existsSync(database + name), false);
  if (process.platform !== 'win32') assert.equal(statSync(database).mode & 0o777, 0o600);

  const restored = await open();
  for (const { accessToken, refreshToken } of [tokens, later, newest]) {
    assert.notEqual(await codeOf(() => restored.verify(accessToken)), 'good');
    assert.notEqual(await codeOf(() => restored.refresh(refreshToken)), 'good');
  }
  assert.equal(await restored.users.findByName('after-backup'), null);
  const anew = await restored.logIn({ name: 'ada', password: 'correct horse battery' });
  assert.equal(await codeOf(() => restored.verify(anew.accessToken)), 'good');
  await restored.close();

  const aside = await latchkey({ data, database: answer.kept_aside, environment: {}, log: 'off' });
  assert.notEqual(await aside.users.findByName('after-backup'), null, 'nothing of it was lost');
  await aside.close();
});

test('a damaged database is exchanged like a good one, with its log', async () => {
  writeFileSync(database, 'garbage');
  writeFileSync(`${database}-wal`, 'a log of the garbage');
  const answer = (await run(['restore', backup, '--json'])).json();
  assert.equal(readFileSync(answer.kept_aside, 'utf8'), 'garbage');
  assert.equal(existsSync(`${database}-wal`), false);
  const house = await open();
  assert.notEqual(await house.users.findByName('ada'), null);
  await house.close();
});
