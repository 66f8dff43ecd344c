// The command beside a server that runs on the same file: what it does is true there at once, and what is the server's stays the server's.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { commands } from '../../src/cli/commands.ts';
import { turnableClock } from '../../src/clock.ts';
import { type OpenHouse, openHouse } from '../../src/latchkey.ts';
import { verifyPassword } from '../../src/passwords/verify.ts';
import { buildApp } from '../../src/server/app.ts';
import { type Around, type Ran, runCommand } from './run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
const data = join(folder, 'data');
// The server speaks as somebody that the command's environment does not name.
const environment = { LATCHKEY_DATA: data, LATCHKEY_LOG: 'off' };
const password = 'correct horse battery';
let opened: OpenHouse;
let app: FastifyInstance;

before(async () => {
  opened = await openHouse({
    environment: { ...environment, LATCHKEY_URL: 'http://127.0.0.1:4999', LATCHKEY_ACCESS_TTL: '10m' },
  });
  app = await buildApp(opened.house);
  await run(['users', 'add', 'ada', '--email', 'ada@example.com', '--scope', 'reports'], { input: password });
});
after(async () => {
  await app?.close();
  await opened?.latchkey.close();
  rmSync(folder, { recursive: true });
});

function run(argv: readonly string[], around: Partial<Around> = {}): Promise<Ran> {
  return runCommand(argv, { environment, folder, ...around });
}

async function done(argv: readonly string[], around: Partial<Around> = {}): Promise<Ran> {
  const ran = await run(argv, around);
  assert.equal(ran.code, 0, `${argv.join(' ')}\n${ran.stderr}${ran.stdout}`);
  return ran;
}

async function refused(argv: readonly string[], around: Partial<Around> = {}): Promise<string> {
  const ran = await run(argv, around);
  assert.equal(ran.code, 1, `${argv.join(' ')}\n${ran.stderr}${ran.stdout}`);
  assert.equal(ran.stdout, '');
  return ran.stderr;
}

async function logIn(
  username: string,
  secret = password,
): Promise<{ status: number; access: string; refresh: string }> {
  const answer = await app.inject({ method: 'POST', url: '/login', payload: { username, password: secret } });
  const body = answer.json();
  return { status: answer.statusCode, access: body.access_token, refresh: body.refresh_token };
}

async function codeOf(access: string): Promise<string> {
  const answer = await app.inject({ url: '/users/me', headers: { authorization: `Bearer ${access}` } });
  return answer.statusCode === 200 ? 'good' : answer.json().code;
}

test('an account that the command adds can log in at the server, and is listed and shown', async () => {
  assert.equal((await logIn('ada')).status, 200);
  const listed = (await done(['users', 'list', '--json'])).json();
  assert.deepEqual(
    listed.users.map((user: { username: string }) => user.username),
    ['ada'],
  );
  assert.equal(listed.next, null);
  const shown = (await done(['users', 'show', 'ada@example.com', '--json'])).json();
  assert.deepEqual(shown.user.scopes, ['reports']);
  assert.match((await done(['users', 'show', shown.user.id])).stdout, /^Username: +ada$/m);
});

test('disabling, enabling, a new password and removal are true at the server before the command ends', async () => {
  await done(['users', 'add', 'dot'], { input: `${password}\n` });
  const first = await logIn('dot');
  await done(['users', 'disable', 'dot']);
  assert.equal(await codeOf(first.access), 'disabled');
  assert.equal((await logIn('dot')).status, 401);
  await done(['users', 'enable', 'dot']);
  const second = await logIn('dot');
  assert.equal(await codeOf(second.access), 'good');
  const made = (await done(['users', 'set-password', 'dot', '--generate', '--json'])).json();
  assert.equal(await codeOf(second.access), 'password_changed');
  assert.equal((await logIn('dot')).status, 401);
  const third = await logIn('dot', made.password);
  await done(['users', 'remove', 'dot']);
  assert.equal(await codeOf(third.access), 'deleted');
  assert.match(await refused(['users', 'show', 'dot']), /no account dot/);
});

test("sessions are listed and ended: one, those of an account, and everybody's", async () => {
  const [one, two] = [await logIn('ada'), await logIn('ada')];
  const { sessions } = (await done(['sessions', 'list', 'ada', '--json'])).json();
  assert.equal((await done(['sessions', 'list', '--all', '--json'])).json().sessions.length, sessions.length);
  const newest = JSON.parse(Buffer.from(two.access.split('.')[1]!, 'base64url').toString()).sid;
  assert.ok(sessions.some((session: { id: string }) => session.id === newest));
  await done(['sessions', 'end', 'ada', `--session=${newest}`]);
  assert.equal(await codeOf(two.access), 'signed_out_elsewhere');
  assert.equal(await codeOf(one.access), 'good');
  assert.match(await refused(['sessions', 'end', 'ada', `--session=${newest}`]), /no such session/);
  await done(['sessions', 'end', 'ada']);
  assert.equal(await codeOf(one.access), 'signed_out_elsewhere');
  const last = await logIn('ada');
  await done(['sessions', 'end', '--all']);
  assert.notEqual(await codeOf(last.access), 'good');
  assert.equal(await codeOf((await logIn('ada')).access), 'good');
});

test('a made token is good at the server, is seen among the devices, obeys the greatest life and dies with its session', async () => {
  const made = (
    await done(['token', 'make', 'ada', '--ttl', '5m', '--scope', 'reports', '--scope', 'admin', '--json'])
  ).json();
  assert.equal(await codeOf(made.access_token), 'good');
  assert.equal(made.expires_in, 300);
  assert.equal(made.scope, 'reports');
  const decoded = (await done(['token', 'decode', '--json'], { input: `${made.access_token}\n` })).json();
  assert.equal(decoded.verified, false);
  assert.equal(decoded.claims.iss, 'http://127.0.0.1:4999', 'as the server speaks, not as this environment');
  assert.equal('fresh' in decoded.claims, false);
  const { sessions } = (await done(['sessions', 'list', 'ada', '--json'])).json();
  const session = sessions.find(({ id }: { id: string }) => id === made.session_id);
  assert.equal(session.label, 'latchkey token make');
  assert.equal(Date.parse(session.expires_at) / 1000, decoded.claims.exp);
  // The server was started with 10m, this environment says nothing of it.
  assert.match(await refused(['token', 'make', 'ada', '--ttl', '11m']), /longer than 10 minutes/);
  assert.equal((await done(['token', 'make', 'ada', '--json'])).json().expires_in, 600);
  await done(['sessions', 'end', 'ada', `--session=${made.session_id}`]);
  assert.equal(await codeOf(made.access_token), 'signed_out_elsewhere');
  await done(['users', 'add', 'eve', '--disabled'], { input: password });
  assert.match(await refused(['token', 'make', 'eve']), /disabled/);
});

test('token decode says what a token says and never that it is good; what is no token is refused and not repeated', async () => {
  const bad = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"exp":1e300,"sub":"\\u001b[2J"}').toString('base64url')}.`;
  const { stdout } = await done(['token', 'decode', bad]);
  assert.match(stdout, /^Not verified/);
  assert.match(stdout, /no date/);
  assert.ok(!stdout.includes('\x1b'));
  for (const text of ['', 'geheim', 'a.b.c', `${bad}x.y`])
    assert.ok(!(await refused(['token', 'decode'], { input: text })).includes('geheim'));
});

test('a service that the command registers may introspect at once; its secret is nowhere afterwards', async () => {
  const service = (await done(['services', 'add', 'billing', '--json'])).json();
  const { access } = await logIn('ada');
  const ask = () =>
    app.inject({
      method: 'POST',
      url: '/introspect',
      headers: {
        authorization: `Basic ${Buffer.from(`${service.client_id}:${service.client_secret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: `token=${access}`,
    });
  assert.equal((await ask()).json().active, true);
  const listed = await done(['services', 'list', '--json']);
  assert.equal(listed.json().services[0].name, 'billing');
  assert.ok(!listed.stdout.includes(service.client_secret));
  assert.ok(!readFileSync(join(data, 'latchkey.db-wal')).includes(service.client_secret));
  await done(['services', 'remove', service.client_id]);
  assert.equal((await ask()).statusCode, 401);
  assert.match(await refused(['services', 'remove', service.client_id]), /no service/);
});

test('keys: the server signs with a rotated key at once, and refuses the tokens of a revoked one', async () => {
  const kidOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()).kid;
  const first = await logIn('ada');
  await done(['keys', 'rotate', '--now']);
  const second = await logIn('ada');
  assert.notEqual(kidOf(second.access), kidOf(first.access));
  assert.equal(await codeOf(first.access), 'good');
  await done(['keys', 'revoke', kidOf(first.access)]);
  assert.notEqual(await codeOf(first.access), 'good');
  assert.equal(await codeOf(second.access), 'good');
  await done(['keys', 'rotate']);
  const states = (await done(['keys', 'list', '--json']))
    .json()
    .keys.map((key: { state: string }) => key.state);
  assert.deepEqual([...new Set(states)].sort(), ['next', 'revoked', 'signing']);
  assert.match(await refused(['keys', 'revoke', 'nobody']), /no such key/);
});

test('keys export prints what the server publishes, and private halves only when asked', async () => {
  const published = (await app.inject('/.well-known/jwks.json')).json();
  const plain = await done(['keys', 'export', '--json']);
  assert.deepEqual(plain.json(), published);
  assert.ok(plain.json().keys.every((key: object) => !('d' in key)));
  const secret = await done(['keys', 'export', '--private']);
  assert.ok(secret.json().keys.every((key: object) => 'd' in key));
  assert.match(secret.stderr, /private keys/);
  const other = { ...environment, LATCHKEY_SECRET: 'q8Zt0mVn3Lr5Xc7Kb2Wd9Fh4Jg6Ps1Ty-uEoIaYxCvB' };
  assert.match(await refused(['keys', 'export', '--private'], { environment: other }), /cannot be opened/);
  assert.equal(
    (await run(['keys', 'export'], { environment: other })).code,
    0,
    'public halves need no secret',
  );
});

test("a command with other settings than the server changes nothing of what is the server's", async () => {
  const before = await opened.house.store.keys.read();
  const facts = await opened.house.store.facts.greatestAccessLife();
  const other = { ...environment, LATCHKEY_ALGORITHM: 'ES256', LATCHKEY_ACCESS_TTL: '1h', PORT: '4321' };
  await done(['users', 'list'], { environment: other });
  assert.deepEqual(await opened.house.store.keys.read(), before);
  assert.equal(await opened.house.store.facts.greatestAccessLife(), facts);
  assert.equal((await opened.house.store.facts.issuer())?.issuer, 'http://127.0.0.1:4999');
  await done(['keys', 'rotate'], { environment: other });
  const { records } = await opened.house.store.keys.read();
  assert.ok(records.every(({ algorithm }) => algorithm !== 'ES256'));
});

test('an import adds, skips and refuses line by line, and the exit code says whether any was refused', async () => {
  const hash = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
  const lines = [
    {
      username: 'imp1',
      password_hash: hash,
      scopes: ['a', 'b'],
      profile: { city: 'Bonn' },
      email_verified: true,
    },
    'not json',
    { username: 'ada', password_hash: hash },
    { username: 'imp2', password_hash: '5f4dcc3b5aa765d61d8327deb882cf99' },
    { username: 'imp1', email: 'other@example.com', password_hash: hash },
    { username: 'imp 3', password_hash: hash },
    { username: 'imp4' },
    { email: 'imp5@example.com', password_hash: hash, disabled: true },
  ];
  const file = join(folder, 'accounts.jsonl');
  writeFileSync(
    file,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
  const count = async () => (await done(['users', 'list', '--json'])).json().users.length;
  const before = await count();
  const dry = await run(['users', 'import', file, '--dry-run', '--json']);
  assert.equal(await count(), before, 'a dry run adds nothing');
  const real = await run(['users', 'import', file, '--json']);
  for (const ran of [dry, real]) {
    assert.equal(ran.code, 1);
    const { added, skipped, refused: wrong } = ran.json();
    assert.equal(added, 2);
    assert.deepEqual(
      skipped.map(({ line }: { line: number }) => line),
      [3, 5],
    );
    assert.deepEqual(
      wrong.map(({ line }: { line: number }) => line),
      [2, 4, 6, 7],
    );
    assert.ok(!ran.stdout.includes('5f4dcc') && !ran.stdout.includes(hash));
  }
  assert.equal(await count(), before + 2);
  const again = await run(['users', 'import', file], {});
  assert.match(again.stdout, /^Added: +0$/m);
  const user = (await done(['users', 'show', 'imp1', '--json'])).json().user;
  assert.deepEqual([user.scopes, user.profile, user.email_verified], [['a', 'b'], { city: 'Bonn' }, true]);
  assert.equal(
    (await done(['users', 'import', '-', '--format', 'csv'], { input: 'username,password_hash\n' })).code,
    0,
  );
  assert.match(await refused(['users', 'import', 'gone.csv']), /no file/);
});

test('admin create makes an administrator, or grants the scope to an account that is there only with --existing', async () => {
  const made = (await done(['admin', 'create', 'root1', '--generate', '--json'])).json();
  assert.deepEqual(made.user.scopes, ['admin']);
  assert.equal((await logIn('root1', made.password)).status, 200);
  assert.match(await refused(['admin', 'create', 'ada'], { input: password }), /--existing/);
  const { access } = await logIn('ada');
  await done(['admin', 'create', 'ada', '--existing']);
  assert.deepEqual((await done(['users', 'show', 'ada', '--json'])).json().user.scopes, ['reports', 'admin']);
  assert.equal(await codeOf(access), 'good', 'a scope more revokes nothing');
  assert.match(await refused(['admin', 'create', 'nobody', '--existing']), /no account/);
  assert.match(await refused(['admin', 'create', 'root2']), /Standard input is empty/);
  assert.match(await refused(['admin', 'create', 'root2'], { input: 'password1' }), /list of common ones/);
});

test('a password is asked for twice at a terminal, taken as it was corrected, and never shown', async () => {
  const typed = ['a long and good onx\x7fe\r', 'a long and good one\r'];
  const ran = await done(['users', 'add', 'typist'], { typed });
  assert.ok(!(ran.stdout + ran.stderr).includes('good'));
  assert.equal((await logIn('typist', 'a long and good one')).status, 200);
  assert.match(
    await refused(['users', 'add', 'typist2'], { typed: ['one of them\r', 'another one\r'] }),
    /not the same/,
  );
  assert.match(await refused(['users', 'add', 'typist2'], { typed: ['half\x03'] }), /Stopped/);
  assert.match(await refused(['users', 'remove', 'typist'], { typed: ['no\r'] }), /Nothing was changed/);
  await done(['users', 'remove', 'typist'], { typed: ['yes\r'] });
});

test('hash warns and never refuses; its hash is of the password without the line break at the end', async () => {
  const { stdout, stderr } = await done(['hash'], { input: 'short\n' });
  assert.match(stderr, /Warning: .*8 characters/);
  assert.ok(verifyPassword('short', stdout.trim()).matches);
  assert.equal((await done(['hash'], { typed: [`${password}\r`] })).stderr, 'Password: \n');
  assert.match(await refused(['hash'], { input: Buffer.from([0xff, 0xfe]) }), /not UTF-8/);
});

test('stored names that would steer a terminal are printed as what they are', async () => {
  await done(['users', 'add', 'shown', '--profile', '{"note":"\\u001b]0;x\\u0007\\u202e"}'], {
    input: password,
  });
  for (const argv of [
    ['users', 'show', 'shown'],
    ['users', 'show', 'shown', '--json'],
  ]) {
    const { stdout } = await done(argv);
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
  }
});

test("an id that is also another account's name is refused: it could mean either", async () => {
  const { user } = (await done(['users', 'show', 'ada', '--json'])).json();
  await done(['users', 'add', user.id], { input: password });
  assert.match(await refused(['users', 'disable', user.id]), /id of one account and the name of another/);
  await done(['users', 'remove', (await opened.latchkey.users.findByName(user.id))!.username!.toUpperCase()]);
});

test('a backup is a new file that only its owner may read, whole, and without the secret', async () => {
  const file = join(folder, 'copy.db');
  await done(['backup', file]);
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
  const secret = readFileSync(join(data, 'secret'), 'utf8').trim();
  assert.ok(!readFileSync(file).includes(secret));
  assert.match(await refused(['backup', file]), /there already/);
  assert.match(
    await refused(['backup', join(folder, 'gone', 'copy.db')]),
    /folder .*gone is not there: make it/,
  );
  assert.match(await refused(['restore', file]), /Stop it first/);
  assert.equal((await logIn('ada')).status, 200);
});

test('doctor finds nothing wrong beside a server, and says what to do about a fault', async () => {
  const environmentOf = { ...environment, PORT: '1' };
  const well = await run(['doctor', '--json'], { environment: environmentOf });
  assert.equal(well.code, 0, well.stdout);
  const port = well.json().findings.find(({ check }: { check: string }) => check === 'port');
  assert.match(port.detail, /somebody has the database open/);
  const other = { ...environmentOf, LATCHKEY_SECRET: 'q8Zt0mVn3Lr5Xc7Kb2Wd9Fh4Jg6Ps1Ty-uEoIaYxCvB' };
  const ill = await run(['doctor'], { environment: other });
  assert.equal(ill.code, 1);
  assert.match(ill.stdout, /keys: Set LATCHKEY_SECRET/);
  const behind = turnableClock(Date.UTC(2020, 0, 1));
  assert.match(
    (await run(['doctor'], { environment: environmentOf, clock: behind })).stdout,
    /clock: Set the clock/,
  );
  assert.match(
    (await run(['doctor'], { environment: { LATCHKEY_PORT: '1' } })).stdout,
    /settings: .*Write PORT/,
  );
  if (process.platform === 'win32') return;
  chmodSync(join(data, 'secret'), 0o644);
  assert.match((await run(['doctor'], { environment: environmentOf })).stdout, /secret file: Run: chmod 600/);
  chmodSync(join(data, 'secret'), 0o600);
});

test('doctor tells a server on this database from one on another', async () => {
  const other = mkdtempSync(join(folder, 'other-'));
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const here = (await run(['doctor'], { environment: { ...environment, PORT: port } })).stdout;
  assert.match(here, /port +ok +a server answers/);
  const there = await run(['doctor'], { environment: { LATCHKEY_DATA: other, PORT: port } });
  assert.match(there.stdout, /port +fault +.* has another database open/);
  assert.equal(there.code, 1);
});

test('migrations are listed as applied, and bringing them up again does nothing', async () => {
  const { migrations } = (await done(['migrate', 'status', '--json'])).json();
  assert.ok(
    migrations.length > 0 &&
      migrations.every(({ applied_at }: { applied_at: string }) => applied_at !== null),
  );
  assert.deepEqual((await done(['migrate', 'up', '--json'])).json().applied, []);
  const empty = { LATCHKEY_DATA: join(folder, 'nowhere') };
  const pending = (await done(['migrate', 'status', '--json'], { environment: empty })).json().migrations;
  assert.deepEqual(
    pending.map(({ applied_at }: { applied_at: null }) => applied_at),
    migrations.map(() => null),
  );
});

test('a command in the wrong folder makes nothing and says where it looked', async () => {
  const nowhere = { LATCHKEY_DATA: join(folder, 'nowhere') };
  for (const argv of [
    ['users', 'list'],
    ['keys', 'list'],
    ['migrate', 'up'],
    ['backup', 'x.db'],
    ['doctor'],
  ]) {
    const ran = await run(argv, { environment: nowhere });
    assert.equal(existsSync(nowhere.LATCHKEY_DATA), false, argv.join(' '));
    if (argv[0] !== 'doctor') assert.match(ran.stderr, /There is no database at/);
  }
});

test('a config file is honoured by every command that opens the house, and one that does not load stops it', async () => {
  const other = mkdtempSync(join(folder, 'config-'));
  writeFileSync(
    join(other, 'latchkey.config.mjs'),
    `export default { hooks: { onSignUp: () => ({ scopes: ['member'], profile: { from: 'hook' } }) } }`,
  );
  const made = (await done(['admin', 'create', 'hooked', '--generate', '--json'], { folder: other })).json()
    .user;
  assert.deepEqual([...made.scopes].sort(), ['admin', 'member'], 'a hook adds to what the operator grants');
  assert.deepEqual(made.profile, { from: 'hook' });
  writeFileSync(join(folder, 'bad.mjs'), 'export default 7');
  for (const argv of commands.filter(({ opens }) => opens).map(({ words }) => words)) {
    const wanted =
      commands.find(({ words }) => words === argv)?.arguments?.filter(({ optional }) => !optional) ?? [];
    const error = await refused([...argv, ...wanted.map(() => 'x'), '--config', 'bad.mjs']).catch(() => null);
    if (argv[0] !== 'doctor') assert.match(error ?? '', /exports no options/, argv.join(' '));
  }
});

test('wrong words end with 2 and name what was probably meant', async () => {
  for (const [argv, sentence] of [
    [[], /Which command\?/],
    [['srve'], /Did you mean `latchkey serve`\?/],
    [['--json', 'users', 'list'], /The command comes first/],
    [['users'], /wants one of: add, list/],
    [['users', 'lst'], /Did you mean `latchkey users list`\?/],
    [['users', 'list', '--serch=x'], /Did you mean --search\?/],
    [['users', 'list', '--search'], /--search wants a value/],
    [['users', 'list', '--search', '--json'], /--search wants a value/],
    [['users', 'list', '--json=yes'], /--json takes no value/],
    [['users', 'list', '--limit', '0'], /--limit is a whole number/],
    [['users', 'show'], /NAME is missing/],
    [['users', 'show', 'a', 'b'], /takes NAME and no more/],
    [['sessions', 'end'], /NAME or --all/],
    [['sessions', 'end', 'ada', '--all'], /NAME or --all/],
    [['token', 'make', 'ada', '--ttl', '15'], /--ttl is not a length of time/],
    [['users', 'add', 'x', '--profile', '{'], /--profile is not JSON/],
    [['users', 'show', '-x'], /behind a --/],
  ] as const) {
    const ran = await run(argv);
    assert.equal(ran.code, 2, argv.join(' '));
    assert.match(ran.stderr + ran.stdout, sentence, argv.join(' '));
  }
});

test('a word that may be a password is not repeated where an option was misspelt', async () => {
  const { stderr } = await run(['users', 'add', 'x', '--pass=hunter2!x', '--Tr0ub4dor&3']);
  assert.ok(!stderr.includes('hunter2') && !stderr.includes('Tr0ub4dor'));
});

test('with --json standard output is one JSON document, also when it fails', async () => {
  for (const argv of [
    ['users', 'show', 'nobody'],
    ['users', 'lst'],
    ['users', 'add', 'a b'],
    ['restore', 'gone'],
  ]) {
    const ran = await run([...argv, '--json'], { input: password });
    assert.notEqual(ran.code, 0);
    assert.equal(ran.stderr, '');
    assert.equal(typeof ran.json().error.detail, 'string');
  }
  assert.deepEqual(Object.keys((await done(['--version', '--json'])).json()), ['version']);
});

test('every command tells with --help what it does, with every option, and does nothing', async () => {
  const general = (await done(['--help'])).stdout;
  assert.match(general, /0 done; 1 failed or refused; 2 /);
  for (const { words, summary, options = {} } of commands) {
    assert.ok(general.includes(summary));
    const { stdout } = await done([...words, '--help'], { environment: { LATCHKEY_NONSENSE: 'x' } });
    for (const name of [...Object.keys(options), 'json', 'help'])
      assert.ok(stdout.includes(`--${name}`), words.join(' '));
  }
  assert.match((await done(['users', '--help'])).stdout, /users import/);
});

test('what the system refuses is told in a sentence, and as one JSON document with --json', async () => {
  assert.match(await refused(['users', 'import', folder]), /^The system says EISDIR[^\n]*\n$/);
  const ran = await run(['users', 'import', folder, '--json']);
  assert.deepEqual([ran.code, ran.json().error.code], [1, 'failed']);
});
