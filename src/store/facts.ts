// The shelf of facts about the store itself: the greatest access life in force, the issuer that its servers are, and whether those
// that had it before stopped in order.
import type { Instant } from '../clock.ts';
import { type Engine, statement, unavailable } from './engine.ts';

/** Facts about the store. */
export interface FactShelf {
  /**
   * Tell the life that access tokens have now, and learn the greatest that may still be alive (milliseconds).
   * Raised at once; lowered only after the last token of the old life is dead.
   */
  accessLife(lifeMs: number): Promise<number>;
  /** The greatest that may still be alive, for one that comes beside and issues none of its own accord; null: nobody has told yet. */
  greatestAccessLife(): Promise<number | null>;
  /** Note that a keeper begins, and tell whether those before it all stopped in order. */
  begin(keeper: string): Promise<boolean>;
  /** Note that a keeper stopped in order. */
  end(keeper: string): Promise<void>;
  /** Note which issuer the keepers of this store are. What another that is running says instead is given back, and stays; else null. */
  setIssuer(issuer: IssuerNames): Promise<IssuerNames | null>;
  /** What stands there; null: none has begun yet. */
  issuer(): Promise<IssuerNames | null>;
}

/** `iss` and `aud` of every token that a store's keepers issue. */
export interface IssuerNames {
  readonly issuer: string;
  readonly audience: string;
}

const attempts = 20;
// One row for each keeper, so that of two on one file the one that crashes is not covered by the one that stops in order.
const keeping = 'keeper ';

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

  /** Put a value in the place of the one that was read; false when another instance was faster. */
  async function put(name: string, before: string | null, value: string): Promise<boolean> {
    const query =
      before === null
        ? db.insertInto('facts').values({ name, value })
        : db.updateTable('facts').set({ value }).where('name', '=', name).where('value', '=', before);
    return (await engine.write({ statements: [statement(query, 1)] })).outcome === 'done';
  }

  return {
    async accessLife(lifeMs) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const text = await get('access_life');
        const known = text === null ? null : (JSON.parse(text) as AccessLife);
        const next = nextAccessLife(known, lifeMs, now());
        if (next === known || (await put('access_life', text, JSON.stringify(next))))
          return greatestAccessLife(next, now());
      }
      throw unavailable('The access life was changed by others again and again.');
    },
    async greatestAccessLife() {
      const text = await get('access_life');
      return text === null ? null : greatestAccessLife(JSON.parse(text), now());
    },
    async begin(keeper) {
      const others = await db
        .selectFrom('facts')
        .select('name')
        .where('name', 'like', `${keeping}%`)
        .limit(1_000)
        .execute();
      const mine = db.insertInto('facts').values({ name: keeping + keeper, value: String(now()) });
      // Alone on the file, what others left behind is the mark of a crash. Beside others it may be theirs, and stays.
      const left = db.deleteFrom('facts').where('name', 'like', `${keeping}%`);
      const clear = engine.foundAlone && others.length > 0 ? [statement(left, null)] : [];
      await engine.write({ statements: [...clear, statement(mine, 1)] });
      return others.length === 0;
    },
    async end(keeper) {
      const mine = db.deleteFrom('facts').where('name', '=', keeping + keeper);
      await engine.write({ statements: [statement(mine, null)] });
    },
    async setIssuer(issuer) {
      const before = await get('issuer');
      const text = JSON.stringify(issuer);
      if (before === text) return null;
      // Two issuers on one store would each refuse the tokens of the other.
      if (before !== null && !engine.foundAlone) return JSON.parse(before) as IssuerNames;
      await put('issuer', before, text);
      return null;
    },
    async issuer() {
      const text = await get('issuer');
      return text === null ? null : (JSON.parse(text) as IssuerNames);
    },
  };
}
