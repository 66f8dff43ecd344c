// How an account lies in its row, alone or joined to a session.
import type { Account } from '../accounts/account.ts';
import type { UsersTable } from './tables.ts';

type AccountRow = Omit<UsersTable, 'username_key' | 'email_key' | 'password_hash'>;

/** The columns of an account beside those of a session: its own names where both have one. */
export const accountColumns = [
  'users.id as account_id',
  'users.username',
  'users.email',
  'users.disabled',
  'users.email_verified',
  'users.profile',
  'users.scopes',
  'users.epoch',
  'users.version as account_version',
  'users.created_at as account_created_at',
  'users.updated_at',
] as const;

/** What those columns give for a session that has an account. */
export type JoinedAccount = Omit<AccountRow, 'id' | 'version' | 'created_at'> & {
  account_id: string;
  account_version: number;
  account_created_at: number;
};

/** A row as an account. */
export function accountFrom(row: AccountRow): Account {
  return {
    id: row.id,
    username: row.username,
    email: row.email,
    disabled: Number(row.disabled) === 1,
    emailVerified: Number(row.email_verified) === 1,
    profile: JSON.parse(row.profile),
    scopes: JSON.parse(row.scopes),
    epoch: Number(row.epoch),
    version: Number(row.version),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  };
}

/** The account half of a joined row. */
export function accountFromJoin({
  account_id,
  account_version,
  account_created_at,
  ...row
}: JoinedAccount): Account {
  return accountFrom({ ...row, id: account_id, version: account_version, created_at: account_created_at });
}
