// The shelf of facts about the store itself: the greatest access life in force, and whether the last stop was a clean one.
import type { Instant } from '../clock.ts';
import { type Engine, statement } from './engine.ts';

/** Facts about the store. */
export interface FactShelf {
  /**
   * Tell the life that access tokens have now, and learn the greatest that may still be alive (milliseconds).
   * Raised at once; lowered only after the last token of the old life is dead.
   */
  accessLife(lifeMs: number): Promise<number>;
  /** Whether the last process that had this store closed it. The mark is taken away until the next close. */
  takeCleanStop(): Promise<boolean>;
  leaveCleanStop(): Promise<void>;
}

interface AccessLife {
  readonly current: number;
  readonly previous: number;
  readonly previousUntil: Instant;
}

/** The facts after a process that issues tokens of `lifeMs` has started. */
export function nextAccessLife(known: AccessLife | null, lifeMs: number, now: Instant): AccessLife {
  if (known === null) return { current: lifeMs, previous: lifeMs, previousUntil: now };
  if (known.current === lifeMs) return known;
  const greatest = greatestAccessLife(known, now);
  return { current: lifeMs, previous: greatest, previousUntil: now + greatest };
}

/** The greatest life that a token which is still alive may have been given. */
export function greatestAccessLife({ current, previous, previousUntil }: AccessLife, now: Instant): number {
  return now < previousUntil ? Math.max(current, previous) : current;
}

/** The shelf on an engine. */
export function factShelf(engine: Engine, now: () => Instant): FactShelf {
  const { db } = engine;
  async function get(name: string): Promise<string | null> {
    const row = await db.selectFrom('facts').select('value').where('name', '=', name).executeTakeFirst();
    return row?.value ?? null;
  }
  async function put(name: string, value: string): Promise<void> {
    const query = db.insertInto('facts').values({ name, value });
    const upsert = query.onConflict((conflict) => conflict.column('name').doUpdateSet({ value }));
    await engine.write({ statements: [statement(upsert, 1)] });
  }
  return {
    async accessLife(lifeMs) {
      const text = await get('access_life');
      const known = text === null ? null : (JSON.parse(text) as AccessLife);
      const next = nextAccessLife(known, lifeMs, now());
      if (next !== known) await put('access_life', JSON.stringify(next));
      return greatestAccessLife(next, now());
    },
    async takeCleanStop() {
      const clean = (await get('clean_stop')) === 'yes' || (await get('clean_stop')) === null;
      await put('clean_stop', 'no');
      return clean;
    },
    leaveCleanStop: () => put('clean_stop', 'yes'),
  };
}
