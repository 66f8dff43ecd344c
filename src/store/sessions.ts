// The shelf of sessions: one row each, changed by compare-and-set on its version, so that no lock is held over a round trip.
import type { Account } from '../accounts/account.ts';
import type { Instant } from '../clock.ts';
import type { NewEntry } from '../revocations/entry.ts';
import type { Session, SessionPolicy } from '../sessions/session.ts';
import { type Engine, statement, unavailable } from './engine.ts';
import { prepareRenewal } from './in-doubt.ts';
import { entriesStatement } from './revocations.ts';
import { readWithAccount, sessionFrom } from './session-row.ts';
import { addSession, changeSession } from './session-statements.ts';
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

/** The shelf on an engine. */
export function sessionShelf(engine: Engine, now: () => Instant): SessionShelf {
  const { db } = engine;
  const turns = takeTurns();

  async function changeOne<O>(id: string, decide: Decide<O>): Promise<O | null> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const found = await readWithAccount(db, id);
      if (found === null) return null;
      const at = now();
      const decision = decide(found.session, found.account, at);
      if (decision.next === undefined) return decision.outcome;
      const entries = entriesStatement(db, decision.entries, at);
      const written = await engine.write({
        statements: [changeSession(db, found.session, decision.next, decision.whileEpoch)],
        ...(entries && { entries }),
        ...(decision.rotates && { rotates: { sessionId: id, spent: found.session.generation } }),
      });
      if (written.outcome === 'done') return decision.outcome;
    }
    throw unavailable('A session was changed by others again and again.');
  }

  return {
    async find(id) {
      return (await readWithAccount(db, id))?.session ?? null;
    },

    async open(session, epoch) {
      const written = await engine.write({ statements: [addSession(db, session, epoch)] });
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

    prepare: (policy, cleanStop) => prepareRenewal(engine, now, policy, cleanStop),

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
