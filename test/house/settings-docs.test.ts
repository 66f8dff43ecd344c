// docs/settings.md and the table of settings say the same, in both directions.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { leastBits, secretFault } from '../../src/house-secret.ts';
import { type Setting, settingTable } from '../../src/setting-table.ts';

const page = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \| (.+?) \| (.+?) \|$/gm)].map((row) => row.slice(1));
const table = Object.entries(settingTable) as [string, Setting<unknown>][];

test('the page lists every setting, its option, its default and its meaning as the table has them', () => {
  const expected = table.map(([name, setting]) => [
    setting.env,
    name,
    setting.initial === null ? setting.otherwise : `\`${setting.initial}\``,
    setting.meaning,
  ]);
  assert.deepEqual(rows, expected);
});

test('the page names no setting that does not exist', () => {
  const known = table.flatMap(([, { env, secret }]) => (secret ? [env, `${env}_FILE`] : [env]));
  const named = [...page.matchAll(/\bLATCHKEY_[A-Z_]*[A-Z]/g)].map(([name]) => name);
  assert.deepEqual(
    named.filter((name) => !known.includes(name)),
    [],
  );
});

test('every default and every example is right by its own reader', () => {
  for (const [name, { initial, otherwise, example, read }] of table) {
    assert.ok((initial === null) !== (otherwise === undefined), name);
    for (const text of [initial, example])
      if (text != null) assert.ok('value' in read(text), `${name}=${text}`);
  }
});

test('the secret on the page is refused because it stands there, and the bound on it is the one in force', () => {
  const [shown] = /`([\w-]{43})`/.exec(page)!.slice(1);
  assert.match(secretFault(shown!) ?? 'accepted', /known/);
  assert.ok(page.includes(`at least ${leastBits} bits`));
});
