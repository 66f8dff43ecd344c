// Our tokens read by `jose` and its tokens read by us, and the same verdict on tokens that were changed in a thousand ways.
// Where we are stricter, the reason is in one list here; where we would be laxer, the test fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  calculateJwkThumbprint,
  compactVerify,
  createLocalJWKSet,
  type JSONWebKeySet,
  jwtVerify,
  SignJWT,
} from 'jose';
import {
  algorithms,
  exportPrivateJwk,
  exportPublicJwk,
  generateKey,
  importPrivateJwk,
  importPublicJwk,
  issueToken,
  type KeyPair,
  toJwks,
} from '../../src/tokens/index.ts';
import { verifySignature, verifyToken } from '../../src/tokens/verify.ts';
import {
  audience,
  claimsWith,
  forge,
  headerWith,
  issuer,
  maxLifetimeSeconds,
  now,
  nowSeconds,
} from '../attack/forge.ts';

const pairs = algorithms.map((algorithm) => generateKey(algorithm));
const joseOptions = { issuer, audience, typ: 'at+jwt', currentDate: new Date(now) };

function ours(pair: KeyPair, token: string): boolean {
  const keys = (kid: string) => (kid === pair.kid ? pair : undefined);
  return verifyToken(token, { issuer, audience, maxLifetimeSeconds, type: 'at+jwt', keys }, nowSeconds).ok;
}

async function theirs(pair: KeyPair, token: string): Promise<boolean> {
  const options = { ...joseOptions, algorithms: [pair.algorithm] };
  return jwtVerify(token, pair.publicKey, options).then(
    () => true,
    () => false,
  );
}

for (const pair of pairs) {
  test(`${pair.algorithm}: jose reads what we issue, and we read what jose issues`, async () => {
    const issued = issueToken(pair, 'at+jwt', claimsWith({ scope: 'a b', fresh: true }));
    const { payload, protectedHeader } = await jwtVerify(issued, pair.publicKey, joseOptions);
    assert.deepEqual(payload, claimsWith({ scope: 'a b', fresh: true }));
    assert.deepEqual(protectedHeader, headerWith(pair));

    const header = { alg: pair.algorithm, kid: pair.kid, typ: 'at+jwt' };
    const made = await new SignJWT({ ...claimsWith(), aud: audience })
      .setProtectedHeader(header)
      .sign(pair.privateKey);
    const keys = () => pair;
    const verdict = verifyToken(
      made,
      { issuer, audience, maxLifetimeSeconds, type: 'at+jwt', keys },
      nowSeconds,
    );
    assert.ok(verdict.ok);
    assert.deepEqual(verdict.claims, claimsWith());
  });
}

test('jose finds our keys in our JWKS by their kid, and agrees on the thumbprints', async () => {
  const jwks = toJwks(pairs);
  const find = createLocalJWKSet(jwks as unknown as JSONWebKeySet);
  for (const pair of pairs.filter(({ algorithm }) => algorithm !== 'HS256')) {
    await jwtVerify(issueToken(pair, 'at+jwt', claimsWith()), find, joseOptions);
    assert.equal(await calculateJwkThumbprint({ ...exportPublicJwk(pair) } as never), pair.kid);
  }
});

test('keys survive the way through JSON and still belong together', () => {
  for (const pair of pairs) {
    const again = importPrivateJwk(JSON.parse(JSON.stringify(exportPrivateJwk(pair))));
    assert.ok(ours(pair, issueToken(again, 'at+jwt', claimsWith())), pair.algorithm);
    if (pair.algorithm === 'HS256') continue;
    const read = importPublicJwk(JSON.parse(JSON.stringify(exportPublicJwk(pair))));
    assert.ok(read.publicKey.equals(pair.publicKey));
  }
});

// How we are stricter than jose. A token that jose takes and we do not must be one of these.
const stricter: Readonly<Record<string, (token: string) => boolean>> = {
  'a spelling that is not canonical base64url, which jose decodes all the same': (token) =>
    token.split('.').some((segment) => Buffer.from(segment, 'base64url').toString('base64url') !== segment),
  'a header that says more than alg, kid and typ': (token) =>
    Object.keys(readSegment(token, 0)).some((name) => !['alg', 'kid', 'typ'].includes(name)),
  'a typ that is not at+jwt letter for letter': (token) => readSegment(token, 0).typ !== 'at+jwt',
  'another kid, or none': (token) => !pairs.some(({ kid }) => kid === readSegment(token, 0).kid),
  'a claim that jose does not look at': (token) => {
    const claims = readSegment(token, 1);
    return unread.some((name) => !Object.is(claims[name], (claimsWith() as Record<string, unknown>)[name]));
  },
  'a member that comes twice': (token) =>
    /("[a-z]+"):.*\1:/.test(textOf(token, 0)) || /("[a-z]+"):.*\1:/.test(textOf(token, 1)),
};

// `iat`, `exp` and `nbf` are here for what jose lets pass in them: a future, a negative number, a long life.
const unread = ['sub', 'jti', 'sid', 'epoch', 'iat', 'exp', 'nbf', 'scope', 'amr', 'auth_time', 'fresh'];

function textOf(token: string, index: number): string {
  return Buffer.from(token.split('.')[index] ?? '', 'base64url').toString();
}

function readSegment(token: string, index: number): Record<string, unknown> {
  try {
    return Object(JSON.parse(textOf(token, index)));
  } catch {
    return {};
  }
}

const seen = { bothGood: 0, bothBad: 0, stricter: 0 };

async function compare(pair: KeyPair, token: string): Promise<void> {
  const [mine, other] = [ours(pair, token), await theirs(pair, token)];
  if (mine && !other) assert.fail(`laxer than jose: ${token}`);
  if (mine === other) {
    seen[mine ? 'bothGood' : 'bothBad']++;
    return;
  }
  seen.stricter++;
  const reason = Object.keys(stricter).find((name) => stricter[name]!(token));
  assert.ok(reason, `stricter than jose for a reason that is not listed: ${token}`);
}

test('a token whose text was changed anywhere gets the verdict of jose, or a stricter one', async () => {
  const good = new Map(pairs.map((pair) => [pair, issueToken(pair, 'at+jwt', claimsWith())]));
  const edit = fc.record({
    at: fc.nat(),
    remove: fc.integer({ min: 0, max: 3 }),
    insert: fc.oneof(
      fc.constantFrom('', '.', '=', ' ', '\n', '-', '_', '+', '/', 'A'),
      fc.string({ maxLength: 3 }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...pairs), fc.array(edit, { maxLength: 2 }), async (pair, edits) => {
      const changed = edits.reduce((text, { at, remove, insert }) => {
        const start = at % (text.length + 1);
        return text.slice(0, start) + insert + text.slice(start + remove);
      }, good.get(pair)!);
      await compare(pair, changed);
    }),
    { numRuns: 600 },
  );
});

test('a token with other claims or header, but a good signature, gets the verdict of jose, or a stricter one', async () => {
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      issuer,
      audience,
      [audience],
      nowSeconds,
      nowSeconds + 900,
      nowSeconds - 1,
      nowSeconds + 61,
    ),
    fc.constantFrom<unknown>(
      'at+jwt',
      'JWT',
      'application/at+jwt',
      'none',
      null,
      true,
      '',
      0,
      -1,
      1.5,
      undefined,
      [],
    ),
  );
  const claimNames = fc.constantFrom('iss', 'aud', ...unread);
  const headerNames = fc.constantFrom('alg', 'kid', 'typ', 'crit', 'b64', 'cty', 'jwk', 'x');
  const changes = (names: fc.Arbitrary<string>) => fc.dictionary(names, value, { maxKeys: 2 });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...pairs),
      changes(headerNames),
      changes(claimNames),
      async (pair, header, claims) => {
        await compare(pair, forge(pair, headerWith(pair, header), claimsWith(claims)));
      },
    ),
    { numRuns: 600 },
  );
});

test('bytes that are no claims get the verdict of jose on their signature', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...pairs), fc.uint8Array(), fc.nat(2), async (pair, bytes, flip) => {
      const token = forge(pair, headerWith(pair), Buffer.from(bytes));
      const [header, payload, signature] = token.split('.') as [string, string, string];
      const other = Buffer.from(signature, 'base64url');
      other[0]! ^= flip;
      const changed = `${header}.${payload}.${other.toString('base64url')}`;
      const mine = verifySignature(changed, pair);
      const read = await compactVerify(changed, pair.publicKey).then(
        (result) => Buffer.from(result.payload),
        () => null,
      );
      assert.equal(mine.ok, read !== null);
      if (mine.ok) assert.deepEqual(mine.payload, read);
    }),
    { numRuns: 200 },
  );
});

test('the comparison met good tokens, bad ones, and ones on which we are stricter', () => {
  for (const [kind, count] of Object.entries(seen)) assert.ok(count > 0, kind);
});
