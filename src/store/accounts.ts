// The shelf of accounts. `change` is the only way to alter one: read, decide, and make it true if nobody was faster.
import { sql } from 'kysely';
import { type Account, readEmail, readUsername } from '../accounts/account.ts';
import { localPartKey, usernameKey } from '../accounts/name-key.ts';
import type { Instant } from '../clock.ts';
import type { EndReason } from '../errors.ts';
import type { NewEntry } from '../revocations/entry.ts';
import { accountFrom } from './account-row.ts';
import { type Engine, type Statement, statement, unavailable } from './engine.ts';
import { dropEntriesOf, entriesStatement } from './revocations.ts';
import { endSessionsOf, eraseSessionsOf } from './session-statements.ts';
import type { UsersTable } from './tables.ts';
import { attempts, takeTurns } from './turns.ts';

/** An account with the hash of its password, which never leaves the flows. */
export interface StoredAccount {
  readonly account: Account;
  readonly passwordHash: string;
}

/** What should become of an account. Without `next` and `remove` nothing is written. */
export interface AccountDecision<O> {
  readonly outcome: O;
  /** The account as it should be; `version` is counted by the shelf. */
  readonly next?: StoredAccount;
  /** Whether it should go. */
  readonly remove?: boolean;
  /** End its sessions, all or all but one. */
  readonly end?: { readonly reason: EndReason; readonly except: string | null };
  /** What this revokes. */
  readonly entries?: readonly NewEntry[];
  /** Its entries stand for all those of the account's tokens and sessions that end by then: these go. */
  readonly gathersUntil?: Instant;
}

/** Which of the two names was taken. */
export type Taken = 'username' | 'email';

/** Which page of a list. */
export interface AccountPage {
  /** At most so many. */
  readonly limit: number;
  /** The id of the last one seen. */
  readonly after?: string | undefined;
  /** A part of a name or address, in any case. */
  readonly search?: string | undefined;
}

type Decide<O> = (stored: StoredAccount, now: Instant) => AccountDecision<O>;

/** Who may sign in. */
export interface AccountShelf {
  find(id: string): Promise<StoredAccount | null>;
  findByUsernameKey(key: string): Promise<StoredAccount | null>;
  findByEmailKey(key: string): Promise<StoredAccount | null>;
  /** Oldest first (ids of version 7 are in order of time). */
  list(page: AccountPage): Promise<Account[]>;
  /** Add an account; one unique index decides who was first. */
  add(stored: StoredAccount): Promise<'added' | Taken>;
  /** Read, decide, compare and set; `decide` may be called several times. Null: there is no such account. */
  change<O>(id: string, decide: Decide<O>): Promise<O | Taken | null>;
  /** Put a better hash of the same password in the place of the one that was checked; nothing if that one is gone. */
  rehash(id: string, from: string, to: string): Promise<void>;
  /** Raise the epoch of every account, so that nothing issued before is of the present one. */
  raiseEpochs(): Promise<void>;
}

function storedFrom(row: UsersTable): StoredAccount {
  return { passwordHash: row.password_hash, account: accountFrom(row) };
}

function rowFrom({ account, passwordHash }: StoredAccount): UsersTable {
  return {
    id: account.id,
    username: account.username,
    username_key: account.username === null ? null : keyOf(readUsername(account.username)),
    email: account.email,
    email_key: account.email === null ? null : keyOf(readEmail(account.email)),
    password_hash: passwordHash,
    disabled: account.disabled ? 1 : 0,
    email_verified: account.emailVerified ? 1 : 0,
    profile: JSON.stringify(account.profile),
    scopes: JSON.stringify(account.scopes),
    epoch: account.epoch,
    version: account.version,
    created_at: account.createdAt,
    updated_at: account.updatedAt,
  };
}

/** Names come here as the rules of accounts let them through; anything else would escape the unique index. */
function keyOf(name: ReturnType<typeof readUsername | typeof readEmail>): string {
  if (!name.ok) throw new Error('A name that was not read cannot be kept.');
  return name.key;
}

function takenBy(column: string): Taken {
  return column.includes('email') ? 'email' : 'username';
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

/** The shelf on an engine. */
export function accountShelf(engine: Engine, now: () => Instant): AccountShelf {
  const { db } = engine;
  const turns = takeTurns();
  const one = async (
    column: 'id' | 'username_key' | 'email_key',
    value: string,
  ): Promise<StoredAccount | null> => {
    const row = await db
      .selectFrom('users')
      .selectAll()
      .where(column, '=', value)
      .limit(1)
      .executeTakeFirst();
    return row === undefined ? null : storedFrom(row);
  };

  function changing(before: StoredAccount, decision: AccountDecision<unknown>, at: Instant): Statement[] {
    const { id, version } = before.account;
    const here = <T extends { where: (...args: ['id' | 'version', '=', string | number]) => T }>(
      query: T,
    ): T => query.where('id', '=', id).where('version', '=', version);
    const statements: Statement[] = [];
    // The account's row first, also where it goes: that holds back a log-in that is about to add a session. Its sessions in a
    // statement of their own: one statement for both missed a session that was just being added.
    const { id: _, created_at: __, ...row } = decision.next === undefined ? {} : rowFrom(decision.next);
    const update = db.updateTable('users').set({ ...row, version: version + 1, updated_at: at });
    statements.push(statement(here(update), 1));
    if (decision.end !== undefined) statements.push(endSessionsOf(db, id, decision.end, at));
    if (decision.gathersUntil !== undefined) {
      statements.push(dropEntriesOf(db, id, decision.gathersUntil));
    }
    if (decision.remove === true) {
      statements.push(eraseSessionsOf(db, id), statement(db.deleteFrom('users').where('id', '=', id), 1));
    }
    return statements;
  }

  async function changeOne<O>(id: string, decide: Decide<O>): Promise<O | Taken | null> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const before = await one('id', id);
      if (before === null) return null;
      const at = now();
      const decision = decide(before, at);
      if (decision.next === undefined && decision.remove !== true) return decision.outcome;
      const entries = entriesStatement(db, decision.entries, at);
      const statements = changing(before, decision, at);
      const written = await engine.write({ statements, ...(entries && { entries }) });
      if (written.outcome === 'done') return decision.outcome;
      if (written.outcome === 'duplicate') return takenBy(written.column);
    }
    throw unavailable('An account was changed by others again and again.');
  }

  return {
    find: (id) => one('id', id),
    findByUsernameKey: (key) => one('username_key', key),
    findByEmailKey: (key) => one('email_key', key),

    async list({ limit, after, search }) {
      let query = db.selectFrom('users').selectAll().orderBy('id').limit(limit);
      if (after !== undefined) query = query.where('id', '>', after);
      if (search !== undefined && search !== '') {
        // Folded as the keys are: lower case alone would not find Straße by its own name, whose key is strasse.
        const holds = (part: string) => sql<string>`${`%${escapeLike(part)}%`} ESCAPE '\\'`;
        query = query.where((where) =>
          where.or([
            where('username_key', 'like', holds(usernameKey(search))),
            where('email_key', 'like', holds(localPartKey(search))),
          ]),
        );
      }
      return (await query.execute()).map(accountFrom);
    },

    async add(stored) {
      const insert = statement(db.insertInto('users').values(rowFrom(stored)), 1);
      const written = await engine.write({ statements: [insert] });
      return written.outcome === 'duplicate' ? takenBy(written.column) : 'added';
    },

    change: (id, decide) => turns(id, () => changeOne(id, decide)),

    async rehash(id, from, to) {
      const query = db.updateTable('users').set({ password_hash: to });
      await engine.write({
        statements: [statement(query.where('id', '=', id).where('password_hash', '=', from), null)],
      });
    },

    async raiseEpochs() {
      const query = db
        .updateTable('users')
        .set((row) => ({ epoch: row('epoch', '+', 1), version: row('version', '+', 1), updated_at: now() }));
      await engine.write({ statements: [statement(query, null)] });
    },
  };
}
