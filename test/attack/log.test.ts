// What a run leaves behind: its log, its answers and its files hold nothing that anybody sent in confidence, and no line that anybody forged.
// The program runs as it is started, in a process of its own, so that nothing it writes is missed.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { openHouse } from '../../src/latchkey.ts';
import { sha256 } from '../../src/secrets.ts';
import { type Caller, callerAt } from '../fixture/caller.ts';
import { passwordOf, secretOf } from '../fixture/house.ts';

const url = 'http://127.0.0.1:4000';
const forged = 'x"}\r\n{"level":30,"msg":"forged"}\r\n\u2028forged\n';
/** Everything that was sent or given in confidence: a name for the message, and the secret. */
const secrets = new Map<string, string>();
let folder: string;
let written = '';
let child: ChildProcess;
let at: Caller;
let exit: number | null;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
  await furnish();
  child = spawn(process.execPath, ['bin/latchkey.mjs', 'serve'], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (written += text));
  at = callerAt(await portOf(ended));
  await walk();
  await breakTheStore();
  at.hangUp();
  child.kill('SIGTERM');
  exit = await ended;
});
after(() => {
  child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function environment(): NodeJS.ProcessEnv {
  const outside = Object.entries(process.env).filter(
    ([name]) => !/^(LATCHKEY_|HOST$|PORT$|NODE_ENV$|NODE_TEST_CONTEXT$)/.test(name),
  );
  return {
    ...Object.fromEntries(outside),
    PORT: '0',
    LATCHKEY_URL: url,
    LATCHKEY_DATA: folder,
    LATCHKEY_LOG: 'debug',
  };
}

/** Two accounts and a service, made before the program starts. */
async function furnish(): Promise<void> {
  const { house, latchkey } = await openHouse({ data: folder, url, log: 'off', environment: {} });
  for (const username of ['anna', 'bert']) {
    secrets.set(`the password of ${username}`, passwordOf(username));
    await latchkey.users.add({ username, password: passwordOf(username) });
  }
  secrets.set('the secret of a service', secretOf('billing'));
  const createdAt = house.store.now();
  await house.store.services.add({
    clientId: 'billing',
    name: 'Billing',
    secretHash: sha256(secretOf('billing')),
    createdAt,
  });
  await latchkey.close();
}

async function portOf(ended: Promise<unknown>): Promise<number> {
  let over = false;
  void ended.then(() => (over = true));
  for (let tries = 0; tries < 600 && !over; tries++) {
    const [, port] = /API: +http:\/\/127\.0\.0\.1:(\d+)/.exec(written) ?? [];
    if (port !== undefined) return Number(port);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The server did not come up:\n${written}`);
}

/** A secret that is sent somewhere, and found again if it is kept. */
function confide(name: string, secret: string): string {
  secrets.set(name, secret);
  return secret;
}

/** Send secrets to every place that takes one, and to those that should not be sent any. */
async function walk(): Promise<void> {
  const password = passwordOf('anna');
  const { json: pair } = await at.call('POST', '/login', { json: { username: 'anna', password } });
  const access = confide('an access token', pair.access_token);
  const refresh = confide('a refresh token', pair.refresh_token);
  await at.call('POST', '/login', {
    json: { username: 'anna', password: confide('a wrong password', 'wrong-Horse-71') },
  });
  await at.call('POST', '/login', {
    json: { username: confide('a password typed as a name', 'My-Own-Pass-55'), password: 'x' },
  });
  await at.call('POST', '/login', {
    json: { username: 'anna', password: { text: confide('a password in an object', 'Nested-Word-12') } },
  });
  await at.call('POST', '/login', {
    body: `{"username":"anna","password":"${confide('a password in broken JSON', 'Broken-Json-34')}"`,
    headers: { 'content-type': 'application/json' },
  });
  await at.call('POST', '/login', {
    body: confide('a password in a text', 'Plain-Text-90'),
    headers: { 'content-type': 'text/plain' },
  });
  await at.call('GET', `/login?password=${confide('a password in the query', 'Query-Word-56')}`, {
    basic: `anna:${confide('a password by Basic', 'Basic-Word-78')}`,
  });
  await at.call('POST', '/signup', {
    json: { username: 'carla', password: confide('a password at sign-up', 'Sign-Up-Word-23') },
  });
  await at.call('POST', '/signup', {
    json: { username: 'x y', password: confide('a password at a refused sign-up', 'Refused-Word-67') },
  });
  await at.call('GET', '/users/me', { bearer: access });
  await at.call('GET', `/users/me?access_token=${access}&token=${access}`, { bearer: `${access}x` });
  await at.call('GET', `/nothing?token=${access}&refresh_token=${refresh}`);
  await at.call('PUT', `/login?token=${access}`);
  await at.call('GET', `/users/%ff?token=${access}`);
  await at.raw(
    `GET /users/me?token=${access} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${access}\r\nBroken\r\n\r\n`,
  );
  await at.raw(`GET /users/me#${refresh} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  await at.call('GET', '/users/me', {
    headers: {
      cookie: `token=${confide('a cookie', 'cookie-Secret-45')}`,
      'x-api-key': confide('a key', 'api-key-Secret-89'),
    },
  });
  const { json: next } = await at.call('POST', '/refresh', { json: { refresh_token: refresh } });
  await at.call('POST', '/users/me/password', {
    bearer: confide('the next access token', next.access_token),
    json: { current_password: password, new_password: confide('a new password', 'New-Word-For-Anna-3') },
  });
  const basic = `billing:${encodeURIComponent(secretOf('billing'))}`;
  const form = { token: confide('the next refresh token', next.refresh_token) };
  await at.call('POST', '/introspect', { form, basic });
  await at.call('POST', '/introspect', {
    form,
    basic: `billing:${confide('a wrong client secret', 'Wrong-Client-21')}`,
  });
  await at.call('POST', '/token', {
    form: { grant_type: 'password', username: 'bert', password: passwordOf('bert') },
    basic,
  });
  await at.call('POST', '/token', {
    form: `grant_type=password&username=bert&password=%zz${confide('a password in a broken form', 'Broken-Form-65')}`,
  });
  await at.call('POST', '/revoke', { form });
  await forge();
}

/** Line breaks and JSON wherever a text goes. */
async function forge(): Promise<void> {
  const json = { username: forged, email: forged, password: forged, profile: { [forged]: forged } };
  for (const path of ['/signup', '/login'])
    await at.call('POST', path, {
      json,
      headers: { 'user-agent': 'forged', 'x-request-id': 'forged', 'request-id': 'forged' },
    });
  await at.call('GET', `/${encodeURIComponent(forged)}?${encodeURIComponent(forged)}`, {
    basic: `${forged}:${forged}`,
  });
  await at.call('GET', `/users/${encodeURIComponent(forged)}`);
  await at.call('POST', '/token', { form: { grant_type: forged, [forged]: forged } });
  await at.raw('GET /x HTTP/1.1\r\nHost: x\r\nX-A: b\r\n{"level":30,"msg":"forged"}\r\n\r\n');
  await at.raw('forged\r\n{"level":30,"msg":"forged"}\r\n\r\n');
}

/** A fault of ours, in the middle of requests with secrets: what goes into the log of errors then. */
async function breakTheStore(): Promise<void> {
  const database = new DatabaseSync(join(folder, 'latchkey.db'), { timeout: 5_000 });
  database.exec('DROP TABLE services');
  database.close();
  const { status, text } = await at.call('POST', `/introspect?token=${secrets.get('an access token')}`, {
    form: { token: secrets.get('the next access token')! },
    basic: `billing:${encodeURIComponent(secretOf('billing'))}`,
  });
  assert.equal(status, 503, text);
}

/** The secrets that a text holds, by name; also where they were encoded. */
function leaksIn(text: string): string[] {
  return [...secrets]
    .filter(([, secret]) =>
      [
        secret,
        encodeURIComponent(secret),
        Buffer.from(secret).toString('base64'),
        JSON.stringify(secret).slice(1, -1),
      ].some((each) => text.includes(each)),
    )
    .map(([name]) => name);
}

test('the run was as it should be: it came up, it logged every kind of answer, and it went when it was told to', () => {
  assert.equal(exit, 0, written);
  const statuses = new Set(lines().map(({ status }) => status));
  for (const status of [200, 201, 204, 400, 401, 404, 405, 415, 422, 503])
    assert.ok(statuses.has(status), String(status));
  assert.match(written, /no such table: services/);
});

test('threat 91: no password, token or client secret that was sent is in the log', () => {
  assert.deepEqual(leaksIn(written), []);
  assert.doesNotMatch(written, /\$argon2/);
});

test('threat 91: nor is one in an answer, but the tokens in the answer that gives them', () => {
  const given = /token$/;
  for (const answer of at.answered) {
    const leaks = leaksIn(answer).filter(
      (name) => !(given.test(name) && answer.includes('"token_type":"Bearer"')),
    );
    assert.deepEqual(leaks, [], answer);
    assert.doesNotMatch(answer, /\$argon2|salt/);
  }
});

test('threat 91: nor is one in a file of the data folder', () => {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  assert.ok(names.some(({ name }) => name === 'latchkey.db'));
  for (const { parentPath, name } of names) {
    const bytes = readFileSync(join(parentPath, name));
    assert.deepEqual([name, leaksIn(bytes.toString('latin1'))], [name, []]);
    assert.deepEqual([name, leaksIn(bytes.toString('utf16le'))], [name, []]);
  }
});

test('threat 126: every line of the log is one that the program wrote: nobody who asks can forge one, or name a request', () => {
  for (const line of lines()) {
    assert.notEqual(line.msg, 'forged');
    assert.ok(
      ['request', 'refused'].includes(line.msg) || /^Server (listening|closing)/.test(line.msg),
      JSON.stringify(line),
    );
    assert.notEqual(line.reqId, 'forged');
  }
  const answered = at.answered.filter((answer) => /x-request-id\nforged/i.test(answer));
  assert.deepEqual(answered, []);
});

test('threat 126: a path is logged without its query', () => {
  const paths = lines().flatMap(({ path }) => path ?? []);
  assert.ok(paths.includes('/nothing') && paths.includes('/users/me'));
  assert.deepEqual(
    paths.filter((path) => /[?#\r\n]/.test(path)),
    [],
  );
});

interface Line {
  readonly msg: string;
  readonly reqId?: string;
  readonly path?: string;
  readonly status?: number;
}

/** The log, each line parsed: a line that is no JSON fails. What the program says when it starts and stops is not part of it. */
function lines(): Line[] {
  const [, log = ''] = written.split(/admin create NAME\n[^{]*/);
  return log
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('Latchkey got SIGTERM'))
    .map((line) => JSON.parse(line) as Line);
}
