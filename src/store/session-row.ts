// How a session lies in its row, alone or read together with its account.
import type { Kysely } from 'kysely';
import type { Account } from '../accounts/account.ts';
import type { EndReason } from '../errors.ts';
import type { Session } from '../sessions/session.ts';
import { accountColumns, accountFromJoin, type JoinedAccount } from './account-row.ts';
import type { SessionsTable, Tables } from './tables.ts';

/** A row as a session. */
export function sessionFrom(row: SessionsTable): Session {
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

/** A session as its row. */
export function sessionRow(session: Session): SessionsTable {
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

/** A session with its account; null for the account of a tombstone. */
export interface SessionWithAccount {
  readonly session: Session;
  readonly account: Account | null;
}

/** Read a session and its account in one statement: the epoch that goes into a token must be as old as the session that it is read with. */
export async function readWithAccount(db: Kysely<Tables>, id: string): Promise<SessionWithAccount | null> {
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
