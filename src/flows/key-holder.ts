// The ring as this process holds it: private halves opened once, replaced whole whenever the store says that the ring moved.
import type { KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { refuse, StartError } from '../errors.ts';
import type { RefreshKey } from '../sessions/refresh-token.ts';
import { type Jwks, toJwks } from '../tokens/jwks.ts';
import { importPrivateJwk, type KeyPair, type SigningKey, type VerifyingKey } from '../tokens/key.ts';
import {
  type KeyPurpose,
  type KeyRecord,
  publishedKeys,
  signingKey,
  verifyingKeys,
} from '../tokens/keyring.ts';
import { openPrivate } from '../tokens/sealed-key.ts';

/** The keys, ready for use. */
export interface KeyHolder {
  /** The key that signs access tokens now. Throws `store_unavailable` while the ring waits to be planned. */
  signing(): SigningKey;
  /** Whether there is a key of each purpose that signs now: not so after a machine slept through the last handover. */
  canSign(): boolean;
  /** A key that access tokens may be signed with, or one that was revoked: ask `isRevoked` too. */
  verifying(kid: string): VerifyingKey | undefined;
  /** Whether a key was revoked. What it signed is never good, and is told why. */
  isRevoked(kid: string): boolean;
  /** The key that makes refresh tokens now. */
  refresh(): RefreshKey;
  /** The secret of a refresh key, also one that makes no new tokens. */
  refreshSecret(kid: string): KeyObject | undefined;
  /** The JWK Set of what is published now (RFC 7517 section 5). */
  jwks(): Jwks;
  records(): readonly KeyRecord[];
  /** Take over the ring as it is in the store. Throws `StartError` when a key does not unseal. */
  take(records: readonly KeyRecord[]): void;
}

interface Opened {
  readonly record: KeyRecord;
  readonly pair: KeyPair;
}

/** An empty holder. `secrets`: the one in use, then the one before it. */
export function openKeyHolder(secrets: readonly string[], clock: Clock): KeyHolder {
  let records: readonly KeyRecord[] = [];
  let opened = new Map<string, Opened>();

  function open(record: KeyRecord): Opened {
    const known = opened.get(record.kid);
    // The same key object as before: caches of verified tokens hold on to it.
    if (known !== undefined && known.record.sealedPrivate === record.sealedPrivate)
      return { ...known, record };
    for (const secret of secrets) {
      const plaintext = openPrivate(secret, record, record.sealedPrivate);
      if (plaintext !== null)
        return { record, pair: importPrivateJwk(JSON.parse(plaintext.toString('utf8'))) };
    }
    // Sealed anew with a secret that this process has not been given yet: it is the same key under the same name.
    if (known !== undefined) return { ...known, record };
    throw new StartError(
      `The key ${record.kid} in the database cannot be opened with LATCHKEY_SECRET. Set the secret that it was sealed with (the one before the last may stand in LATCHKEY_SECRET_PREVIOUS). Nothing was changed.`,
    );
  }

  function signs(purpose: KeyPurpose): KeyPair {
    const record = signingKey(records, clock.now(), purpose);
    const key = record && opened.get(record.kid);
    if (key === undefined)
      throw refuse('store_unavailable', { retryAfter: 1, cause: `No key of purpose ${purpose} signs now.` });
    return key.pair;
  }

  function verifies(kid: string, purpose: KeyPurpose): KeyPair | undefined {
    const key = opened.get(kid);
    if (key === undefined) return undefined;
    return verifyingKeys([key.record], clock.now(), purpose).length === 1 ? key.pair : undefined;
  }

  function revoked(kid: string): Opened | undefined {
    const key = opened.get(kid);
    return key?.record.purpose === 'access' && key.record.revokedAt !== null ? key : undefined;
  }

  const canSign = (purpose: KeyPurpose) => signingKey(records, clock.now(), purpose) !== undefined;

  return {
    signing: () => signs('access'),
    canSign: () => canSign('access') && canSign('refresh'),
    verifying: (kid) => verifies(kid, 'access') ?? revoked(kid)?.pair,
    isRevoked: (kid) => revoked(kid) !== undefined,
    refresh() {
      const { kid, privateKey } = signs('refresh');
      return { kid, secret: privateKey };
    },
    refreshSecret: (kid) => verifies(kid, 'refresh')?.privateKey,
    jwks: () => toJwks(publishedKeys(records, clock.now()).flatMap(({ kid }) => opened.get(kid)?.pair ?? [])),
    records: () => records,
    take(next) {
      opened = new Map(next.map((record) => [record.kid, open(record)]));
      records = next;
    },
  };
}
