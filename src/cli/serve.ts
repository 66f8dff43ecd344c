// `latchkey serve`: open the house, listen, say in one block where everything is, and leave in order when told to.
import { dirname, resolve } from 'node:path';
import { StartError } from '../errors.ts';
import { type OpenHouse, openHouse } from '../latchkey.ts';
import type { Listening } from '../server/listen.ts';
import type { Settings } from '../settings.ts';
import type { Call, Command } from './command.ts';
import { optionsFor } from './open.ts';
import { pairs, printable } from './print.ts';

/** `latchkey serve`. */
export const serve: Command = {
  words: ['serve'],
  summary: 'Start the server.',
  details:
    'Stops in order on SIGINT and SIGTERM. Settings come from the environment, and what only code can say from latchkey.config.ts, .js or .mjs in the working folder.',
  example: 'PORT=4001 npx latchkey serve',
  opens: true,
  async run(call) {
    const { opened, address, stop } = await open(call);
    const stopped = call.terminal.stopSignal();
    call.answer(bannerAnswer(opened, address), banner(opened, address));
    const signal = await stopped;
    call.notice(`Latchkey got ${signal}: finishing what was begun.`);
    await stop();
    return 0;
  },
};

async function open(call: Call): Promise<Listening & { readonly opened: OpenHouse }> {
  try {
    const opened = await openHouse(await optionsFor(call));
    // Only here: the other commands start in half the time without a server.
    const { listen } = await import('../server/listen.ts');
    return { opened, ...(await listen(opened)) };
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new StartError(['Latchkey did not start.', ...error.problems.map((problem) => `  ${problem}`)], {
      cause: error,
    });
  }
}

function bannerAnswer({ house, made }: OpenHouse, address: string): object {
  const { dataFolder, algorithm, warnings } = house.settings;
  const kid = house.keys.signing().kid;
  return { address, data: dataFolder, kid, algorithm, made, warnings };
}

function banner({ house, made }: OpenHouse, address: string): string {
  const { settings } = house;
  const notes = [
    ...(made.secret
      ? [`A secret was made and kept in ${settings.dataFolder}/secret: keep it with the database.`]
      : []),
    ...settings.warnings,
  ];
  const rows = pairs([
    ['API', address],
    ['Try it', `${address}/docs`],
    ['Data', `${placeOf(settings)}${made.database ? ' (new)' : ''}`],
    ['Key', `${house.keys.signing().kid} (${settings.algorithm})`],
    ['First admin', 'npx latchkey admin create NAME'],
  ]);
  const lines = [
    '',
    'Latchkey is up.',
    '',
    ...indent(rows),
    '',
    ...notes.map((note) => `  ${printable(note)}`),
  ];
  return `${lines.join('\n').trimEnd()}\n\n`;
}

/** The folder that holds all; where the database lies elsewhere, its file. */
function placeOf({ dataFolder, databaseFile }: Settings): string {
  return resolve(dirname(databaseFile)) === resolve(dataFolder) ? dataFolder : databaseFile;
}

function indent(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`);
}
