// The rule for the life of keys: next, signing, retiring, gone. Pure: the store reads all rows, asks for a plan, and makes it true by one compare-and-set.
// A state is never stored. It follows from four instants, so that all instances agree and nobody has to flip a flag in time.
import type { Instant } from '../clock.ts';
import type { Algorithm } from './algorithms.ts';

/** What a key of the ring is for: signing access tokens, or the MAC of refresh tokens. */
export type KeyPurpose = 'access' | 'refresh';

/** One row of the ring. */
export interface KeyRecord extends KeyTimes {
  readonly kid: string;
  readonly purpose: KeyPurpose;
  readonly algorithm: Algorithm;
  /** Null for a symmetric key, which has no public half. */
  readonly publicJwk: object | null;
  /** The private half as `sealPrivate` wrote it. */
  readonly sealedPrivate: string;
  readonly createdAt: Instant;
  /** Since when it is refused, if an operator revoked it. */
  readonly revokedAt: Instant | null;
}

/** The four instants of a key, in this order. */
export interface KeyTimes {
  /** From here on it is known to those who verify. */
  readonly publishAt: Instant;
  readonly signFrom: Instant;
  readonly signUntil: Instant;
  /** From here on nothing that it signed can still be good. */
  readonly verifyUntil: Instant;
}

/** Where a key stands. Only `signing` signs; all but `gone` and `revoked` verify. */
export type KeyState = 'next' | 'signing' | 'retiring' | 'gone' | 'revoked';

/** How long keys live. All lengths in milliseconds. */
export interface RingPolicy extends Readonly<Record<KeyPurpose, PurposePolicy>> {
  /** How long a key is published before it signs: the JWKS's max-age, plus the staleness of guards, plus the skew of clocks. */
  readonly leadMs: number;
}

/** How long the keys of one purpose live. */
export interface PurposePolicy {
  readonly algorithm: Algorithm;
  /** How long a key signs before the next one takes over. */
  readonly signMs: number;
  /** How long it must still verify after it signed last: the longest life of what it signs, plus leeway and skew. */
  readonly verifyMs: number;
}

/** A rotation that an operator asked for. `planned` publishes the new key first; `at_once` does not wait for guards elsewhere to learn of it. */
export interface Rotation {
  readonly purpose: KeyPurpose;
  readonly when: 'planned' | 'at_once';
}

/** A key to be made. */
export interface KeyToMake extends KeyTimes {
  readonly purpose: KeyPurpose;
  readonly algorithm: Algorithm;
  readonly createdAt: Instant;
}

/** What must be done so that the ring is as the policy wants it. Nothing in either list: all is well. */
export interface RingPlan {
  readonly make: readonly KeyToMake[];
  /** Rows as they should be next. */
  readonly change: readonly KeyRecord[];
}

/** Where a key stands at this time. */
export function keyState(record: KeyRecord, now: Instant): KeyState {
  if (record.revokedAt !== null) return 'revoked';
  if (now >= record.verifyUntil) return 'gone';
  if (now >= record.signUntil) return 'retiring';
  return now >= record.signFrom ? 'signing' : 'next';
}

/** The key that signs now: of several, the one that began last. Undefined when the ring must be planned first. */
export function signingKey(
  records: readonly KeyRecord[],
  now: Instant,
  purpose: KeyPurpose = 'access',
): KeyRecord | undefined {
  return records
    .filter((record) => record.purpose === purpose && keyState(record, now) === 'signing')
    .reduce<KeyRecord | undefined>(
      (best, record) => (best && isLater(best, record) ? best : record),
      undefined,
    );
}

/** The keys whose signatures are good now. The next one is among them: by another instance's clock it may sign already. */
export function verifyingKeys(
  records: readonly KeyRecord[],
  now: Instant,
  purpose: KeyPurpose = 'access',
): KeyRecord[] {
  return records.filter(
    (record) =>
      record.purpose === purpose &&
      record.publishAt <= now &&
      ['next', 'signing', 'retiring'].includes(keyState(record, now)),
  );
}

/** The keys that belong in the JWKS now: those of access tokens that verify and have a public half. */
export function publishedKeys(records: readonly KeyRecord[], now: Instant): KeyRecord[] {
  return verifyingKeys(records, now, 'access').filter((record) => record.publicJwk !== null);
}

/** What must be made or changed: at first start, by age, for another algorithm, after a revocation, or because an operator asked. */
export function planRing(
  records: readonly KeyRecord[],
  now: Instant,
  policy: RingPolicy,
  asked: Rotation | null = null,
): RingPlan {
  const plans = (['access', 'refresh'] as const).map((purpose) => {
    const own = records.filter((record) => record.purpose === purpose);
    return planPurpose(own, purpose, now, policy, asked?.purpose === purpose ? asked.when : null);
  });
  return { make: plans.flatMap(({ make }) => make), change: plans.flatMap(({ change }) => change) };
}

function planPurpose(
  records: readonly KeyRecord[],
  purpose: KeyPurpose,
  now: Instant,
  policy: RingPolicy,
  asked: Rotation['when'] | null,
): RingPlan {
  const { algorithm, verifyMs } = policy[purpose];
  const signing = signingKey(records, now, purpose);
  const waiting = records.filter((record) => keyState(record, now) === 'next');
  const next = waiting.find((record) => record.algorithm === algorithm);
  // A key that waits under an algorithm that is no longer wanted never signs.
  const withdrawn = waiting.filter((record) => record !== next).map((record) => withdraw(record, now));

  const handOver = whenToHandOver(signing, next, now, { algorithm, leadMs: policy.leadMs }, asked);
  const times = (signFrom: Instant) => signingTimes(signFrom, policy[purpose]);
  const make =
    handOver !== null && next === undefined
      ? [{ purpose, algorithm, createdAt: now, publishAt: now, ...times(handOver) }]
      : [];
  const successor = next && handOver !== null ? { ...next, ...times(handOver) } : next;
  const predecessor = signing && handOver !== null ? endAt(signing, handOver, verifyMs) : signing;
  const retiring = records.filter((record) => keyState(record, now) === 'retiring');
  const kept = [successor, predecessor, ...retiring]
    .filter((record) => record !== undefined)
    .map((record) => keepFor(record, verifyMs));
  return { make, change: [...withdrawn, ...kept].filter((record) => !records.includes(record)) };
}

/** When the successor should begin to sign, or null when nothing has to be settled. */
function whenToHandOver(
  signing: KeyRecord | undefined,
  next: KeyRecord | undefined,
  now: Instant,
  { algorithm, leadMs }: { readonly algorithm: Algorithm; readonly leadMs: number },
  asked: Rotation['when'] | null,
): Instant | null {
  // First start, a revoked key, or a long sleep: without a key nobody can log in, so guards elsewhere have to catch up.
  if (signing === undefined || asked === 'at_once') return now;
  if (next !== undefined) return null;
  if (asked === 'planned' || signing.algorithm !== algorithm) return now + leadMs;
  if (now < signing.signUntil - leadMs) return null;
  // Late, perhaps because nobody was up to plan: the old key signs a little longer, so that the new one is still published first.
  return Math.max(signing.signUntil, now + leadMs);
}

function signingTimes(signFrom: Instant, { signMs, verifyMs }: PurposePolicy): Omit<KeyTimes, 'publishAt'> {
  return { signFrom, signUntil: signFrom + signMs, verifyUntil: signFrom + signMs + verifyMs };
}

function endAt(record: KeyRecord, instant: Instant, verifyMs: number): KeyRecord {
  // Tokens that were promised a longer life, before the policy was lowered, keep it.
  const promised = record.verifyUntil - record.signUntil;
  return { ...record, signUntil: instant, verifyUntil: instant + Math.max(verifyMs, promised) };
}

function withdraw(record: KeyRecord, now: Instant): KeyRecord {
  return { ...record, signFrom: now, signUntil: now, verifyUntil: now };
}

/** A key outlives what it signed, also when tokens are made to live longer than when its row was written. */
function keepFor(record: KeyRecord, verifyMs: number): KeyRecord {
  const verifyUntil = record.signUntil + verifyMs;
  return record.verifyUntil >= verifyUntil ? record : { ...record, verifyUntil };
}

function isLater(left: KeyRecord, right: KeyRecord): boolean {
  return left.signFrom === right.signFrom ? left.kid > right.kid : left.signFrom > right.signFrom;
}
