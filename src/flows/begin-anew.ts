// A store that was brought back from a copy remembers an older world: what was ended, revoked and changed since is alive again there.
import type { House } from './house.ts';
import { endEverySession } from './rotate-keys.ts';

/** End every session and kill every access token that a copy knows of, and those of the world that it replaces. */
export async function beginAnew(house: House): Promise<void> {
  await house.store.accounts.raiseEpochs();
  await endEverySession(house);
}
