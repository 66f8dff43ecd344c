// What is new in a file that several processes write: revocations, and the ring of keys when it moved. Told to whoever listens,
// synchronously. A look costs one pragma while nobody wrote, and there is one in each turn of the event loop at most.
import { type Engine, type News, type RevocationRow, unavailable } from '../engine.ts';
import type { KeysTable } from '../tables.ts';
import type { SqliteFile } from './sqlite-file.ts';

/** The news of one file. */
export interface NewsReader {
  /** Tell all that is there, then what comes. Throws `store_unavailable` when it cannot be read: never a view that only looks complete. */
  listen: Engine['listen'];
  /** Look, if not yet in this turn. False: the file could not be read. */
  look(): boolean;
  /** Look whatever was seen before. */
  lookAnew(): boolean;
  /** Tell what a batch of our own has made, without a look. */
  tell(entries: readonly RevocationRow[]): void;
}

const entriesAtOnce = 1_000;

/** Read the news through a connection that is open for reading. */
export function openNews(reader: SqliteFile): NewsReader {
  let listener: ((news: News) => void) | null = null;
  let lookedThisTurn = false;
  let dataVersion = -1;
  let cursor = 0;
  let knownRing = '';

  function load(tell: (news: News) => void): void {
    // Under the one write lock of SQLite the order of ids is the order of commits.
    for (;;) {
      const sql = 'SELECT * FROM revocations WHERE id > ? ORDER BY id LIMIT ?';
      const entries = reader.run(sql, [cursor, entriesAtOnce]).rows as unknown as RevocationRow[];
      const keys = ringIfMoved();
      if (entries.length > 0 || keys !== null) tell({ entries, keys });
      cursor = entries.at(-1)?.id ?? cursor;
      if (entries.length < entriesAtOnce) return;
    }
  }

  function ringIfMoved(): KeysTable[] | null {
    const { rows } = reader.run("SELECT value FROM facts WHERE name = 'ring'", []);
    const ring = String(rows[0]?.value ?? '');
    if (ring === knownRing) return null;
    knownRing = ring;
    const sql = 'SELECT * FROM keys ORDER BY created_at, kid LIMIT 1000';
    return reader.run(sql, []).rows as unknown as KeysTable[];
  }

  function look(): boolean {
    // Before anybody listens there is nobody to tell: what is there stays to be told.
    if (lookedThisTurn || listener === null) return true;
    try {
      const version = Number(reader.run('PRAGMA data_version', []).rows[0]?.data_version);
      if (version !== dataVersion) {
        load(listener);
        dataVersion = version;
      }
    } catch {
      return false;
    }
    lookedThisTurn = true;
    setImmediate(() => {
      lookedThisTurn = false;
    });
    return true;
  }

  function lookAnew(): boolean {
    lookedThisTurn = false;
    dataVersion = -1;
    return look();
  }

  return {
    listen(next) {
      listener = next;
      cursor = 0;
      knownRing = '';
      if (!lookAnew()) throw unavailable('What was revoked could not be read.');
    },
    look,
    lookAnew,
    tell(entries) {
      // Whoever looks after their own write finds it.
      lookedThisTurn = false;
      if (entries.length > 0) listener?.({ entries, keys: null });
    },
  };
}
