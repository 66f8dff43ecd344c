// Latchkey as a library, without HTTP: the same walk, accounts from elsewhere, hooks, profiles under a schema, keys, and what it refuses.
import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import { before, test } from 'node:test';
import { inspect } from 'node:util';
import * as bcrypt from '@node-rs/bcrypt';
import { Type } from 'typebox';
import { turnableClock } from '../../src/clock.ts';
import { generateSecret } from '../../src/house-secret.ts';
import {
  type Hooks,
  isLatchkeyError,
  type Latchkey,
  type LatchkeyOptions,
  latchkey,
  type ProfileSchema,
  refuse,
  type StandardSchema,
  StartError,
  type User,
} from '../../src/index.ts';
import { openHouse } from '../../src/latchkey.ts';
import { atEnd, claimsOf, houseOptions, password, temporaryFolder } from '../fixture/server.ts';

async function open<Schema extends ProfileSchema = ProfileSchema>(options: LatchkeyOptions<Schema> = {}) {
  const opened = await latchkey<Schema>({
    ...(houseOptions(temporaryFolder(), turnableClock()) as LatchkeyOptions<Schema>),
    ...options,
  });
  atEnd(() => opened.close());
  return opened;
}

/** The code of a refusal, whether it is thrown or comes with a promise. */
async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    if (isLatchkeyError(error)) return error.code;
    throw error;
  }
  return 'none';
}

const clock = turnableClock();
let auth: Latchkey;

before(async () => {
  auth = await open({ clock });
  await auth.signUp({ username: 'jonathan', email: 'jonathan@example.com', password });
});

test('sign up, log in, verify, refresh, log out', async () => {
  const user = await auth.signUp({ username: 'walker', password, profile: { level: 'beginner' } });
  assert.deepEqual(user.profile, { level: 'beginner' });
  assert.ok(user.createdAt instanceof Date);
  const tokens = await auth.logIn(
    { name: 'WALKER', password },
    { device: { userAgent: 'curl/8', address: '::1' } },
  );
  assert.equal(tokens.expiresIn, 900);
  assert.equal(tokens.user.id, user.id);
  const claims = auth.verify(tokens.accessToken);
  assert.equal(claims.sub, user.id);
  assert.equal(claims.sid, tokens.sessionId);
  assert.equal(claims.fresh, true);
  const [session] = await auth.sessions.list(user.id);
  assert.deepEqual([session?.id, session?.label, session?.address], [tokens.sessionId, 'curl', '::1']);
  const next = await auth.refresh(tokens.refreshToken);
  assert.equal(auth.verify(next.accessToken).fresh, undefined);
  await auth.logOut(next.accessToken);
  assert.equal(await codeOf(() => auth.verify(next.accessToken)), 'signed_out');
  assert.equal(await codeOf(() => auth.refresh(next.refreshToken)), 'signed_out');
  assert.equal(await codeOf(() => auth.logOut(next.refreshToken)), 'signed_out');
  assert.equal(await codeOf(() => auth.logOut('nonsense')), 'token_invalid');
});

test('log out takes the refresh token after the access token has expired, and everywhere ends the others', async () => {
  const one = await auth.logIn({ name: 'jonathan', password });
  const other = await auth.logIn({ name: 'jonathan@example.com', password });
  clock.turn(900_000);
  assert.equal(await codeOf(() => auth.verify(one.accessToken)), 'token_expired');
  assert.equal(await codeOf(() => auth.logOut(one.accessToken)), 'token_expired');
  await auth.logOut(one.refreshToken, { everywhere: true });
  assert.equal(await codeOf(() => auth.refresh(one.refreshToken)), 'signed_out');
  assert.equal(await codeOf(() => auth.refresh(other.refreshToken)), 'signed_out_elsewhere');
});

test('every refusal is an error with a code, and wrong credentials look alike', async () => {
  assert.equal(
    await codeOf(() => auth.logIn({ name: 'jonathan', password: 'wrong' })),
    'invalid_credentials',
  );
  assert.equal(await codeOf(() => auth.logIn({ name: 'nobody', password })), 'invalid_credentials');
  assert.equal(await codeOf(() => auth.signUp({ username: 'JONATHAN', password })), 'username_taken');
  assert.equal(
    await codeOf(() => auth.signUp({ username: 'x', email: 'JONATHAN@example.com', password })),
    'email_taken',
  );
  assert.equal(await codeOf(() => auth.signUp({ password })), 'invalid_input');
  assert.equal(
    await codeOf(() => auth.signUp({ username: 'weak', password: 'password1' })),
    'password_refused',
  );
  assert.equal(await codeOf(() => auth.verify('a.b.c')), 'token_invalid');
  assert.equal(await codeOf(() => auth.refresh('a.b.c')), 'token_invalid');
});

test('the owner changes the password; code that may do everything sets it, changes, disables and removes', async () => {
  const { id } = await auth.users.add({ username: 'managed', password }, { scopes: ['posts:write'] });
  const here = await auth.logIn({ name: 'managed', password });
  const there = await auth.logIn({ name: 'managed', password });
  const next = 'wrong donkey charger';
  const change = { currentPassword: 'wrong', newPassword: next };
  assert.equal(await codeOf(() => auth.changePassword(here.accessToken, change)), 'wrong_password');
  await auth.changePassword(here.accessToken, { currentPassword: password, newPassword: next });
  assert.equal(auth.verify(here.accessToken).sub, id);
  assert.equal(await codeOf(() => auth.verify(there.accessToken)), 'password_changed');
  await auth.users.setPassword(id, password);
  assert.equal(await codeOf(() => auth.verify(here.accessToken)), 'password_changed');

  const third = await auth.logIn({ name: 'managed', password });
  assert.deepEqual(third.scopes, ['posts:write']);
  assert.deepEqual((await auth.users.change(id, { scopes: [] })).scopes, []);
  assert.equal(await codeOf(() => auth.verify(third.accessToken)), 'scope_changed');
  assert.equal((await auth.users.findByName('MANAGED'))?.id, id);
  assert.equal((await auth.users.find(id))?.username, 'managed');
  assert.equal(await auth.users.find('nobody'), null);
  assert.equal(await auth.users.findByName('nobody'), null);
  assert.equal((await auth.users.list({ search: 'anage', limit: 1 }))[0]?.id, id);
  await auth.users.change(id, { disabled: true });
  assert.equal(await codeOf(() => auth.refresh(third.refreshToken)), 'disabled');
  await auth.users.remove(id);
  assert.equal(await codeOf(() => auth.users.remove(id)), 'not_found');
  assert.equal(await codeOf(() => auth.users.setPassword(id, password)), 'not_found');
  assert.equal(await codeOf(() => auth.users.change(id, { disabled: false })), 'not_found');
});

test('sessions are listed and ended, one or all', async () => {
  const { id } = await auth.users.add({ username: 'sessions', password });
  const one = await auth.logIn({ name: 'sessions', password });
  const two = await auth.logIn({ name: 'sessions', password });
  assert.equal((await auth.sessions.list(id)).length, 2);
  assert.equal(await auth.sessions.end('somebody else', one.sessionId), false);
  assert.equal(await auth.sessions.end(id, one.sessionId), true);
  assert.equal(await auth.sessions.end(id, one.sessionId), false);
  assert.equal(await codeOf(() => auth.verify(one.accessToken)), 'signed_out_elsewhere');
  assert.equal(auth.verify(two.accessToken).sub, id);
  await auth.sessions.endAll(id);
  assert.equal(await codeOf(() => auth.verify(two.accessToken)), 'signed_out_elsewhere');
  assert.equal(await codeOf(() => auth.sessions.endAll('nobody')), 'not_found');
});

test('a hash made elsewhere logs in, and is argon2id from then on', async () => {
  const salt = Buffer.from('saltsaltsalt');
  const derived = pbkdf2Sync(password, salt, 1_000, 32, 'sha256').toString('base64');
  const hashes: Record<string, string> = {
    bcrypt: await bcrypt.hash(password, 4),
    django: `pbkdf2_sha256$1000$${salt.toString()}$${derived}`,
  };
  const opened = await openHouse(houseOptions(temporaryFolder(), clock));
  const { accounts } = opened.house.store;
  const auth = opened.latchkey;
  atEnd(() => auth.close());
  for (const [kind, passwordHash] of Object.entries(hashes)) {
    const user = await auth.users.add(
      { username: kind, passwordHash },
      { emailVerified: true, disabled: false },
    );
    assert.equal(user.emailVerified, true);
    assert.equal(await codeOf(() => auth.logIn({ name: kind, password: 'wrong' })), 'invalid_credentials');
    assert.equal((await accounts.find(user.id))?.passwordHash, passwordHash);
    await auth.logIn({ name: kind, password });
    assert.match((await accounts.find(user.id))?.passwordHash ?? '', /^\$argon2id\$/);
    await auth.logIn({ name: kind, password });
  }
  for (const passwordHash of ['', 'plain text', '$1$md5$crypt', '$2b$99$x']) {
    assert.equal(await codeOf(() => auth.users.add({ username: 'odd', passwordHash })), 'invalid_input');
  }
});

test('hooks: sign-up adds and refuses, log-in is asked after the password, claims go into every access token', async () => {
  const seen: string[] = [];
  const hooks: Hooks = {
    onSignUp(user, device) {
      seen.push(`sign-up ${user.username} from ${device.address}`);
      if (user.email === null) throw refuse('sign_up_refused', { detail: 'An address is needed here.' });
      return { profile: { plan: 'free' }, scopes: ['posts:read'] };
    },
    async beforeLogIn(user) {
      seen.push(`log-in ${user.username}`);
      if (user.username === 'unwanted') throw refuse('log_in_refused');
    },
    claims: (user) => ({ plan: user.profile.plan }),
  };
  const house = await open({ hooks });
  const device = { address: '192.0.2.7' };
  assert.equal(await codeOf(() => house.signUp({ username: 'bare', password }, device)), 'sign_up_refused');
  assert.equal(await house.users.findByName('bare'), null);
  const input = { username: 'hooked', email: 'hooked@example.com', password, profile: { name: 'H' } };
  const user = await house.signUp(input, device);
  assert.deepEqual([user.profile, user.scopes], [{ name: 'H', plan: 'free' }, ['posts:read']]);
  assert.equal(await codeOf(() => house.logIn({ name: 'hooked', password: 'wrong' })), 'invalid_credentials');
  const tokens = await house.logIn({ name: 'hooked', password });
  assert.equal(house.verify(tokens.accessToken).plan, 'free');
  assert.equal(claimsOf((await house.refresh(tokens.refreshToken)).accessToken).plan, 'free');
  await house.signUp({ ...input, username: 'unwanted', email: 'unwanted@example.com' });
  assert.equal(await codeOf(() => house.logIn({ name: 'unwanted', password })), 'log_in_refused');
  // Nobody is asked about an account that is disabled: another answer would tell that the password was right.
  await house.users.change(user.id, { disabled: true });
  assert.equal(await codeOf(() => house.logIn({ name: 'hooked', password })), 'invalid_credentials');
  assert.deepEqual(seen, [
    'sign-up bare from 192.0.2.7',
    'sign-up hooked from 192.0.2.7',
    'log-in hooked',
    'sign-up unwanted from undefined',
    'log-in unwanted',
  ]);
});

test('the hook for claims cannot take a name of the house', async () => {
  const house = await open({ hooks: { claims: () => ({ scope: 'admin' }) } });
  await house.signUp({ username: 'greedy', password });
  await assert.rejects(house.logIn({ name: 'greedy', password }), /may not set "scope"/);
});

const Level = Type.Object({
  level: Type.Union([Type.Literal('beginner'), Type.Literal('expert')], { default: 'beginner' }),
  age: Type.Optional(Type.Integer({ minimum: 1 })),
});

test('a profile under a TypeBox schema has its defaults, loses what nobody asked for, and names what is wrong', async () => {
  const house = await open({ profile: Level, hooks: { claims: (user) => ({ level: user.profile.level }) } });
  const user = await house.signUp({ username: 'boxed', password, profile: { extra: 1 } });
  const level: 'beginner' | 'expert' = user.profile.level;
  assert.equal(level, 'beginner');
  assert.deepEqual(user.profile, { level: 'beginner' });
  const error = await house
    .signUp({ username: 'old', password, profile: { age: 0 } })
    .catch((thrown) => thrown);
  assert.equal(error.code, 'invalid_input');
  assert.equal(error.extra.errors[0].field, 'profile.age');
  const changed = await house.users.change(user.id, { profile: { level: 'expert' } });
  assert.equal(changed.profile.level, 'expert');
  assert.equal(
    await codeOf(() => house.users.change(user.id, { profile: { level: 'none' } })),
    'invalid_input',
  );
  const tokens = await house.logIn({ name: 'boxed', password });
  assert.equal(house.verify(tokens.accessToken).level, 'expert');
});

interface Trainee {
  readonly goal: string;
}

const trainee: StandardSchema<Trainee> = {
  '~standard': {
    version: 1,
    vendor: 'by hand',
    validate(value) {
      const { goal } = value as { goal?: unknown };
      if (typeof goal !== 'string') return { issues: [{ message: 'A goal is needed.', path: ['goal'] }] };
      return { value: { goal: goal.trim() } };
    },
  },
};

test('a profile under a Standard Schema written by hand is what the schema makes of it', async () => {
  const house = await open({ profile: trainee });
  const user: User<Trainee> = await house.signUp({
    username: 'runner',
    password,
    profile: { goal: ' 10 km ' },
  });
  assert.equal(user.profile.goal, '10 km');
  const error = await house.signUp({ username: 'lazy', password }).catch((thrown) => thrown);
  assert.deepEqual(error.extra.errors, [
    { field: 'profile.goal', code: 'invalid', detail: 'A goal is needed.' },
  ]);
});

test('keys are listed, published, rotated and revoked', async () => {
  const house = await open();
  await house.signUp({ username: 'keys', password });
  const before = await house.logIn({ name: 'keys', password });
  const states = () =>
    house.keys
      .list()
      .flatMap(({ purpose, state }) => (purpose === 'access' ? [state] : []))
      .toSorted();
  assert.deepEqual(states(), ['signing']);
  await house.keys.rotate();
  assert.deepEqual(states(), ['next', 'signing']);
  await house.keys.rotate('at_once');
  assert.deepEqual(states(), ['retiring', 'signing']);
  assert.equal(house.keys.jwks().keys.length, 2);
  assert.equal(house.verify(before.accessToken).iss, 'http://127.0.0.1:4000');
  const signing = house.keys.list().find(({ state, purpose }) => state === 'signing' && purpose === 'access');
  const after = await house.logIn({ name: 'keys', password });
  await house.keys.revoke(signing?.kid as string);
  assert.equal(await codeOf(() => house.verify(after.accessToken)), 'key_revoked');
  assert.ok(house.verify(before.accessToken));
  assert.ok(house.verify((await house.refresh(after.refreshToken)).accessToken));
  assert.equal(await codeOf(() => house.keys.revoke('no such key')), 'not_found');
});

test('a revoked refresh key ends what hangs on it, with a refusal and not a fault', async () => {
  const house = await open();
  await house.signUp({ username: 'refresh-key', password });
  const tokens = await house.logIn({ name: 'refresh-key', password });
  const key = house.keys.list().find(({ purpose }) => purpose === 'refresh');
  await house.keys.revoke(key?.kid as string);
  assert.equal(await codeOf(() => house.refresh(tokens.refreshToken)), 'token_invalid');
  const next = await house.logIn({ name: 'refresh-key', password });
  assert.ok(await house.refresh(next.refreshToken));
});

test('close may be called twice, finishes what was begun, and nothing is written after it', async () => {
  const house = await open();
  const signingUp = house.signUp({ username: 'last', password });
  await signingUp;
  await Promise.all([house.close(), house.close()]);
  assert.equal(await codeOf(() => house.signUp({ username: 'late', password })), 'busy');
});

test('wrong options stop the start, every one of them named', async () => {
  const options = { ...houseOptions(temporaryFolder(), clock), accessTtl: 'soon', colour: 'red', port: 'x' };
  const error = await latchkey(options as unknown as LatchkeyOptions).catch((thrown) => thrown);
  assert.ok(error instanceof StartError);
  const text = error.problems.join('\n');
  for (const name of ['accessTtl', 'colour', 'port']) assert.match(text, new RegExp(name));
  for (const profile of [{}, 'x', { type: 'object' }, Type.String()]) {
    const wrong = { ...houseOptions(temporaryFolder(), clock), profile } as unknown as LatchkeyOptions;
    await assert.rejects(latchkey(wrong), StartError, JSON.stringify(profile));
  }
});

test('a body that is handed on as it came is refused by its fields, and does not break anything', async () => {
  const from = (body: object) => body as never;
  assert.equal(await codeOf(() => auth.logIn(from({}))), 'invalid_input');
  assert.equal(await codeOf(() => auth.logIn(from({ name: 'mary', password: 7 }))), 'invalid_input');
  assert.equal(await codeOf(() => auth.logIn(from({ name: ['mary'], password }))), 'invalid_input');
  assert.equal(await codeOf(() => auth.signUp(from({}))), 'invalid_input');
  assert.equal(await codeOf(() => auth.signUp(from({ username: 7, password }))), 'invalid_input');
  assert.equal(await codeOf(() => auth.signUp(from({ username: 'nopassword' }))), 'invalid_input');
  assert.equal(
    await codeOf(() => auth.signUp(from({ username: 'nopassword', password: 7 }))),
    'invalid_input',
  );
  await auth.signUp({ username: 'handed.on', password });
  const { accessToken } = await auth.logIn({ name: 'handed.on', password });
  assert.equal(await codeOf(() => auth.changePassword(accessToken, from({}))), 'invalid_input');
  const currentPassword = password;
  assert.equal(
    await codeOf(() => auth.changePassword(accessToken, from({ currentPassword }))),
    'invalid_input',
  );
  for (const token of [undefined, null, 7, {}]) {
    assert.equal(await codeOf(() => auth.verify(token as never)), 'token_invalid');
    assert.equal(await codeOf(() => auth.refresh(token as never)), 'token_invalid');
    assert.equal(await codeOf(() => auth.logOut(token as never)), 'token_invalid');
  }
});

test('the object of the library, written out, holds no secret', async () => {
  const secret = generateSecret();
  const opened = await open({ secret, secretPrevious: generateSecret() });
  assert.ok(!inspect(opened, { depth: null, showHidden: true }).includes(secret));
  assert.deepEqual(
    Object.keys(opened.settings).filter((name) => /secret/i.test(name)),
    [],
  );
});

test('a hook with a wrong name, or that is no function, stops the start', async () => {
  const options = houseOptions(temporaryFolder(), turnableClock());
  for (const [hooks, sentence] of [
    [
      { beforeLogin: () => refuse('log_in_refused') },
      /hooks\.beforeLogin is none of onSignUp, beforeLogIn, claims/,
    ],
    [{ claims: { plan: 'free' } }, /hooks\.claims is not a function/],
  ] as const) {
    const failed = await latchkey({ ...options, hooks: hooks as never }).catch((error: unknown) => error);
    assert.ok(failed instanceof StartError);
    assert.match(failed.message, sentence);
  }
});
