// How a command gets at what is remembered: beside a server that may be running, and without leaving anything behind.
import { existsSync } from 'node:fs';
import { StartError } from '../errors.ts';
import { type LatchkeyOptions, type OpenHouse, openHouse, settingsOf } from '../latchkey.ts';
import type { Settings } from '../settings.ts';
import { openSqliteEngine } from '../store/engines/sqlite.ts';
import { openStore, type Store } from '../store/store.ts';
import type { Call } from './command.ts';
import { loadConfig } from './config.ts';

/** The options of the config file, with the command's own environment and time. */
export async function optionsFor({ terminal, text }: Call): Promise<LatchkeyOptions> {
  const options = await loadConfig(terminal.folder, text('config'));
  return { ...options, environment: terminal.environment, clock: terminal.clock };
}

/** Open the house, do something, and let go of it. `mayMake`: whether a house may be made where there is none. */
export async function inHouse<T>(
  call: Call,
  work: (opened: OpenHouse) => Promise<T>,
  { mayMake = false }: { mayMake?: boolean } = {},
): Promise<T> {
  const options = await optionsFor(call);
  if (!mayMake) mustExist(settingsOf(options));
  const opened = await openHouse(options, 'visit');
  const { made, house, latchkey } = opened;
  try {
    if (made.database) call.notice(`A new database was made: ${house.settings.databaseFile}`);
    if (made.secret) call.notice(`A secret was made and kept in ${house.settings.dataFolder}/secret.`);
    return await work(opened);
  } finally {
    await latchkey.close();
  }
}

/** Open the store alone, without the secret that opens its keys. */
export async function inStore<T>(
  call: Call,
  work: (store: Store, settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = settingsOf(await optionsFor(call));
  mustExist(settings);
  const store = openStore(await openSqliteEngine(settings.databaseFile), call.terminal.clock);
  try {
    return await work(store, settings);
  } finally {
    await store.close();
  }
}

/** Throw where there is no database: a command in the wrong folder must not make one and then find nothing in it. */
export function mustExist({ databaseFile }: Settings): void {
  if (existsSync(databaseFile)) return;
  throw new StartError(
    `There is no database at ${databaseFile}. Start the server once with \`latchkey serve\`, or set LATCHKEY_DATA or LATCHKEY_DATABASE to where it is.`,
  );
}
