// The shelf of revocations: written in the unit of their cause, read whole before the first check, removed when nothing is left to kill.
import type { Kysely } from 'kysely';
import type { Instant } from '../clock.ts';
import type { Entry, NewEntry } from '../revocations/entry.ts';
import { type Engine, type RevocationRow, type Statement, statement } from './engine.ts';
import type { Tables } from './tables.ts';

/** What was revoked. */
export interface RevocationShelf {
  /** Write entries that have no other cause. */
  add(entries: readonly NewEntry[]): Promise<void>;
  /** How many entries of single tokens and sessions of one account are still alive. */
  countOfUser(userId: string): Promise<number>;
  /** Remove at most `limit` entries that kill nothing any more; tells how many. */
  sweep(limit: number): Promise<number>;
}

/** A row as the entry that a view takes. */
export function entryFrom(row: RevocationRow): Entry {
  const base = { id: Number(row.id), subject: row.subject, reason: row.reason, until: Number(row.until) };
  if (row.kind === 'user') {
    return { ...base, kind: 'user', epochBelow: Number(row.epoch_below), exceptSid: row.except_sid } as Entry;
  }
  if (row.kind === 'key') return { ...base, kind: 'key' } as Entry;
  return { ...base, kind: row.kind, userId: row.user_id } as Entry;
}

/** The statement that writes entries and gives them back with their ids; undefined for none. */
export function entriesStatement(
  db: Kysely<Tables>,
  entries: readonly NewEntry[] | undefined,
  now: Instant,
): Statement | undefined {
  if (entries === undefined || entries.length === 0) return undefined;
  const rows = entries.map((entry) => ({
    kind: entry.kind,
    subject: entry.subject,
    user_id: entry.kind === 'user' ? entry.subject : entry.kind === 'key' ? null : entry.userId,
    epoch_below: entry.kind === 'user' ? entry.epochBelow : null,
    except_sid: entry.kind === 'user' ? entry.exceptSid : null,
    reason: entry.reason,
    at: now,
    until: entry.until,
  }));
  return statement(db.insertInto('revocations').values(rows).returningAll(), rows.length);
}

/** The statement that removes the entries of an account for which one that ends at `until` stands. */
export function dropEntriesOf(db: Kysely<Tables>, userId: string, until: Instant): Statement {
  const query = db.deleteFrom('revocations').where('user_id', '=', userId).where('until', '<=', until);
  return statement(
    query.where((where) => where.or([where('kind', '!=', 'user'), where('reason', '=', 'token_revoked')])),
    null,
  );
}

/** The shelf on an engine. */
export function revocationShelf(engine: Engine, now: () => Instant): RevocationShelf {
  const { db } = engine;
  return {
    async add(entries) {
      const written = entriesStatement(db, entries, now());
      if (written !== undefined) await engine.write({ statements: [], entries: written });
    },
    async countOfUser(userId) {
      const { count } = await db
        .selectFrom('revocations')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('user_id', '=', userId)
        .where('kind', '!=', 'user')
        .where('until', '>', now())
        .executeTakeFirstOrThrow();
      return Number(count);
    },
    async sweep(limit) {
      const old = await db
        .selectFrom('revocations')
        .select('id')
        .where('until', '<=', now())
        .limit(limit)
        .execute();
      if (old.length === 0) return 0;
      const ids = old.map(({ id }) => id);
      await engine.write({
        statements: [statement(db.deleteFrom('revocations').where('id', 'in', ids), null)],
      });
      return ids.length;
    },
  };
}
