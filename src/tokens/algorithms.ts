// The closed table of signature algorithms: what a key must be, how it signs, how it verifies. Nothing else names one.
// A key belongs to one algorithm for good; what a token says of itself never chooses a row here (RFC 8725 section 3.1).
import {
  createHmac,
  createSecretKey,
  generateKeyPairSync,
  KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { isRocaModulus } from './roca.ts';

/** The `alg` values of RFC 7518 section 3.1 and RFC 8037 section 3.1 that this house speaks. */
export type Algorithm = 'EdDSA' | 'ES256' | 'RS256' | 'HS256';

/** Both halves of a key. A symmetric secret stands in both. */
export interface KeyObjects {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** One row of the table. */
export interface AlgorithmEntry {
  /** The key type of RFC 7517 section 4.1; each row has its own pair of `kty` and `crv`. */
  readonly kty: 'OKP' | 'EC' | 'RSA' | 'oct';
  /** The curve, where the key type has one. */
  readonly crv?: string;
  /** The JWK members that make the key, `kty` and `crv` left out, in the order of RFC 7638 section 3.2. Empty where nothing is public. */
  readonly publicMembers: readonly string[];
  /** The JWK members that must stay private. */
  readonly privateMembers: readonly string[];
  /** The JWK members whose value is a fixed number of bytes. */
  readonly memberBytes: Readonly<Record<string, number>>;
  generate(): KeyObjects;
  /** Whether this is a key of the right kind, curve and strength. */
  fits(key: KeyObject): boolean;
  /** The one length, in bytes, that a signature under this key has. */
  signatureBytes(key: KeyObject): number;
  sign(data: Buffer, key: KeyObject): Buffer;
  verify(data: Buffer, signature: Buffer, key: KeyObject): boolean;
}

const edDsa: AlgorithmEntry = {
  kty: 'OKP',
  crv: 'Ed25519',
  publicMembers: ['x'],
  privateMembers: ['d'],
  memberBytes: { x: 32, d: 32 },
  generate: () => generateKeyPairSync('ed25519'),
  fits: (key) => key.asymmetricKeyType === 'ed25519',
  signatureBytes: () => 64,
  sign: (data, key) => sign(null, data, key),
  verify: (data, signature, key) => verify(null, data, key, signature),
};

const es256: AlgorithmEntry = {
  kty: 'EC',
  crv: 'P-256',
  publicMembers: ['x', 'y'],
  privateMembers: ['d'],
  memberBytes: { x: 32, y: 32, d: 32 },
  generate: () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  fits: (key) => key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1',
  signatureBytes: () => 64,
  // JOSE wants r||s (RFC 7518 section 3.4); Node's default would be DER, which has more than one spelling.
  sign: (data, key) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
  verify: (data, signature, key) => verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature),
};

const rs256: AlgorithmEntry = {
  kty: 'RSA',
  publicMembers: ['e', 'n'],
  privateMembers: ['d', 'p', 'q', 'dp', 'dq', 'qi'],
  memberBytes: {},
  generate: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  fits: (key) => key.asymmetricKeyType === 'rsa' && isSoundRsaKey(key),
  signatureBytes: (key) => Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8),
  sign: (data, key) => sign('sha256', data, key),
  verify: (data, signature, key) => verify('sha256', data, key, signature),
};

const hs256: AlgorithmEntry = {
  kty: 'oct',
  publicMembers: [],
  privateMembers: ['k'],
  memberBytes: {},
  generate: () => {
    const secret = createSecretKey(randomBytes(32));
    return { privateKey: secret, publicKey: secret };
  },
  // Only a secret of at least the hash's length (RFC 7518 section 3.2); a public key has another type and never gets here.
  fits: (key) => key.type === 'secret' && (key.symmetricKeySize ?? 0) >= 32,
  signatureBytes: () => 32,
  sign: (data, key) => createHmac('sha256', key).update(data).digest(),
  verify: (data, signature, key) => timingSafeEqual(hs256.sign(data, key), signature),
};

const table: Readonly<Record<Algorithm, AlgorithmEntry>> = {
  EdDSA: edDsa,
  ES256: es256,
  RS256: rs256,
  HS256: hs256,
};

/** Every algorithm of the table, the default one first. */
export const algorithms: readonly Algorithm[] = Object.keys(table) as Algorithm[];

/** Whether a value names an algorithm of the table. */
export function isAlgorithm(value: unknown): value is Algorithm {
  return typeof value === 'string' && Object.hasOwn(table, value);
}

/** The row of an algorithm. */
export function algorithmEntry(algorithm: Algorithm): AlgorithmEntry {
  return table[algorithm];
}

/** The one algorithm that keys of this type and curve serve; null when there is none. */
export function algorithmOfKeyType(kty: unknown, crv: unknown): Algorithm | null {
  return algorithms.find((name) => table[name].kty === kty && table[name].crv === crv) ?? null;
}

// What was looked at once need not be looked at on each token; a KeyObject never changes.
const fitting = new WeakMap<KeyObject, Algorithm>();

/** Whether a key is one that this algorithm may be used with. */
export function keyFits(algorithm: Algorithm, key: KeyObject): boolean {
  if (fitting.get(key) === algorithm) return true;
  if (!isAlgorithm(algorithm) || !(key instanceof KeyObject) || !table[algorithm].fits(key)) return false;
  fitting.set(key, algorithm);
  return true;
}

/** Sign bytes. Throws a TypeError for a key that does not fit. */
export function signBytes(algorithm: Algorithm, key: KeyObject, data: Buffer): Buffer {
  if (!keyFits(algorithm, key)) throw new TypeError(`The key is not one that ${algorithm} may sign with.`);
  return table[algorithm].sign(data, key);
}

/** Whether a signature is good. False, and never an error, for everything that is not. */
export function verifyBytes(algorithm: Algorithm, key: KeyObject, data: Buffer, signature: Buffer): boolean {
  // A private half would verify too, but it has no business where tokens are checked.
  if (!keyFits(algorithm, key) || key.type === 'private') return false;
  const entry = table[algorithm];
  if (signature.length !== entry.signatureBytes(key)) return false;
  try {
    return entry.verify(data, signature, key);
  } catch {
    return false; // OpenSSL reports some malformed signatures as errors: fail closed.
  }
}

// Bounds above keep one verification from costing seconds; e = 1 would make every message its own signature.
function isSoundRsaKey(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < 2048 || modulusLength > 8192) return false;
  if (publicExponent < 3n || publicExponent % 2n === 0n || publicExponent > 0xffff_ffffn) return false;
  const modulus = Buffer.from(String(key.export({ format: 'jwk' }).n), 'base64url');
  return !isRocaModulus(BigInt(`0x${modulus.toString('hex')}`));
}
