// docs/command.md and the table of commands say the same, in both directions.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { headOf } from '../../src/cli/help.ts';

const page = readFileSync(new URL('../../docs/command.md', import.meta.url), 'utf8');
const sections = new Map(
  page
    .split(/^## latchkey /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), text]),
);

test('the page has a section for each command, in the order of the table, and none besides', () => {
  const headings = [...page.matchAll(/^## latchkey (.+)$/gm)].map(([, head]) => head);
  assert.deepEqual(headings, commands.map(headOf));
});

test('each section has the summary, every argument and option with its meaning, and the example', () => {
  for (const command of commands) {
    const section = sections.get(headOf(command)) ?? '';
    assert.ok(section.includes(`\n${command.summary}\n`), headOf(command));
    assert.ok(section.includes(command.details ?? ''), headOf(command));
    assert.ok(section.includes(`\`\`\`sh\n${command.example}\n\`\`\``), headOf(command));
    const rows = [...section.matchAll(/^\| `(.+?)` \| (.+) \|$/gm)].map(([, name, help]) => [name, help]);
    const expected = [
      ...(command.arguments ?? []).map(({ name, help }) => [name, help]),
      ...Object.entries(command.options ?? {}).map(([name, { value, help }]) => [
        `--${name}${value ? ` ${value.replaceAll('|', '\\|')}` : ''}`,
        help,
      ]),
    ];
    assert.deepEqual(rows, expected, headOf(command));
  }
});

test('every example begins with words that lead to its command', () => {
  for (const { words, example } of commands)
    assert.ok(example.includes(`npx latchkey ${words.join(' ')}`), example);
});
