// What the package's types do in the project of somebody who uses it: compiled from what is published, with declarations, as strictly as can be.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
const folder = mkdtempSync(join(tmpdir(), 'latchkey-types-'));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const installed = [...Object.keys(dependencies), ...['@types', 'undici-types', 'express', 'hono']];

function compile(args: readonly string[], cwd: string): string {
  const run = spawnSync(process.execPath, [tsc, ...args], { cwd, encoding: 'utf8' });
  return run.stdout + run.stderr;
}

const good = `
import { type Hooks, isLatchkeyError, latchkey, type ProfileOf, refuse, type StandardSchema } from 'latchkey';
import { createClient } from 'latchkey/client';
import { createVerifier, generateKey } from 'latchkey/tokens';
import { createLane, hashPassword } from 'latchkey/passwords';
import { guard as expressGuard } from 'latchkey/express';
import { type Caller, guard } from 'latchkey/fastify';
import { guard as honoGuard } from 'latchkey/hono';
import { fetchGuard, guard as nodeGuard } from 'latchkey/node';
import { testLatchkey } from 'latchkey/testing';
import { Type } from 'typebox';

export const schema = Type.Object({ level: Type.Union([Type.Literal('beginner'), Type.Literal('expert')]) });
export type Profile = ProfileOf<typeof schema>;
export const hooks: Hooks<Profile> = {
  onSignUp: (user, device) => {
    if (device.address === undefined) throw refuse('sign_up_refused', { detail: 'From where?' });
    return { profile: { level: user.email === null ? 'beginner' : 'expert' }, scopes: ['posts:read'] };
  },
  claims: async ({ profile }) => ({ level: profile.level }),
};
export const auth = await latchkey({ profile: schema, hooks, url: 'http://127.0.0.1:4000', accessTtl: '10m' });
export const bare = await latchkey();
export const plain = await latchkey({ hooks: { claims: (user) => ({ plan: user.profile['plan'] }) } });

export const signUp = (username: string, password: string) => auth.signUp({ username, password });
export const logIn = (name: string, password: string) => auth.logIn({ name, password });
export const check = (token: string) => auth.verify(token);
export const devices = (id: string) => auth.sessions.list(id);
export const settings = () => auth.settings;
export const keys = () => ({ list: auth.keys.list(), published: auth.keys.jwks(), accounts: auth.users });
export const state = () => auth.keys.list().map((key) => key.state);
export const levelOf = async (id: string) => (await auth.users.find(id))?.profile.level;
export const verifier = createVerifier({ issuer: 'a', audience: 'b', maxLifetimeSeconds: 900, keys: () => undefined });
export const pair = generateKey('EdDSA');
export const lane = createLane({ workers: 1 });
export const hash = hashPassword;
export const client = createClient({ url: 'http://127.0.0.1:4000' });
export const unheard = client.on('change', ({ signedIn, reason }) => [signedIn, reason?.length]);
export const myName = async (): Promise<string | null> => (await client.user()).username;
export const orders = (signal: AbortSignal) => client.fetch('/orders', { method: 'POST', body: '{}', signal });

const level: 'beginner' | 'expert' | undefined = await levelOf('x');
const free: Record<string, unknown> = (await plain.signUp({ username: 'x', password: 'y' })).profile;
const name: string | undefined = auth.verify('x').preferred_username;

export const byHand: StandardSchema<{ goal: string }> = {
  '~standard': { version: 1, vendor: 'me', validate: () => ({ value: { goal: '10 km' } }) },
};
export const validate = byHand['~standard'].validate;
export const coached = await latchkey({ profile: byHand });
const goal: string = (await coached.signUp({ username: 'x', password: 'y' })).profile.goal;

export const { required, optional, fresh, refresh, scope } = guard(auth);
export const recent = fresh({ within: '5m' });
export const me = required<{ Params: { id: string } }>(async (who, request) => {
  const id: string = request.params.id;
  const level: 'beginner' | 'expert' = (await who.user()).profile.level;
  return { id, level, scopes: who.scopes, name: who.username };
});
export const maybe = optional((who) => ({ name: who === null ? null : who.username }));
export const writer = scope('posts:write')({ schema: { summary: 'Write' } }, (who) => who.id);
export const next = refresh((who) => auth.refresh(who.token));
export const inExpress = expressGuard(auth).required((who, request, response) => response.json({ id: who.id, path: request.path }));
export const inHono = honoGuard(auth).required((who, context) => context.json({ id: who.id }));
export const inNode = nodeGuard(auth, { from: ['query'] }).required((who, _, response) => response.end(who.id));
export const inFetch = fetchGuard(auth).fresh((who) => Response.json({ at: who.authenticatedAt }));
export const greet = async (who: Caller<{ username: string | null }>) => (await who.user()).username;

export const kit = await testLatchkey({ profile: schema, hooks });
export const levelInTest: 'beginner' | 'expert' = (await kit.user({ scopes: ['posts:read'] })).profile.level;
export const asked = kit.assertClosed(async (token) => new Response(token), { scope: ['posts:read'] });
export const guardInTest = guard(kit.auth);

export function codeOf(error: unknown) {
  return isLatchkeyError(error) ? error.code : null;
}
export const used = [level, free, name, goal];
`;

const wrong = [
  ['who asks on an optional route, unasked for null', `guard(auth).optional((who) => who.id);`],
  [
    'a profile field that the schema does not have',
    `guard(auth).required(async (who) => (await who.user()).profile.goal);`,
  ],
  ['an access token where a refresh token is', `guard(auth).refresh((who) => who.scopes);`],
  [
    'who asks on a route that is not closed',
    `import fastify from 'fastify'; fastify().get('/', (request) => request.who);`,
  ],
  ['a scope of no name', `guard(auth).scope();`],
  ['a state that is none', `await (await testLatchkey()).mint('expried');`],
  ['an option that is none', `await latchkey({ colour: 'red' });`],
  ['an option of a wrong type', `await latchkey({ port: '4000' });`],
  ['an algorithm that is none', `await latchkey({ algorithm: 'HS512' });`],
  ['a length of time as a number', `await latchkey({ accessTtl: 900 });`],
  ['a hook that is none', `await latchkey({ hooks: { afterLogIn() {} } });`],
  [
    'a hook with another profile',
    `await latchkey({ profile: schema, hooks: { claims: (u) => ({ x: u.profile.goal }) } });`,
  ],
  [
    'an addition outside the profile',
    `await latchkey({ profile: schema, hooks: { onSignUp: () => ({ profile: { level: 'none' } }) } });`,
  ],
  ['a field the profile has not', `(await auth.signUp({ username: 'a', password: 'b' })).profile.goal;`],
  ['a sign-up without a password', `await auth.signUp({ username: 'a' });`],
  ['a refusal that is none', `refuse('no_such_code');`],
  ['a claim that is written', `auth.verify('x').sub = 'y';`],
  ['a password in a change', `await auth.users.change('x', { password: 'y' });`],
] as const;

const head = [
  `import { latchkey, refuse } from 'latchkey';`,
  `import { guard } from 'latchkey/fastify';`,
  `import { testLatchkey } from 'latchkey/testing';`,
  `import { Type } from 'typebox';`,
  `const schema = Type.Object({ level: Type.Union([Type.Literal('beginner'), Type.Literal('expert')]) });`,
  `const auth = await latchkey({ profile: schema });`,
];

/** What the compiler said of the two files, and the declarations that it wrote for the good one. */
let said: string[];
let declarations: string;

before(() => {
  const home = join(folder, 'node_modules/latchkey');
  mkdirSync(home, { recursive: true });
  cpSync(join(root, 'package.json'), join(home, 'package.json'));
  assert.equal(compile(['-p', 'tsconfig.build.json', '--outDir', join(home, 'dist')], root), '');
  for (const name of installed) {
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'good.ts'), good);
  writeFileSync(
    join(folder, 'wrong.ts'),
    [...head, ...wrong.map(([, line]) => line), 'export {};'].join('\n'),
  );
  const options = {
    compilerOptions: {
      ...{ target: 'es2024', module: 'nodenext', strict: true, declaration: true, outDir: 'out' },
      ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, types: ['node'] },
      ...{ noImplicitOverride: true, noPropertyAccessFromIndexSignature: true, skipLibCheck: false },
    },
    files: ['good.ts', 'wrong.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
  said = compile(['-p', '.', '--pretty', 'false'], folder).split('\n');
  declarations = readFileSync(join(folder, 'out/good.d.ts'), 'utf8');
});

after(() => rmSync(folder, { recursive: true, force: true }));

test('a strict project compiles against what is published, its declarations name every type, and the profile’s type arrives', () => {
  // Lines that are indented go on about the one before.
  assert.deepEqual(
    said.filter((line) => /^\S/.test(line) && !line.startsWith('wrong.ts')),
    [],
  );
  assert.match(declarations, /export declare const auth: import\("latchkey"\)\.Latchkey<\{/);
  assert.match(declarations, /bare: .*Latchkey<Record<string, unknown>>/);
  assert.match(declarations, /levelOf: .*Promise<"beginner" \| "expert" \| undefined>/);
  assert.doesNotMatch(declarations, /\bany\b/);
  assert.doesNotMatch(declarations, /latchkey\/dist|node_modules/);
});

test('what is wrong does not compile', () => {
  const lines = new Set(said.map((line) => Number(/^wrong\.ts\((\d+),/.exec(line)?.[1] ?? 0)));
  const compiled = wrong.filter((_, index) => !lines.has(head.length + 1 + index)).map(([what]) => what);
  assert.deepEqual(compiled, []);
  assert.ok([...lines].every((line) => line === 0 || line > head.length));
});
