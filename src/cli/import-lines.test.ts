import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { csvRecords, type ImportLine, jsonRecords } from './import-lines.ts';

async function* chunks(text: string | Buffer, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(records: AsyncGenerator<ImportLine>): Promise<ImportLine[]> {
  const found: ImportLine[] = [];
  for await (const record of records) found.push(record);
  return found;
}

const fieldsOf = (record: ImportLine) => ('fields' in record ? record.fields : null);
const brief = (records: ImportLine[]) =>
  records.map((record) => [record.line, fieldsOf(record)?.username ?? null]);

test('JSON lines are read wherever the chunks of the file end', async () => {
  const file = '\ufeff{"username":"ada\u2028x"}\r\n\n{"username":"über"}\n{"username":"end"}';
  for (const size of [1, 2, 3, 7, 1000]) {
    assert.deepEqual(brief(await all(jsonRecords(chunks(file, size)))), [
      [1, 'ada\u2028x'],
      [3, 'über'],
      [4, 'end'],
    ]);
  }
});

test('a line that is wrong is told with its number, and the next one is read', async () => {
  const broken = [
    '{"username":',
    '[]',
    'null',
    '"ada"',
    '{"pasword_hash":"x"}',
    '{"__proto__":{"username":"x"}}',
    `{"username":"${'x'.repeat(300_000)}"}`,
  ];
  for (const line of broken) {
    const found = await all(jsonRecords(chunks(`{"username":"a"}\n${line}\n{"username":"b"}\n`, 1024)));
    assert.deepEqual(
      brief(found),
      [
        [1, 'a'],
        [2, null],
        [3, 'b'],
      ],
      line.slice(0, 40),
    );
  }
  const latin = Buffer.concat([
    Buffer.from('{"username":"a"}\n'),
    Buffer.from([0x22, 0xfc, 0x22, 10]),
    Buffer.from('{"username":"b"}'),
  ]);
  assert.deepEqual(brief(await all(jsonRecords(chunks(latin, 5)))), [
    [1, 'a'],
    [2, null],
    [3, 'b'],
  ]);
});

test('the fault of a line never holds what stands in it, and names the field that was meant', async () => {
  const [record] = await all(jsonRecords(chunks('{"pasword_hash":"$2b$secret"}', 99)));
  assert.ok(record && 'fault' in record);
  assert.equal(record.fault, 'There is no field "pasword_hash". Did you mean password_hash?');
});

const head = 'username,email,disabled,profile.city,profile\n';

test('CSV has names in its first line, and an empty cell is a field that is left out', async () => {
  const file = `${head}ada,,true,"London, old",\ngrace,g@example.com,,,"{""rank"":""admiral""}"\r\n`;
  const found = await all(csvRecords(chunks(file, 3)));
  assert.deepEqual(found.map(fieldsOf), [
    { username: 'ada', disabled: true, profile: { city: 'London, old' } },
    { username: 'grace', email: 'g@example.com', profile: { rank: 'admiral' } },
  ]);
});

test('a record of CSV may go on over lines inside of quotes', async () => {
  const found = await all(csvRecords(chunks(`${head}ada,,,"one\ntwo",\nbob,,,,\n`, 4)));
  assert.deepEqual(brief(found), [
    [2, 'ada'],
    [4, 'bob'],
  ]);
  assert.deepEqual(fieldsOf(found[0]!)?.profile, { city: 'one\ntwo' });
});

test('a stray quote costs its own line and no other', async () => {
  for (const line of ['al"ice,,,,', '"alice,,,,', 'alice,"x"y,,,', 'too,few', 'a,b,maybe,,', 'a,,,,[1]']) {
    const found = await all(csvRecords(chunks(`${head}ada,,,,\n${line}\nbob,,,,"{""a"":1}"\ncy,,,,\n`, 16)));
    assert.deepEqual(
      brief(found),
      [
        [2, 'ada'],
        [3, null],
        [4, 'bob'],
        [5, 'cy'],
      ],
      line,
    );
  }
});

test('a first line that names an unknown field, or one twice, refuses the file', async () => {
  for (const first of ['username,pasword', 'username,username', '"user'])
    await assert.rejects(all(csvRecords(chunks(`${first}\nada,x\n`, 9))), { name: 'CommandError' });
});

test('whatever the file holds, every record has a line of its own and nothing is thrown', async () => {
  const piece = fc.constantFrom('"', ',', '\n', '\r\n', 'a', '{', '}', '""', '\ufeff', 'x,y', '"b"');
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 60 }), async (parts) => {
      const text = parts.join('');
      for (const found of [
        await all(jsonRecords(chunks(text, 3))),
        await all(csvRecords(chunks(`${head}${text}`, 3))),
      ]) {
        const lines = found.map(({ line }) => line);
        assert.deepEqual(
          lines,
          [...new Set(lines)].sort((left, right) => left - right),
        );
      }
    }),
  );
});
