// The list of migrations in order, and how they are brought up. Forward only; a store that is newer than the program stops the start.
import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { StartError } from '../../errors.ts';
import * as house from './0001-house.ts';

const list: Record<string, Migration> = {
  '0001-house': house,
};

/** The names of all migrations of this program, in order. */
export const migrationNames: readonly string[] = Object.keys(list);

/** One migration and when it was applied, or null. */
export interface MigrationState {
  readonly name: string;
  readonly appliedAt: Date | null;
}

function migrator(db: Kysely<unknown>): Migrator {
  return new Migrator({
    db,
    provider: { getMigrations: async () => list },
    migrationTableName: 'migrations',
    migrationLockTableName: 'migrations_lock',
  });
}

/** All migrations of this program, and which of them the store has. */
export async function migrationStates(db: Kysely<unknown>): Promise<MigrationState[]> {
  const states = await migrator(db).getMigrations();
  return states.map(({ name, executedAt }) => ({ name, appliedAt: executedAt ?? null }));
}

/** Bring the store up to this program; tells the names that were applied. */
export async function migrateUp(db: Kysely<unknown>): Promise<string[]> {
  const { error, results } = await migrator(db).migrateToLatest();
  if (error) throw cannotMigrate(error instanceof Error ? error.message : String(error), error);
  return (results ?? [])
    .filter(({ status }) => status === 'Success')
    .map(({ migrationName }) => migrationName);
}

function cannotMigrate(message: string, cause: unknown): StartError {
  const unknown = /previously executed migration (\S+) is missing/.exec(message)?.[1];
  return new StartError(
    unknown === undefined
      ? `The database could not be brought up to this version of Latchkey: ${message}.`
      : `The database was opened by a newer version of Latchkey: its migration ${unknown} is not known to this one. Nothing was changed. Use the newer version, or a copy of the database from before.`,
    { cause },
  );
}
