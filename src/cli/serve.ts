// `latchkey serve`: open the house, listen, say in one block where everything is, and leave in order when told to.
import { type OpenHouse, openHouse } from '../latchkey.ts';
import { listen } from '../server/listen.ts';

/** Serve until a signal comes; resolves to the exit code. */
export async function serve(): Promise<number> {
  const opened = await openHouse();
  const { address, stop } = await listen(opened);
  process.stdout.write(banner(opened, address));
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(name));
  });
  process.stdout.write(`\nLatchkey got ${signal}: finishing what was begun.\n`);
  await stop();
  return 0;
}

function banner({ house, made }: OpenHouse, address: string): string {
  const { settings } = house;
  const kid = house.keys.signing().kid;
  const lines = [
    ['API', address],
    ['Try it', `${address}/docs`],
    ['Data', `${settings.dataFolder}${made.database ? ' (new)' : ''}`],
    ['Key', `${kid} (${settings.algorithm})`],
    ['First admin', 'npx latchkey admin create NAME'],
  ];
  const notes = [
    ...(made.secret
      ? [`A secret was made and kept in ${settings.dataFolder}/secret: keep it with the database.`]
      : []),
    ...settings.warnings,
  ];
  const table = lines.map(([name, value]) => `  ${(name as string).padEnd(12)} ${value}`);
  return ['', 'Latchkey is up.', '', ...table, '', ...notes.map((note) => `  ${note}`), ''].join('\n');
}
