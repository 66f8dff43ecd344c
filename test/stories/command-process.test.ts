// The command as a process: it starts, says one readable block, sees what another process does, stops in order, and never hangs.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
const bin = fileURLToPath(new URL('../../bin/latchkey.mjs', import.meta.url));
const running: ChildProcess[] = [];
after(async () => {
  for (const child of running) if (child.exitCode === null) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly said: { stdout: string; stderr: string };
  readonly ended: Promise<number | null>;
}

function start(argv: readonly string[], environment: Record<string, string>, input = ''): Started {
  const env = { PATH: process.env.PATH ?? '', LATCHKEY_DATA: join(folder, 'data'), ...environment };
  const child = spawn(process.execPath, [bin, ...argv], { cwd: folder, env });
  running.push(child);
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.stderr += text;
  });
  child.stdin.end(input);
  return { child, said, ended: once(child, 'close').then(([code]) => code) };
}

async function untilSaid({ said, ended }: Started, what: RegExp): Promise<void> {
  let over = false;
  ended.then(() => {
    over = true;
  });
  while (!what.test(said.stdout)) {
    assert.ok(!over, said.stderr);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a server and a command in two processes on one file: the server sees at once what the command did', async () => {
  const port = await freePort();
  const server = start(['serve'], { PORT: String(port) });
  await untilSaid(server, /First admin:.*\n/);
  // The first that is said is the block, and not a line of the framework's log.
  assert.match(server.said.stdout, /^\nLatchkey is up\.\n\n {2}API: +http:\/\/127\.0\.0\.1:\d+\n/);
  assert.ok(!server.said.stdout.includes('Server listening'));

  const made = start(['admin', 'create', 'ada', '--json'], {}, 'correct horse battery\n');
  assert.equal(await made.ended, 0, made.said.stderr);
  const address = `http://127.0.0.1:${port}`;
  const answer = await fetch(`${address}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'ada', password: 'correct horse battery' }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const status = async () =>
    (await fetch(`${address}/users/me`, { headers: { authorization: `Bearer ${token}` } })).status;
  assert.equal(await status(), 200);

  const refused = start(['restore', join(folder, 'data', 'secret')], {});
  assert.equal(await refused.ended, 1);
  assert.match(refused.said.stderr, /Stop it first/);

  const ended = start(['sessions', 'end', 'ada'], {});
  assert.equal(await ended.ended, 0, ended.said.stderr);
  assert.equal(await status(), 401);

  server.child.kill('SIGTERM');
  assert.equal(await server.ended, 0);
  assert.match(server.said.stderr, /Latchkey got SIGTERM/);
});

test('a server that was killed leaves nothing behind that stands in the way of a restore', async () => {
  const port = await freePort();
  const server = start(['serve'], { PORT: String(port), LATCHKEY_LOG: 'off' });
  await untilSaid(server, /First admin:.*\n/);
  const backup = start(['backup', 'copy.db'], {});
  assert.equal(await backup.ended, 0, backup.said.stderr);
  server.child.kill('SIGKILL');
  await server.ended;
  const restored = start(['restore', 'copy.db', '--json'], {});
  assert.equal(await restored.ended, 0, restored.said.stdout);
  assert.equal(JSON.parse(restored.said.stdout).sessions, 'ended');
});

test('a pipe that is closed early does not make the command fail with a stack', async () => {
  const listed = start(['--help'], {});
  listed.child.stdout?.destroy();
  assert.equal(await listed.ended, 0, listed.said.stderr);
  assert.equal(listed.said.stderr, '');
});
