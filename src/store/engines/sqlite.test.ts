// What the engine on SQLite promises beyond the contract: when its writer dies, hangs or waits, and what its file is like.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setImmediate as turnOfLoop, setTimeout as wait } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { type TurnableClock, turnableClock } from '../../clock.ts';
import { isLatchkeyError, StartError } from '../../errors.ts';
import { decideRefresh } from '../../sessions/refresh.ts';
import { openSession } from '../../sessions/session.ts';
import { startThread } from '../../threads.ts';
import type { Engine, Unit } from '../engine.ts';
import { openStore, type Store } from '../store.ts';
import { openSqliteEngine, type SqliteEngineOptions } from './sqlite.ts';
import { openSqlite } from './sqlite-file.ts';
import type { Answer, Ask } from './sqlite-writer.ts';

let folder: string;
let path: string;
const opened: Engine[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
  path = join(folder, 'data', 'latchkey.sqlite');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function openEngine(options?: SqliteEngineOptions): Promise<Engine> {
  const engine = await openSqliteEngine(path, options);
  opened.push(engine);
  return engine;
}

const fact = (name: string, value = 'x'): Unit => ({
  statements: [{ sql: 'INSERT INTO facts VALUES (?, ?)', parameters: [name, value], rows: 1 }],
});
const facts = async (engine: Engine) =>
  (await engine.db.selectFrom('facts').select('name').where('name', 'like', 'fact-%').execute()).map(
    ({ name }) => name,
  );
const refusedForStore = (error: unknown): boolean =>
  isLatchkeyError(error) && error.code === 'store_unavailable' && error.extra.retryAfter === 1;

async function until(holds: () => boolean): Promise<void> {
  for (let left = 500; !holds(); left--) {
    assert.ok(left > 0, 'it did not come about within five seconds');
    await wait(10);
  }
}

/** A thread whose answers can be kept from the engine. */
function deafenable(): {
  start: SqliteEngineOptions['startWriter'];
  workers: Worker[];
  kept: Answer[];
  deaf: boolean;
} {
  const link = {
    workers: [] as Worker[],
    kept: [] as Answer[],
    deaf: false,
    start(workerData: object): Worker {
      const worker = startThread(import.meta.url, 'sqlite-writer', { workerData });
      const emit = worker.emit.bind(worker);
      worker.emit = (event: string, ...rest: unknown[]) => {
        if (event !== 'message' || !link.deaf) return emit(event as 'message', ...rest);
        link.kept.push(rest[0] as Answer);
        return true;
      };
      link.workers.push(worker);
      return worker;
    },
  };
  return link;
}

/** A thread that does nothing by itself. */
class Puppet extends EventEmitter {
  readonly asked: Ask[] = [];
  onAsk: (ask: Ask) => void = () => {};
  postMessage(ask: Ask): void {
    this.asked.push(ask);
    this.onAsk(ask);
  }
  answer(ask: Ask, outcome: 'done' | 'failed'): void {
    const units = ask.ask === 'write' ? ask.units : [];
    const failed = { outcome: 'failed', message: 'no space' } as const;
    const results = units.map(() => (outcome === 'done' ? ({ outcome, rows: [] } as const) : failed));
    this.emit('message', { answer: 'written', results, entries: [], refused: outcome === 'failed' });
  }
  ref(): void {}
  unref(): void {}
  async terminate(): Promise<number> {
    return 0;
  }
}

describe('when the writer dies', () => {
  test('what flew is refused, what comes at once too, and after a moment it writes again', async () => {
    const link = deafenable();
    const engine = await openEngine({ startWriter: link.start! });
    await engine.write(fact('fact-before'));
    link.deaf = true;
    const flying = Array.from({ length: 5 }, (_, index) => engine.write(fact(`fact-${index}`)));
    const refusals = flying.map((write) => assert.rejects(write, refusedForStore));
    await until(() => link.kept.length === 1);
    const waiting = assert.rejects(engine.write(fact('fact-waiting')), refusedForStore);
    link.deaf = false;
    await link.workers[0]!.terminate();
    await Promise.all([...refusals, waiting]);
    assert.equal(engine.healthy(), false);
    await assert.rejects(engine.write(fact('fact-too-soon')), refusedForStore);
    await until(() => engine.healthy());
    await engine.write(fact('fact-after'));
    const known = await facts(engine);
    assert.ok(known.includes('fact-before') && known.includes('fact-after'));
    assert.ok(!known.includes('fact-waiting') && !known.includes('fact-too-soon'));
  });

  test('a thread that dies in the middle of a batch leaves no lock behind and nothing half done', async () => {
    const link = deafenable();
    const engine = await openEngine({ startWriter: link.start! });
    // A thread ends between two statements, never within one.
    const slow =
      'WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 3000000) SELECT count(*) FROM c';
    const half: Unit = {
      statements: [...fact('fact-half').statements, { sql: slow, parameters: [], rows: null }],
    };
    const refused = assert.rejects(engine.write(half), refusedForStore);
    await until(() => heldByAnother(path));
    await link.workers[0]!.terminate();
    await refused;
    await until(() => engine.healthy());
    await engine.write(fact('fact-whole'));
    assert.deepEqual(await facts(engine), ['fact-whole']);
  });

  test('what it had committed is in the view before anybody is answered', async () => {
    const link = deafenable();
    const store = openStore(await openEngine({ startWriter: link.start! }), turnableClock());
    const order: string[] = [];
    store.listen({ revoked: ({ subject }) => order.push(subject), keys: () => {} });
    link.deaf = true;
    const entry = { kind: 'token', subject: 'jti', userId: null, reason: 'token_revoked', until: 1 } as const;
    const adding = store.revocations.add([entry]).catch(() => order.push('answered'));
    await until(() => link.kept.length === 1);
    assert.deepEqual(order, []);
    await link.workers[0]!.terminate();
    await adding;
    assert.deepEqual(order, ['jti', 'answered']);
  });

  describe('under a rotation whose answer was lost', () => {
    const policy = { idleMs: 3_600_000, ttlMs: 7_200_000, graceMs: 10_000, refreshKid: 'kid' };
    let clock: TurnableClock;

    async function storeWithSession(engine: Engine): Promise<Store> {
      clock = turnableClock();
      const store = openStore(engine, clock);
      await store.sessions.prepare(policy, true);
      const now = clock.now();
      const account = {
        ...{ id: 'user', username: 'anna', email: null, disabled: false, emailVerified: false, profile: {} },
        ...{ scopes: [], epoch: 1, version: 1, createdAt: now, updatedAt: now },
      };
      await store.accounts.add({ account, passwordHash: 'hash' });
      const session = openSession({
        ...{ id: 'session', userId: 'user', now, policy, refreshKid: 'kid', salt: 'salt', authTime: now },
        ...{ amr: ['pwd'], askedScopes: null, clientId: null, label: null, address: null },
      });
      assert.ok(await store.sessions.open(session, 1));
      return store;
    }

    const refreshFirst = (store: Store) => refreshWith(store, 1);
    const refreshWith = (store: Store, generation: number) =>
      store.sessions.change('session', (session, _, now) => {
        const presented = { generation, expiresAt: session.refreshExpiresAt };
        const decision = decideRefresh(session, presented, now, policy);
        const { outcome } = decision;
        if (decision.outcome === 'rotated') return { outcome, next: decision.session, rotates: true };
        return decision.outcome === 'reused' ? { outcome, next: decision.session } : { outcome };
      });

    test('its grace is renewed first, however long the recovery took', async () => {
      const link = deafenable();
      const store = await storeWithSession(await openEngine({ startWriter: link.start! }));
      link.deaf = true;
      const lost = assert.rejects(refreshFirst(store), refusedForStore);
      await until(() => link.kept.length === 1);
      link.deaf = false;
      await link.workers[0]!.terminate();
      await lost;
      clock.turn(60_000);
      await until(() => store.healthy());
      assert.equal(await refreshFirst(store), 'repeated');
      assert.equal((await store.sessions.find('session'))!.endedAt, null);
    });

    test('a rotation that never happened opens no grace for the token that was spent before it', async () => {
      const link = deafenable();
      const puppet = new Puppet();
      const threads = [link.start!, () => puppet as unknown as Worker, link.start!];
      const startWriter = (data: Parameters<NonNullable<typeof link.start>>[0]) => threads.shift()!(data);
      const store = await storeWithSession(await openEngine({ startWriter }));
      assert.equal(await refreshFirst(store), 'rotated');
      clock.turn(60_000);
      await link.workers[0]!.terminate();
      await until(() => store.healthy());
      const lost = assert.rejects(refreshWith(store, 2), refusedForStore);
      await until(() => puppet.asked.length === 1);
      puppet.emit('exit', 1);
      await lost;
      await until(() => store.healthy());
      // Any write waits for the recovery.
      await store.facts.accessLife(900_000);
      assert.equal(await refreshFirst(store), 'reused');
    });

    test('nothing is judged while its grace cannot be renewed', async () => {
      const link = deafenable();
      const puppet = new Puppet();
      const threads = [link.start!, () => puppet as unknown as Worker, link.start!];
      const startWriter = (data: Parameters<NonNullable<typeof link.start>>[0]) => threads.shift()!(data);
      const store = await storeWithSession(await openEngine({ startWriter }));
      link.deaf = true;
      const lost = assert.rejects(refreshFirst(store), refusedForStore);
      await until(() => link.kept.length === 1);
      link.deaf = false;
      puppet.onAsk = (ask) => setImmediate(() => puppet.answer(ask, 'failed'));
      await link.workers[0]!.terminate();
      await lost;
      clock.turn(60_000);
      await until(() => puppet.asked.length > 0);
      await assert.rejects(refreshFirst(store), refusedForStore);
      const asked = puppet.asked.flatMap((ask) => (ask.ask === 'write' ? ask.units : []));
      const written = asked.flatMap(({ statements }) => statements.flatMap(({ parameters }) => parameters));
      assert.ok(!written.includes('reuse_detected'));
      puppet.emit('exit', 1);
      await until(() => store.healthy());
      assert.equal(await refreshFirst(store), 'repeated');
    });
  });

  test('one that dies again and again is started ever more seldom', async () => {
    let started = 0;
    const startWriter = () => {
      started += 1;
      const puppet = new Puppet();
      setImmediate(() => puppet.emit('exit', 1));
      return puppet as unknown as Worker;
    };
    const engine = await openEngine({ startWriter });
    await wait(1_000);
    assert.ok(started >= 2 && started <= 5, String(started));
    await assert.rejects(engine.write(fact('fact-1')), refusedForStore);
  });

  test('and the system has no thread to give for a while, the process lives, and another is started when it has', async () => {
    let started = 0;
    const link = deafenable();
    const startWriter: SqliteEngineOptions['startWriter'] = (data) => {
      started += 1;
      if (started === 2 || started === 3) throw new Error('ERR_WORKER_INIT_FAILED');
      return link.start!(data);
    };
    const engine = await openEngine({ startWriter });
    await engine.write(fact('fact-1'));
    await link.workers[0]!.terminate();
    await until(() => started === 4 && engine.healthy());
    await engine.write(fact('fact-2'));
    assert.deepEqual(await facts(engine), ['fact-1', 'fact-2']);
  });
});

/** Whether somebody holds the write lock. */
function heldByAnother(file: string): boolean {
  const other = openSqlite(file, { lockWithin: 0 });
  try {
    other.exec('BEGIN IMMEDIATE');
    other.exec('ROLLBACK');
    return false;
  } catch {
    return true;
  } finally {
    other.close();
  }
}

describe('when the writer hangs or waits', () => {
  test('one that does not answer in time is refused for, and asked nothing until it answers', async () => {
    const puppet = new Puppet();
    const engine = await openEngine({ startWriter: () => puppet as unknown as Worker, answerWithin: 50 });
    const flying = assert.rejects(engine.write(fact('fact-1')), refusedForStore);
    await until(() => puppet.asked.length === 1);
    const waiting = assert.rejects(engine.write(fact('fact-2')), refusedForStore);
    await Promise.all([flying, waiting]);
    assert.equal(engine.healthy(), false);
    await assert.rejects(engine.write(fact('fact-3')), refusedForStore);
    assert.equal(puppet.asked.length, 1);
    puppet.onAsk = (ask) => puppet.answer(ask, 'done');
    puppet.answer(puppet.asked[0]!, 'done');
    assert.equal(engine.healthy(), true);
    assert.equal((await engine.write(fact('fact-4'))).outcome, 'done');
    puppet.onAsk = (ask) => ask.ask === 'close' && puppet.emit('message', { answer: 'closed' });
  });

  test('a close does not wait for one that hangs', async () => {
    const puppet = new Puppet();
    const engine = await openEngine({ startWriter: () => puppet as unknown as Worker, answerWithin: 50 });
    const flying = assert.rejects(engine.write(fact('fact-1')), refusedForStore);
    await until(() => puppet.asked.length === 1);
    await engine.close();
    await flying;
  });

  test('a writer that dies during a close leaves nobody waiting', async () => {
    const puppet = new Puppet();
    const engine = await openEngine({ startWriter: () => puppet as unknown as Worker });
    const flying = assert.rejects(engine.write(fact('fact-1')), refusedForStore);
    await until(() => puppet.asked.length === 1);
    const closing = engine.close();
    puppet.emit('exit', 1);
    await Promise.all([closing, flying]);
  });

  test('while another process holds the lock, all are refused in the time of one wait, and later written again', async () => {
    const link = deafenable();
    let asked = 0;
    const startWriter: SqliteEngineOptions['startWriter'] = (data) => {
      const worker = link.start!(data);
      const post = worker.postMessage.bind(worker);
      worker.postMessage = (ask: unknown) => {
        asked += 1;
        post(ask);
      };
      return worker;
    };
    const engine = await openEngine({ startWriter, lockWithin: 300 });
    const other = openSqlite(path);
    other.exec('BEGIN IMMEDIATE');
    const first = assert.rejects(engine.write(fact('fact-first')), refusedForStore);
    await until(() => asked === 1);
    const many = Array.from({ length: 2_000 }, (_, index) =>
      assert.rejects(engine.write(fact(`fact-${index}`)), refusedForStore),
    );
    await Promise.all([first, ...many]);
    assert.equal(asked, 1);
    // Reads go on, and so does what needs no write.
    assert.deepEqual(await facts(engine), []);
    assert.equal(engine.catchUp(), true);
    other.exec('COMMIT');
    other.close();
    assert.equal((await engine.write(fact('fact-after'))).outcome, 'done');
  });

  test('more than the queue holds is refused at once', async () => {
    const puppet = new Puppet();
    const engine = await openEngine({ startWriter: () => puppet as unknown as Worker });
    const flying = engine.write(fact('fact-0'));
    await until(() => puppet.asked.length === 1);
    const waiting = Array.from({ length: 10_000 }, () => engine.write(fact('fact-1')));
    await turnOfLoop();
    await assert.rejects(engine.write(fact('fact-2')), refusedForStore);
    puppet.onAsk = (ask) =>
      ask.ask === 'close'
        ? puppet.emit('message', { answer: 'closed' })
        : setImmediate(() => puppet.answer(ask, 'done'));
    puppet.answer(puppet.asked[0]!, 'done');
    await Promise.all([flying, ...waiting]);
    const batches = puppet.asked.map((ask) => (ask.ask === 'write' ? ask.units.length : 0));
    assert.ok(Math.max(...batches) <= 512);
  });
});

describe('reading', () => {
  test('what was read leaves no transaction open, so that the log can be written back', async () => {
    const engine = await openEngine();
    await engine.write(fact('fact-1'));
    await engine.db.selectFrom('facts').selectAll().executeTakeFirst();
    await engine.db.selectFrom('facts').selectAll().execute();
    engine.catchUp();
    const other = openSqlite(path);
    const { busy, log } = other.run('PRAGMA wal_checkpoint(TRUNCATE)', []).rows[0]!;
    other.close();
    assert.deepEqual([busy, log], [0, 0]);
  });

  test('nothing is streamed: an open iterator would pin the log', async () => {
    const engine = await openEngine();
    await assert.rejects(async () => {
      for await (const _ of engine.db.selectFrom('facts').selectAll().stream());
    }, /LIMIT/);
    const sources = readdirSync(import.meta.dirname).filter((name) => !name.endsWith('.test.ts'));
    for (const name of sources)
      assert.doesNotMatch(readFileSync(join(import.meta.dirname, name), 'utf8'), /\.iterate\(/);
  });

  test('a listener whose store cannot be read is told so, and is not left with half of it', async () => {
    const engine = await openSqliteEngine(path);
    await engine.close();
    assert.throws(() => engine.listen(() => {}), refusedForStore);
  });
});

describe('a copy', () => {
  test('is whole, ours alone, and made while others write', async () => {
    const engine = await openEngine();
    await Promise.all(
      Array.from({ length: 300 }, (_, index) => engine.write(fact(`fact-${index}`, 'y'.repeat(2_000)))),
    );
    let writing = true;
    const busy = (async () => {
      for (let index = 300; writing; index++) await engine.write(fact(`fact-${index}`));
    })();
    const copy = join(folder, 'copy.sqlite');
    await engine.copyTo(copy);
    writing = false;
    await busy;
    assert.equal(statSync(copy).mode & 0o777, 0o600);
    const file = openSqlite(copy, { readOnly: true });
    assert.equal(file.run('PRAGMA integrity_check', []).rows[0]?.integrity_check, 'ok');
    const { count } = file.run("SELECT count(*) AS count FROM facts WHERE name LIKE 'fact-%'", []).rows[0]!;
    file.close();
    assert.ok(Number(count) >= 300);
    const again = await openSqliteEngine(copy);
    assert.ok((await facts(again)).length >= 300);
    await again.close();
  });

  test('never goes over a file that is there', async () => {
    const engine = await openEngine();
    const copy = join(folder, 'precious');
    writeFileSync(copy, 'precious');
    await assert.rejects(engine.copyTo(copy), { code: 'EEXIST' });
    assert.equal(readFileSync(copy, 'utf8'), 'precious');
  });

  test('that does not come about leaves no file that could pass for one', async () => {
    const engine = await openEngine();
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => engine.write(fact(`fact-${index}`, 'y'.repeat(3_000)))),
    );
    const other = openSqlite(path);
    other.run('PRAGMA wal_checkpoint(TRUNCATE)', []);
    other.close();
    scribble(path);
    const copy = join(folder, 'copy.sqlite');
    await assert.rejects(engine.copyTo(copy));
    assert.equal(existsSync(copy), false);
  });
});

/** Damage the middle of a file. */
function scribble(file: string): void {
  const handle = openSync(file, 'r+');
  const { size } = statSync(file);
  writeSync(handle, Buffer.alloc(Math.floor(size / 2), 0xa5), 0, Math.floor(size / 2), Math.floor(size / 4));
  closeSync(handle);
}

describe('the file', () => {
  const mode = (name: string) => statSync(name).mode & 0o777;

  async function filled(): Promise<void> {
    const engine = await openSqliteEngine(path);
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => engine.write(fact(`fact-${index}`, 'y'.repeat(3_000)))),
    );
    await engine.close();
  }

  async function refusesUnchanged(message: RegExp): Promise<void> {
    const before = [readFileSync(path).toString('base64'), mode(path)];
    await assert.rejects(
      openSqliteEngine(path),
      (error) => error instanceof StartError && message.test(error.message),
    );
    assert.deepEqual([readFileSync(path).toString('base64'), mode(path)], before);
  }

  test('and those beside it are for their owner alone, and so is the folder', async () => {
    const engine = await openEngine();
    await engine.write(fact('fact-1'));
    for (const name of [path, `${path}-wal`, `${path}-shm`]) assert.equal(mode(name), 0o600, name);
    assert.equal(mode(join(folder, 'data')), 0o700);
  });

  test('that others could read is closed to them', async () => {
    await filled();
    chmodSync(path, 0o644);
    await openEngine();
    assert.equal(mode(path), 0o600);
  });

  test('that is no database stops the start and is not changed', async () => {
    mkdirSync(join(folder, 'data'));
    writeFileSync(path, 'This is a letter to my aunt. '.repeat(1_000), { mode: 0o640 });
    await refusesUnchanged(/is damaged, or is not a database. Nothing was changed/);
  });

  test('that lost its end stops the start and is not changed', async () => {
    await filled();
    const handle = openSync(path, 'r+');
    ftruncateSync(handle, Math.floor(statSync(path).size / 2));
    closeSync(handle);
    await refusesUnchanged(/is damaged/);
  });

  test('that is damaged in the middle stops the start and is not changed', async () => {
    await filled();
    scribble(path);
    await refusesUnchanged(/is damaged/);
  });

  test('that belongs to another program stops the start and is not changed', async () => {
    mkdirSync(join(folder, 'data'));
    const other = openSqlite(path);
    other.exec('CREATE TABLE users (id TEXT PRIMARY KEY)');
    other.close();
    chmodSync(path, 0o640);
    await refusesUnchanged(/is not one of Latchkey. Nothing was changed/);
  });

  test('that is a folder stops the start and keeps its mode', async () => {
    mkdirSync(path, { recursive: true, mode: 0o750 });
    await assert.rejects(openSqliteEngine(path), StartError);
    assert.equal(mode(path), 0o750);
  });

  test('in a folder that is not ours to write stops the start with a sentence', async () => {
    writeFileSync(join(folder, 'data'), 'a file where the folder should be');
    await assert.rejects(openSqliteEngine(path), StartError);
  });

  test('of a newer version stops the start', async () => {
    await filled();
    const file = openSqlite(path);
    file.exec("INSERT INTO migrations (name, timestamp) VALUES ('9999-later', '2030-01-01')");
    file.close();
    await refusesUnchanged(/newer version of Latchkey: its migration 9999-later/);
  });
});

describe('a start', () => {
  /** A process that opens the engine, and is killed just before the first statement that matches. */
  function startIn(file: string, killBefore: string): ChildProcess {
    const code = `
      import { DatabaseSync } from 'node:sqlite';
      const [file, pattern] = process.argv.slice(1);
      for (const name of ['exec', 'prepare']) {
        const real = DatabaseSync.prototype[name];
        DatabaseSync.prototype[name] = function (sql) {
          if (pattern !== '' && new RegExp(pattern, 'i').test(sql)) process.kill(process.pid, 'SIGKILL');
          return real.call(this, sql);
        };
      }
      const { openSqliteEngine } = await import(${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)});
      const engine = await openSqliteEngine(file);
      await engine.close();`;
    return spawn(process.execPath, ['--input-type=module', '-e', code, file, killBefore], {
      stdio: 'inherit',
    });
  }

  test('that is killed at any step has not happened, and the next one goes through', async () => {
    const steps = [
      'journal_mode',
      'application_id = ',
      'create table.*"migrations"',
      '^BEGIN',
      'create table "users"',
      'create index "sessions_by_issue"',
      'INSERT INTO facts',
      'insert into "migrations"',
      '^COMMIT',
    ];
    await Promise.all(
      steps.map(async (step, index) => {
        const file = join(folder, `${index}.sqlite`);
        const [, signal] = await once(startIn(file, step), 'exit');
        assert.equal(signal, 'SIGKILL', step);
        // A file has its name only once it is whole.
        assert.equal(existsSync(file), false, step);
        const engine = await openSqliteEngine(file);
        assert.equal((await engine.write(fact('fact-1'))).outcome, 'done', step);
        assert.equal((await engine.db.selectFrom('facts').selectAll().execute()).length, 2);
        await engine.close();
        const drafts = readdirSync(folder).filter(
          (name) => name.startsWith(`${index}.`) && name.includes('.new'),
        );
        assert.deepEqual(drafts, [], step);
      }),
    );
  });

  test('that meets another one at the switch to WAL, where SQLite does not wait, waits for it', () => {
    mkdirSync(join(folder, 'data'));
    const { exec } = DatabaseSync.prototype;
    let refusals = 0;
    DatabaseSync.prototype.exec = function (sql) {
      if (sql.includes('journal_mode') && refusals < 3) {
        refusals += 1;
        throw Object.assign(new Error('database is locked'), { errcode: 5 });
      }
      exec.call(this, sql);
    };
    try {
      assert.throws(() => openSqlite(path, { lockWithin: 0 }), /locked/);
      openSqlite(path).close();
      assert.equal(refusals, 3);
    } finally {
      DatabaseSync.prototype.exec = exec;
    }
  });

  test('of several processes at once on a new file makes one store, and none fails', async () => {
    const exits = await Promise.all(Array.from({ length: 4 }, () => once(startIn(path, ''), 'exit')));
    assert.deepEqual(
      exits.map(([code]) => code),
      [0, 0, 0, 0],
    );
    const engine = await openEngine();
    assert.equal((await engine.db.selectFrom('facts').selectAll().execute()).length, 1);
  });
});
