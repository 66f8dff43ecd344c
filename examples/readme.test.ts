// The page of the examples says what is there: the lines of each, and that they use nothing but what is published.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const here = new URL('./', import.meta.url);
const folders = readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory());

/** The lines of every file of an app but its tests. */
function textOf(app: string): string[] {
  const folder = new URL(`${app}/`, here);
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  return files.flatMap((file) => readFileSync(new URL(file, folder), 'utf8').split('\n'));
}

/** How many of them are code: neither blank nor a comment. */
function linesOf(app: string): number {
  return textOf(app).filter((line) => !/^\s*($|\/\/|\/\*\*|\*)/.test(line)).length;
}

test('the table of the examples names each app with its lines of code', () => {
  const table = readFileSync(new URL('README.md', here), 'utf8');
  const rows = [...table.matchAll(/^\| \[([\w-]+)\]\(\1\/README\.md\) \| .+ \| (\d+) \|$/gm)];
  const stated = Object.fromEntries(rows.map(([, app, lines]) => [app, Number(lines)]));
  const counted = Object.fromEntries(folders.map(({ name }) => [name, linesOf(name)]));
  assert.deepEqual(stated, counted);
});

test('an example imports what is published, and nothing from outside its folder', () => {
  const imports = folders.flatMap(({ name }) =>
    textOf(name).flatMap((line) => /\bfrom '([^']+)'|\bimport\(?'([^']+)'/.exec(line)?.slice(1) ?? []),
  );
  assert.ok(imports.includes('latchkey'));
  assert.deepEqual(
    imports.filter((from) => from?.startsWith('../') || from?.includes('/src/')),
    [],
  );
});
