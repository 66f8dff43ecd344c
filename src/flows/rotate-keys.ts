// The ring is kept as the policy wants it: at the first start, by age, when an operator asks, after a key was revoked.
// Several instances may try; the ring's counter lets one win, and the others read again.
import { refuse } from '../errors.ts';
import { keyRevoked, type NewEntry, type RevocationReason } from '../revocations/entry.ts';
import type { Settings } from '../settings.ts';
import type { RingChange } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import { exportPrivateJwk, exportPublicJwk, generateKey, isSymmetric } from '../tokens/key.ts';
import {
  type KeyRecord,
  type KeyToMake,
  keyState,
  planRing,
  type RingPolicy,
  type Rotation,
} from '../tokens/keyring.ts';
import { openPrivate, sealPrivate } from '../tokens/sealed-key.ts';
import type { House } from './house.ts';

const attempts = 20;
const day = 24 * 3_600_000;
/** How long others may keep the JWK Set: what `Cache-Control: max-age` says, in seconds. */
export const jwksMaxAgeSeconds = 300;
const leeway = 60_000;
const skew = 60_000;

/** How long keys live under these settings. */
export function ringPolicy(settings: Settings, greatestAccessLife: number): RingPolicy {
  return {
    // Published this long before it signs, so that every guard has it by then.
    leadMs: jwksMaxAgeSeconds * 1000 + settings.staleAfter + skew,
    access: { algorithm: settings.algorithm, signMs: 90 * day, verifyMs: greatestAccessLife + leeway + skew },
    refresh: { algorithm: 'HS256', signMs: 365 * day, verifyMs: settings.sessionTtl + leeway + skew },
  };
}

/** Bring the ring to what the policy wants; tells whether anything changed. */
export async function keepRing(
  store: Store,
  policy: RingPolicy,
  secret: string,
  asked: Rotation | null = null,
): Promise<boolean> {
  const begun = store.now();
  for (let attempt = 0; attempt < attempts; attempt++) {
    const ring = await store.keys.read();
    const now = store.now();
    // Another instance won: what is there now may already be what was wanted.
    const done = attempt > 0 && asked !== null && isRotated(ring.records, asked, begun, now);
    const plan = planRing(ring.records, now, policy, done ? null : asked);
    const remove = ring.records.filter((record) => now >= record.verifyUntil + leeway).map(({ kid }) => kid);
    if (plan.make.length === 0 && plan.change.length === 0 && remove.length === 0) return false;
    const replace = plan.change.filter(({ kid }) => !remove.includes(kid));
    const add = plan.make.map((toMake) => makeKey(toMake, secret));
    if (await store.keys.change(ring, { add, replace, remove })) return true;
  }
  throw refuse('store_unavailable', { retryAfter: 1 });
}

/** The same for a house that is open, which then signs and publishes by the new ring at once. */
export async function keepKeys(house: House, asked: Rotation | null = null): Promise<void> {
  if (await keepRing(house.store, policyOf(house), house.settings.secret, asked)) await takeRing(house);
}

/** Whether somebody made the rotation since: a key that is as new, and signs if it was to sign at once. */
function isRotated(
  records: readonly KeyRecord[],
  { purpose, when }: Rotation,
  begun: number,
  now: number,
): boolean {
  const made = records.filter((record) => record.purpose === purpose && record.createdAt >= begun);
  return made.some((record) => when === 'planned' || keyState(record, now) === 'signing');
}

/** Rotate the access key because an operator asked. */
export function rotateKeys(house: House, when: Rotation['when']): Promise<void> {
  return keepKeys(house, { purpose: 'access', when });
}

/** Not left to the next look at the store: until then a key that was just revoked would go on signing here. */
async function takeRing({ keys, store }: House): Promise<void> {
  keys.take((await store.keys.read()).records);
}

/** Revoke one key as compromised: its tokens are dead now, and another signs at once. Throws `not_found`. */
export async function revokeKey(house: House, kid: string): Promise<void> {
  const count = await revokeWhere(house, 'key_revoked', (record) => record.kid === kid);
  if (count === 0) throw refuse('not_found', { detail: 'There is no such key in the ring.' });
}

/** End every session of everybody: a new key signs at once, and every access token of the keys before it is dead. */
export async function endEverySession(house: House): Promise<void> {
  const reason = 'signed_out_elsewhere';
  await revokeWhere(house, reason, ({ purpose }) => purpose === 'access', { endSessions: reason });
}

/** Seal every key anew with the secret in use. Tells how many were sealed with another. */
export async function resealKeys(store: Store, secret: string, previous: string): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const ring = await store.keys.read();
    const replace = ring.records.flatMap((record) => {
      if (openPrivate(secret, record, record.sealedPrivate) !== null) return [];
      const plaintext = openPrivate(previous, record, record.sealedPrivate);
      if (plaintext === null)
        throw refuse('not_found', { detail: `The key ${record.kid} opens with neither secret.` });
      return [{ ...record, sealedPrivate: sealPrivate(secret, record, plaintext) }];
    });
    if (replace.length === 0 || (await store.keys.change(ring, { replace }))) return replace.length;
  }
  throw refuse('store_unavailable', { retryAfter: 1 });
}

/** Revoke the keys that are asked for, and replace the one that signed. Tells how many there were. */
async function revokeWhere(
  house: House,
  reason: RevocationReason,
  asked: (record: KeyRecord) => boolean,
  beside: Pick<RingChange, 'endSessions'> = {},
): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const ring = await house.store.keys.read();
    const now = house.store.now();
    const goes = (record: KeyRecord): boolean =>
      record.revokedAt === null && keyState(record, now) !== 'gone' && asked(record);
    const revoked = ring.records.filter(goes).map((record) => ({ ...record, revokedAt: now }));
    if (revoked.length === 0) return 0;
    const records = ring.records.map((record) => revoked.find(({ kid }) => kid === record.kid) ?? record);
    // Revoked and replaced in one unit: there is no moment without a key that signs.
    const plan = planRing(records, now, policyOf(house));
    const replace = [...new Map([...revoked, ...plan.change].map((record) => [record.kid, record])).values()];
    const add = plan.make.map((toMake) => makeKey(toMake, house.settings.secret));
    const entries = revoked
      .filter(({ purpose }) => purpose === 'access')
      .map((record) => entryOf(house, record, reason));
    if (await house.store.keys.change(ring, { add, replace, entries, ...beside })) {
      await takeRing(house);
      return revoked.length;
    }
  }
  throw refuse('store_unavailable', { retryAfter: 1 });
}

function entryOf(house: House, record: KeyRecord, reason: RevocationReason): NewEntry {
  // Whoever stole the key can date tokens as late as they like: remembered until nobody holds the key any more.
  const until = Math.max(record.verifyUntil + leeway, house.tokensOut.until(house.store.now()));
  return { ...keyRevoked(record.kid, until), reason };
}

function makeKey(toMake: KeyToMake, secret: string): KeyRecord {
  const pair = generateKey(toMake.algorithm);
  const identity = { ...toMake, kid: pair.kid };
  const plaintext = Buffer.from(JSON.stringify(exportPrivateJwk(pair)), 'utf8');
  return {
    ...identity,
    publicJwk: isSymmetric(toMake.algorithm) ? null : exportPublicJwk(pair),
    sealedPrivate: sealPrivate(secret, identity, plaintext),
    revokedAt: null,
  };
}

function policyOf(house: House): RingPolicy {
  return ringPolicy(house.settings, house.tokensOut.greatestLife);
}

/** Where every key stands now, for the operator's list. */
export function keyStates(house: House): { record: KeyRecord; state: ReturnType<typeof keyState> }[] {
  const now = house.store.now();
  return house.keys.records().map((record) => ({ record, state: keyState(record, now) }));
}
