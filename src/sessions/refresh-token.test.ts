import assert from 'node:assert/strict';
import { createHmac, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeRefreshToken, readRefreshToken } from './refresh-token.ts';
import { endSession, openSession, type Session } from './session.ts';

const now = Date.UTC(2026, 0, 1, 12, 0, 0, 789);
const secret = createSecretKey(Buffer.alloc(32, 7));
const otherSecret = createSecretKey(Buffer.alloc(32, 8));
const key = { kid: 'refresh-1', secret };
const ring = new Map<string, KeyObject>([
  ['refresh-1', secret],
  ['refresh-2', otherSecret],
]);
const keys = (kid: string): KeyObject | undefined => ring.get(kid);
const session: Session = openSession({
  id: '0197a0de-7000-7000-8000-000000000001',
  userId: '0197a0de-7000-7000-8000-000000000002',
  now,
  policy: { idleMs: 30 * 86_400_000, ttlMs: 180 * 86_400_000, graceMs: 10_000 },
  refreshKid: 'refresh-1',
  salt: 'c2FsdHNhbHRzYWx0c2FsdA',
  authTime: now,
  amr: ['pwd'],
  askedScopes: null,
  clientId: null,
  label: null,
  address: null,
});
const token = makeRefreshToken(session, key);

function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** A token over any header and payload with a MAC that is right for it. */
function forge(header: unknown, payload: unknown, under: KeyObject = secret): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${createHmac('sha256', under).update(text).digest('base64url')}`;
}

function decode(segment: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(segment, 'base64url').toString()) as Record<string, unknown>;
}

const [headerText = '', payloadText = '', signature = ''] = token.split('.');
const header = { alg: 'HS256', typ: 'refresh+jwt', kid: 'refresh-1' };
const payload = decode(payloadText);

function faultOf(presented: unknown): string {
  const reading = readRefreshToken(presented, keys);
  return reading.ok ? 'accepted' : reading.fault;
}

test('a refresh token says which session, which generation, and until when', () => {
  assert.deepEqual(readRefreshToken(token, keys), {
    ok: true,
    userId: session.userId,
    sessionId: session.id,
    generation: 1,
    expiresAt: session.refreshExpiresAt,
    kid: 'refresh-1',
  });
  assert.deepEqual(decode(headerText), header);
  assert.deepEqual(Object.keys(payload), ['sub', 'sid', 'gen', 'iat', 'exp', 'jti']);
  assert.equal(payload.iat, session.issuedAt / 1000);
  assert.equal(payload.exp, session.refreshExpiresAt / 1000);
});

test('the template of format 1 never changes: another version of the house must make the same token', () => {
  assert.equal(
    token,
    'eyJhbGciOiJIUzI1NiIsInR5cCI6InJlZnJlc2grand0Iiwia2lkIjoicmVmcmVzaC0xIn0.eyJzdWIiOiIwMTk3YTBkZS03MDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDIiLCJzaWQiOiIwMTk3YTBkZS03MDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEiLCJnZW4iOjEsImlhdCI6MTc2NzI2ODgwMCwiZXhwIjoxNzY5ODYwODAwLCJqdGkiOiJaSm41amhqblZyVWQtWXZyOXZaa0RPRjBzSDluRVR2d3djTHJ2NXh5RXZ3In0.1rc0-VpGY6II7zdA7hpg6BR4SUpd0QBAZabw25907DA',
  );
});

test('a row makes the same token wherever and whenever, whatever else changed in it', () => {
  const elsewhere: Session = {
    ...structuredClone(session),
    version: 9,
    lastSeenAt: now + 5,
    label: 'curl',
    recent: [[1, now]],
  };
  const sameKey = { kid: 'refresh-1', secret: createSecretKey(Buffer.alloc(32, 7)) };
  assert.equal(makeRefreshToken(elsewhere, sameKey), token);
});

test('another generation, salt, session, end or key makes another token with another jti where it should', () => {
  const others: readonly Session[] = [
    { ...session, generation: 2 },
    { ...session, salt: 'YW5vdGhlcnNhbHRhbm90aA' },
  ];
  for (const other of others) {
    assert.notEqual(decode(makeRefreshToken(other, key).split('.')[1] ?? '').jti, payload.jti);
  }
  assert.notEqual(makeRefreshToken({ ...session, id: 'x' }, key), token);
  assert.notEqual(
    makeRefreshToken({ ...session, refreshExpiresAt: session.refreshExpiresAt + 1000 }, key),
    token,
  );
  const rekeyed = makeRefreshToken(
    { ...session, refreshKid: 'refresh-2' },
    { kid: 'refresh-2', secret: otherSecret },
  );
  assert.equal(readRefreshToken(rekeyed, keys).ok, true);
});

test('a token is made only under the key that the row names, and never for a tombstone or an unknown format', () => {
  assert.throws(() => makeRefreshToken(session, { kid: 'refresh-2', secret: otherSecret }), /refresh key/);
  assert.throws(
    () => makeRefreshToken({ ...session, refreshKid: 'a"b' }, { kid: 'a"b', secret }),
    /refresh key/,
  );
  assert.throws(() => makeRefreshToken(endSession(session, 'deleted', now), key), /without an account/);
  assert.throws(() => makeRefreshToken({ ...session, tokenFormat: 2 as unknown as 1 }, key), /format/);
});

test('threat 1: a refresh token with any character changed is refused', () => {
  for (let index = 0; index < token.length; index += 1) {
    for (const character of ['A', 'B', '-', '.', '=']) {
      if (token[index] === character) continue;
      assert.notEqual(
        faultOf(token.slice(0, index) + character + token.slice(index + 1)),
        'accepted',
        `${index}`,
      );
    }
  }
});

test('threat 12: a refresh token whose MAC is empty, cut or lengthened is refused', () => {
  for (const changed of [
    '',
    signature.slice(0, -1),
    signature.slice(0, 21),
    `${signature}A`,
    `${signature}AAAA`,
  ]) {
    assert.equal(faultOf(`${headerText}.${payloadText}.${changed}`), 'malformed');
  }
});

test('threat 13: one refresh token has one spelling', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  // The last character of 43 carries four bits; three others decode to the same bytes.
  const last = alphabet.indexOf(signature.at(-1) ?? '');
  for (const index of [1, 2, 3]) {
    const twin = signature.slice(0, -1) + alphabet[(last & ~3) | ((last + index) & 3)];
    assert.deepEqual(Buffer.from(twin, 'base64url'), Buffer.from(signature, 'base64url'));
    assert.equal(faultOf(`${headerText}.${payloadText}.${twin}`), 'bad_mac');
  }
  for (const other of [`${token}=`, ` ${token}`, `${token}\n`, token.replace('.', '=.'), `${token}\u0000`]) {
    assert.equal(faultOf(other), 'malformed', JSON.stringify(other));
  }
  // The same for the last character of the header, under a MAC that is right for it.
  assert.equal(headerText.length % 4, 3);
  const end = alphabet.indexOf(headerText.at(-1) ?? '');
  const text = `${headerText.slice(0, -1)}${alphabet[end ^ 1]}.${payloadText}`;
  assert.equal(
    faultOf(`${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`),
    'malformed',
  );
  // Headers that say the same in other words, with a MAC that is right for them.
  const { alg, typ, kid } = header;
  const others: readonly unknown[] = [
    { kid, alg, typ },
    `{"alg":"HS256", "typ":"refresh+jwt","kid":"${kid}"}`,
    `{"alg":"HS256","typ":"refresh+jwt","kid":"refresh\\u002d1"}`,
    `{"alg":"HS256","typ":"refresh+jwt","kid":"${kid}","kid":"${kid}"}`,
    `{"alg":"HS256","typ":"refresh+jwt","kid":"${kid}"}\n`,
    `\uFEFF{"alg":"HS256","typ":"refresh+jwt","kid":"${kid}"}`,
  ];
  for (const other of others)
    assert.equal(faultOf(forge(other, payload)), 'malformed', JSON.stringify(other));
});

test('threat 14: a refresh token has three parts and nothing else', () => {
  for (const other of [
    headerText,
    `${headerText}.${payloadText}`,
    `${token}.`,
    `${token}.A`,
    `.${token}`,
    '..',
    '',
  ]) {
    assert.equal(faultOf(other), 'malformed', other);
  }
  assert.equal(
    faultOf(JSON.stringify({ protected: headerText, payload: payloadText, signature })),
    'malformed',
  );
});

test('threat 26: an access token never passes for a refresh token, even under the refresh key', () => {
  const access = { iss: 'x', sub: 'u', sid: session.id, gen: 1, exp: payload.exp };
  for (const typ of [
    'at+jwt',
    'JWT',
    'jwt',
    'REFRESH+JWT',
    'application/refresh+jwt',
    'secevent+jwt',
    '',
    null,
  ]) {
    assert.equal(faultOf(forge({ ...header, typ }, access)), 'malformed', String(typ));
  }
  assert.equal(faultOf(forge({ alg: 'HS256', kid: 'refresh-1' }, access)), 'malformed');
  assert.equal(
    faultOf(forge({ alg: 'HS256', typ: 'at+jwt', kid: 'access-1' }, access, otherSecret)),
    'malformed',
  );
  assert.equal(faultOf(forge({ ...header, kid: 'access-1' }, access, otherSecret)), 'unknown_key');
});

test('threat 2: the header of a refresh token chooses no algorithm', () => {
  for (const alg of ['none', 'None', 'HS512', 'RS256', 'EdDSA', '', null]) {
    assert.equal(faultOf(forge({ ...header, alg }, payload)), 'malformed', String(alg));
  }
  assert.equal(faultOf(`${encode({ ...header, alg: 'none' })}.${payloadText}.`), 'malformed');
});

test('threat 5: a refresh token that brings members of its own in the header is refused', () => {
  for (const more of [
    { jwk: { kty: 'oct', k: 'AA' } },
    { jku: 'https://x' },
    { crit: ['exp'] },
    { b64: false },
  ]) {
    assert.equal(faultOf(forge({ ...header, ...more }, payload)), 'malformed');
  }
});

test('threat 6: a strange kid is refused without an error, and only plain ones are looked up', () => {
  const asked: string[] = [];
  const watched = (kid: string): KeyObject | undefined => {
    asked.push(kid);
    return ring.get(kid);
  };
  for (const kid of ['../../key', "' OR 1=1", 'https://x/', 'k'.repeat(65), '', 7, null, ['refresh-1'], {}]) {
    const reading = readRefreshToken(forge({ ...header, kid }, payload), watched);
    assert.deepEqual(reading, { ok: false, fault: 'malformed' }, String(kid));
  }
  assert.deepEqual(asked, []);
});

test('a ring that is a plain object, or answers with something that is not a secret, lets nothing in', () => {
  const plain: Record<string, KeyObject> = {};
  for (const kid of ['__proto__', 'constructor', 'toString']) {
    const reading = readRefreshToken(forge({ ...header, kid }, payload), (name) => plain[name]);
    assert.deepEqual(reading, { ok: false, fault: 'unknown_key' });
  }
  const { publicKey } = generateKeyPairSync('ed25519');
  assert.deepEqual(
    readRefreshToken(token, () => publicKey),
    { ok: false, fault: 'unknown_key' },
  );
});

test('a refresh token under the right name and the wrong key is refused', () => {
  assert.equal(faultOf(forge(header, payload, otherSecret)), 'bad_mac');
});

test('threat 35: a refresh token over 2 KB is refused unread', () => {
  const long = forge(header, { ...payload, pad: 'x'.repeat(2048) });
  assert.equal(faultOf(long), 'malformed');
  assert.equal(faultOf('.'.repeat(1_000_000)), 'malformed');
  const fitting = forge(header, { ...payload, pad: 'x'.repeat(1000) });
  assert.equal(faultOf(fitting), 'accepted');
});

test('a payload under our MAC that is not of the template is refused', () => {
  const others: readonly unknown[] = [
    'null',
    '[]',
    '7',
    '"x"',
    '{',
    '',
    { ...payload, gen: '1' },
    { ...payload, gen: 0 },
    { ...payload, gen: 1.5 },
    { ...payload, exp: null },
    { ...payload, exp: '9999999999' },
    { ...payload, exp: 1e300 },
    { ...payload, sid: '' },
    { ...payload, sid: ['x'] },
    { gen: 1, exp: 1 },
  ];
  for (const other of others) assert.equal(faultOf(forge(header, other)), 'malformed', JSON.stringify(other));
});

test('threat 37: whatever is presented, reading it never throws and never accepts', () => {
  for (const other of [
    undefined,
    null,
    7,
    true,
    {},
    [],
    [token],
    { toString: () => token },
    Symbol('x'),
    7n,
  ]) {
    assert.equal(faultOf(other), 'malformed');
  }
  const part = fc.oneof(
    fc.constantFrom(headerText, payloadText, signature, ''),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.json().map(encode),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
      const presented = parts.join('.');
      fc.pre(presented !== token);
      assert.notEqual(faultOf(presented), 'accepted');
    }),
    { numRuns: 2000 },
  );
});

test('whatever the row holds, the token that is made is read back as it was meant', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((id) => id.isWellFormed());
  const instant = fc.integer({ min: 1, max: 4_000_000_000 }).map((seconds) => seconds * 1000);
  fc.assert(
    fc.property(text, text, fc.integer({ min: 1, max: 2 ** 31 }), instant, (id, userId, generation, ends) => {
      const made = makeRefreshToken({ ...session, id, userId, generation, refreshExpiresAt: ends }, key);
      assert.deepEqual(readRefreshToken(made, keys), {
        ok: true,
        userId,
        sessionId: id,
        generation,
        expiresAt: ends,
        kid: 'refresh-1',
      });
    }),
  );
});
