// The Authorization header, as a route that reads credentials itself is told of it.
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { authorizationOf } from './node.ts';

const sent = (...values: string[]) =>
  authorizationOf({ rawHeaders: values.flatMap((value) => ['authorization', value]) } as IncomingMessage);
const basic = (text: string | Uint8Array) => `Basic ${Buffer.from(text).toString('base64')}`;

test('Basic credentials are a name without a colon and a password that may hold one', () => {
  const expected = { scheme: 'basic', name: 'zoë', password: 'a:b' };
  assert.deepEqual(sent(basic('zoë:a:b')), expected);
  assert.deepEqual(sent(basic('zoë:a:b').replace('Basic', 'bASIC')), expected);
});

test('a Basic header that is not base64, not UTF-8, or holds no colon, is no credential', () => {
  const unreadable = [
    'Basic an%C3%B6',
    'Basic YTpi YTpi',
    basic(Uint8Array.of(0x61, 0x3a, 0xff)),
    basic('anthony'),
  ];
  for (const value of unreadable) assert.deepEqual(sent(value), { scheme: 'other' });
});

test('no header is no credential, and two are refused', () => {
  assert.deepEqual(sent(), { scheme: 'none' });
  assert.throws(() => sent(basic('a:b'), 'Bearer x'), { code: 'ambiguous_credentials' });
});
