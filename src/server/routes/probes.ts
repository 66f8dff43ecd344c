// Is the process alive, and should it get requests.
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { refuse } from '../../errors.ts';
import type { House } from '../../flows/house.ts';
import { describeRoute } from '../describe.ts';

const Status = Type.Object({ status: Type.String() }, { title: 'Status', examples: [{ status: 'ok' }] });

/** Mount the routes. */
export function probeRoutes(app: FastifyInstance, house: House): void {
  app.get(
    '/healthz',
    {
      schema: describeRoute({
        tag: 'Probes',
        id: 'healthz',
        summary: 'Is the process alive',
        answers: { 200: { description: 'It is.', schema: Status } },
      }),
    },
    async (_, reply) => reply.header('Cache-Control', 'no-store').send({ status: 'ok' }),
  );

  app.get(
    '/readyz',
    {
      schema: describeRoute({
        tag: 'Probes',
        id: 'readyz',
        summary: 'Should it get requests',
        answers: { 200: { description: 'It should.', schema: Status } },
        refuses: [503],
      }),
    },
    async (_, reply) => {
      if (!house.store.catchUp() || !house.store.healthy())
        throw refuse('store_unavailable', { retryAfter: 1 });
      return reply.header('Cache-Control', 'no-store').send({ status: 'ready' });
    },
  );
}
