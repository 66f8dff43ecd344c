// Names of settings that somebody wrote and that are none.
import { nearestName } from './nearest.ts';
import { type Setting, type SettingName, settingTable } from './setting-table.ts';

const settingNames = Object.keys(settingTable) as SettingName[];
const prefix = 'LATCHKEY_';

/** A sentence for each option that is none. */
export function unknownOptions(options: object): string[] {
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(settingTable, name));
  return unknown.map((name) => {
    const nearest = nearestName(name, settingNames);
    return `${printable(name, 'The option')} is not an option. ${instead(nearest && `\`${nearest}\``)}`;
  });
}

const environmentNames = settingNames.flatMap((name) => {
  const { env, secret } = settingTable[name] as Setting<unknown>;
  return secret ? [env, `${env}_FILE`] : [env];
});

// What the project's own tests read: whoever has them set can still start the server.
const namesOfTests = [
  'LATCHKEY_VECTORS',
  'LATCHKEY_CHROMIUM',
  'LATCHKEY_KILL_ROUNDS',
  'LATCHKEY_TEST_POSTGRES',
];

/** A sentence for each variable that begins like ours and is none of ours: a setting that would be missed in silence. */
export function unknownNames(env: Readonly<Record<string, string | undefined>>): string[] {
  const unknown = Object.keys(env).filter(
    (name) =>
      env[name] !== undefined &&
      name.toUpperCase().startsWith(prefix) &&
      !environmentNames.includes(name) &&
      !namesOfTests.includes(name),
  );
  return unknown.map((name) => {
    // Compared without the prefix, so that LATCHKEY_PORT leads to PORT.
    const known = environmentNames.map((env) => env.replace(prefix, ''));
    const nearest = nearestName(name.slice(prefix.length), known);
    const meant = nearest === null ? null : environmentNames[known.indexOf(nearest)]!;
    return `${printable(name, 'The variable')} is not a setting. ${instead(meant)}`;
  });
}

function printable(name: string, kind: string): string {
  // A text that is no name may be anything, a secret too.
  return /^\w{1,64}$/.test(name) ? `${kind} ${name}` : `${kind} with an odd name`;
}

function instead(nearest: string | null): string {
  return nearest === null
    ? 'Remove it: docs/settings.md lists the names.'
    : `Write ${nearest}, if that is what is meant, or remove it.`;
}

/** `prod` or `Production` would start without any of the rules of production. */
export function misspeltProduction(env: Readonly<Record<string, string | undefined>>): string[] {
  const mode = env.NODE_ENV ?? '';
  const isMeant = ['production', 'prod'].includes(mode.trim().toLowerCase());
  if (!isMeant || mode === 'production') return [];
  return ['NODE_ENV is almost production, which would start as in development. Write NODE_ENV=production.'];
}
