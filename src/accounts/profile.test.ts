// Profiles: what a schema of either kind lets through, what is refused, and how it is named.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Type } from 'typebox';
import type { FieldError } from '../errors.ts';
import { createProfileReader, type ProfileOf, type ProfileSchema, type StandardSchema } from './profile.ts';

async function errorsOf(schema: ProfileSchema | undefined, raw: unknown): Promise<readonly FieldError[]> {
  const read = await createProfileReader(schema).read(raw);
  return read.ok ? [] : read.errors;
}

async function fieldsOf(schema: ProfileSchema | undefined, raw: unknown): Promise<string[]> {
  return (await errorsOf(schema, raw)).map((error) => `${error.field} ${error.code}`);
}

const coach = Type.Object({
  age: Type.Integer({ minimum: 13 }),
  level: Type.Union([Type.Literal('beginner'), Type.Literal('expert')], { default: 'beginner' }),
  goal: Type.Optional(Type.Object({ name: Type.String({ maxLength: 5 }), tags: Type.Array(Type.String()) })),
});

interface Person {
  fullName: string;
}

/** A Standard Schema as a library would make it. */
function standard<Output>(validate: StandardSchema<Output>['~standard']['validate']): StandardSchema<Output> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

const person = standard<Person>((value) => {
  const name = (value as { fullName?: unknown }).fullName;
  return typeof name === 'string'
    ? { value: { fullName: name.trim() } }
    : { issues: [{ message: 'Say who you are.', path: [{ key: 'fullName' }] }] };
});

test('the type of a profile follows from its schema', () => {
  const ofTypeBox: ProfileOf<typeof coach> = { age: 20, level: 'expert' };
  const ofStandard: ProfileOf<typeof person> = { fullName: 'Anna' };
  const ofNone: ProfileOf<undefined> = { anything: [1] };
  // @ts-expect-error an age is a number
  const wrong: ProfileOf<typeof coach> = { age: 'twenty', level: 'expert' };
  assert.deepEqual([ofTypeBox, ofStandard, ofNone, wrong].length, 4);
});

test('without a schema a profile is any plain JSON object, and none is an empty one', async () => {
  const reader = createProfileReader(undefined);
  const profile = { name: 'Anna', list: [1, null, { deep: true }] };
  assert.deepEqual(await reader.read(profile), { ok: true, profile });
  assert.deepEqual(await reader.read(undefined), { ok: true, profile: {} });
  // JSON has no negative zero, nor members without a value.
  assert.deepEqual(await reader.read({ zero: -0, none: undefined }), { ok: true, profile: { zero: 0 } });
  for (const raw of [null, 'x', 1, [], true, new Date(0), new Map()]) {
    assert.deepEqual(await fieldsOf(undefined, raw), ['profile wrong_type']);
  }
});

test('a profile is plain JSON within bounds, whatever its schema says', async () => {
  const anything = standard<object>((value) => ({ value: value as object }));
  const nested = (depth: number): unknown => (depth === 1 ? {} : { next: nested(depth - 1) });
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  for (const schema of [undefined, anything, Type.Object({})]) {
    assert.deepEqual(await fieldsOf(schema, nested(8)), []);
    assert.deepEqual(await fieldsOf(schema, nested(9)), ['profile too_deep']);
    assert.deepEqual(await fieldsOf(schema, circle), ['profile too_deep']);
    assert.deepEqual(await fieldsOf(schema, { text: 'x'.repeat(8181) }), []);
    assert.deepEqual(await fieldsOf(schema, { text: 'x'.repeat(8182) }), ['profile too_large']);
    for (const raw of [
      { a: 1n },
      { a: Number.NaN },
      { a: () => 1 },
      { a: 'x\0' },
      { 'a\0': 1 },
      { a: '\ud800' },
    ]) {
      assert.deepEqual(await fieldsOf(schema, raw), ['profile wrong_type']);
    }
  }
});

test('threat 99: members that lead to a prototype are refused at every depth', async () => {
  const bodies = [
    '{"__proto__":{"admin":true}}',
    '{"a":[{"constructor":{"prototype":{"admin":true}}}]}',
    '{"prototype":1}',
  ];
  for (const schema of [undefined, coach, person]) {
    for (const body of bodies) {
      assert.deepEqual(await fieldsOf(schema, JSON.parse(body)), ['profile forbidden_name'], body);
    }
  }
  assert.equal(({} as { admin?: boolean }).admin, undefined);
});

test('threat 99: members that the schema does not name are not kept', async () => {
  const read = await createProfileReader(coach).read({
    age: 20,
    role: 'admin',
    goal: { name: 'run', tags: [], id: 1 },
  });
  assert.deepEqual(read, {
    ok: true,
    profile: { age: 20, level: 'beginner', goal: { name: 'run', tags: [] } },
  });
  const closed = Type.Object({ age: Type.Integer() }, { additionalProperties: false });
  assert.deepEqual(await fieldsOf(closed, { age: 20, role: 'admin' }), ['profile.role unknown']);
});

test('a TypeBox schema fills in its defaults', async () => {
  const reader = createProfileReader(coach);
  assert.deepEqual(await reader.read({ age: 20 }), { ok: true, profile: { age: 20, level: 'beginner' } });
});

test('a TypeBox schema names each field that it refuses, once', async () => {
  assert.deepEqual(await fieldsOf(coach, undefined), ['profile.age required']);
  assert.deepEqual(await fieldsOf(coach, { age: '20' }), ['profile.age wrong_type']);
  assert.deepEqual(await fieldsOf(coach, { age: 12 }), ['profile.age too_small']);
  assert.deepEqual(await fieldsOf(coach, { age: 20, level: 'master' }), ['profile.level invalid']);
  assert.deepEqual(await fieldsOf(coach, { age: 20, goal: { name: 'sprint', tags: ['a', 1] } }), [
    'profile.goal.name too_long',
    'profile.goal.tags.1 wrong_type',
  ]);
});

test('a field with a slash or a tilde in its name is named as it is', async () => {
  const odd = Type.Object({ 'a/b~c': Type.Number() });
  assert.deepEqual(await fieldsOf(odd, { 'a/b~c': 'x' }), ['profile.a/b~c wrong_type']);
});

test('a Standard Schema may transform, may be asynchronous, and names the fields that it refuses', async () => {
  const later = standard<Person>(async (value) => person['~standard'].validate(value));
  for (const schema of [person, later]) {
    const reader = createProfileReader(schema);
    assert.deepEqual(await reader.read({ fullName: ' Anna ' }), { ok: true, profile: { fullName: 'Anna' } });
    assert.deepEqual(await errorsOf(schema, {}), [
      { field: 'profile.fullName', code: 'invalid', detail: 'Say who you are.' },
    ]);
  }
});

test('a schema that is a function is a Standard Schema too', async () => {
  const callable = Object.assign(() => true, person);
  assert.deepEqual(await fieldsOf(callable, {}), ['profile.fullName invalid']);
});

test('what a Standard Schema makes must be JSON as well', async () => {
  const dated = standard<object>(() => ({ value: { born: new Date(0) } }));
  assert.deepEqual(await fieldsOf(dated, {}), ['profile wrong_type']);
  assert.deepEqual(
    await fieldsOf(
      standard<null>(() => ({ value: null })),
      {},
    ),
    ['profile wrong_type'],
  );
});

test('a schema that throws is a refusal that names the profile', async () => {
  const throwing = (): never => {
    throw new TypeError('secret value');
  };
  const refine = Type.Refine(Type.Object({}), throwing);
  for (const schema of [standard<object>(throwing), standard<object>(async () => throwing()), refine]) {
    assert.deepEqual(await errorsOf(schema, { a: 1 }), [
      { field: 'profile', code: 'invalid', detail: 'The profile could not be read.' },
    ]);
  }
});

test('a refusal never repeats a value, even when the schema does', async () => {
  const quoting = standard<object>((value) => ({
    issues: [
      { message: `Expected a number but received "${(value as { age: string }).age}"`, path: ['age'] },
    ],
  }));
  const refining = Type.Refine(
    Type.Object({ age: Type.String() }),
    () => false,
    (value) => `not ${value.age}`,
  );
  for (const schema of [quoting, refining, coach]) {
    const errors = await errorsOf(schema, { age: 'hunter2' });
    assert.equal(errors.length > 0, true);
    assert.ok(!JSON.stringify(errors).includes('hunter2'));
  }
});

test('a refusal names twenty fields at most, in names of bounded length', async () => {
  const path = ['x'.repeat(80), 'y'.repeat(80)];
  const many = standard<object>(() => ({
    issues: Array.from({ length: 50 }, () => ({ message: 'No.', path })),
  }));
  const errors = await errorsOf(many, {});
  assert.equal(errors.length, 20);
  assert.ok(errors.every((error) => error.field.length <= 128));
});

test('what is not a schema stops the start and names the option', () => {
  for (const schema of [null, 'x', 1, {}, [], () => true, { type: 'object' }, Type.String()]) {
    assert.throws(() => createProfileReader(schema as ProfileSchema), {
      name: 'StartError',
      message: /`profile`/,
    });
  }
  const broken = Type.Object({ name: Type.Unsafe<string>({ type: 'string', pattern: '(' }) });
  assert.throws(() => createProfileReader(broken), { name: 'StartError', message: /`profile`.*pattern/ });
});

test('reading anything ends in a profile that is read the same again, or in errors', async () => {
  const readers = [undefined, coach, person].map(createProfileReader);
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.object(), fc.anything()), async (raw) => {
      for (const reader of readers) {
        const read = await reader.read(raw);
        if (read.ok) assert.deepEqual(await reader.read(JSON.parse(JSON.stringify(read.profile))), read);
        else assert.ok(read.errors.every((error) => /^profile(\.|$)/.test(error.field)));
      }
    }),
  );
});
