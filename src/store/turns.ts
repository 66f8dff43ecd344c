// Changes of one row take turns in this process: without that, of fifty that read the same version one wins and the others come again
// and again. Against other processes the compare-and-set alone decides.

/**
 * How often a change is tried against those of other processes. Of two that meet at one row again and again one loses ten
 * times in a row once in a thousand changes; fifty times, never.
 */
export const attempts = 50;

/** Runs what is given for one id after what was given for it before. */
export type Turns = <T>(id: string, work: () => Promise<T>) => Promise<T>;

/** Turns, by id; an id that nobody waits for is forgotten. */
export function takeTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return (id, work) => {
    const before = last.get(id);
    const mine = before === undefined ? work() : before.then(work, work);
    last.set(id, mine);
    const done = (): void => {
      if (last.get(id) === mine) last.delete(id);
    };
    mine.then(done, done);
    return mine;
  };
}
