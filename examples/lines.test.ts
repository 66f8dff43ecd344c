// The table of the examples says what is there.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const here = new URL('./', import.meta.url);
const folders = readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory());

/** The lines of code in every file of an app but its tests: neither blank nor a comment. */
function linesOf(app: string): number {
  const folder = new URL(`${app}/`, here);
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const lines = files.flatMap((file) => readFileSync(new URL(file, folder), 'utf8').split('\n'));
  return lines.filter((line) => !/^\s*($|\/\/|\/\*\*|\*)/.test(line)).length;
}

test('the table of the examples names each app with its lines of code', () => {
  const table = readFileSync(new URL('README.md', here), 'utf8');
  const rows = [...table.matchAll(/^\| \[([\w-]+)\]\(\1\/README\.md\) \| .+ \| (\d+) \|$/gm)];
  const stated = Object.fromEntries(rows.map(([, app, lines]) => [app, Number(lines)]));
  const counted = Object.fromEntries(folders.map(({ name }) => [name, linesOf(name)]));
  assert.deepEqual(stated, counted);
});
