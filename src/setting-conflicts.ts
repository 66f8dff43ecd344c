// What is wrong between settings: each is right by itself, and together they would start a house that is open, or that means nothing.
import type { SettingName, SettingValues } from './setting-table.ts';
import { isLoopback } from './setting-values.ts';

/** What was found of one setting: a value where one was given and is right, a problem where it is not. */
export interface Found<Value> {
  /** How it is called where it was given. */
  readonly label: string;
  readonly value?: Value;
  readonly problem?: string;
}

/** What was found of all. */
export type FoundAll = { readonly [Name in SettingName]: Found<SettingValues[Name]> };

/** What the settings would be; where something is wrong its default stands in. */
type Settled = Pick<SettingValues, 'host' | 'accessTtl' | 'sessionIdle' | 'sessionTtl'> & {
  readonly production: boolean;
};

/** How somebody comes by a secret. */
export const newSecret = 'Run `npx latchkey secret` and set LATCHKEY_SECRET to what it prints.';
const publicAddress = 'Write the public address, for example LATCHKEY_URL=https://login.example.com';

/** What is wrong between settings, each of which is right by itself. */
export function problemsBetween(found: FoundAll, settings: Settled): string[] {
  return [
    ...problemsOfPlace(found, settings),
    ...problemsOfTimes(found, settings),
    ...problemsOfSecrets(found),
  ];
}

function isRight(found: Found<unknown>): boolean {
  return found.problem === undefined;
}

function isMissing(found: Found<unknown>): boolean {
  return isRight(found) && found.value === undefined;
}

/** Where others can reach the house, it has a secret and an address of its own. */
function problemsOfPlace({ secret, url, host, port }: FoundAll, settings: Settled): string[] {
  const problems: string[] = [];
  const why = whyExposed(settings, host.label);
  if (why !== null && isMissing(secret)) problems.push(`${secret.label} is required ${why}. ${newSecret}`);
  if (why !== null && isMissing(url)) problems.push(`${url.label} is required ${why}. ${publicAddress}`);
  if (settings.production && url.value?.startsWith('http:')) {
    problems.push(`${url.label} is an http address, and NODE_ENV is production. ${publicAddress}`);
  }
  if (why === null && isMissing(url) && port.value === 0) {
    problems.push(
      `${url.label} is required when ${port.label} is 0, since it names the port. ${publicAddress}`,
    );
  }
  return problems;
}

function whyExposed(settings: Settled, hostLabel: string): string | null {
  if (settings.production) return 'with NODE_ENV=production';
  return isLoopback(settings.host) ? null : `when ${hostLabel} is an address that others can reach`;
}

function problemsOfTimes({ accessTtl, sessionIdle, sessionTtl }: FoundAll, settings: Settled): string[] {
  const problems: string[] = [];
  if (isRight(accessTtl) && isRight(sessionIdle) && settings.sessionIdle < settings.accessTtl) {
    problems.push(
      `${sessionIdle.label} is shorter than the life of an access token. Write as much at least, or less for ${accessTtl.label}.`,
    );
  }
  if (isRight(sessionIdle) && isRight(sessionTtl) && settings.sessionTtl < settings.sessionIdle) {
    problems.push(
      `${sessionTtl.label} is shorter than a session may be idle. Write as much at least, or less for ${sessionIdle.label}.`,
    );
  }
  return problems;
}

function problemsOfSecrets({ secret, secretPrevious }: FoundAll): string[] {
  if (secretPrevious.value === undefined) return [];
  if (isMissing(secret)) {
    return [`${secretPrevious.label} is set without ${secret.label}. ${newSecret}`];
  }
  // Not a secret compared with a guess: both come from the same hand.
  if (secret.value !== secretPrevious.value) return [];
  return [
    `${secretPrevious.label} is the same as ${secret.label}. Remove it, or write the secret before this one.`,
  ];
}
