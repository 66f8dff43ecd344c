// The page at `/`: what this is, and where to go from here.
import type { FastifyInstance } from 'fastify';
import type { House } from '../../flows/house.ts';
import { frontPage, frontPolicy } from '../front-page.ts';

/** Mount the page. */
export function frontRoutes(app: FastifyInstance, house: House): void {
  const page = frontPage(house.settings.url);
  app.get('/', { schema: { hide: true } }, async (_, reply) =>
    reply.type('text/html; charset=utf-8').header('Content-Security-Policy', frontPolicy).send(page),
  );
}
