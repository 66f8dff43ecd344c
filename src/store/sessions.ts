// The shelf of sessions: one row each, changed by compare-and-set on its version, so that no lock is held over a round trip.
import { type Kysely, sql } from 'kysely';
import type { Account } from '../accounts/account.ts';
import type { Instant } from '../clock.ts';
import type { EndReason } from '../errors.ts';
import type { NewEntry } from '../revocations/entry.ts';
import { renewGrace } from '../sessions/refresh.ts';
import type { Session, SessionPolicy } from '../sessions/session.ts';
import { accountColumns, accountFromJoin, type JoinedAccount } from './account-row.ts';
import { type Engine, type Statement, statement, unavailable } from './engine.ts';
import { entriesStatement } from './revocations.ts';
import type { SessionsTable, Tables } from './tables.ts';
import { attempts, takeTurns } from './turns.ts';

/** What should become of a session. Without `next` nothing is written. */
export interface SessionDecision<O> {
  readonly outcome: O;
  /** The session as it should be; its version is one more than the one that was read. */
  readonly next?: Session;
  /** What this revokes. */
  readonly entries?: readonly NewEntry[];
  /** Only while the account's epoch is still this one, so that what is issued next is not born dead. */
  readonly whileEpoch?: number;
  /** Whether this moves the refresh token on: should its outcome stay unknown, its grace is renewed on recovery. */
  readonly rotates?: boolean;
}

type Decide<O> = (session: Session, account: Account | null, now: Instant) => SessionDecision<O>;

/** Who is signed in, and where. */
export interface SessionShelf {
  find(id: string): Promise<Session | null>;
  /** Open a session if the account still has this epoch and is not disabled: a log-in that waited for its hash must not outlive a password change. */
  open(session: Session, epoch: number): Promise<boolean>;
  /** Read with the account, decide, compare and set; `decide` may be called several times. Null: there is no such session. */
  change<O>(id: string, decide: Decide<O>): Promise<O | null>;
  /** The running sessions of one account, the one last seen first. */
  listOf(userId: string): Promise<Session[]>;
  /**
   * Before anything else at a start: should a rotation's outcome ever stay unknown, its grace is opened anew, first thing on recovery.
   * After an unclean stop that is done now for what was rotated in the last moments before it.
   */
  prepare(policy: SessionPolicy, cleanStop: boolean): Promise<void>;
  /** When the newest refresh token was made; 0: there is none. */
  newestIssue(): Promise<Instant>;
  /** Remove at most `limit` rows that nothing needs any more; tells how many. */
  sweep(limit: number): Promise<number>;
}

const listedAtMost = 1_000;
// How long before the last rotation that is on the disk another one may have been answered and lost.
const doubtWindow = 10_000;
const doubtedAtMost = 100_000;
const renewedAtOnce = 500;

function sessionFrom(row: SessionsTable): Session {
  const number = (value: number | null): number | null => (value === null ? null : Number(value));
  return {
    id: row.id,
    userId: row.user_id,
    version: Number(row.version),
    generation: Number(row.generation),
    refreshKid: row.refresh_kid,
    salt: row.salt,
    tokenFormat: row.token_format as Session['tokenFormat'],
    issuedAt: Number(row.issued_at),
    refreshExpiresAt: Number(row.refresh_expires_at),
    absoluteEnd: Number(row.absolute_end),
    recent: JSON.parse(row.recent),
    authTime: Number(row.auth_time),
    amr: JSON.parse(row.amr),
    askedScopes: row.asked_scopes === null ? null : JSON.parse(row.asked_scopes),
    clientId: row.client_id,
    label: row.label,
    address: row.address,
    createdAt: Number(row.created_at),
    lastSeenAt: Number(row.last_seen_at),
    endedAt: number(row.ended_at),
    endedReason: row.ended_reason as EndReason | null,
  };
}

function rowFrom(session: Session): SessionsTable {
  return {
    id: session.id,
    user_id: session.userId,
    version: session.version,
    generation: session.generation,
    refresh_kid: session.refreshKid,
    salt: session.salt,
    token_format: session.tokenFormat,
    issued_at: session.issuedAt,
    refresh_expires_at: session.refreshExpiresAt,
    absolute_end: session.absoluteEnd,
    recent: JSON.stringify(session.recent),
    auth_time: session.authTime,
    amr: JSON.stringify(session.amr),
    asked_scopes: session.askedScopes === null ? null : JSON.stringify(session.askedScopes),
    client_id: session.clientId,
    label: session.label,
    address: session.address,
    created_at: session.createdAt,
    last_seen_at: session.lastSeenAt,
    ended_at: session.endedAt,
    ended_reason: session.endedReason,
  };
}

function ending(db: Kysely<Tables>, reason: EndReason, now: Instant) {
  return db
    .updateTable('sessions')
    .set(({ eb }) => ({
      ended_at: now,
      ended_reason: reason,
      version: eb('version', '+', 1),
    }))
    .where('ended_at', 'is', null);
}

/** The statement that ends the sessions of one account, all or all but one, each in its own row. */
export function endSessionsOf(
  db: Kysely<Tables>,
  userId: string,
  { reason, except }: { reason: EndReason; except: string | null },
  now: Instant,
): Statement {
  const query = ending(db, reason, now).where('user_id', '=', userId);
  return statement(except === null ? query : query.where('id', '!=', except), null);
}

/** The statement that ends every session of everybody. */
export function endEverySession(db: Kysely<Tables>, reason: EndReason, now: Instant): Statement {
  return statement(ending(db, reason, now), null);
}

/** The statement that takes what is personal out of every session of an account, before the account goes. */
export function eraseSessionsOf(db: Kysely<Tables>, userId: string): Statement {
  const blank = { label: null, address: null, client_id: null };
  // A change that read the row before this would write it all back.
  const query = db.updateTable('sessions').set(({ eb }) => ({ ...blank, version: eb('version', '+', 1) }));
  return statement(query.where('user_id', '=', userId), null);
}

/** The shelf on an engine. */
export function sessionShelf(engine: Engine, now: () => Instant): SessionShelf {
  const { db } = engine;
  const turns = takeTurns();

  async function withAccount(id: string): Promise<{ session: Session; account: Account | null } | null> {
    // One statement: the epoch that goes into a token must be as old as the session that it is read with.
    const row = await db
      .selectFrom('sessions')
      .leftJoin('users', 'users.id', 'sessions.user_id')
      .selectAll('sessions')
      .select(accountColumns)
      .where('sessions.id', '=', id)
      .limit(1)
      .executeTakeFirst();
    if (row === undefined) return null;
    const account = row.account_id === null ? null : accountFromJoin(row as JoinedAccount);
    return { session: sessionFrom(row), account };
  }

  function changing(before: Session, decision: SessionDecision<unknown>, next: Session): Statement {
    const { id: _, ...row } = rowFrom(next);
    let query = db
      .updateTable('sessions')
      .set({ ...row, version: before.version + 1 })
      .where('id', '=', before.id)
      .where('version', '=', before.version);
    if (decision.whileEpoch !== undefined && before.userId !== null) {
      const { userId } = before;
      const epoch = decision.whileEpoch;
      query = query.where(({ exists, selectFrom }) =>
        exists(selectFrom('users').select('id').where('id', '=', userId).where('epoch', '=', epoch)),
      );
    }
    return statement(query, 1);
  }

  async function renew(id: string, policy: SessionPolicy, write: Engine['write']): Promise<void> {
    const found = await withAccount(id);
    const next = found && renewGrace(found.session, now(), policy);
    // A conflict means that the session has moved on, and its newest pair has a grace of its own.
    if (found && next) await write({ statements: [changing(found.session, { outcome: null }, next)] });
  }

  async function renewAll(
    ids: readonly string[],
    policy: SessionPolicy,
    write: Engine['write'],
  ): Promise<void> {
    for (let start = 0; start < ids.length; start += renewedAtOnce) {
      await Promise.all(ids.slice(start, start + renewedAtOnce).map((id) => renew(id, policy, write)));
    }
  }

  async function changeOne<O>(id: string, decide: Decide<O>): Promise<O | null> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const found = await withAccount(id);
      if (found === null) return null;
      const at = now();
      const decision = decide(found.session, found.account, at);
      if (decision.next === undefined) return decision.outcome;
      const entries = entriesStatement(db, decision.entries, at);
      const written = await engine.write({
        statements: [changing(found.session, decision, decision.next)],
        ...(entries && { entries }),
        ...(decision.rotates && { rotates: id }),
      });
      if (written.outcome === 'done') return decision.outcome;
    }
    throw unavailable('A session was changed by others again and again.');
  }

  return {
    async find(id) {
      return (await withAccount(id))?.session ?? null;
    },

    async open(session, epoch) {
      const row = rowFrom(session);
      const columns = Object.keys(row) as (keyof SessionsTable)[];
      const insert = db
        .insertInto('sessions')
        .columns(columns)
        .expression(
          db
            .selectFrom('users')
            .select(columns.map((column) => sql.val(row[column]).as(column)))
            .where('id', '=', session.userId as string)
            .where('epoch', '=', epoch)
            .where('disabled', '=', 0),
        );
      const written = await engine.write({ statements: [statement(insert, 1)] });
      return written.outcome === 'done';
    },

    change: (id, decide) => turns(id, () => changeOne(id, decide)),

    async listOf(userId) {
      const rows = await db
        .selectFrom('sessions')
        .selectAll()
        .where('user_id', '=', userId)
        .where('ended_at', 'is', null)
        .where('refresh_expires_at', '>', now())
        .orderBy('last_seen_at', 'desc')
        .limit(listedAtMost)
        .execute();
      return rows.map(sessionFrom);
    },

    async prepare(policy, cleanStop) {
      engine.onRecovery((ids, write) => renewAll(ids, policy, write));
      if (cleanStop) return;
      // Not what lies in the future: one row of a clock that was set back would hide all that came after it.
      const last = await db
        .selectFrom('sessions')
        .select('issued_at')
        .where('issued_at', '<=', now())
        .orderBy('issued_at', 'desc')
        .limit(1)
        .executeTakeFirst();
      const rows = await db
        .selectFrom('sessions')
        .select('id')
        .where('issued_at', '>=', Number(last?.issued_at ?? now()) - doubtWindow)
        .where('generation', '>', 1)
        .where('ended_at', 'is', null)
        // The newest first: their answers are the likeliest to have been lost.
        .orderBy('issued_at', 'desc')
        .limit(doubtedAtMost)
        .execute();
      await renewAll(
        rows.map(({ id }) => id),
        policy,
        (unit) => engine.write(unit),
      );
    },

    async newestIssue() {
      const query = db.selectFrom('sessions').select('issued_at').orderBy('issued_at', 'desc').limit(1);
      return Number((await query.executeTakeFirst())?.issued_at ?? 0);
    },

    async sweep(limit) {
      const at = now();
      const old = await db
        .selectFrom('sessions')
        .select('id')
        .where('refresh_expires_at', '<=', at)
        .limit(limit)
        .execute();
      if (old.length === 0) return 0;
      const ids = old.map(({ id }) => id);
      const query = db.deleteFrom('sessions').where('id', 'in', ids).where('refresh_expires_at', '<=', at);
      await engine.write({ statements: [statement(query, null)] });
      return ids.length;
    },
  };
}
