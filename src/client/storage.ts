// Where a client keeps what it holds: one text in one place. Who shares the place shares the session.

/** A place for one text. */
export interface ClientStorage {
  /** What was written last, or null. */
  read(): string | null | Promise<string | null>;
  write(text: string): void | Promise<void>;
  clear(): void | Promise<void>;
  /** Clients that share the place say the same name, others another: it is the name of their lock. Default: the client's url. */
  readonly name?: string;
}

/** Forgets with the page or process. What scripts of others cannot read. */
export function memoryStorage(): ClientStorage {
  let held: string | null = null;
  return {
    name: `memory-${Math.random()}`,
    read: () => held,
    write(text) {
      held = text;
    },
    clear() {
      held = null;
    },
  };
}

/** What of `localStorage` is used. */
interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
  removeItem(key: string): void;
}

/** The browser's `localStorage` under a key: outlives the page, is shared by the tabs of an origin, and by every script on it. */
export function browserStorage(
  key = 'latchkey',
  place: WebStorage | undefined = (globalThis as { localStorage?: WebStorage }).localStorage,
): ClientStorage {
  if (place === undefined) throw new TypeError('browserStorage(): there is no localStorage here.');
  return {
    name: key,
    read: () => place.getItem(key),
    write: (text) => place.setItem(key, text),
    clear: () => place.removeItem(key),
  };
}
