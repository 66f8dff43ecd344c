// The attacks on self-contained tokens, by the number of the statement that forbids them.
// Every forged token is signed with the real key where that is possible, so that only the defence in question stands in its way.
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  algorithms,
  createVerifier,
  exportPublicJwk,
  generateKey,
  issueToken,
  type KeyPair,
  type TokenFault,
  toJwks,
} from '../../src/tokens/index.ts';
import { verifySignature } from '../../src/tokens/verify.ts';
import {
  audience,
  claimsWith,
  encode,
  forge,
  headerWith,
  issuer,
  maxLifetimeSeconds,
  now,
  nowSeconds,
  signSegments,
  spoil,
} from './forge.ts';

const pairs = algorithms.map((algorithm) => generateKey(algorithm));
const byKid = new Map<string, KeyPair>(pairs.map((pair) => [pair.kid, pair]));
const pairOf = (algorithm: string) => pairs.find((pair) => pair.algorithm === algorithm)!;
const edDsa = pairOf('EdDSA');
const es256 = pairOf('ES256');
const rs256 = pairOf('RS256');
const verifier = createVerifier({ issuer, audience, maxLifetimeSeconds, keys: (kid) => byKid.get(kid) });

function verdictOf(token: string): TokenFault | 'revoked' | 'good' {
  const verdict = verifier.verify(token, now);
  return verdict.ok ? 'good' : verdict.fault;
}

/** Each of these tokens is refused for this reason. */
function refusedAs(fault: TokenFault, tokens: readonly string[]): void {
  assert.ok(tokens.length > 0);
  for (const token of tokens) assert.equal(verdictOf(token), fault, token.slice(0, 400));
}

const withHeader = (changes: Record<string, unknown>) => forge(edDsa, headerWith(edDsa, changes));
const withClaims = (changes: Record<string, unknown>) => forge(edDsa, headerWith(edDsa), claimsWith(changes));

test('a forged token with nothing wrong in it is good: the forge itself is sound', () => {
  for (const pair of pairs) {
    assert.equal(verdictOf(forge(pair)), 'good', pair.algorithm);
    assert.equal(forge(pair).split('.')[0], issueToken(pair, 'at+jwt', claimsWith()).split('.')[0]);
  }
});

test('threat 1: a token with any one byte of header, payload or signature changed is refused', () => {
  for (const pair of pairs) {
    const segments = forge(pair)
      .split('.')
      .map((segment) => Buffer.from(segment, 'base64url'));
    for (const [index, segment] of segments.entries()) {
      for (let at = 0; at < segment.length; at++) {
        const changed = Buffer.from(segment);
        changed[at]! ^= 1;
        const token = segments.with(index, changed).map(encode).join('.');
        assert.notEqual(verdictOf(token), 'good', `${pair.algorithm} segment ${index} byte ${at}`);
      }
    }
  }
});

test('threat 2: alg none in any spelling, escape, case or type, or missing, is refused', () => {
  const unsigned = (token: string) => token.slice(0, token.lastIndexOf('.') + 1);
  const spelled = ['none', 'None', 'NONE', 'nOnE', 'none ', 'eddsa', ''].map((alg) => withHeader({ alg }));
  const typed = [undefined, null, 0, true, [], ['none'], ['EdDSA'], {}].map((alg) => withHeader({ alg }));
  const kid = JSON.stringify(edDsa.kid);
  const escaped = forge(edDsa, `{"alg":"\\u006eone","kid":${kid},"typ":"at+jwt"}`);
  refusedAs('wrong_algorithm', [...spelled, ...spelled.map(unsigned), escaped, unsigned(escaped)]);
  refusedAs('malformed', [...typed, ...typed.map(unsigned)]);
});

test('threat 3: a MAC keyed with any public value is refused', () => {
  const publicTexts = ({ publicKey }: KeyPair): (string | Buffer)[] => {
    const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
    const jwk = publicKey.export({ format: 'jwk' });
    return [
      pem,
      pem.trim(),
      ` ${pem}`,
      pem.replaceAll('\n', ''),
      pem.replaceAll('\n', '\r\n'),
      pem.split('\n').slice(1, -2).join(''),
      publicKey.export({ format: 'der', type: 'spki' }),
      JSON.stringify(jwk),
      Buffer.from(String(jwk.x ?? jwk.n), 'base64url'),
      ...(publicKey.asymmetricKeyType === 'rsa'
        ? [publicKey.export({ format: 'pem', type: 'pkcs1' }) as string]
        : []),
    ];
  };
  for (const pair of [edDsa, es256, rs256]) {
    const signed = `${encode(JSON.stringify(headerWith(pair, { alg: 'HS256' })))}.${encode(JSON.stringify(claimsWith()))}`;
    const tokens = [...publicTexts(pair), pair.kid].map(
      (secret) => `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`,
    );
    refusedAs('wrong_algorithm', tokens);
    // And if somebody declares the public key an HS256 key, it is no key at all.
    const confused = { kid: pair.kid, algorithm: 'HS256', publicKey: pair.publicKey } as const;
    for (const token of tokens) {
      assert.deepEqual(verifySignature(token, confused), { ok: false, fault: 'bad_signature' });
    }
  }
});

test('threat 4: an algorithm of the same family that is not the key’s own is refused', () => {
  const signedWith = (pair: KeyPair, alg: string, make: (data: Buffer) => Buffer) => {
    const signed = `${encode(JSON.stringify(headerWith(pair, { alg })))}.${encode(JSON.stringify(claimsWith()))}`;
    return `${signed}.${encode(make(Buffer.from(signed)))}`;
  };
  const p1363 = (key: KeyObject) => ({ key, dsaEncoding: 'ieee-p1363' }) as const;
  const secret = pairOf('HS256').privateKey;
  refusedAs('wrong_algorithm', [
    signedWith(rs256, 'RS384', (data) => sign('sha384', data, rs256.privateKey)),
    signedWith(rs256, 'RS512', (data) => sign('sha512', data, rs256.privateKey)),
    signedWith(rs256, 'PS256', (data) =>
      sign('sha256', data, { key: rs256.privateKey, padding: 6, saltLength: 32 }),
    ),
    signedWith(es256, 'ES384', (data) => sign('sha384', data, p1363(es256.privateKey))),
    signedWith(es256, 'ES256K', (data) => sign('sha256', data, p1363(es256.privateKey))),
    signedWith(edDsa, 'Ed25519', (data) => sign(null, data, edDsa.privateKey)),
    signedWith(pairOf('HS256'), 'HS512', (data) => createHmac('sha512', secret).update(data).digest()),
  ]);
  // A header that lies about it does not help: the hash and the padding are the key's own.
  refusedAs('bad_signature', [
    signedWith(rs256, 'RS256', (data) => sign('sha512', data, rs256.privateKey)),
    signedWith(rs256, 'RS256', (data) => sign('sha256', data, { key: rs256.privateKey, padding: 6 })),
    signedWith(es256, 'ES256', (data) => sign('sha384', data, p1363(es256.privateKey))),
  ]);
});

test('threat 5: jwk, jku, x5u, x5c and their kin in the header are refused, and nothing is fetched', (t) => {
  const fetched = t.mock.method(globalThis, 'fetch', () => Promise.reject(new Error('no')));
  const jwk = exportPublicJwk(edDsa);
  const certificate = encode('certificate');
  const offers = [
    { jwk },
    { jku: 'https://evil.example/jwks.json' },
    { x5u: 'https://evil.example/cert.pem' },
    { x5c: [certificate] },
    { x5t: certificate },
    { 'x5t#S256': certificate },
  ];
  refusedAs('malformed', offers.map(withHeader));
  const attacker = generateKey('EdDSA');
  const ownKey = headerWith(edDsa, { jwk: exportPublicJwk(attacker) });
  refusedAs('malformed', [forge(attacker, ownKey)]);
  assert.equal(fetched.mock.callCount(), 0);
});

test('threat 6: a kid that is a path, a query, an address, a prototype name, huge or no text is refused', () => {
  const names = [
    '../../../../etc/passwd',
    '/dev/null',
    "' OR 1=1 --",
    'https://evil.example/key',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    `${edDsa.kid} `,
    `${edDsa.kid}\u0000`,
  ];
  refusedAs(
    'unknown_key',
    names.map((kid) => withHeader({ kid })),
  );
  const typed = ['', 'k'.repeat(257), 'k'.repeat(5000), 0, null, true, {}, [], [edDsa.kid]];
  refusedAs(
    'malformed',
    typed.map((kid) => withHeader({ kid })),
  );
  refusedAs('too_large', [withHeader({ kid: 'k'.repeat(8192) })]);
  // Even a look-up that answers to inherited names yields no key.
  const careless: Record<string, KeyPair> = { [edDsa.kid]: edDsa };
  const lookup = createVerifier({ issuer, audience, maxLifetimeSeconds, keys: (kid) => careless[kid] });
  for (const kid of names) assert.equal(lookup.verify(withHeader({ kid }), now).ok, false, kid);
  assert.equal(lookup.verify(forge(edDsa), now).ok, true);
  // Nor does a key answer to a name that is not its own, however its look-up reads the name.
  const kind = createVerifier({ issuer, audience, maxLifetimeSeconds, keys: (kid) => careless[kid.trim()] });
  assert.equal(kind.verify(withHeader({ kid: edDsa.kid }), now).ok, true);
  assert.equal(kind.verify(withHeader({ kid: `${edDsa.kid} ` }), now).ok, false);
});

test('threat 7: an unknown kid, or none, is refused by one look-up in memory', (t) => {
  const fetched = t.mock.method(globalThis, 'fetch', () => Promise.reject(new Error('no')));
  const asked: string[] = [];
  const keys = (kid: string) => {
    asked.push(kid);
    return undefined;
  };
  const empty = createVerifier({ issuer, audience, maxLifetimeSeconds, keys });
  assert.deepEqual(empty.verify(forge(edDsa), now), { ok: false, fault: 'unknown_key' });
  assert.deepEqual(asked, [edDsa.kid]);
  assert.equal(fetched.mock.callCount(), 0);
  refusedAs('unknown_key', [withHeader({ kid: undefined })]);
});

test('threat 8: crit is refused, whatever it lists', () => {
  const lists = [['exp'], ['b64'], ['alg'], ['http://example.invalid/unknown'], [], 'b64', {}, null, [1]];
  refusedAs(
    'malformed',
    lists.map((crit) => withHeader({ crit })),
  );
  refusedAs('malformed', [withHeader({ crit: ['x'], x: 1 })]);
});

test('threat 9: b64 is refused, with or without crit', () => {
  refusedAs('malformed', [
    withHeader({ b64: false }),
    withHeader({ b64: true }),
    withHeader({ b64: false, crit: ['b64'] }),
    `${signSegments(edDsa, encode(JSON.stringify(headerWith(edDsa, { b64: false, crit: ['b64'] }))), 'payload')}`,
  ]);
});

const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const bytesOf = (value: bigint, length: number) =>
  Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex');
const withSignature = (pair: KeyPair, change: (signature: Buffer) => Buffer) => {
  const [header, payload, signature] = forge(pair).split('.');
  return `${header}.${payload}.${encode(change(Buffer.from(signature!, 'base64url')))}`;
};

test('threat 10: r or s of zero or a multiple of n, and the all-zero signature of any algorithm, are refused', () => {
  const edges = [0n, 1n, order - 1n, order];
  const pairsOfEdges = edges.flatMap((r) =>
    edges.map((s) => Buffer.concat([bytesOf(r, 32), bytesOf(s, 32)])),
  );
  refusedAs(
    'bad_signature',
    pairsOfEdges.map((signature) => withSignature(es256, () => signature)),
  );
  const zeroed = pairs.map((pair) => withSignature(pair, (signature) => Buffer.alloc(signature.length)));
  refusedAs('bad_signature', zeroed);
});

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

test('threat 11: other spellings of a good signature are refused: DER, S + L, S + n', () => {
  const claims = encode(JSON.stringify(claimsWith()));
  const signed = `${encode(JSON.stringify(headerWith(es256)))}.${claims}`;
  refusedAs('bad_signature', [`${signed}.${encode(sign('sha256', Buffer.from(signed), es256.privateKey))}`]);

  const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;
  const addL = (signature: Buffer) => {
    const s = numberOf(Buffer.from(signature.subarray(32)).reverse());
    return Buffer.concat([signature.subarray(0, 32), bytesOf(s + groupOrder, 32).reverse()]);
  };
  refusedAs('bad_signature', [withSignature(edDsa, addL)]);

  const modulus = numberOf(Buffer.from(exportPublicJwk(rs256).n!, 'base64url'));
  const sum = (signature: Buffer) => numberOf(signature) + modulus;
  refusedAs('bad_signature', [withSignature(rs256, (signature) => bytesOf(sum(signature), 257))]);
  // The sum fits the length of the modulus only for small signatures, so look for one.
  for (let attempt = 0; attempt < 400; attempt++) {
    const token = forge(rs256, headerWith(rs256), claimsWith({ jti: `token-${attempt}` }));
    const [header, payload, signature] = token.split('.');
    const larger = sum(Buffer.from(signature!, 'base64url'));
    if (larger >= 2n ** 2048n) continue;
    return refusedAs('bad_signature', [`${header}.${payload}.${encode(bytesOf(larger, 256))}`]);
  }
});

test('threat 12: a signature that is empty, cut or lengthened is refused', () => {
  for (const pair of pairs) {
    refusedAs('bad_signature', [
      withSignature(pair, () => Buffer.alloc(0)),
      withSignature(pair, (signature) => signature.subarray(0, -1)),
      withSignature(pair, (signature) => signature.subarray(0, 16)),
      withSignature(pair, (signature) => Buffer.concat([signature, Buffer.alloc(1)])),
      withSignature(pair, (signature) => Buffer.concat([Buffer.alloc(1), signature])),
    ]);
  }
});

/** The same bytes under another text: a set bit among those that the last character has to spare. */
function withTrailingBits(segment: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  assert.notEqual(segment.length % 4, 0, 'this segment has no bits to spare');
  const last = alphabet[alphabet.indexOf(segment.at(-1)!) | 1]!;
  return segment.slice(0, -1) + last;
}

test('threat 13: padding, blanks, stray characters, the standard alphabet and spare bits are refused: one token, one spelling', () => {
  // Sized so that each segment has bits to spare.
  const kid = 'k'.repeat(5);
  const pair = { ...edDsa, kid };
  const own = createVerifier({
    issuer,
    audience,
    maxLifetimeSeconds,
    keys: (name) => (name === kid ? pair : undefined),
  });
  const header = encode(JSON.stringify(headerWith(pair)));
  // 0xfb 0xff encodes to both characters in which the two alphabets differ.
  const payload = encode(JSON.stringify(claimsWith({ note: '~~\u{ff}?>~~', pad: 'x' })));
  const good = signSegments(pair, header, payload);
  assert.equal(own.verify(good, now).ok, true);
  const [, , signature] = good.split('.') as [string, string, string];
  const odd = (segment: string) => [
    `${segment}=`,
    `${segment}==`,
    ` ${segment}`,
    `${segment} `,
    `${segment}\n`,
    `${segment}\u0000`,
    `${segment}?`,
    `\ufeff${segment}`,
  ];
  const tokens = [
    ...odd(header).map((segment) => signSegments(pair, segment, payload)),
    ...odd(payload).map((segment) => signSegments(pair, header, segment)),
    ...odd(signature).map((segment) => `${header}.${payload}.${segment}`),
    signSegments(pair, withTrailingBits(header), payload),
    signSegments(pair, header, withTrailingBits(payload)),
    `${header}.${payload}.${withTrailingBits(signature)}`,
    signSegments(pair, header, payload.replaceAll('-', '+').replaceAll('_', '/')),
    `${good.slice(0, 40)}\r\n ${good.slice(40)}`,
  ];
  assert.match(payload, /[-_]/);
  for (const token of tokens)
    assert.deepEqual(own.verify(token, now), { ok: false, fault: 'malformed' }, token);
});

test('threat 14: 1, 2, 4, 5 and 6 segments, the JSON serialization and encrypted tokens are refused', () => {
  const [header, payload, signature] = forge(edDsa).split('.') as [string, string, string];
  const encrypted = encode(JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid: edDsa.kid, typ: 'at+jwt' }));
  refusedAs('malformed', [
    '',
    '.',
    '..',
    '...',
    header,
    `${header}.${payload}`,
    `.${payload}.${signature}`,
    `${header}.${payload}.${signature}.`,
    `.${header}.${payload}.${signature}`,
    `${header}.${payload}.${signature}.${signature}`,
    `${header}.${payload}.${signature}.${signature}.${signature}`,
    `${header}.${payload}.${signature}.${signature}.${signature}.${signature}`,
    JSON.stringify({ protected: header, payload, signature }),
    JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    `${encrypted}..${payload}.${payload}.${signature}`,
  ]);
  refusedAs('malformed', [withHeader({ enc: 'A256GCM' }), withHeader({ zip: 'DEF' })]);
});

test('threat 15: a nested token is refused', () => {
  const inner = forge(edDsa);
  refusedAs('malformed', [
    forge(edDsa, headerWith(edDsa, { cty: 'JWT' }), inner),
    forge(edDsa, headerWith(edDsa, { cty: 'JWT' })),
    forge(edDsa, headerWith(edDsa), inner),
  ]);
});

test('threat 16: a member name that comes twice is refused, in the header, in the claims and deeper, also when escaped', () => {
  const kid = JSON.stringify(edDsa.kid);
  const claims = JSON.stringify(claimsWith({ nested: { a: 1 } }));
  refusedAs('malformed', [
    forge(edDsa, `{"alg":"none","alg":"EdDSA","kid":${kid},"typ":"at+jwt"}`),
    forge(edDsa, `{"\\u0061lg":"none","alg":"EdDSA","kid":${kid},"typ":"at+jwt"}`),
    forge(edDsa, `{"alg":"EdDSA","kid":"other","kid" : ${kid},"typ":"at+jwt"}`),
    forge(edDsa, `{"typ":"JWT","alg":"EdDSA","kid":${kid},"typ":"at+jwt"}`),
    forge(edDsa, headerWith(edDsa), claims.replace('{', '{"sub":"admin",')),
    forge(edDsa, headerWith(edDsa), claims.replace('{', '{"s\\u0075b":"admin",')),
    forge(edDsa, headerWith(edDsa), claims.replace('{', '{"exp"\n:1,')),
    forge(edDsa, headerWith(edDsa), claims.replace('"a":1', '"a":1,"a":2')),
    forge(edDsa, headerWith(edDsa), claims.replace('{', '{"__proto__":{"scope":"admin"},')),
  ]);
});

test('threat 17: a header or claims that are no JSON object, or not UTF-8, are refused', () => {
  const texts = [
    '',
    '[]',
    '"text"',
    '1',
    'null',
    'true',
    '{',
    '{}{}',
    '{"a":1,}',
    "{'a':1}",
    '\ufeff{}',
    '[{}]',
  ];
  const claims = Buffer.from(JSON.stringify(claimsWith({ name: '@' })));
  const replaced = (bytes: number[]) => {
    const at = claims.indexOf('@');
    return Buffer.concat([claims.subarray(0, at), Buffer.from(bytes), claims.subarray(at + 1)]);
  };
  const notUtf8 = [[0xff], [0xc0, 0xaf], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]].map(
    replaced,
  );
  refusedAs('malformed', [
    ...texts.map((text) => forge(edDsa, text)),
    ...texts.map((text) => forge(edDsa, headerWith(edDsa), text)),
    ...notUtf8.map((bytes) => forge(edDsa, headerWith(edDsa), bytes)),
    forge(
      edDsa,
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(JSON.stringify(headerWith(edDsa)))]),
    ),
    forge(edDsa, headerWith(edDsa), Buffer.from(`\ufeff${JSON.stringify(claimsWith())}`)),
  ]);
  assert.equal(verdictOf(forge(edDsa, headerWith(edDsa), replaced([0xc3, 0xbf]))), 'good');
});

test('threat 18: a token is refused from the second of its exp on, without leeway', () => {
  const times = (exp: number) => withClaims({ iat: nowSeconds - 100, exp });
  refusedAs('expired', [times(nowSeconds - 1), times(nowSeconds)]);
  assert.equal(verdictOf(times(nowSeconds + 1)), 'good');
});

test('threat 19: exp missing, of a wrong type, negative or infinite is refused', () => {
  const wrong = [undefined, null, true, `${nowSeconds + 900}`, '', [], [nowSeconds + 900], {}, -1];
  const infinite = JSON.stringify(claimsWith()).replace(`"exp":${nowSeconds + 900}`, '"exp":1e999');
  refusedAs(
    'bad_claims',
    wrong.map((exp) => withClaims({ exp })),
  );
  refusedAs('bad_claims', [forge(edDsa, headerWith(edDsa), infinite)]);
});

test('threat 20: nbf in the future beyond 60 s, or of a wrong type, is refused', () => {
  refusedAs('not_yet_valid', [withClaims({ nbf: nowSeconds + 61 })]);
  assert.equal(verdictOf(withClaims({ nbf: nowSeconds + 60 })), 'good');
  refusedAs(
    'bad_claims',
    [null, true, `${nowSeconds}`, [], {}, -1].map((nbf) => withClaims({ nbf })),
  );
});

test('threat 21: iat in the future beyond 60 s, missing or of a wrong type is refused', () => {
  const times = (iat: number) => withClaims({ iat, exp: iat + 100 });
  const startedAlready = withClaims({ nbf: nowSeconds, iat: nowSeconds + 61, exp: nowSeconds + 161 });
  refusedAs('not_yet_valid', [times(nowSeconds + 61), startedAlready]);
  assert.equal(verdictOf(times(nowSeconds + 60)), 'good');
  refusedAs(
    'bad_claims',
    [undefined, null, true, `${nowSeconds}`, [], -1].map((iat) => withClaims({ iat })),
  );
});

test('threat 22: a life longer than the issuer’s maximum is refused, and so is one that ends before it begins', () => {
  refusedAs('too_long_lived', [
    withClaims({ exp: nowSeconds + 901 }),
    withClaims({ iat: nowSeconds - 600, exp: nowSeconds + 301 }),
    withClaims({ iat: 0, exp: 1e300 }),
  ]);
  refusedAs('bad_claims', [withClaims({ iat: nowSeconds + 30, exp: nowSeconds + 30 })]);
});

test('threat 23: CVE-2025-30144, CVE-2024-53861: iss that is another, a part, an array or missing is refused', () => {
  const wrong = [
    undefined,
    null,
    '',
    [issuer],
    [issuer, 'https://evil.example'],
    'https://evil.example',
    `${issuer}/`,
    issuer.slice(0, -1),
    issuer.toUpperCase(),
    { toString: issuer },
    0,
  ];
  refusedAs(
    'wrong_issuer',
    wrong.map((iss) => withClaims({ iss })),
  );
});

test('threat 24: aud without this service, missing or of a wrong type is refused', () => {
  const wrong = [
    undefined,
    null,
    '',
    'https://other.example',
    `${audience}/`,
    `x ${audience}`,
    [],
    ['https://other.example'],
    [[audience]],
    [audience, 1],
    { 0: audience },
    true,
  ];
  refusedAs(
    'wrong_audience',
    wrong.map((aud) => withClaims({ aud })),
  );
  assert.equal(verdictOf(withClaims({ aud: ['https://other.example', audience] })), 'good');
});

test('threat 25: typ other than at+jwt is refused', () => {
  const texts = ['JWT', 'jwt', 'AT+JWT', 'application/at+jwt', 'at+jwt ', '', 'refresh+jwt', undefined];
  refusedAs(
    'wrong_type',
    texts.map((typ) => withHeader({ typ })),
  );
  refusedAs(
    'malformed',
    [null, 1, ['at+jwt'], {}].map((typ) => withHeader({ typ })),
  );
});

test('threat 26: tokens made for another purpose are refused, though the key and all claims are good', () => {
  const kinds = [
    'refresh+jwt',
    'JWT',
    'id+jwt',
    'reset+jwt',
    'mfa+jwt',
    'dpop+jwt',
    'secevent+jwt',
    'logout+jwt',
  ];
  refusedAs(
    'wrong_type',
    kinds.map((typ) => withHeader({ typ })),
  );
});

test('threat 27: sub, jti, sid or epoch missing or of a wrong type is refused', () => {
  for (const name of ['sub', 'jti', 'sid']) {
    refusedAs(
      'bad_claims',
      [undefined, null, '', 1, [], ['user-1'], {}, '\ud800'].map((value) => withClaims({ [name]: value })),
    );
  }
  refusedAs(
    'bad_claims',
    [undefined, null, '0', -1, 0.5, 2 ** 53, []].map((epoch) => withClaims({ epoch })),
  );
});

test('what a token may also say must be of its type when it is there', () => {
  const wrong = {
    fresh: [false, 'true', 1, null],
    auth_time: ['1', null, -1],
    amr: ['pwd', [1], null],
    scope: [['admin'], 1, null],
    preferred_username: ['', 1, null],
    client_id: ['', 1, null],
  };
  for (const [name, values] of Object.entries(wrong)) {
    refusedAs(
      'bad_claims',
      values.map((value) => withClaims({ [name]: value })),
    );
  }
  const right = {
    fresh: true,
    auth_time: nowSeconds,
    amr: ['pwd'],
    scope: '',
    preferred_username: 'ada',
    client_id: 'app',
  };
  assert.equal(verdictOf(withClaims(right)), 'good');
});

test('threat 28: an issued token has iss, exp, aud, sub, iat and jti, and client_id where a client is known', () => {
  const token = issueToken(edDsa, 'at+jwt', claimsWith({ client_id: 'app' }));
  const verdict = verifier.verify(token, now);
  assert.ok(verdict.ok);
  for (const name of ['iss', 'exp', 'aud', 'sub', 'iat', 'jti', 'client_id'])
    assert.ok(name in verdict.claims, name);
});

test('threat 29: an issued token names its key, and that key is in the JWKS with use and alg', () => {
  const { keys } = toJwks(pairs);
  for (const pair of [edDsa, es256, rs256]) {
    const [segment] = issueToken(pair, 'at+jwt', claimsWith()).split('.');
    const header = JSON.parse(Buffer.from(segment!, 'base64url').toString());
    assert.deepEqual(header, { alg: pair.algorithm, kid: pair.kid, typ: 'at+jwt' });
    const published = keys.filter(({ kid }) => kid === header.kid);
    assert.equal(published.length, 1);
    assert.deepEqual([published[0]!.use, published[0]!.alg], ['sig', pair.algorithm]);
    // What is published is the key that verifies.
    const { kid: _kid, use: _use, alg: _alg, ...jwk } = published[0]!;
    assert.ok(createPublicKey({ key: jwk, format: 'jwk' }).equals(pair.publicKey));
  }
});

test('threat 30: the JWKS never holds a private member or a symmetric key', () => {
  const { keys } = toJwks(pairs);
  assert.equal(keys.length, pairs.length - 1);
  for (const jwk of keys) {
    assert.notEqual(jwk.kty, 'oct');
    for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) assert.equal(name in jwk, false, name);
  }
});

test('threat 35: CVE-2025-61920, CVE-2025-30204: tokens over 8 KB, thousands of dots and deep JSON are refused without work', () => {
  refusedAs('too_large', [
    withClaims({ pad: 'x'.repeat(8192) }),
    '.'.repeat(100_000),
    `${forge(edDsa)}${'.'.repeat(100_000)}`,
    'A'.repeat(10_000_000),
  ]);
  const deep = (depth: number) => `${'[['.repeat(depth / 2)}${']]'.repeat(depth / 2)}`;
  const claims = (depth: number) => JSON.stringify(claimsWith()).replace('{', `{"deep":${deep(depth)},`);
  refusedAs('malformed', [
    '.'.repeat(8192),
    forge(edDsa, `{"alg":${deep(2000)}}`),
    forge(edDsa, headerWith(edDsa), claims(2000)),
    forge(edDsa, headerWith(edDsa), claims(32)),
  ]);
  assert.equal(verdictOf(forge(edDsa, headerWith(edDsa), claims(30))), 'good');
  // Ten thousand of ten megabytes: the cost of a refusal does not grow with the length of what is refused.
  const endless = `${'A'.repeat(10_000_000)}.`;
  const started = performance.now();
  for (let round = 0; round < 10_000; round++) verifier.verify(endless, now);
  assert.ok(performance.now() - started < 1000);
});

test('threat 36: CVE-2026-35039: two different tokens are never answered from one cache entry', () => {
  const users = ['a', 'b', 'c', 'd'].map((sub) => ({ sub, token: withClaims({ sub }) }));
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...users), { maxLength: 30 }),
      fc.integer({ min: 0, max: 6 }),
      (asked, capacity) => {
        const cached = createVerifier({
          issuer,
          audience,
          maxLifetimeSeconds,
          keys: (kid) => byKid.get(kid),
          capacity,
        });
        for (const { sub, token } of asked) {
          const verdict = cached.verify(token, now);
          assert.ok(verdict.ok);
          assert.equal(verdict.claims.sub, sub);
          // One byte away from a token that is known.
          assert.equal(cached.verify(spoil(token), now).ok, false);
          assert.equal(cached.verify(`${token} `, now).ok, false);
        }
      },
    ),
    { numRuns: 20 },
  );
});

test('threat 37: whatever arrives, the answer is a verdict and never an error, and nothing unsigned is good', () => {
  const [header, payload, signature] = forge(edDsa).split('.') as [string, string, string];
  const segment = fc.oneof(
    fc.constantFrom(header, payload, signature, ''),
    fc.base64String().map((text) => text.replaceAll('=', '')),
    fc.json().map(encode),
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => encode(Buffer.from(bytes))),
  );
  const token = fc.array(segment, { maxLength: 6 }).map((segments) => segments.join('.'));
  const good = forge(edDsa);
  fc.assert(
    fc.property(token, (text) => {
      assert.equal(verifier.verify(text, now).ok, text === good);
    }),
    { numRuns: 2000 },
  );
  const anything = fc.anything({ withBigInt: true, withNullPrototype: true, withSparseArray: true });
  fc.assert(
    fc.property(anything, (value) => {
      assert.equal(verifier.verify(value as string, now).ok, false);
    }),
  );
});

test('threat 37: a header that says anything at all, signed by a real key, is answered by a verdict', () => {
  fc.assert(
    fc.property(fc.json(), fc.json(), (header, payload) => {
      assert.equal(verifier.verify(forge(edDsa, header, payload), now).ok, false);
      assert.equal(verifier.verify(forge(edDsa, headerWith(edDsa), payload), now).ok, false);
    }),
    { numRuns: 300 },
  );
});

test('a bound that is missing or no number refuses, instead of letting everything through', () => {
  for (const time of [Number.NaN, undefined as unknown as number]) {
    assert.equal(verifier.verify(forge(edDsa), time).ok, false);
  }
});
