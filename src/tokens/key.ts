// Keys and their JSON form (RFC 7517). A key carries its algorithm, so that nothing has to ask a token which one to use.
// JWKs are read strictly: what they say of themselves must agree, and a public one must hold nothing private.
import { createHash, createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { randomText } from '../secrets.ts';
import {
  type Algorithm,
  type AlgorithmEntry,
  algorithmEntry,
  algorithmOfKeyType,
  algorithms,
  type KeyObjects,
  keyFits,
  signBytes,
  verifyBytes,
} from './algorithms.ts';
import { decodeBase64url, maxKidLength } from './compact.ts';

/** A key that signs. For HS256 the secret. */
export interface SigningKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly privateKey: KeyObject;
}

/** A key that verifies. For HS256 the secret. */
export interface VerifyingKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly publicKey: KeyObject;
}

/** Both halves. */
export interface KeyPair extends SigningKey, VerifyingKey {}

/** A JSON Web Key: members are texts, and `key_ops` a list of them. */
export interface Jwk {
  readonly kty: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: Algorithm;
  readonly [member: string]: string;
}

/** Every member that RFC 7518 section 6 calls private, of any key type. */
export const privateJwkMembers: readonly string[] = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** A new key. Its `kid` is the thumbprint; for a symmetric key it is random, because a thumbprint would be a hash of the secret. */
export function generateKey(algorithm: Algorithm): KeyPair {
  const objects = algorithmEntry(algorithm).generate();
  const kid = isSymmetric(algorithm)
    ? randomText(16)
    : thumbprint(objects.publicKey.export({ format: 'jwk' }) as Record<string, unknown>);
  return { kid, algorithm, ...objects };
}

/** The JWK thumbprint of RFC 7638 with SHA-256, base64url. Throws a TypeError for what is no public key of a type that is spoken here. */
export function thumbprint(jwk: Readonly<Record<string, unknown>>): string {
  const algorithm = algorithmOfKeyType(jwk.kty, jwk.crv);
  if (algorithm === null || isSymmetric(algorithm)) throw refused('kty', 'has no thumbprint here');
  const entry = algorithmEntry(algorithm);
  const members = Object.entries(pickMembers(jwk, entry, entry.publicMembers));
  // In the order of their names, without blanks: RFC 7638 section 3.
  const text = JSON.stringify(Object.fromEntries(members.sort(([left], [right]) => (left < right ? -1 : 1))));
  return createHash('sha256').update(text).digest('base64url');
}

/** Read a public JWK. Throws a TypeError that names the member, never its value. Symmetric keys and private members are refused. */
export function importPublicJwk(value: unknown): VerifyingKey {
  const jwk = readMembers(value);
  for (const name of privateJwkMembers) {
    if (jwk[name] !== undefined) throw refused(name, 'is private and must not be in a public key');
  }
  const algorithm = readAlgorithm(jwk, 'verify');
  if (isSymmetric(algorithm)) throw refused('kty', 'is symmetric, which no public key is');
  return { kid: readKid(jwk, algorithm), algorithm, publicKey: makePublicKey(jwk, algorithm) };
}

/** Read a private or symmetric JWK; both halves must belong together. Throws a TypeError that names the member, never its value. */
export function importPrivateJwk(value: unknown): KeyPair {
  const jwk = readMembers(value);
  const algorithm = readAlgorithm(jwk, 'sign');
  const objects = isSymmetric(algorithm) ? makeSecret(jwk, algorithm) : makeKeyPair(jwk, algorithm);
  return { kid: readKid(jwk, algorithm), algorithm, ...objects };
}

/** The public JWK of a key. Throws a TypeError for a symmetric one: it has no public half. */
export function exportPublicJwk(key: VerifyingKey): Jwk {
  const entry = algorithmEntry(key.algorithm);
  if (isSymmetric(key.algorithm)) throw refused('kty', 'is symmetric and has no public half');
  return exportMembers(key, key.publicKey, keyMembers(entry));
}

/** The private or symmetric JWK of a key: to be sealed before it is kept. */
export function exportPrivateJwk(key: SigningKey): Jwk {
  const entry = algorithmEntry(key.algorithm);
  return exportMembers(key, key.privateKey, [...keyMembers(entry), ...entry.privateMembers]);
}

/** Whether an algorithm uses one secret for both ends, so that its keys are never published. */
export function isSymmetric(algorithm: Algorithm): boolean {
  return algorithmEntry(algorithm).publicMembers.length === 0;
}

function exportMembers(
  key: { readonly kid: string; readonly algorithm: Algorithm },
  object: KeyObject,
  members: readonly string[],
): Jwk {
  // Picked by name, so that nothing private can slip in with what the engine exports.
  const jwk = object.export({ format: 'jwk' }) as Record<string, string>;
  const own = Object.fromEntries(members.map((name) => [name, jwk[name]!]));
  return { kty: jwk.kty!, ...own, kid: key.kid, use: 'sig', alg: key.algorithm };
}

function keyMembers(entry: AlgorithmEntry): string[] {
  return [...(entry.crv === undefined ? [] : ['crv']), 'kty', ...entry.publicMembers];
}

function readMembers(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refused(null, 'is no object');
  // A copy without a prototype: a member that is absent is absent.
  return Object.assign(Object.create(null), value);
}

function readAlgorithm(jwk: Readonly<Record<string, unknown>>, operation: 'sign' | 'verify'): Algorithm {
  const algorithm = algorithmOfKeyType(jwk.kty, jwk.crv);
  if (algorithm === null) throw refused('kty', `and crv are none of ${algorithms.join(', ')}`);
  if (jwk.alg !== undefined && jwk.alg !== algorithm)
    throw refused('alg', 'does not belong to this key type');
  if (jwk.use !== undefined && jwk.use !== 'sig') throw refused('use', 'is not sig');
  if (jwk.key_ops !== undefined && !allows(jwk.key_ops, operation)) {
    throw refused('key_ops', `must allow ${operation} and nothing but signatures`);
  }
  return algorithm;
}

function allows(operations: unknown, operation: 'sign' | 'verify'): boolean {
  // A public key whose owner says "sign" was exported by something that took it for the private one.
  const possible = operation === 'sign' ? ['sign', 'verify'] : ['verify'];
  return (
    Array.isArray(operations) &&
    new Set(operations).size === operations.length &&
    operations.includes(operation) &&
    operations.every((name) => possible.includes(name))
  );
}

function readKid(jwk: Readonly<Record<string, unknown>>, algorithm: Algorithm): string {
  const { kid } = jwk;
  if (kid === undefined && !isSymmetric(algorithm)) return thumbprint(jwk);
  if (typeof kid !== 'string' || kid.length === 0 || kid.length > maxKidLength) {
    throw refused('kid', `must be a text of 1 to ${maxKidLength} characters`);
  }
  return kid;
}

function makePublicKey(jwk: Readonly<Record<string, unknown>>, algorithm: Algorithm): KeyObject {
  const entry = algorithmEntry(algorithm);
  const key = pickMembers(jwk, entry, entry.publicMembers);
  return checkStrength(
    algorithm,
    orRefused(() => createPublicKey({ key, format: 'jwk' })),
  );
}

function makeKeyPair(jwk: Readonly<Record<string, unknown>>, algorithm: Algorithm): KeyObjects {
  const entry = algorithmEntry(algorithm);
  const key = pickMembers(jwk, entry, [...entry.publicMembers, ...entry.privateMembers]);
  const privateKey = orRefused(() => createPrivateKey({ key, format: 'jwk' }));
  const publicKey = makePublicKey(jwk, algorithm);
  // Node does not look whether the exponent of an RSA key is the one that belongs to its private half.
  const probe = Buffer.from('latchkey');
  const matches = orRefused(() =>
    verifyBytes(algorithm, publicKey, probe, signBytes(algorithm, privateKey, probe)),
  );
  if (!matches) throw refused(null, 'has halves that do not belong together');
  return { privateKey, publicKey };
}

function makeSecret(jwk: Readonly<Record<string, unknown>>, algorithm: Algorithm): KeyObjects {
  const secret = checkStrength(
    algorithm,
    orRefused(() => createSecretKey(readBytes(jwk, 'k'))),
  );
  return { privateKey: secret, publicKey: secret };
}

function pickMembers(
  jwk: Readonly<Record<string, unknown>>,
  entry: AlgorithmEntry,
  names: readonly string[],
): Record<string, string> {
  const picked: Record<string, string> = { kty: entry.kty };
  if (entry.crv !== undefined) picked.crv = entry.crv;
  for (const name of names)
    picked[name] = readBytes(jwk, name, entry.memberBytes[name]).toString('base64url');
  return picked;
}

function readBytes(jwk: Readonly<Record<string, unknown>>, name: string, length?: number): Buffer {
  const value = jwk[name];
  const bytes = typeof value === 'string' ? decodeBase64url(value) : null;
  if (bytes === null || bytes.length === 0) throw refused(name, 'is missing or not base64url');
  if (length !== undefined && bytes.length !== length) throw refused(name, `must be ${length} bytes`);
  // RFC 7518 section 2: a number without fixed length uses the fewest bytes. A secret is no number.
  if (length === undefined && name !== 'k' && bytes[0] === 0) throw refused(name, 'has a leading zero byte');
  return bytes;
}

function checkStrength(algorithm: Algorithm, key: KeyObject): KeyObject {
  if (!keyFits(algorithm, key)) throw refused(null, `is too weak or of the wrong kind for ${algorithm}`);
  return key;
}

// The engine's own messages may hold parts of the key.
function orRefused<Result>(make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    if (error instanceof KeyRefused) throw error;
    throw refused(null, 'does not make a key');
  }
}

class KeyRefused extends TypeError {}

function refused(member: string | null, why: string): TypeError {
  return new KeyRefused(member === null ? `The JWK ${why}.` : `The JWK member ${member} ${why}.`);
}
