// Compares a password with a hash. Every way to fail costs the same work as a wrong password would,
// so that the time tells nothing: an unknown account, a hash that cannot be read, a text that is no password.
import { formatArgon2 } from './argon2.ts';
import { type ReadableHash, readHash } from './foreign.ts';
import { current } from './hash.ts';
import { isPassword, normalise } from './normalise.ts';

/** How a comparison came out. */
export interface Verdict {
  readonly matches: boolean;
  /** It matches, and should be hashed anew now that the password is at hand: of another kind, weaker, or not made from NFKC. */
  readonly rehash: boolean;
}

/**
 * Whether a password belongs to a hash: exactly, all of it, but for NFKC. Blocks the thread for as long as hashing takes:
 * a server asks a `Lane` instead. Never throws, whatever `encoded` is.
 */
export function verifyPassword(password: string, encoded: string): Verdict {
  return compare(isPassword(password) ? password : null, encoded);
}

/**
 * The same with what may be missing: `password` null stands for a text that is none, `encoded` null for an account that is not there.
 * Neither matches, and both do the work. `read` is for tests that count the work.
 */
export function compare(
  password: string | null,
  encoded: string | null,
  read: typeof readHash = readHash,
): Verdict {
  const found = read(encoded ?? decoy);
  const known = encoded !== null && 'matches' in found;
  const hash = 'matches' in found ? found : (read(decoy) as ReadableHash);
  const match = findSpelling(password, hash);
  // Only now, after the work, may it matter that there was nothing to compare with.
  if (match === undefined || !known) return { matches: false, rehash: false };
  return { matches: true, rehash: hash.outdated || match !== normalise(match) };
}

/** The spelling of a password that belongs to a hash: NFKC, or as it was typed, since others hash without it. */
function findSpelling(password: string | null, hash: ReadableHash): string | undefined {
  const spellings = password === null ? [] : [...new Set([normalise(password), password])];
  const usable = spellings.filter((spelling) => hash.takes(Buffer.from(spelling, 'utf8')));
  if (usable.length === 0) {
    hash.matches(Buffer.alloc(0));
    return undefined;
  }
  return usable.find((spelling) => hash.matches(Buffer.from(spelling, 'utf8')));
}

/** A hash as new ones are, that belongs to nobody: what an unknown account is compared with. */
const decoy = formatArgon2({
  ...current,
  salt: Buffer.alloc(current.saltLength),
  tag: Buffer.alloc(current.tagLength),
});
