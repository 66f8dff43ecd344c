// Imports under src/ run downhill, and the rule that says so can fail.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Edge, importFaults, importsOf } from './import-rules.ts';

const src = fileURLToPath(new URL('../../src/', import.meta.url));

/** The file under src/ that an import means, or its own text where it is a package. */
function resolve(from: string, to: string): string {
  return to.startsWith('.') ? posix.join(posix.dirname(from), to) : to;
}

function edge(from: string, to: string, typeOnly = false): Edge {
  return { from, to, typeOnly };
}

test('every import under src/ runs downhill, in no circle, past no door', () => {
  const files = globSync('**/*.ts', { cwd: src })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !file.endsWith('.test.ts'));
  assert.ok(files.includes('errors.ts') && files.includes('accounts/account.ts'));
  const edges = files.flatMap((from) =>
    importsOf(readFileSync(`${src}${from}`, 'utf8')).map(({ to, typeOnly }) =>
      edge(from, resolve(from, to), typeOnly),
    ),
  );
  assert.ok(edges.length > files.length / 2);
  assert.deepEqual(importFaults(files, edges), []);
});

/** One edge each that breaks one part of the rule. */
const uphill: readonly (readonly [string, string])[] = [
  ['errors.ts', 'accounts/account.ts'],
  ['clock.ts', 'latchkey.ts'],
  ['accounts/account.ts', 'sessions/session.ts'],
  ['tokens/verify.ts', 'revocations/view.ts'],
  ['sessions/session.ts', 'store/store.ts'],
  ['store/store.ts', 'flows/log-in.ts'],
  ['store/store.ts', 'wire/shapes.ts'],
  ['flows/log-in.ts', 'latchkey.ts'],
  ['flows/log-in.ts', 'wire/shapes.ts'],
  ['library.ts', 'latchkey.ts'],
  ['latchkey.ts', 'server/app.ts'],
  ['server/app.ts', 'cli/main.ts'],
  ['guards/guard.ts', 'store/store.ts'],
  ['guards/guard.ts', 'wire/shapes.ts'],
  ['client/client.ts', 'tokens/verify.ts'],
  ['wire/shapes.ts', 'accounts/account.ts'],
  ['cli/main.ts', 'index.ts'],
  ['server/app.ts', 'tokens/index.ts'],
  ['errors.ts', 'typebox'],
  ['tokens/verify.ts', 'jose'],
  ['revocations/view.ts', 'typebox/value'],
  ['client/client.ts', '@scope/package/deep'],
  ['guards/fastify.ts', 'fastify'],
  ['wire/shapes.ts', 'fastify'],
  ['accounts/profile.ts', 'zod'],
  ['server/app.ts', 'latchkey/tokens'],
  ['server/app.ts', 'node:sqlite'],
  ['server/app.ts', './gone.ts'],
];

const downhill: readonly (readonly [string, string])[] = [
  ['accounts/account.ts', 'errors.ts'],
  ['accounts/profile.ts', 'accounts/account.ts'],
  ['accounts/profile.ts', 'typebox/compile'],
  ['store/store.ts', 'sessions/session.ts'],
  ['store/store.ts', 'kysely'],
  ['flows/log-in.ts', 'store/store.ts'],
  ['latchkey.ts', 'guards/guard.ts'],
  ['guards/guard.ts', 'tokens/verify.ts'],
  ['client/client.ts', 'wire/shapes.ts'],
  ['server/app.ts', 'flows/log-in.ts'],
  ['cli/main.ts', 'server/app.ts'],
  ['latchkey.ts', 'library.ts'],
  ['index.ts', 'latchkey.ts'],
  ['tokens/index.ts', 'tokens/verify.ts'],
  ['tokens/verify.ts', 'node:crypto'],
  ['store/engines/sqlite.ts', 'node:sqlite'],
];

const house = [...new Set([...uphill, ...downhill].flat())].filter((name) => /^[a-z].*\.ts$/.test(name));

test('an import that runs uphill, sideways, through a door or outside is found', () => {
  const engine = edge('store/engines/sqlite.ts', 'node:sqlite');
  for (const [from, to] of uphill) {
    const found = importFaults(house, [engine, edge(from, to)]);
    assert.ok(found[0]?.startsWith(`${from} imports`), `${from} -> ${to}`);
    // Types are no way around it, except those of a framework in its adapter.
    const asType = importFaults(house, [engine, edge(from, to, true)]);
    assert.equal(asType.length === 0, from === 'guards/fastify.ts', `type ${from} -> ${to}`);
  }
});

test('imports that run downhill are left alone', () => {
  assert.deepEqual(
    importFaults(
      house,
      downhill.map(([from, to]) => edge(from, to)),
    ),
    [],
  );
});

test('a circle is found, of types too', () => {
  const circle = [
    edge('store/a.ts', 'store/b.ts'),
    edge('store/b.ts', 'store/c.ts', true),
    edge('store/c.ts', 'store/a.ts'),
  ];
  const files = ['store/a.ts', 'store/b.ts', 'store/c.ts'];
  assert.deepEqual(importFaults(files, circle), [
    'store/a.ts -> store/b.ts -> store/c.ts -> store/a.ts is a circle',
  ]);
  assert.deepEqual(importFaults(files, circle.slice(1)), []);
  assert.equal(importFaults(['clock.ts'], [edge('clock.ts', 'clock.ts')]).length, 1);
});

test('node:sqlite is imported in exactly one file, among the engines', () => {
  const files = ['store/engines/sqlite.ts', 'store/engines/writer.ts'];
  const first = edge('store/engines/sqlite.ts', 'node:sqlite');
  assert.deepEqual(importFaults(files, [first]), []);
  assert.equal(importFaults(files, [first, edge('store/engines/writer.ts', 'node:sqlite')]).length, 1);
  assert.equal(importFaults(files, []).length, 1);
  assert.deepEqual(importFaults(['clock.ts'], []), []);
});

test('a room that is not in the drawing, or is named for nothing, is found', () => {
  for (const file of [
    'utils/text.ts',
    'accounts/helpers.ts',
    'store/common/rows.ts',
    'types.ts',
    'lib/x.ts',
    'mailbox/mail.ts',
  ]) {
    assert.ok(importFaults([file], []).length > 0, file);
  }
  assert.deepEqual(importFaults(['accounts/lockout.ts', 'store/prototypes.ts'], []), []);
});

test('every way of importing is seen, and comments are not', () => {
  const source = `
import a, { type B } from './a.ts';
import type { C } from './c.ts';
import {
  d,
} from "./d.ts";
import './e.ts';
export { f } from './f.ts';
export * from './g.ts';
const h = await import('./h.ts');
let i: import('./i.ts').I;
// import x from './x.ts';
/* import y from './y.ts'; */
const text = 'from nowhere';
const s = process.getBuiltinModule('node:sqlite');
`;
  const seen = importsOf(source).map(({ to }) => to);
  assert.deepEqual(seen.sort(), [...'acdefghi'].map((name) => `./${name}.ts`).concat('node:sqlite'));
  assert.deepEqual(
    importsOf(source)
      .filter(({ typeOnly }) => typeOnly)
      .map(({ to }) => to),
    ['./c.ts'],
  );
});
