// The walk of the README over a real socket, and what must not happen on the way. The log is searched for every token at the end.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { turnableClock } from 'latchkey';
import { buildApp } from './app.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
const clock = turnableClock();
const lines: string[] = [];
const tokens: string[] = [];
let port = 0;
let stop: () => Promise<void>;

async function start(): Promise<void> {
  const options = { data: folder, url: 'http://127.0.0.1:5000', accessTtl: '2s', environment: {}, clock };
  const { app, close } = await buildApp({ ...options, print: (line) => lines.push(line) });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  stop = async () => {
    server.close();
    await once(server, 'close');
    await close();
  };
}

before(start);
after(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

type Headers = Readonly<Record<string, string | string[]>>;

async function ask(path: string, headers: Headers = {}, method = 'GET', at = port) {
  const asked = request({ host: '127.0.0.1', port: at, path, method, headers, agent: false }).end();
  const [answer] = await once(asked, 'response');
  let body = '';
  for await (const piece of answer.setEncoding('utf8')) body += piece;
  return { status: answer.statusCode as number, headers: answer.headers, body };
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const anthony = { authorization: basic('anthony:password') };

async function logIn(at = port): Promise<string> {
  const { status, body } = await ask('/login', anthony, 'GET', at);
  assert.equal(status, 200);
  const { token } = JSON.parse(body);
  assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  tokens.push(token);
  return token;
}

async function says(path: string, status: number, body: unknown, headers: Headers = {}): Promise<void> {
  const answer = await ask(path, headers);
  assert.deepEqual([answer.status, JSON.parse(answer.body)], [status, body], path);
  if (status === 403) assert.equal(answer.headers['www-authenticate'], undefined);
}

const open = { message: 'This is only available for people with valid tokens.' };
const missing = { message: 'Token is missing!' };
const invalid = { message: 'Token is invalid!' };

test('anybody sees the open page, and nobody the closed one without a token', async () => {
  await says('/unprotected', 200, { message: 'Anyone can view this!' });
  await says('/protected', 403, missing);
  await says('/protected?token=', 403, missing);
});

test('a missing, wrong, unreadable or doubled password could not be verified', async () => {
  const attempts: Headers[] = [
    {},
    { authorization: basic('anthony:wrong') },
    { authorization: basic('nobody:password') },
    { authorization: basic('anthony') },
    { authorization: 'Basic an%C3%B6' },
    { authorization: 'Bearer x' },
    { authorization: [basic('anthony:password'), basic('anthony:password')] },
  ];
  for (const headers of attempts) {
    const answer = await ask('/login', headers);
    assert.deepEqual([answer.status, answer.body], [401, 'Could not verify!'], JSON.stringify(headers));
    assert.equal(answer.headers['www-authenticate'], 'Basic realm="Login Required"');
    assert.equal(answer.headers['cache-control'], 'no-store');
  }
});

test('a token opens the closed page from the address and from the header, and not from both', async () => {
  const token = await logIn();
  const bearer = { authorization: `Bearer ${token}` };
  await says(`/protected?token=${token}`, 200, open);
  await says('/protected', 200, open, bearer);
  await says(`/protected?token=${token}`, 403, invalid, bearer);
  await says('/protected?token=nonsense', 403, invalid);
  await says(`/protected?token=${token}&token=${token}`, 403, invalid);
  await says('/protected?token=a&token=b', 403, invalid);
});

test('no page with a token in its address, and no log-in, is kept by a cache or handed on as a referrer', async () => {
  const token = await logIn();
  for (const { headers } of [
    await ask('/login', anthony),
    await ask(`/protected?token=${token}`),
    await ask('/protected?token=nonsense'),
  ]) {
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['referrer-policy'], 'no-referrer');
  }
});

test('a log-in that nobody asked for is refused: HEAD, another method, another site, a prefetch', async () => {
  for (const method of ['HEAD', 'POST']) {
    const { status, headers } = await ask('/login', anthony, method);
    assert.deepEqual([status, headers.allow, headers['cache-control']], [405, 'GET', 'no-store']);
  }
  for (const unasked of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-purpose': 'prefetch' }]) {
    const { status, headers, body } = await ask('/login', { ...anthony, ...unasked });
    assert.deepEqual([status, headers['cache-control']], [403, 'no-store']);
    assert.doesNotMatch(body, /token/);
  }
  assert.equal((await ask('/login', { ...anthony, 'sec-fetch-site': 'none' })).status, 200);
});

test('a token outlives a restart on the same database, and expires when TOKEN_TTL is over', async () => {
  const token = await logIn();
  await stop();
  await start();
  await says(`/protected?token=${token}`, 200, open);
  clock.turn(2_000);
  await says(`/protected?token=${token}`, 403, invalid);
  await says(`/protected?token=${await logIn()}`, 200, open);
});

test('the log has one line for each request, with its path and no token', async () => {
  const token = await logIn();
  const already = lines.length;
  await ask(`/protected?token=${token}`);
  await ask(`/nowhere?token=${token}`);
  await ask(`/protected%3Ftoken=${token}`);
  await ask(`/%E0?token=${token}`);
  await ask(`http://127.0.0.1/protected?token=${token}`);
  // A line is written when the socket was let go, which a client does not wait for.
  while (lines.length < already + 5) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(lines.slice(already), [
    'GET /protected 200',
    'GET /nowhere 404',
    'GET /protected 404',
    'GET /%E0 404',
    'GET /protected 200',
  ]);
  assert.ok(tokens.length > 0);
  for (const line of lines) for (const each of tokens) assert.ok(!line.includes(each.slice(0, 20)), line);
});

test('it starts by npm run example, twice on one database, says no token, and stops on a signal', async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const at = (free.address() as AddressInfo).port;
  await new Promise((resolve) => free.close(resolve));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const { child, said } = spawnExample({ PORT: String(at) });
    try {
      while (!said().includes('listens')) {
        assert.equal(child.exitCode, null, said());
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const token = await logIn(at);
      assert.equal((await ask(`/protected?token=${token}`, {}, 'GET', at)).status, 200);
      assert.equal((await ask(`/nowhere?token=${token}`, {}, 'GET', at)).status, 404);
      child.kill(signal);
      const [code] = await once(child, 'close');
      assert.equal(code, 0, said());
      assert.match(said(), /GET \/nowhere 404/);
      assert.ok(!said().includes(token.slice(0, 20)));
    } finally {
      if (child.exitCode === null) child.kill('SIGKILL');
    }
  }
});

test('a TOKEN_TTL that is none stops the start and is named', async () => {
  const { child, said } = spawnExample({ TOKEN_TTL: 'soon' });
  const [code] = await once(child, 'close');
  assert.equal(code, 1);
  assert.match(said(), /^TOKEN_TTL is not a length of time .* TOKEN_TTL=15m/);
});

function spawnExample(environment: Record<string, string>): { child: ChildProcess; said: () => string } {
  const run = fileURLToPath(new URL('../run.mjs', import.meta.url));
  const own = {
    LATCHKEY_DATA: join(folder, 'process'),
    LATCHKEY_DATABASE: join(folder, 'process', 'app.db'),
  };
  const env = { PATH: process.env.PATH ?? '', ...own, ...environment };
  const child = spawn(process.execPath, [run, 'query-token'], { env });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece) => {
      text += piece;
    });
  }
  return { child, said: () => text };
}
