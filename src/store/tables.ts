// The tables as they lie on the disk, for Kysely. Instants are whole milliseconds; lists and objects are JSON text.
import type { Generated } from 'kysely';

/** One row per account. `*_key` columns hold the folded spelling and are unique. */
export interface UsersTable {
  id: string;
  username: string | null;
  username_key: string | null;
  email: string | null;
  email_key: string | null;
  password_hash: string;
  disabled: number;
  email_verified: number;
  profile: string;
  scopes: string;
  epoch: number;
  version: number;
  created_at: number;
  updated_at: number;
}

/** One row per session, none per refresh. It outlives its account as a tombstone without personal data. */
export interface SessionsTable {
  id: string;
  user_id: string | null;
  version: number;
  generation: number;
  refresh_kid: string;
  salt: string;
  token_format: number;
  issued_at: number;
  refresh_expires_at: number;
  absolute_end: number;
  recent: string;
  auth_time: number;
  amr: string;
  asked_scopes: string | null;
  client_id: string | null;
  label: string | null;
  address: string | null;
  created_at: number;
  last_seen_at: number;
  ended_at: number | null;
  ended_reason: string | null;
}

/** One row per key; its state is computed from the instants. */
export interface KeysTable {
  kid: string;
  purpose: string;
  algorithm: string;
  public_jwk: string | null;
  sealed_private: string;
  created_at: number;
  publish_at: number;
  sign_from: number;
  sign_until: number;
  verify_until: number;
  revoked_at: number | null;
}

/** What was revoked, each until the tokens that it kills are dead by themselves. */
export interface RevocationsTable {
  id: Generated<number>;
  kind: string;
  subject: string;
  user_id: string | null;
  epoch_below: number | null;
  except_sid: string | null;
  reason: string;
  at: number;
  until: number;
}

/** Services that may introspect and revoke: their secret is kept as a hash. */
interface ServicesTable {
  client_id: string;
  name: string;
  secret_hash: string;
  created_at: number;
}

/** A few facts about the store itself. `ring` is a counter that every change of keys moves. */
interface FactsTable {
  name: string;
  value: string;
}

/** All tables. */
export interface Tables {
  users: UsersTable;
  sessions: SessionsTable;
  keys: KeysTable;
  revocations: RevocationsTable;
  services: ServicesTable;
  facts: FactsTable;
}
