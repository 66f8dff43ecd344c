// The server is killed at a random moment under load, again and again, and what it had answered with success is compared with what
// it knows afterwards. LATCHKEY_KILL_ROUNDS says how often (10).
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openSqlite } from '../../src/store/engines/sqlite-file.ts';

const rounds = Number(process.env.LATCHKEY_KILL_ROUNDS ?? 10);
const root = fileURLToPath(new URL('../../', import.meta.url));
const password = 'kettle orbit lantern 7';

/** A server of ours in a process of its own. */
interface Server {
  readonly process: ChildProcess;
  readonly address: string;
}

/** What one client was told, and what it asked last without being told. */
interface Client {
  readonly name: string;
  access: string;
  refresh: string;
  /** What was asked and not answered. */
  asked: 'nothing' | 'refresh' | 'log-out' | 'log-in';
  /** The tokens of sessions whose log-out was answered, since the last look. */
  left: { readonly access: string; readonly refresh: string }[];
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

let folder: string;
const started: ChildProcess[] = [];
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
});
after(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}

async function spawnServer(data: string, grace: string): Promise<Server> {
  const port = await freePort();
  const child = spawn(process.execPath, ['--conditions=source', 'bin/latchkey.mjs', 'serve'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      LATCHKEY_DATA: data,
      // The issuer stays, whatever the port, so that tokens of one life are good in the next.
      LATCHKEY_URL: 'http://127.0.0.1:4000',
      LATCHKEY_REFRESH_GRACE: grace,
      LATCHKEY_LIMITS: 'off',
      LATCHKEY_LOG: 'off',
    },
  });
  started.push(child);
  return { process: child, address: `http://127.0.0.1:${port}` };
}

async function startServer(data: string, grace = '10s'): Promise<Server> {
  const server = await spawnServer(data, grace);
  for (let left = 600; ; left--) {
    const ready = await fetch(`${server.address}/readyz`).catch(() => null);
    if (ready?.status === 200) return server;
    assert.ok(left > 0 && server.process.exitCode === null, 'the server did not come up');
    await wait(50);
  }
}

async function kill({ process: child }: Server): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Ask; null when the answer was lost. */
async function ask(
  { address }: Server,
  path: string,
  { bearer, body }: { bearer?: string; body?: object } = {},
): Promise<Answer | null> {
  try {
    const response = await fetch(`${address}${path}`, {
      method: path === '/users/me' ? 'GET' : 'POST',
      headers: {
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
  } catch {
    return null;
  }
}

const describeAnswer = (answer: Answer | null) => `${answer?.status} ${answer?.body.code ?? ''}`;

async function logIn(server: Server, client: Client): Promise<void> {
  client.asked = 'log-in';
  const answer = await ask(server, '/login', { body: { username: client.name, password } });
  if (answer === null) return;
  assert.equal(answer.status, 200, `log-in: ${describeAnswer(answer)}`);
  take(client, answer);
}

function take(client: Client, { body }: Answer): void {
  client.access = body.access_token as string;
  client.refresh = body.refresh_token as string;
  client.asked = 'nothing';
}

/** One to three tabs refresh with one token; all that are answered get the same. */
async function refresh(server: Server, client: Client): Promise<void> {
  client.asked = 'refresh';
  const tabs = Math.random() < 0.2 ? 3 : 1;
  const { refresh: bearer } = client;
  const answers = await Promise.all(Array.from({ length: tabs }, () => ask(server, '/refresh', { bearer })));
  const told = answers.filter((answer) => answer !== null);
  for (const answer of told) {
    assert.equal(answer.status, 200, `refresh: ${describeAnswer(answer)}`);
    assert.equal(
      answer.body.refresh_token,
      told[0]!.body.refresh_token,
      'tabs were told different successors',
    );
  }
  if (told[0] !== undefined) take(client, told[0]);
}

async function logOut(server: Server, client: Client): Promise<void> {
  client.asked = 'log-out';
  const answer = await ask(server, '/logout', { bearer: client.refresh });
  if (answer === null) return;
  assert.equal(answer.status, 204, `log-out: ${describeAnswer(answer)}`);
  client.left.push({ access: client.access, refresh: client.refresh });
  await logIn(server, client);
}

/** Ask until an answer is lost. */
async function live(server: Server, client: Client): Promise<void> {
  while (client.asked === 'nothing') {
    await (Math.random() < 0.03 ? logOut : refresh)(server, client);
  }
}

/** Sign up until an answer is lost or there are enough. */
async function signUps(server: Server, known: string[], doubtful: string[]): Promise<void> {
  for (let count = 0; count < 3; count++) {
    const username = `guest-${known.length}-${doubtful.length}`;
    const answer = await ask(server, '/signup', { body: { username, password } });
    if (answer === null) {
      doubtful.push(username);
      return;
    }
    assert.equal(answer.status, 201, `sign-up: ${describeAnswer(answer)}`);
    known.push(username);
  }
}

/** What was answered before the kill is so after it. */
async function compare(server: Server, client: Client): Promise<void> {
  const { access, asked } = client;
  if (asked === 'nothing' || asked === 'refresh') {
    assert.equal(
      (await ask(server, '/users/me', { bearer: access }))?.status,
      200,
      'an access token is dead',
    );
    await refresh(server, client);
  } else if (asked === 'log-out') {
    const answer = await ask(server, '/refresh', { bearer: client.refresh });
    if (answer?.status === 200) take(client, answer);
    else assert.equal(answer?.body.code, 'signed_out', describeAnswer(answer));
  }
  if (client.asked !== 'nothing') await logIn(server, client);
  assert.equal(client.asked, 'nothing');
  for (const past of client.left.splice(0)) {
    const renewed = await ask(server, '/refresh', { bearer: past.refresh });
    assert.equal(describeAnswer(renewed), '401 signed_out', 'a log-out was forgotten');
    const seen = await ask(server, '/users/me', { bearer: past.access });
    // Which reason it hears may change: many log-outs of one account are gathered into one raised epoch.
    assert.equal(seen?.status, 401, 'an access token came back to life');
  }
}

async function newClients(server: Server, count: number): Promise<Client[]> {
  const clients = Array.from({ length: count }, (_, index): Client => {
    return { name: `client-${index}`, access: '', refresh: '', asked: 'log-in', left: [] };
  });
  for (const client of clients) {
    await ask(server, '/signup', { body: { username: client.name, password } });
    await logIn(server, client);
  }
  return clients;
}

function assertWhole(data: string): void {
  const file = openSqlite(join(data, 'latchkey.db'), { readOnly: true });
  const { rows } = file.run('PRAGMA integrity_check', []);
  file.close();
  assert.deepEqual(rows, [{ integrity_check: 'ok' }]);
}

describe('threat fault: kill -9 under load', () => {
  test('nothing that was answered with success is lost, and no honest client is taken for a thief', {
    timeout: 60_000 + rounds * 30_000,
  }, async (context) => {
    const data = join(folder, 'rounds');
    let server = await startServer(data);
    const clients = await newClients(server, 8);
    const known: string[] = [];
    const doubtful: string[] = [];
    let lost = 0;
    for (let round = 0; round < rounds; round++) {
      const guests = known.length;
      const living = Promise.all([
        ...clients.map((client) => live(server, client)),
        signUps(server, known, doubtful),
      ]);
      await Promise.race([living, wait(50 + Math.random() * 500)]);
      await kill(server);
      await living;
      lost += clients.filter(({ asked }) => asked === 'refresh').length;
      if (round % 5 === 4) {
        // Killed once more, while it comes up.
        const early = await spawnServer(data, '10s');
        await wait(Math.random() * 1_000);
        await kill(early);
      }
      server = await startServer(data);
      await Promise.all(clients.map((client) => compare(server, client)));
      for (const username of known.slice(guests)) {
        const answer = await ask(server, '/login', { body: { username, password } });
        assert.equal(answer?.status, 200, `a sign-up was forgotten: ${describeAnswer(answer)}`);
      }
    }
    assert.ok(lost > 0, 'no answer was ever lost: the kills came at no bad moment');
    context.diagnostic(`${rounds} kills, ${lost} answers lost, ${known.length} sign-ups`);
    const gone = once(server.process, 'exit');
    server.process.kill('SIGTERM');
    assert.deepEqual(await gone, [0, null]);
    assertWhole(data);
  });

  test('a rotation whose answer a kill swallowed is recovered, also when the restart took longer than the grace', async () => {
    const data = join(folder, 'late');
    let server = await startServer(data, '3s');
    const clients = await newClients(server, 8);
    const living = Promise.all(clients.map((client) => live(server, client)));
    await wait(300);
    await kill(server);
    await living;
    const lost = clients.filter(({ asked }) => asked === 'refresh');
    assert.ok(lost.length > 0);
    await wait(3_100);
    server = await startServer(data, '3s');
    await Promise.all(lost.map((client) => refresh(server, client)));
    assert.ok(lost.every(({ asked }) => asked === 'nothing'));
    await kill(server);
    assertWhole(data);
  });
});
