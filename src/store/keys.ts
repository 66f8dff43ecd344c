// The shelf of keys. All changes of the ring go through one counter: whoever loses the race reads again and decides anew.
import type { Instant } from '../clock.ts';
import type { EndReason } from '../errors.ts';
import type { NewEntry } from '../revocations/entry.ts';
import type { KeyRecord } from '../tokens/keyring.ts';
import { type Engine, type Statement, statement } from './engine.ts';
import { entriesStatement } from './revocations.ts';
import { endEverySession } from './session-statements.ts';
import type { KeysTable } from './tables.ts';

/** The ring as it was read, with the counter that a change must name. */
export interface Ring {
  readonly counter: string;
  readonly records: readonly KeyRecord[];
}

/** What should become of the ring. */
export interface RingChange {
  readonly add?: readonly KeyRecord[];
  /** Records whose instants move; found by their kid. */
  readonly replace?: readonly KeyRecord[];
  readonly remove?: readonly string[];
  readonly entries?: readonly NewEntry[];
  /** End every session of everybody in the same unit. */
  readonly endSessions?: EndReason;
}

/** The keys, their private halves sealed. */
export interface KeyShelf {
  read(): Promise<Ring>;
  /** Make a change true if the ring is still the one that was read. */
  change(ring: Ring, change: RingChange): Promise<boolean>;
}

/** A row as a record. */
export function keyFrom(row: KeysTable): KeyRecord {
  return {
    kid: row.kid,
    purpose: row.purpose as KeyRecord['purpose'],
    algorithm: row.algorithm as KeyRecord['algorithm'],
    publicJwk: row.public_jwk === null ? null : JSON.parse(row.public_jwk),
    sealedPrivate: row.sealed_private,
    createdAt: Number(row.created_at),
    publishAt: Number(row.publish_at),
    signFrom: Number(row.sign_from),
    signUntil: Number(row.sign_until),
    verifyUntil: Number(row.verify_until),
    revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
  };
}

function rowFrom(record: KeyRecord): KeysTable {
  return {
    kid: record.kid,
    purpose: record.purpose,
    algorithm: record.algorithm,
    public_jwk: record.publicJwk === null ? null : JSON.stringify(record.publicJwk),
    sealed_private: record.sealedPrivate,
    created_at: record.createdAt,
    publish_at: record.publishAt,
    sign_from: record.signFrom,
    sign_until: record.signUntil,
    verify_until: record.verifyUntil,
    revoked_at: record.revokedAt,
  };
}

/** The shelf on an engine. */
export function keyShelf(engine: Engine, now: () => Instant): KeyShelf {
  const { db } = engine;

  function changing(ring: Ring, change: RingChange): Statement[] {
    const { add = [], replace = [], remove = [], endSessions } = change;
    const counted = db
      .updateTable('facts')
      .set({ value: String(Number(ring.counter) + 1) })
      .where('name', '=', 'ring')
      .where('value', '=', ring.counter);
    return [
      statement(counted, 1),
      ...add.map((record) => statement(db.insertInto('keys').values(rowFrom(record)), 1)),
      ...replace.map((record) =>
        statement(db.updateTable('keys').set(rowFrom(record)).where('kid', '=', record.kid), 1),
      ),
      ...remove.map((kid) => statement(db.deleteFrom('keys').where('kid', '=', kid), 1)),
      ...(endSessions === undefined ? [] : [endEverySession(db, endSessions, now())]),
    ];
  }

  return {
    async read() {
      // The counter first: a change between the two reads then fails at the counter instead of passing unseen.
      const fact = await db
        .selectFrom('facts')
        .select('value')
        .where('name', '=', 'ring')
        .executeTakeFirstOrThrow();
      const rows = await db
        .selectFrom('keys')
        .selectAll()
        .orderBy('created_at')
        .orderBy('kid')
        .limit(1_000)
        .execute();
      return { counter: fact.value, records: rows.map(keyFrom) };
    },

    async change(ring, change) {
      const entries = entriesStatement(db, change.entries, now());
      const written = await engine.write({ statements: changing(ring, change), ...(entries && { entries }) });
      return written.outcome === 'done';
    },
  };
}
