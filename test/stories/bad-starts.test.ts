// What is damaged or missing stops the start with a sentence that says what to do, and nothing is made anew in its place.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs, {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, mock, test } from 'node:test';
import { generateSecret } from '../../src/house-secret.ts';
import { openHouse } from '../../src/latchkey.ts';
import { runCommand } from './run-command.ts';

const root = mkdtempSync(join(tmpdir(), 'latchkey-'));
const good = join(root, 'good');
const url = 'http://127.0.0.1:4000';

before(async () => {
  const opened = await openHouse({ data: good, environment: {}, log: 'off' });
  await opened.latchkey.users.add({ username: 'ada', password: 'correct horse battery' });
  await opened.latchkey.close();
});
after(() => rmSync(root, { recursive: true }));

interface Place {
  readonly data: string;
  readonly database: string;
  readonly secret: string;
}

let count = 0;
function copy(): Place {
  const data = join(root, `copy-${count++}`);
  cpSync(good, data, { recursive: true });
  return { data, database: join(data, 'latchkey.db'), secret: join(data, 'secret') };
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Every file of a folder with what is in it; what SQLite keeps beside an open file may come and go. */
function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => !/-(wal|shm)$|\.lock$/.test(name));
  return Object.fromEntries(names.map((name) => [name, hashOf(readFileSync(join(folder, name)))]));
}

/** Start as `latchkey serve` does; tells what it says. It must fail, within the folder as it was. */
async function failing({ data }: Place, more: Record<string, string> = {}): Promise<string> {
  const before = contents(data);
  const environment = { LATCHKEY_DATA: data, LATCHKEY_URL: url, LATCHKEY_LOG: 'off', PORT: '0', ...more };
  const ran = await runCommand(['serve'], { environment, folder: root, stopSignal: async () => 'TEST' });
  assert.equal(ran.code, 1, ran.stdout);
  assert.equal(ran.stdout, '');
  assert.match(ran.stderr, /^Latchkey did not start\.\n/);
  assert.ok(!/\n\s+at /.test(ran.stderr), 'a sentence and not a stack');
  assert.deepEqual(contents(data), before, 'nothing was made anew');
  return ran.stderr;
}

test('a good copy starts, so that what is wrong below is what was done to it', async () => {
  const { data } = copy();
  const environment = { LATCHKEY_DATA: data, LATCHKEY_URL: url, LATCHKEY_LOG: 'off', PORT: '0' };
  const ran = await runCommand(['serve'], { environment, folder: root, stopSignal: async () => 'TEST' });
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /First admin: +npx latchkey admin create NAME/);
});

test('the start names the folder, and where the database lies elsewhere, its file', async () => {
  const { data } = copy();
  const elsewhere = join(root, 'elsewhere.db');
  copyFileSync(join(data, 'latchkey.db'), elsewhere);
  const environment = { LATCHKEY_DATA: data, LATCHKEY_URL: url, LATCHKEY_LOG: 'off', PORT: '0' };
  for (const [more, place] of [
    [{}, data],
    [{ LATCHKEY_DATABASE: elsewhere }, elsewhere],
  ] as const) {
    const around = { environment: { ...environment, ...more }, folder: root };
    const ran = await runCommand(['serve'], { ...around, stopSignal: async () => 'TEST' });
    assert.match(ran.stdout, /Data: +(.+)\n/);
    assert.equal(/Data: +(.+)\n/.exec(ran.stdout)![1], place);
  }
});

test('a database that was cut, emptied or overwritten stops the start', async () => {
  const size = readFileSync(join(good, 'latchkey.db')).length;
  for (const length of [0, 1, 100, 4096, Math.floor(size / 2), size - 4096]) {
    const place = copy();
    truncateSync(place.database, length);
    assert.match(
      await failing(place),
      /latchkey\.db is damaged, or is not a database.*latchkey restore FILE/,
      `${length}`,
    );
  }
  for (const text of ['no database at all\n', 'x'.repeat(100_000), '\0'.repeat(8192)]) {
    const place = copy();
    writeFileSync(place.database, text);
    assert.match(await failing(place), /damaged/);
  }
});

test('a database whose pages were overwritten in the middle stops the start', async () => {
  const place = copy();
  const bytes = readFileSync(place.database);
  writeFileSync(
    place.database,
    Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 7)]),
  );
  assert.match(await failing(place), /damaged/);
});

test('a database that is gone while its log is still there stops the start: the log would be played into the new one', async () => {
  const place = copy();
  renameSync(place.database, `${place.database}-wal`);
  assert.match(await failing(place), /is missing/);
  assert.equal(existsSync(place.database), false);
});

test('a secret that is gone, cut or overwritten stops the start', async () => {
  const gone = copy();
  rmSync(gone.secret);
  assert.match(await failing(gone), /secret is missing.*LATCHKEY_SECRET/);
  assert.equal(existsSync(gone.secret), false);
  for (const text of [
    '',
    '\n',
    'short',
    `${readFileSync(join(good, 'secret'), 'utf8').slice(0, 20)}\n`,
    '\0'.repeat(44),
  ]) {
    const place = copy();
    writeFileSync(place.secret, text);
    assert.match(await failing(place), /secret is damaged/);
  }
});

test('the secret of another house stops the start, from a file or from the environment', async () => {
  const place = copy();
  writeFileSync(place.secret, `${generateSecret()}\n`);
  assert.match(await failing(place), /cannot be opened with LATCHKEY_SECRET/);
  assert.match(
    await failing(copy(), { LATCHKEY_SECRET: generateSecret() }),
    /cannot be opened with LATCHKEY_SECRET/,
  );
});

test('a secret or a database that this user may not read and write stops the start, with what to do', async () => {
  // What modes do to everybody but root, who may run this test.
  for (const [call, name, sentence] of [
    ['readFileSync', 'secret', /secret cannot be read \(EACCES\).*chown/],
    ['accessSync', 'latchkey.db', /may not read and write .*latchkey\.db\. .*chown/],
  ] as const) {
    const real = fs[call] as (...given: unknown[]) => unknown;
    mock.method(fs, call, (...given: unknown[]) => {
      // This test itself reads the bytes of the files, and never as a text.
      const ours = call === 'readFileSync' && given[1] === undefined;
      if (!ours && String(given[0]).endsWith(name)) throw Object.assign(new Error('no'), { code: 'EACCES' });
      return real(...given);
    });
    syncBuiltinESMExports();
    try {
      assert.match(await failing(copy()), sentence);
    } finally {
      mock.restoreAll();
      syncBuiltinESMExports();
    }
  }
});

test('no sentence of a failed start holds the secret', async () => {
  const secret = generateSecret();
  assert.ok(!(await failing(copy(), { LATCHKEY_SECRET: secret })).includes(secret));
});

test('wrong settings are told all at once, each with what to write', async () => {
  const said = await failing(copy(), {
    LATCHKEY_ACCESS_TTL: 'soon',
    LATCHKEY_STALE: 'maybe',
    LATCHKEY_NONSENSE: '1',
  });
  for (const name of ['LATCHKEY_ACCESS_TTL', 'LATCHKEY_STALE', 'LATCHKEY_NONSENSE'])
    assert.ok(said.includes(name));
});

test('a port that is taken stops the start, and leaves nothing open', async () => {
  const place = copy();
  const server = createServer().listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const environment = {
      LATCHKEY_DATA: place.data,
      LATCHKEY_URL: url,
      LATCHKEY_LOG: 'off',
      PORT: `${port}`,
    };
    const ran = await runCommand(['serve'], { environment, folder: root, stopSignal: async () => 'TEST' });
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /is taken by another program/);
  } finally {
    server.close();
  }
  // Nobody has it open any more: else this would be refused.
  const backup = join(root, 'after.db');
  copyFileSync(place.database, backup);
  const environment = { LATCHKEY_DATA: place.data };
  const restored = await runCommand(['restore', backup], { environment, folder: root });
  assert.equal(restored.code, 0, restored.stderr);
});

test('a config file that does not load stops the start before anything is made', async () => {
  const folder = join(root, 'with-config');
  mkdirSync(folder);
  writeFileSync(join(folder, 'latchkey.config.mjs'), 'export default {');
  const data = join(folder, 'data');
  const ran = await runCommand(['serve'], { environment: { LATCHKEY_DATA: data }, folder });
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /latchkey\.config\.mjs does not load: SyntaxError/);
  assert.equal(existsSync(data), false);
});

test('a database of another program is left as it is', async () => {
  const place = copy();
  rmSync(place.database);
  const other = new DatabaseSync(place.database);
  other.exec('CREATE TABLE songs (name TEXT)');
  other.close();
  assert.match(await failing(place), /is not one of Latchkey/);
});

test('a second server on a database that another one uses stops where it would be another issuer', async () => {
  const place = copy();
  const first = await openHouse({ data: place.data, environment: {}, log: 'off', url });
  try {
    const elsewhere = { LATCHKEY_URL: 'http://127.0.0.1:4001' };
    assert.match(
      await failing(place, elsewhere),
      /in use by a server whose LATCHKEY_URL is http:\/\/127\.0\.0\.1:4000/,
    );
    const second = await openHouse({ data: place.data, environment: {}, log: 'off', url });
    await second.latchkey.close();
  } finally {
    await first.latchkey.close();
  }
  // Alone on it, another address is a move.
  const moved = await openHouse({
    data: place.data,
    environment: {},
    log: 'off',
    url: 'http://127.0.0.1:4001',
  });
  assert.equal(moved.house.settings.issuer, 'http://127.0.0.1:4001');
  await moved.latchkey.close();
});
