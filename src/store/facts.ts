// The shelf of facts about the store itself: the greatest access life in force.
import type { Instant } from '../clock.ts';
import { type Engine, statement, unavailable } from './engine.ts';

/** Facts about the store. */
export interface FactShelf {
  /**
   * Tell the life that access tokens have now, and learn the greatest that may still be alive (milliseconds).
   * Raised at once; lowered only after the last token of the old life is dead.
   */
  accessLife(lifeMs: number): Promise<number>;
}

const attempts = 20;

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
  const name = 'access_life';

  async function get(): Promise<string | null> {
    const row = await db.selectFrom('facts').select('value').where('name', '=', name).executeTakeFirst();
    return row?.value ?? null;
  }

  /** Put a value in the place of the one that was read; false when another instance was faster. */
  async function put(before: string | null, value: string): Promise<boolean> {
    const query =
      before === null
        ? db.insertInto('facts').values({ name, value })
        : db.updateTable('facts').set({ value }).where('name', '=', name).where('value', '=', before);
    return (await engine.write({ statements: [statement(query, 1)] })).outcome === 'done';
  }

  return {
    async accessLife(lifeMs) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const text = await get();
        const known = text === null ? null : (JSON.parse(text) as AccessLife);
        const next = nextAccessLife(known, lifeMs, now());
        if (next === known || (await put(text, JSON.stringify(next)))) return greatestAccessLife(next, now());
      }
      throw unavailable('The access life was changed by others again and again.');
    },
  };
}
