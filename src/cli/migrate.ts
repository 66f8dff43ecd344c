// `latchkey migrate …`: the tables of the database and those that this program wants. A start brings them up by itself.
import { existsSync } from 'node:fs';
import { settingsOf } from '../latchkey.ts';
import { lookAtSqlite } from '../store/engines/sqlite-database.ts';
import { type MigrationState, migrationNames } from '../store/migrations/migrations.ts';
import { type Call, type Command, CommandError } from './command.ts';
import { inStore, mustExist, optionsFor } from './open.ts';
import { pairs, table } from './print.ts';
import { dateWords } from './time-words.ts';

/** `latchkey migrate status`. */
export const migrateStatus: Command = {
  words: ['migrate', 'status'],
  summary: 'List the migrations, and which of them the database has. Changes nothing.',
  example: 'npx latchkey migrate status',
  opens: true,
  async run(call) {
    const states = await statesOf(call);
    const answer = states.map(({ name, appliedAt }) => ({
      name,
      applied_at: appliedAt?.toISOString() ?? null,
    }));
    const rows = states.map(({ name, appliedAt }) => [
      name,
      appliedAt === null ? 'pending' : dateWords(appliedAt.getTime()),
    ]);
    call.answer({ migrations: answer }, table(['MIGRATION', 'APPLIED'], rows));
    return 0;
  },
};

/** The migrations as they stand; of a database that is not there, or is new, none is applied. */
async function statesOf(call: Call): Promise<readonly MigrationState[]> {
  const { databaseFile } = settingsOf(await optionsFor(call));
  const { migrations } = existsSync(databaseFile) ? await lookAtSqlite(databaseFile) : { migrations: [] };
  return migrations.length > 0 ? migrations : migrationNames.map((name) => ({ name, appliedAt: null }));
}

/** `latchkey migrate up`. */
export const migrateUp: Command = {
  words: ['migrate', 'up'],
  summary: 'Bring the tables of the database up to this program.',
  example: 'npx latchkey migrate up',
  opens: true,
  async run(call) {
    mustExist(settingsOf(await optionsFor(call)));
    const before = await statesOf(call);
    // Opening it is what brings it up.
    await inStore(call, async () => {});
    const pending = new Set(before.filter(({ appliedAt }) => appliedAt === null).map(({ name }) => name));
    const after = await statesOf(call);
    if (after.some(({ appliedAt }) => appliedAt === null))
      throw new CommandError('Some migrations are still pending.');
    call.answer(
      { applied: [...pending] },
      pairs([['Applied', pending.size === 0 ? 'nothing: it was up already' : [...pending].join(', ')]]),
    );
    return 0;
  },
};
