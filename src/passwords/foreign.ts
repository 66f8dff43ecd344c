// Reads every kind of hash that is verified: our own argon2id and those that others made. Foreign ones are never made here.
// A hash string is input: its cost is bounded before it is run, because one line of an import file can ask for 4 GiB.
import { pbkdf2Sync, scryptSync, timingSafeEqual } from 'node:crypto';
import { createRequire } from 'node:module';
import { argon2, parseArgon2 } from './argon2.ts';
import { decodeBase64 } from './base64.ts';
import { current } from './hash.ts';

/** The kinds of hash that are verified. */
export type HashKind =
  | 'argon2id'
  | 'argon2i'
  | 'argon2d'
  | 'bcrypt'
  | 'scrypt'
  | 'scrypt-django'
  | 'pbkdf2-sha256'
  | 'pbkdf2-sha512'
  | 'pbkdf2-sha256-django';

/** A hash, ready to be compared with the bytes of a password. */
export interface ReadableHash {
  readonly kind: HashKind;
  /** Of another kind or weaker than what is made now. */
  readonly outdated: boolean;
  /** Whether the kind can tell this password from every other one. What it does not take never matches. */
  takes(password: Buffer): boolean;
  /** Does the work, and tells whether it came out the same. Blocks the thread. */
  matches(password: Buffer): boolean;
}

/** Why a hash cannot be verified. */
export interface UnreadableHash {
  /** Missing where it looks like no known kind. */
  readonly kind?: HashKind;
  /** A sentence for the operator; never holds the hash. */
  readonly why: string;
}

interface Kind {
  readonly kind: HashKind;
  /** How a hash of this kind begins. */
  readonly prefix: RegExp;
  /** The hash, or a sentence why this one is not verified. */
  readonly read: (encoded: string) => Comparable | string;
}

interface Comparable {
  readonly matches: (password: Buffer) => boolean;
  readonly takes?: (password: Buffer) => boolean;
  readonly outdated?: boolean;
}

/** What one verification may cost at most: about a second and 256 MiB. */
const limits = {
  /** Characters of a hash string. */
  encoded: 1024,
  /** KiB; and KiB times passes, which is what takes the time. */
  argon2Memory: 256 * 1024,
  argon2Work: 1024 * 1024,
  argon2Parallelism: 16,
  bcryptCost: 14,
  /** N * r (128 bytes each), and N * r * p. */
  scryptMemory: 2 ** 21,
  scryptWork: 2 ** 22,
  scryptFactor: 64,
  pbkdf2Iterations: 4_000_000,
} as const;

/** Shorter results would match by chance sooner than a password is guessed; longer ones nobody makes. */
const shortestResult = 16;
const longestResult = 128;

const malformed = 'It is not written as hashes of this kind are.';
const tooCostly = 'Verifying it would take too much time or memory.';

const kinds: readonly Kind[] = [
  { kind: 'argon2id', prefix: /^\$argon2id\$/, read: readArgon2 },
  { kind: 'argon2i', prefix: /^\$argon2i\$/, read: readArgon2 },
  { kind: 'argon2d', prefix: /^\$argon2d\$/, read: readArgon2 },
  { kind: 'bcrypt', prefix: /^\$2[abxy]\$/, read: readBcrypt },
  { kind: 'scrypt', prefix: /^\$scrypt\$/, read: readScrypt },
  { kind: 'scrypt-django', prefix: /^scrypt\$/, read: readDjangoScrypt },
  { kind: 'pbkdf2-sha256', prefix: /^\$pbkdf2-sha256\$/, read: readPbkdf2 },
  { kind: 'pbkdf2-sha512', prefix: /^\$pbkdf2-sha512\$/, read: readPbkdf2 },
  { kind: 'pbkdf2-sha256-django', prefix: /^pbkdf2_sha256\$/, read: readDjangoPbkdf2 },
];

/** Read a hash of any kind. Never throws, runs nothing. */
export function readHash(encoded: string): ReadableHash | UnreadableHash {
  const found = kinds.find(({ prefix }) => prefix.test(encoded));
  if (!found) return { why: 'It is of no kind that is known here.' };
  const { kind, read } = found;
  const result = encoded.length > limits.encoded ? malformed : read(encoded);
  if (typeof result === 'string') return { kind, why: result };
  return {
    kind,
    outdated: result.outdated ?? true,
    takes: result.takes ?? takesAll,
    matches: result.matches,
  };
}

/** What a hash string is, and whether a log-in against it can work. For imports; never throws and does no hashing. */
export function describeHash(
  encoded: string,
): { kind: HashKind; supported: true } | { kind?: HashKind; supported: false; why: string } {
  const hash = readHash(encoded);
  return 'why' in hash ? { ...hash, supported: false } : { kind: hash.kind, supported: true };
}

function takesAll(): boolean {
  return true;
}

function readArgon2(encoded: string): Comparable | string {
  const hash = parseArgon2(encoded);
  if (!hash || hash.salt.length < 8 || isOddResult(hash.tag)) return malformed;
  const { kind, memory, passes, parallelism, salt, tag } = hash;
  // RFC 9106 section 3.1: memory of at least 8 KiB for each lane.
  if (memory < 8 * parallelism) return malformed;
  if (
    memory > limits.argon2Memory ||
    memory * passes > limits.argon2Work ||
    parallelism > limits.argon2Parallelism
  ) {
    return tooCostly;
  }
  return {
    outdated:
      kind !== current.kind ||
      memory < current.memory ||
      memory * passes < current.memory * current.passes ||
      salt.length < current.saltLength ||
      tag.length < current.tagLength,
    matches: (password) => timingSafeEqual(argon2(kind, hash, salt, password), tag),
  };
}

// The last characters of salt and hash are those whose spare bits are zero, as every maker writes them.
const bcryptShape = /^\$2([abxy])\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/;

/** The most bytes that bcrypt sees of a password. */
const bcryptSees = 72;

function readBcrypt(encoded: string): Comparable | string {
  const [, version, cost] = bcryptShape.exec(encoded) ?? [];
  if (cost === undefined || Number(cost) < 4 || Number(cost) > 31) return malformed;
  if (Number(cost) > limits.bcryptCost) return tooCostly;
  const bcrypt = loadBcrypt();
  if (!bcrypt) return 'The package @node-rs/bcrypt has no binary for this platform.';
  return {
    // bcrypt drops what follows byte 72 (CVE-2025-22228) and its C makers stop at a NUL: such a password would match with any end.
    // $2x$ marks a maker that mixed bytes from 0x80 up wrongly, which is right for ASCII and different passwords as one elsewhere.
    takes: (password) =>
      password.length <= bcryptSees &&
      !password.includes(0) &&
      (version !== 'x' || password.every((byte) => byte < 0x80)),
    matches: (password) => bcrypt.verifySync(password, encoded),
  };
}

type Bcrypt = Pick<typeof import('@node-rs/bcrypt'), 'verifySync'>;

/** The native package, loaded at the first bcrypt hash that is met; undefined where it has no binary. */
function loadBcrypt(): Bcrypt | undefined {
  try {
    return createRequire(import.meta.url)('@node-rs/bcrypt') as Bcrypt;
  } catch {
    return undefined;
  }
}

function readScrypt(encoded: string): Comparable | string {
  const [, ln, r, p, salt64, hash64] =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,4}),p=(\d{1,4})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(encoded) ??
    [];
  const salt = decodeBase64(salt64 ?? '');
  const hash = decodeBase64(hash64 ?? '');
  return salt && hash ? scrypt(2 ** Number(ln), Number(r), Number(p), salt, hash) : malformed;
}

/** `scrypt$N$salt$r$p$hash`: Django's order; the salt is text, the hash padded base64. */
function readDjangoScrypt(encoded: string): Comparable | string {
  const [, cost, salt, r, p, hash64] =
    /^scrypt\$(\d{1,10})\$([^$]+)\$(\d{1,4})\$(\d{1,4})\$([A-Za-z0-9+/]+)={0,2}$/.exec(encoded) ?? [];
  const hash = decodeBase64(hash64 ?? '');
  return salt && hash ? scrypt(Number(cost), Number(r), Number(p), Buffer.from(salt), hash) : malformed;
}

function scrypt(cost: number, r: number, p: number, salt: Buffer, hash: Buffer): Comparable | string {
  // RFC 7914 section 2: N is a power of two above 1.
  if (cost < 2 || !Number.isInteger(Math.log2(cost)) || r < 1 || p < 1 || isOddResult(hash)) return malformed;
  const memory = cost * r;
  if (
    memory > limits.scryptMemory ||
    memory * p > limits.scryptWork ||
    Math.max(r, p) > limits.scryptFactor
  ) {
    return tooCostly;
  }
  // Node refuses what needs more than 32 MiB unless it is told; the limits above hold already.
  const options = { N: cost, r, p, maxmem: 512 * 1024 * 1024 };
  return {
    takes: endsPlainly,
    matches: (password) => timingSafeEqual(scryptSync(password, salt, hash.length, options), hash),
  };
}

/** `$pbkdf2-sha256$29000$salt$hash` of passlib, whose base64 has `.` for `+`, or `$pbkdf2-sha256$i=29000,l=32$salt$hash`. */
function readPbkdf2(encoded: string): Comparable | string {
  const [, digest, iterations, length, salt64, hash64] =
    /^\$pbkdf2-(sha256|sha512)\$(?:i=)?(\d{1,10})(?:,l=(\d{1,3}))?\$([A-Za-z0-9+/.]+)\$([A-Za-z0-9+/.]+)$/.exec(
      encoded,
    ) ?? [];
  const salt = decodeBase64((salt64 ?? '').replaceAll('.', '+'));
  const hash = decodeBase64((hash64 ?? '').replaceAll('.', '+'));
  if (!digest || !salt || !hash || (length !== undefined && Number(length) !== hash.length)) return malformed;
  return pbkdf2(digest, Number(iterations), salt, hash);
}

/** `pbkdf2_sha256$iterations$salt$hash`: the salt is text, the hash padded base64. */
function readDjangoPbkdf2(encoded: string): Comparable | string {
  const [, iterations, salt, hash64] =
    /^pbkdf2_sha256\$(\d{1,10})\$([^$]+)\$([A-Za-z0-9+/]+)={0,2}$/.exec(encoded) ?? [];
  const hash = decodeBase64(hash64 ?? '');
  return salt && hash ? pbkdf2('sha256', Number(iterations), Buffer.from(salt), hash) : malformed;
}

function pbkdf2(digest: string, iterations: number, salt: Buffer, hash: Buffer): Comparable | string {
  if (iterations < 1 || isOddResult(hash)) return malformed;
  if (iterations > limits.pbkdf2Iterations) return tooCostly;
  return {
    takes: endsPlainly,
    matches: (password) => timingSafeEqual(pbkdf2Sync(password, salt, iterations, hash.length, digest), hash),
  };
}

/** HMAC fills its key up with NULs (RFC 2104), so under PBKDF2 and scrypt a password with a NUL at its end is the one without. */
function endsPlainly(password: Buffer): boolean {
  return password.at(-1) !== 0;
}

function isOddResult(hash: Buffer): boolean {
  return hash.length < shortestResult || hash.length > longestResult;
}
