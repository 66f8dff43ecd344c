// The published vectors of RFCs, the JOSE cookbook and Wycheproof, against our own verdicts.
// Where our verdict differs from a vector's, the case is named here with its reason; everything else must agree.
import assert from 'node:assert/strict';
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { type Algorithm, keyFits, signBytes, verifyBytes } from '../../src/tokens/algorithms.ts';
import { readJwks } from '../../src/tokens/jwks.ts';
import {
  generateKey,
  importPrivateJwk,
  importPublicJwk,
  thumbprint,
  type VerifyingKey,
} from '../../src/tokens/key.ts';
import { verifySignature } from '../../src/tokens/verify.ts';
import { readVectors, vectorsMissing } from './read-vectors.ts';

type Members = Record<string, unknown>;
interface Case {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly comment: string;
  readonly flags: readonly string[];
}
interface Group<Test> extends Members {
  readonly tests: readonly (Case & Test)[];
}
interface JoseTest {
  readonly jws?: string | object;
  readonly jwe?: string | object;
}
interface SignatureTest {
  readonly msg: string;
  readonly sig: string;
}

const options = { skip: vectorsMissing };
const speaks = (alg: unknown) => ['EdDSA', 'ES256', 'RS256', 'HS256'].includes(String(alg));

function groupsOf<Test>(file: string): Group<Test>[] {
  return readVectors<{ testGroups: Group<Test>[] }>(`wycheproof/${file}_test.json`).testGroups;
}

/** The key, or null when we refuse to have it. A secret needs a name of its own, which some examples leave out. */
function importJwk(jwk: Members): VerifyingKey | null {
  try {
    return jwk.kty === 'oct' ? importPrivateJwk({ kid: 'example', ...jwk }) : importPublicJwk(jwk);
  } catch (error) {
    assert.ok(error instanceof TypeError, 'a key is refused with a TypeError');
    return null;
  }
}

function publicPart(jwk: Members): Members {
  const { d, p, q, dp, dq, qi, ...rest } = jwk;
  return rest;
}

/** Tokens that are objects are in the JSON serialization. */
function asText(token: string | object | undefined): string {
  return typeof token === 'string' ? token : JSON.stringify(token);
}

test('threat 38: Wycheproof JWS: every verdict within our algorithms agrees', options, () => {
  // 367 and 370 are called invalid padding, but their padding was lost: they are the very text of 357, which is valid.
  // 372 and 373 hold a `?`, and are called valid; RFC 7515 section 2 allows no such character.
  const stricter = new Set([372, 373]);
  const sameAsValid = new Set([367, 370]);
  const counts = { accepted: 0, refused: 0, otherAlgorithm: 0 };
  const all = groupsOf<JoseTest>('json_web_signature').flatMap(({ tests, ...group }) =>
    tests.map((vector) => ({ vector, jwk: (group.public ?? group.private) as Members })),
  );
  const textOf357 = all.find(({ vector }) => vector.tcId === 357)?.vector.jws;
  for (const { vector, jwk } of all) {
    const key = importJwk(jwk);
    const accepted = key !== null && verifySignature(asText(vector.jws), key).ok;
    if (sameAsValid.has(vector.tcId)) {
      assert.equal(vector.jws, textOf357);
    } else if (vector.result === 'valid' && !speaks(jwk.alg)) {
      assert.equal(key, null, `${vector.tcId}: ${jwk.alg} is not spoken here`);
      counts.otherAlgorithm++;
    } else {
      const expected = vector.result === 'valid' && !stricter.has(vector.tcId);
      assert.equal(accepted, expected, `${vector.tcId} ${vector.comment}`);
      counts[accepted ? 'accepted' : 'refused']++;
    }
  }
  assert.deepEqual(counts, { accepted: 18, refused: 355, otherAlgorithm: 26 });
});

/** What a guard would use of a set: public ones by the reader of key sets, secrets one by one. */
function keysOfSet(set: Members): VerifyingKey[] {
  const listed = set.keys as Members[];
  const secrets = listed.filter(({ kty }) => kty === 'oct');
  if (secrets.length === 0) {
    try {
      return readJwks(set);
    } catch (error) {
      assert.ok(error instanceof TypeError);
      return [];
    }
  }
  assert.throws(() => readJwks(set), TypeError, 'a set that holds secrets is never read as a JWKS');
  const kids = new Set(secrets.map(({ kid }) => kid));
  if (secrets.length < listed.length || kids.size < secrets.length) return [];
  return secrets.map(importJwk).filter((key) => key !== null);
}

test('threat 38: Wycheproof JWK: odd key sets are refused, good ones verify', options, () => {
  const counts = { accepted: 0, refused: 0, otherAlgorithm: 0 };
  for (const { tests, ...group } of groupsOf<JoseTest>('json_web_key')) {
    const set = (group.public ?? group.private) as Members;
    const keys = keysOfSet(set);
    for (const vector of tests) {
      const accepted = keys.some((key) => verifySignature(asText(vector.jws), key).ok);
      const alg = (set.keys as Members[])[0]?.alg;
      const expected = vector.result === 'valid' && speaks(alg);
      assert.equal(accepted, expected, `${vector.tcId} ${vector.comment}`);
      counts[accepted ? 'accepted' : speaks(alg) ? 'refused' : 'otherAlgorithm']++;
    }
  }
  assert.deepEqual(counts, { accepted: 3, refused: 12, otherAlgorithm: 11 });
});

test('threat 38: Wycheproof JWC: keys of one kind never serve as another', options, () => {
  const counts = { accepted: 0, refused: 0 };
  for (const { tests, ...group } of groupsOf<JoseTest>('json_web_crypto')) {
    const given = (group.public ?? group.private) as Members;
    const single = given.kty === undefined ? [] : [importJwk(given)].filter((key) => key !== null);
    const keys = given.keys === undefined ? single : keysOfSet(given);
    for (const vector of tests) {
      const token = asText(vector.jws ?? vector.jwe);
      const accepted = keys.some((key) => verifySignature(token, key).ok);
      assert.equal(accepted, vector.result === 'valid' && vector.jwe === undefined, `${vector.tcId}`);
      counts[accepted ? 'accepted' : 'refused']++;
    }
  }
  assert.deepEqual(counts, { accepted: 4, refused: 79 });
});

test('threat 14: Wycheproof JWE: no encrypted token passes, and no encryption key is taken', options, () => {
  const ours = generateKey('EdDSA');
  let refused = 0;
  for (const { tests, ...group } of groupsOf<JoseTest>('json_web_encryption')) {
    assert.equal(importJwk(group.private as Members), null);
    for (const vector of tests) {
      assert.equal(verifySignature(asText(vector.jwe), ours).ok, false, `${vector.tcId}`);
      refused++;
    }
  }
  assert.equal(refused, 139);
});

/** Compare every verdict of a file of raw signatures; returns how many were accepted and refused. */
function compareSignatures(
  file: string,
  algorithm: Algorithm,
  keyOf: (group: Members) => KeyObject,
): { accepted: number; refused: number } {
  const counts = { accepted: 0, refused: 0 };
  for (const { tests, ...group } of groupsOf<SignatureTest>(file)) {
    const key = keyOf(group);
    for (const vector of tests) {
      const [message, signature] = [Buffer.from(vector.msg, 'hex'), Buffer.from(vector.sig, 'hex')];
      const accepted = verifyBytes(algorithm, key, message, signature);
      // `acceptable` here means padding without the NULL of RFC 8017 section 9.2: we refuse it, always.
      assert.equal(accepted, vector.result === 'valid', `${file} ${vector.tcId} ${vector.comment}`);
      counts[accepted ? 'accepted' : 'refused']++;
    }
  }
  return counts;
}

const pemKey = (group: Members) => createPublicKey(String(group.publicKeyPem));

test('threat 10: Wycheproof ECDSA P-256 in the form of JOSE: every verdict agrees', options, () => {
  const counts = compareSignatures('ecdsa_secp256r1_sha256_p1363', 'ES256', pemKey);
  assert.deepEqual(counts, { accepted: 173, refused: 89 });
});

test('threat 11: Wycheproof ECDSA P-256 in DER: every signature is refused', options, () => {
  let refused = 0;
  for (const { tests, ...group } of groupsOf<SignatureTest>('ecdsa_secp256r1_sha256')) {
    const key = pemKey(group);
    assert.ok(keyFits('ES256', key));
    for (const { msg, sig, tcId } of tests) {
      assert.equal(
        verifyBytes('ES256', key, Buffer.from(msg, 'hex'), Buffer.from(sig, 'hex')),
        false,
        `${tcId}`,
      );
      refused++;
    }
  }
  assert.equal(refused, 484);
});

test('threat 11: Wycheproof Ed25519: every verdict agrees', options, () => {
  const keyOf = (group: Members) => importPublicJwk(group.publicKeyJwk).publicKey;
  assert.deepEqual(compareSignatures('ed25519', 'EdDSA', keyOf), { accepted: 88, refused: 63 });
});

test('threat 11: Wycheproof RSA PKCS#1 v1.5 with SHA-256: every verdict agrees', options, () => {
  const keyOf = (group: Members) => importPublicJwk({ ...(group.keyJwk as Members), kid: 'k' }).publicKey;
  const counts = ['2048', '3072', '4096'].map((size) =>
    compareSignatures(`rsa_signature_${size}_sha256`, 'RS256', keyOf),
  );
  assert.deepEqual(counts, [
    { accepted: 9, refused: 250 },
    { accepted: 8, refused: 251 },
    { accepted: 7, refused: 251 },
  ]);
});

test(
  'threat 12: Wycheproof HMAC: whole tags of SHA-256 agree; cut ones, other hashes and short keys are refused',
  options,
  () => {
    const counts = { accepted: 0, refused: 0, shortKey: 0 };
    for (const hash of ['sha256', 'sha384', 'sha512']) {
      for (const { tests, keySize, tagSize } of groupsOf<{ key: string; msg: string; tag: string }>(
        `hmac_${hash}`,
      )) {
        for (const vector of tests) {
          const key = createSecretKey(Buffer.from(vector.key, 'hex'));
          const [message, tag] = [Buffer.from(vector.msg, 'hex'), Buffer.from(vector.tag, 'hex')];
          const accepted = verifyBytes('HS256', key, message, tag);
          const whole = hash === 'sha256' && tagSize === 256 && Number(keySize) >= 256;
          assert.equal(accepted, whole && vector.result === 'valid', `${hash} ${vector.tcId}`);
          if (Number(keySize) < 256) counts.shortKey++;
          else counts[accepted ? 'accepted' : 'refused']++;
        }
      }
    }
    assert.deepEqual(counts, { accepted: 30, refused: 480, shortKey: 12 });
  },
);

test('threat 4: Wycheproof: keys of other curves and algorithms are refused as keys', options, () => {
  const curves = ['secp256k1_sha256', 'secp384r1_sha384', 'secp521r1_sha512'].map(
    (name) => `ecdsa_${name}_p1363`,
  );
  const rsa = ['2048_sha384', '2048_sha512', '4096_sha512'].map((name) => `rsa_signature_${name}`);
  const pss = [
    '2048_sha256_mgf1_32',
    '2048_sha384_mgf1_48',
    '3072_sha256_mgf1_32',
    '4096_sha384_mgf1_48',
    '4096_sha512_mgf1_64',
  ].map((name) => `rsa_pss_${name}`);
  let keys = 0;
  for (const file of ['ed448', ...curves, ...rsa, ...pss]) {
    for (const group of groupsOf<SignatureTest>(file)) {
      const jwk = group.publicKeyJwk ?? group.keyJwk;
      if (jwk === undefined) continue;
      assert.equal(importJwk(jwk as Members), null, file);
      keys++;
    }
  }
  assert.equal(keys, 316);
});

test(
  'threat 4: Wycheproof: RSA signatures of another hash or padding are refused under an RS256 key',
  options,
  () => {
    let refused = 0;
    for (const file of [
      'rsa_signature_2048_sha384',
      'rsa_signature_4096_sha512',
      'rsa_pss_2048_sha256_mgf1_32',
    ]) {
      for (const { tests, ...group } of groupsOf<SignatureTest>(file)) {
        const key = pemKey(group);
        assert.ok(keyFits('RS256', key));
        // Only the good ones: some of the bad ones are bad because they were made with SHA-256, which is RS256.
        for (const { msg, sig, result } of tests) {
          if (result !== 'valid') continue;
          assert.equal(verifyBytes('RS256', key, Buffer.from(msg, 'hex'), Buffer.from(sig, 'hex')), false);
          refused++;
        }
      }
    }
    assert.equal(refused, 7 + 7 + 63);
  },
);

interface CookbookFile {
  readonly input: { readonly key: Members; readonly alg: Algorithm; readonly payload: string };
  readonly signing: { readonly 'sig-input': string; readonly sig: string };
  readonly output: { readonly compact?: string };
}

test('JOSE cookbook: signatures of our algorithms verify and are made again bit for bit', options, () => {
  for (const path of [
    'jws/4_1.rsa_v15_signature',
    'jws/4_4.hmac-sha2_integrity_protection',
    'curve25519/jws',
  ]) {
    const { input, signing, output } = readVectors<CookbookFile>(`jose-cookbook/${path}.json`);
    const key = importJwk(publicPart(input.key));
    assert.ok(key, path);
    const verdict = verifySignature(String(output.compact), key);
    assert.ok(verdict.ok, path);
    assert.equal(verdict.payload.toString('utf8'), input.payload);
    const { privateKey } = importPrivateJwk(input.key);
    const made = signBytes(input.alg, privateKey, Buffer.from(signing['sig-input']));
    assert.equal(made.toString('base64url'), signing.sig, path);
  }
});

test(
  'threat 14: JOSE cookbook: other algorithms, detached payloads, b64=false and encryption are refused',
  options,
  () => {
    for (const path of ['jws/4_2.rsa-pss_signature', 'jws/4_3.ecdsa_signature']) {
      const { input, output } = readVectors<CookbookFile>(`jose-cookbook/${path}.json`);
      const key = importJwk(publicPart(input.key));
      assert.ok(key === null || !verifySignature(String(output.compact), key).ok, path);
    }
    for (const path of ['jws/4_5.signature_with_detached_content', 'rfc7797/hmac-sha2_b64_false']) {
      const { input, output } = readVectors<CookbookFile>(`jose-cookbook/${path}.json`);
      const key = importJwk(input.key);
      assert.ok(key);
      assert.equal(verifySignature(String(output.compact), key).ok, false, path);
    }
    const ours = generateKey('EdDSA');
    const { input, output } = readVectors<CookbookFile>('jose-cookbook/curve25519/ecdh-es.json');
    assert.equal(importJwk(publicPart(input.key)), null);
    assert.equal(verifySignature(String(output.compact), ours).ok, false);
  },
);

test(
  'JOSE cookbook: keys of our algorithms are read, the others refused, and a private one is never public',
  options,
  () => {
    const file = (name: string) => readVectors<Members>(`jose-cookbook/jwk/${name}.json`);
    assert.throws(() => importPublicJwk(file('3_1.ec_public_key')), /kty and crv/);
    assert.throws(() => importPrivateJwk(file('3_2.ec_private_key')), /kty and crv/);
    assert.equal(importPublicJwk(file('3_3.rsa_public_key')).algorithm, 'RS256');
    assert.equal(importPrivateJwk(file('3_4.rsa_private_key')).algorithm, 'RS256');
    assert.throws(() => importPublicJwk(file('3_4.rsa_private_key')), /private/);
    assert.equal(importPrivateJwk(file('3_5.symmetric_key_mac_computation')).algorithm, 'HS256');
    assert.throws(() => importPublicJwk(file('3_5.symmetric_key_mac_computation')), /member k is private/);
    assert.throws(() => importPrivateJwk(file('3_6.symmetric_key_encryption')), /alg/);
  },
);

test('RFC 7515, 7519, 8037 and 9449: the examples get the verdict of their text', options, () => {
  interface Example {
    readonly id: string;
    readonly alg: string;
    readonly key: Members | null;
    readonly jws: string;
    readonly result: string;
  }
  // A DPoP proof carries its key in its header; no token here may (RFC 8725 section 3.10).
  const stricter = new Set(['RFC9449-4.1']);
  const { vectors } = readVectors<{ vectors: Example[] }>('rfc/jws_examples.json');
  let accepted = 0;
  for (const { id, alg, key: jwk, jws, result } of vectors) {
    const key = jwk === null ? generateKey('HS256') : importJwk(publicPart(jwk));
    const verdict = key !== null && verifySignature(jws, key).ok;
    assert.equal(verdict, result === 'valid' && speaks(alg) && !stricter.has(id), id);
    if (verdict) accepted++;
  }
  assert.equal(accepted, 5);
});

test('RFC 7638 and 8037: thumbprints are those of the examples', options, () => {
  interface Example {
    readonly jwk: Members;
    readonly thumbprint_sha256: string;
  }
  const { thumbprints } = readVectors<{ thumbprints: Example[] }>('rfc/jwk_thumbprint_pkce.json');
  assert.equal(thumbprints.length, 2);
  for (const { jwk, thumbprint_sha256 } of thumbprints) {
    assert.equal(thumbprint(jwk), thumbprint_sha256);
    assert.equal(importPublicJwk(jwk).kid, thumbprint_sha256);
  }
});
