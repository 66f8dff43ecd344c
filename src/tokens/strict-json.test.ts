import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maxDepth, parseObject } from './strict-json.ts';

const parse = (text: string) => parseObject(Buffer.from(text));

test('every object without repeated names is read as JSON.parse reads it', () => {
  const ordinary = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 }), { noNullPrototype: true });
  const withoutProto = ordinary.filter((value) => !JSON.stringify(value).includes('__proto__'));
  fc.assert(
    fc.property(withoutProto, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      assert.deepEqual(parse(text), JSON.parse(text));
    }),
  );
});

test('a name that comes twice in one object is refused, wherever, however spelled, and whatever looks like it is not', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(3), (name, depth) => {
      const escaped = [...name].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
      const plain = JSON.stringify(name);
      const spelled = name.length === escaped.length ? `"${escaped.join('')}"` : plain;
      const wrap = (inner: string) => `{"outer":${'['.repeat(depth)}${inner}${']'.repeat(depth)}}`;
      assert.equal(parse(wrap(`{${plain}:1,${spelled} : 2}`)), null);
      if (name !== '__proto__') assert.notEqual(parse(wrap(`{${plain}:{${plain}:${plain}}}`)), null);
    }),
  );
  assert.notEqual(parse('{"a":"\\"b\\":1,\\"b\\":2","b":["b","b",{"b":1}],"c":{"b":"{\\"b\\":"}}'), null);
  assert.equal(parse('{"a\\\\":1,"a\\\\":2}'), null);
});

test('__proto__ is no name for a member', () => {
  assert.equal(parse('{"__proto__":{"admin":true}}'), null);
  assert.equal(parse('{"a":[{"__pr\\u006fto__":1}]}'), null);
});

test('nesting has a bound', () => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  assert.notEqual(parse(nested(maxDepth)), null);
  assert.equal(parse(nested(maxDepth + 1)), null);
});

test('bytes that are no UTF-8, and values that are no object, are refused', () => {
  assert.equal(parseObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), null);
  for (const text of ['', '[]', 'null', '1', '"a"', '{', '\ufeff{}', '{} x', '{"a":1,}', '{a:1}']) {
    assert.equal(parse(text), null, text);
  }
});
