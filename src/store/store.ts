// What is remembered: the shelves, on one engine. Everything above speaks to this and knows no SQL.
import type { Clock, Instant } from '../clock.ts';
import type { Entry } from '../revocations/entry.ts';
import type { KeyRecord } from '../tokens/keyring.ts';
import { type AccountShelf, accountShelf } from './accounts.ts';
import type { Engine } from './engine.ts';
import { type FactShelf, factShelf } from './facts.ts';
import { type KeyShelf, keyFrom, keyShelf } from './keys.ts';
import { entryFrom, type RevocationShelf, revocationShelf } from './revocations.ts';
import { type ServiceShelf, serviceShelf } from './services.ts';
import { type SessionShelf, sessionShelf } from './sessions.ts';

/** Who wants to hear of revocations and keys. */
export interface StoreListener {
  revoked(entry: Entry): void;
  /** The whole ring, after it moved. */
  keys(records: readonly KeyRecord[]): void;
}

/** Everything that Latchkey remembers. */
export interface Store {
  readonly accounts: AccountShelf;
  readonly sessions: SessionShelf;
  readonly keys: KeyShelf;
  readonly revocations: RevocationShelf;
  readonly services: ServiceShelf;
  readonly facts: FactShelf;
  /** The store's own time, which rules and rows go by. */
  now(): Instant;
  /** Tell the listener all that is alive, then everything that comes, always before the answer of its cause. */
  listen(listener: StoreListener): void;
  /** Take in what other processes wrote, without waiting. False: the store could not be read. */
  catchUp(): boolean;
  /** Whether a write would be taken now. */
  healthy(): boolean;
  /** A whole copy in a new file. */
  copyTo(file: string): Promise<void>;
  close(): Promise<void>;
}

/** The shelves on an engine. On one file the store's time is this machine's. */
export function openStore(engine: Engine, clock: Clock): Store {
  const now = (): Instant => clock.now();
  return {
    accounts: accountShelf(engine, now),
    sessions: sessionShelf(engine, now),
    keys: keyShelf(engine, now),
    revocations: revocationShelf(engine, now),
    services: serviceShelf(engine),
    facts: factShelf(engine, now),
    now,
    listen: (listener) =>
      engine.listen(({ entries, keys }) => {
        for (const row of entries) listener.revoked(entryFrom(row));
        if (keys !== null) listener.keys(keys.map(keyFrom));
      }),
    catchUp: () => engine.catchUp(),
    healthy: () => engine.healthy(),
    copyTo: (file) => engine.copyTo(file),
    close: () => engine.close(),
  };
}
