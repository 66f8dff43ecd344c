// Housekeeping: what nothing needs any more is removed in small steps, and the ring is kept as the policy wants it.
import type { House } from './house.ts';
import { keepKeys } from './rotate-keys.ts';

const step = 500;
const stepsAtOnce = 20;

/** One round of housekeeping. */
export async function sweep(house: House): Promise<void> {
  const { store } = house;
  for (const shelf of [store.revocations, store.sessions]) {
    for (let count = 0; count < stepsAtOnce; count++) if ((await shelf.sweep(step)) < step) break;
  }
  // Another instance may give longer lives by now.
  house.tokensOut.livesUpTo((await store.facts.greatestAccessLife()) ?? 0);
  await keepKeys(house);
}
