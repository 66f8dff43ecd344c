import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64url, readHeader, splitCompact } from './compact.ts';

test('a token is cut at exactly two dots, and the signature covers all before the second', () => {
  assert.deepEqual(splitCompact('a.b.c'), { header: 'a', payload: 'b', signature: 'c', signed: 'a.b' });
  assert.deepEqual(splitCompact('a..'), { header: 'a', payload: '', signature: '', signed: 'a.' });
  for (const text of ['', 'a', 'a.b', '.b.c', 'a.b.c.', 'a.b.c.d', 'a.b.c.d.e', '...']) {
    assert.equal(splitCompact(text), null, text);
  }
});

test('bytes have one text, and no other text decodes', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = Buffer.from(bytes).toString('base64url');
      assert.deepEqual(decodeBase64url(text), Buffer.from(bytes));
      assert.equal(decodeBase64url(`${text}=`), null);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      const bytes = decodeBase64url(text);
      if (bytes !== null) assert.equal(bytes.toString('base64url'), text);
    }),
  );
  // One character alone is six bits: no byte. `AB` spells the byte of `AA` with a bit too many.
  for (const text of ['A', 'AB', 'AA==', 'A+A_', 'AA\n', ' AA', 'A.A', 'é'])
    assert.equal(decodeBase64url(text), null, text);
});

test('a header says alg, and perhaps kid and typ, and nothing else', () => {
  const read = (header: unknown) => readHeader(Buffer.from(JSON.stringify(header)).toString('base64url'));
  assert.deepEqual(read({ alg: 'x' }), { alg: 'x', kid: undefined, typ: undefined });
  assert.deepEqual(read({ typ: 't', kid: 'k', alg: 'x' }), { alg: 'x', kid: 'k', typ: 't' });
  for (const header of [
    {},
    { kid: 'k' },
    { alg: 1 },
    { alg: 'x', kid: '' },
    { alg: 'x', y: 1 },
    [],
    'alg',
    null,
  ]) {
    assert.equal(read(header), null, JSON.stringify(header));
  }
});
