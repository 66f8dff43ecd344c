// What an engine gives to the shelves: reads through Kysely, and writes as units of plain data that happen whole or not at all.
import type { CompiledQuery, Kysely } from 'kysely';
import { type LatchkeyError, refuse } from '../errors.ts';
import type { KeysTable, RevocationsTable, Tables } from './tables.ts';

/** A row of `revocations` as it comes back, with its id. */
export type RevocationRow = Omit<RevocationsTable, 'id'> & { id: number };

/** One statement of a unit, and how many rows it must change or give; null: any number. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly rows: number | null;
}

/** Statements that happen together. A count that does not match undoes them all: the caller reads, decides and comes again. */
export interface Unit {
  readonly statements: readonly Statement[];
  /** Revocations that this unit causes: `INSERT … RETURNING *`. Seen by this process before any result of its batch. */
  readonly entries?: Statement;
  /** The rotation that this is: should its outcome stay unknown, its grace is renewed on recovery. */
  readonly rotates?: Rotation;
}

/** A refresh token that is spent. */
export interface Rotation {
  readonly sessionId: string;
  /** The generation that was presented. */
  readonly spent: number;
}

/** What became of a unit that was carried out. */
export type Written =
  | { readonly outcome: 'done'; readonly rows: readonly Record<string, unknown>[][] }
  | { readonly outcome: 'conflict'; readonly statement: number }
  | { readonly outcome: 'duplicate'; readonly column: string };

/** What changed in the store: new revocations, and the ring of keys when it moved. */
export interface News {
  readonly entries: readonly RevocationRow[];
  readonly keys: readonly KeysTable[] | null;
}

/** One place where things are remembered. */
export interface Engine {
  readonly name: 'sqlite';
  /** Whether nobody else had the store open when this one was opened. */
  readonly foundAlone: boolean;
  /** For reads, and to compile what `write` carries out. */
  readonly db: Kysely<Tables>;
  /** Carry out a unit; resolves after its commit is durable. Throws `store_unavailable` when the outcome is a failure or unknown. */
  write(unit: Unit): Promise<Written>;
  /** Take in what other processes wrote, without waiting; news reach the listener before this returns. False: the store could not be read. */
  catchUp(): boolean;
  /** Who is told of news. Called before the results of the batch that made them. */
  listen(listener: (news: News) => void): void;
  /** What to do first after writes whose outcome is unknown: the rotations that may have happened. */
  onRecovery(renew: (doubtful: readonly Rotation[], write: Engine['write']) => Promise<void>): void;
  /** Whether a write would be taken now: false while the writer is gone or stuck. */
  healthy(): boolean;
  /** A whole copy in a new file, made while the store is in use. */
  copyTo(file: string): Promise<void>;
  /** Finish what was taken, then let go of the file. */
  close(): Promise<void>;
}

/** A compiled query as a statement that must touch `rows` rows (null: any number). */
export function statement(query: { compile(): CompiledQuery }, rows: number | null): Statement {
  const { sql, parameters } = query.compile();
  return { sql, parameters, rows };
}

/** The refusal for a store that cannot be reached or cannot write. */
export function unavailable(cause: unknown): LatchkeyError {
  return refuse('store_unavailable', { retryAfter: 1, cause });
}
