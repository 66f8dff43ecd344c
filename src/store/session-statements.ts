// The statements that write sessions. They stand by themselves because a unit of another shelf carries them too: an account that is
// disabled ends its sessions in the same transaction.
import { type Kysely, sql } from 'kysely';
import type { Instant } from '../clock.ts';
import type { EndReason } from '../errors.ts';
import type { Session } from '../sessions/session.ts';
import { type Statement, statement } from './engine.ts';
import { sessionRow } from './session-row.ts';
import type { SessionsTable, Tables } from './tables.ts';

/** Add a session, if its account still has this epoch and is not disabled. */
export function addSession(db: Kysely<Tables>, session: Session, epoch: number): Statement {
  const row = sessionRow(session);
  const columns = Object.keys(row) as (keyof SessionsTable)[];
  const account = db
    .selectFrom('users')
    .select(columns.map((column) => sql.val(row[column]).as(column)))
    .where('id', '=', session.userId)
    .where('epoch', '=', epoch)
    .where('disabled', '=', 0);
  return statement(db.insertInto('sessions').columns(columns).expression(account), 1);
}

/** Put `next` in the place of a session that is still as it was read; `whileEpoch`: and only while its account has this epoch. */
export function changeSession(
  db: Kysely<Tables>,
  before: Session,
  next: Session,
  whileEpoch?: number,
): Statement {
  const { id: _, ...row } = sessionRow(next);
  const query = db
    .updateTable('sessions')
    .set({ ...row, version: before.version + 1 })
    .where('id', '=', before.id)
    .where('version', '=', before.version);
  const { userId } = before;
  if (whileEpoch === undefined || userId === null) return statement(query, 1);
  return statement(
    query.where(({ exists, selectFrom }) =>
      exists(selectFrom('users').select('id').where('id', '=', userId).where('epoch', '=', whileEpoch)),
    ),
    1,
  );
}

/** End the sessions of one account, all or all but one, each in its own row. */
export function endSessionsOf(
  db: Kysely<Tables>,
  userId: string,
  { reason, except }: { reason: EndReason; except: string | null },
  now: Instant,
): Statement {
  const query = ending(db, reason, now).where('user_id', '=', userId);
  return statement(except === null ? query : query.where('id', '!=', except), null);
}

/** End every session of everybody. */
export function endEverySession(db: Kysely<Tables>, reason: EndReason, now: Instant): Statement {
  return statement(ending(db, reason, now), null);
}

function ending(db: Kysely<Tables>, reason: EndReason, now: Instant) {
  return db
    .updateTable('sessions')
    .set(({ eb }) => ({ ended_at: now, ended_reason: reason, version: eb('version', '+', 1) }))
    .where('ended_at', 'is', null);
}

/** Take what is personal out of every session of an account, before the account goes. */
export function eraseSessionsOf(db: Kysely<Tables>, userId: string): Statement {
  const blank = { label: null, address: null, client_id: null };
  // A change that read the row before this would write it all back.
  const query = db.updateTable('sessions').set(({ eb }) => ({ ...blank, version: eb('version', '+', 1) }));
  return statement(query.where('user_id', '=', userId), null);
}
