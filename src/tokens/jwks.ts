// JSON Web Key Sets (RFC 7517 section 5), out and in. One bad key makes a set unbelievable as a whole;
// only keys that plainly serve something else (another algorithm, encryption) are passed over, as the RFC asks.
import { algorithmOfKeyType, isAlgorithm } from './algorithms.ts';
import {
  exportPublicJwk,
  importPublicJwk,
  isSymmetric,
  type Jwk,
  privateJwkMembers,
  type VerifyingKey,
} from './key.ts';

/** A key set as it stands on the wire. */
export interface Jwks {
  readonly keys: readonly Jwk[];
}

/** The most keys that a set may hold. */
export const maxKeys = 100;

/** The public halves, each with `kid`, `use` and `alg`. Symmetric keys are left out: nothing of them is public. */
export function toJwks(keys: Iterable<VerifyingKey>): Jwks {
  return { keys: [...keys].filter((key) => !isSymmetric(key.algorithm)).map(exportPublicJwk) };
}

/** The verifying keys of a set. Throws a TypeError when anything in it is private, symmetric, repeated, malformed or too weak. */
export function readJwks(value: unknown): VerifyingKey[] {
  const listed = (value as { readonly keys?: unknown } | null | undefined)?.keys;
  if (!Array.isArray(listed) || listed.length > maxKeys) {
    throw new TypeError(`A JWKS is an object with a list of at most ${maxKeys} keys.`);
  }
  const entries = listed.map(readEntry);
  const kids = entries.map(({ kid }) => kid).filter((kid) => kid !== undefined);
  if (new Set(kids).size !== kids.length) throw new TypeError('The JWKS names two keys alike.');
  const keys = entries.filter(isForSignatures).map(importPublicJwk);
  // Once more, now that keys without a `kid` have got their thumbprint.
  if (new Set(keys.map(({ kid }) => kid)).size !== keys.length) {
    throw new TypeError('The JWKS names two keys alike.');
  }
  return keys;
}

type Entry = Readonly<Record<string, unknown>>;

function readEntry(entry: unknown): Entry {
  if (typeof entry !== 'object' || entry === null) throw new TypeError('A key of the JWKS is no object.');
  const jwk = entry as Entry;
  if (jwk.kty === 'oct' || privateJwkMembers.some((name) => jwk[name] !== undefined)) {
    throw new TypeError('The JWKS holds a key that is not public.');
  }
  return jwk;
}

// A key that claims to be one of ours must also be a good one; one that claims to be something else is none of our business.
function isForSignatures(jwk: Entry): boolean {
  if (jwk.use !== undefined && jwk.use !== 'sig') return false;
  return jwk.alg === undefined ? algorithmOfKeyType(jwk.kty, jwk.crv) !== null : isAlgorithm(jwk.alg);
}
