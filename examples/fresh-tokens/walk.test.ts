// The walk of the README over a real socket, and what stands beside it: every line of the app's table.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { turnableClock } from 'latchkey';
import { buildApp } from './app.ts';

const jonathan = { username: 'jonathan', email: 'jonathan@example.com', password: 'a rather long password' };
const { email: _, ...logIn } = jonathan;
const folder = mkdtempSync(join(tmpdir(), 'latchkey-fresh-'));
const clock = turnableClock();
let app: Awaited<ReturnType<typeof buildApp>>;
let url: string;

before(start);
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  app = await buildApp({ url: 'http://127.0.0.1:8000', data: folder, environment: {}, clock });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
}

interface Sent {
  readonly token?: string;
  readonly json?: unknown;
  readonly raw?: string;
  readonly headers?: Record<string, string>;
}

async function call(line: string, { token, json, raw, headers = {} }: Sent = {}) {
  const [method = '', path = ''] = line.split(' ');
  const body = raw ?? (json === undefined ? undefined : JSON.stringify(json));
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  const read = text === '' || !response.headers.get('content-type')?.includes('json') ? {} : JSON.parse(text);
  const challenge = response.headers.get('www-authenticate');
  return { status: response.status, headers: response.headers, challenge, text, body: read };
}

/** Status and body, where the whole body is known. */
async function told(line: string, sent?: Sent): Promise<[number, unknown]> {
  const { status, body } = await call(line, sent);
  return [status, body];
}

/** The names of the fields that a 422 complains of. */
async function refusedFields(line: string, sent: Sent): Promise<string[]> {
  const { status, body } = await call(line, sent);
  assert.equal(status, 422, JSON.stringify(body));
  return body.errors.map(({ field }: { field: string }) => field).sort();
}

const hello = [200, { current_user: 'jonathan' }];
const noToken = (code: string) => [401, { detail: 'Invalid token', code }];
const badLogIn = [401, { detail: 'Invalid username or password', code: 'invalid_credentials' }];

describe('fresh-tokens', () => {
  test('GET / says hello', async () => {
    assert.deepEqual(await told('GET /'), [200, { message: 'Hello' }]);
  });

  test('POST /signup makes an account once, and nothing shows its password', async () => {
    const { status, body, text } = await call('POST /signup', { json: jonathan });
    assert.deepEqual([status, body.username, body.email], [201, 'jonathan', 'jonathan@example.com']);
    assert.doesNotMatch(text, /password|argon2/);
    const taken = await call('POST /signup', { json: { ...jonathan, email: 'other@example.com' } });
    assert.deepEqual([taken.status, taken.body.code], [409, 'username_taken']);
    const address = await call('POST /signup', { json: { ...jonathan, username: 'other' } });
    assert.deepEqual([address.status, address.body.code], [409, 'email_taken']);
  });

  test('GET /users lists them without a password, page by page', async () => {
    const { status, body, text } = await call('GET /users');
    assert.deepEqual([status, body.length, body[0].username], [200, 1, 'jonathan']);
    assert.doesNotMatch(text, /password|argon2/);
    assert.deepEqual(await told(`GET /users?after=${body[0].id}`), [200, []]);
    assert.deepEqual(await refusedFields('GET /users?after=5', {}), ['after']);
  });

  test('a missing field or a wrong type is 422 with its name, and what is not JSON is 400', async () => {
    assert.deepEqual(await refusedFields('POST /signup', { json: { username: 5 } }), [
      'email',
      'password',
      'username',
    ]);
    assert.deepEqual(await refusedFields('POST /signup', { json: { ...jonathan, email: 'nowhere' } }), [
      'email',
    ]);
    const weak = { username: 'weak', email: 'weak@example.com', password: 'password' };
    assert.ok((await refusedFields('POST /signup', { json: weak })).includes('password'));
    for (const path of ['/login', '/fresh_login']) {
      const json = { username: null };
      assert.deepEqual(await refusedFields(`POST ${path}`, { json }), ['password', 'username']);
      assert.deepEqual(await refusedFields(`POST ${path}`, { json: [] }), ['body']);
      assert.deepEqual(await refusedFields(`POST ${path}`, {}), ['body']);
    }
    for (const raw of ['{"username":', 'nonsense', '']) {
      const { status, body } = await call('POST /login', { raw });
      assert.deepEqual([status, typeof body.detail], [400, 'string']);
    }
  });

  test('a wrong log-in is 401 in the same words for every reason', async () => {
    for (const path of ['/login', '/fresh_login']) {
      assert.deepEqual(await told(`POST ${path}`, { json: { ...logIn, password: 'wrong' } }), badLogIn);
      assert.deepEqual(await told(`POST ${path}`, { json: { ...logIn, username: 'nobody' } }), badLogIn);
    }
    assert.match(
      (await call('POST /login', { json: { ...logIn, password: '' } })).challenge ?? '',
      /^Bearer /,
    );
  });

  test('GET /protected takes an access token and nothing else', async () => {
    const { body, status, headers } = await call('POST /login', { json: logIn });
    assert.deepEqual([status, headers.get('cache-control')], [200, 'no-store']);
    assert.deepEqual(await told('GET /protected', { token: body.access_token }), hello);
    assert.deepEqual(await told('GET /protected'), noToken('token_missing'));
    assert.deepEqual(await told('GET /protected', { token: 'nonsense' }), noToken('token_invalid'));
    const refused = await call('GET /protected', { token: body.refresh_token });
    assert.deepEqual([refused.status, refused.body], noToken('token_invalid'));
    assert.match(refused.challenge ?? '', /^Bearer .*error="invalid_token"/);
    clock.turn(16 * 60_000);
    assert.deepEqual(await told('GET /protected', { token: body.access_token }), noToken('token_expired'));
  });

  test('GET /new_token turns a refresh token into the next pair, which is not fresh', async () => {
    const { body: first } = await call('POST /login', { json: logIn });
    assert.deepEqual(await told('GET /fresh_url', { token: first.access_token }), hello);
    assert.deepEqual(await told('GET /new_token', { token: first.access_token }), noToken('token_invalid'));
    assert.deepEqual(await told('GET /new_token'), noToken('token_missing'));

    const { status, headers, body: next } = await call('GET /new_token', { token: first.refresh_token });
    assert.equal(status, 200);
    assert.deepEqual([headers.get('cache-control'), headers.get('vary')], ['no-store', 'Authorization']);
    assert.notEqual(next.refresh_token, first.refresh_token);
    assert.deepEqual(await told('GET /protected', { token: next.access_token }), hello);

    const stale = await call('GET /fresh_url', { token: next.access_token });
    assert.deepEqual([stale.status, stale.body], noToken('stale_authentication'));
    assert.match(stale.challenge ?? '', /error="insufficient_user_authentication".*max_age="300"/);
  });

  test('a refresh token that was spent long ago ends its session, with the challenge of any bad token', async () => {
    const { body: first } = await call('POST /login', { json: logIn });
    const { body: next } = await call('GET /new_token', { token: first.refresh_token });
    clock.turn(60_000);
    const reused = await call('GET /new_token', { token: first.refresh_token });
    assert.deepEqual([reused.status, reused.body], noToken('reuse_detected'));
    assert.match(reused.challenge ?? '', /^Bearer .*error="invalid_token"/);
    assert.deepEqual(await told('GET /protected', { token: next.access_token }), noToken('reuse_detected'));
  });

  test('no HEAD, no prefetch and no page of another site spends a refresh token', async () => {
    const { body } = await call('POST /login', { json: logIn });
    const token = body.refresh_token;
    const head = await call('HEAD /new_token', { token });
    assert.deepEqual([head.status, head.headers.get('allow')], [405, 'GET']);
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-purpose': 'prefetch' }]) {
      const { status, body: refused } = await call('GET /new_token', { token, headers });
      assert.deepEqual([status, refused.code], [403, 'cross_site']);
    }
    // Had one of them spent it, this would now be theft.
    clock.turn(60_000);
    assert.equal((await call('GET /new_token', { token })).status, 200);
  });

  test('POST /fresh_login gives a token for GET /fresh_url, for five minutes', async () => {
    const { status, body } = await call('POST /fresh_login', { json: logIn });
    assert.equal(status, 200);
    assert.deepEqual(await told('GET /fresh_url', { token: body.fresh_token }), hello);
    assert.deepEqual(await told('GET /fresh_url'), noToken('token_missing'));
    clock.turn(301_000);
    assert.deepEqual(
      await told('GET /fresh_url', { token: body.fresh_token }),
      noToken('stale_authentication'),
    );
    assert.deepEqual(await told('GET /protected', { token: body.fresh_token }), hello);
  });

  test('accounts, sessions and tokens survive a restart on the same database', async () => {
    const { body } = await call('POST /login', { json: logIn });
    await app.close();
    await start();
    assert.deepEqual(await told('GET /protected', { token: body.access_token }), hello);
    assert.equal((await call('GET /new_token', { token: body.refresh_token })).status, 200);
    assert.equal((await call('POST /login', { json: logIn })).status, 200);
    assert.equal((await call('POST /signup', { json: jonathan })).status, 409);
  });

  test('/docs is a page; its document has an example body for signup and login, and a lock on each closed route', async () => {
    const { status, headers } = await call('GET /docs/');
    assert.deepEqual([status, headers.get('content-type')?.split(';')[0]], [200, 'text/html']);
    const { paths } = (await call('GET /docs/json')).body;
    const example = (path: string) => paths[path].post.requestBody.content['application/json'].example;
    assert.deepEqual([example('/signup'), example('/login')], [jonathan, logIn]);
    const locked = Object.keys(paths).filter((path) => paths[path].get?.security !== undefined);
    assert.deepEqual(locked.sort(), ['/fresh_url', '/new_token', '/protected']);
  });

  test('what is not there is 404 without what was asked', async () => {
    assert.deepEqual(await told('GET /nothing?token=abc'), [404, { detail: 'Not found' }]);
  });
});

describe('npm run example -- fresh-tokens', () => {
  test('starts where PORT says, walks the README, and stops in order', async () => {
    const port = await freePort();
    const data = join(folder, 'walk');
    const main = fileURLToPath(new URL('../run.mjs', import.meta.url));
    const child = spawn(process.execPath, [main, 'fresh-tokens'], {
      env: {
        ...process.env,
        PORT: String(port),
        LATCHKEY_DATA: data,
        LATCHKEY_DATABASE: join(data, 'own.db'),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    try {
      const [line] = await Promise.race([once(child.stdout, 'data'), exited]);
      assert.match(String(line), new RegExp(`http://127\\.0\\.0\\.1:${port}`));
      const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
      const script = /```bash\n([\s\S]*?)```/.exec(readme)![1]!;
      const { stdout } = await promisify(execFile)('bash', ['-c', script.replace(':8000', `:${port}`)]);
      const expected = script.split('\n').filter((each) => /^# [{[]/.test(each));
      assert.equal(expected.length, 8);
      const answers = stdout.trim().split('\n');
      for (const [index, shape] of expected.entries()) assert.match(answers[index] ?? '', patternOf(shape));
      assert.equal(answers.length, expected.length);
    } finally {
      child.kill('SIGTERM');
    }
    assert.deepEqual(await exited, [0, null]);
  });
});

/** A line of the README as a pattern: `…` stands for anything. */
function patternOf(line: string): RegExp {
  const escaped = line.slice(2).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('…', '[^"]+')}$`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
