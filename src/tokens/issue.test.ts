import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimsWith } from '../../test/attack/forge.ts';
import { issueToken } from './issue.ts';
import { generateKey } from './key.ts';

test('a token says in its header which key and kind it is, and in its payload exactly the claims', () => {
  const key = generateKey('EdDSA');
  const claims = claimsWith({ preferred_username: 'Åsa', team: { id: 7 }, scope: undefined });
  const parts = issueToken(key, 'at+jwt', claims).split('.');
  const [header, payload] = parts.map((part) => Buffer.from(part, 'base64url').toString());
  assert.deepEqual(JSON.parse(header!), { alg: 'EdDSA', kid: key.kid, typ: 'at+jwt' });
  assert.equal(payload, JSON.stringify(claims));
});

test('two keys never share a header', () => {
  const [one, other] = [generateKey('EdDSA'), generateKey('EdDSA')];
  const header = (key: typeof one) => issueToken(key, 'at+jwt', claimsWith()).split('.')[0];
  assert.equal(header(one), header(one));
  assert.notEqual(header(one), header(other));
});

test('claims that would make a token no guard reads are refused when it is made', () => {
  const key = generateKey('EdDSA');
  assert.throws(() => issueToken(key, 'at+jwt', claimsWith({ pad: 'x'.repeat(6000) })), RangeError);
});

test('a key that does not fit its algorithm signs nothing', () => {
  const key = { ...generateKey('ES256'), algorithm: 'EdDSA' } as const;
  assert.throws(() => issueToken(key, 'at+jwt', claimsWith()), TypeError);
});
