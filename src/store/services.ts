// The shelf of services: other programs that may introspect and revoke tokens here.
import type { Instant } from '../clock.ts';
import { type Engine, statement } from './engine.ts';

/** A registered service. The secret itself is shown once and never kept. */
export interface Service {
  readonly clientId: string;
  readonly name: string;
  /** SHA-256 of a secret of at least 128 random bits, base64url. */
  readonly secretHash: string;
  readonly createdAt: Instant;
}

/** Who may introspect. */
export interface ServiceShelf {
  find(clientId: string): Promise<Service | null>;
  list(): Promise<Service[]>;
  /** Throws when the client id is taken. */
  add(service: Service): Promise<void>;
  /** False: there was none. */
  remove(clientId: string): Promise<boolean>;
}

/** The shelf on an engine. */
export function serviceShelf(engine: Engine): ServiceShelf {
  const { db } = engine;
  const columns = [
    'client_id as clientId',
    'name',
    'secret_hash as secretHash',
    'created_at as createdAt',
  ] as const;
  return {
    async find(clientId) {
      const query = db.selectFrom('services').select(columns).where('client_id', '=', clientId).limit(1);
      return (await query.executeTakeFirst()) ?? null;
    },
    list: () => db.selectFrom('services').select(columns).orderBy('created_at').limit(10_000).execute(),
    async add({ clientId, name, secretHash, createdAt }) {
      const row = { client_id: clientId, name, secret_hash: secretHash, created_at: createdAt };
      const written = await engine.write({
        statements: [statement(db.insertInto('services').values(row), 1)],
      });
      // The secret that was just shown would never work.
      if (written.outcome !== 'done') throw new Error('There is a service with this client id already.');
    },
    async remove(clientId) {
      const query = db.deleteFrom('services').where('client_id', '=', clientId);
      return (await engine.write({ statements: [statement(query, 1)] })).outcome === 'done';
    },
  };
}
