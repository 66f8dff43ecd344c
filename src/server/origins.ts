// Which web pages may call: those of this server's own address, those that the owner lists, and in development those of this machine.
import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { refuse } from '../errors.ts';
import type { Settings } from '../settings.ts';

const safe = new Set(['GET', 'HEAD', 'OPTIONS']);
const loopback = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;

/** Whether a page of this origin may call. `null` (a sandbox, a file) never may. */
function isOwnOrigin(settings: Settings, origin: string): boolean {
  if (origin === new URL(settings.url).origin || settings.origins.includes(origin)) return true;
  return !settings.production && loopback.test(origin);
}

/** Answer the questions of browsers, and refuse what a page of another site sends. No credentials are ever allowed: there are no cookies. */
export async function watchOrigins(app: FastifyInstance, settings: Settings): Promise<void> {
  await app.register(cors, {
    origin: (origin, allow) => allow(null, origin !== undefined && isOwnOrigin(settings, origin)),
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type'],
    exposedHeaders: ['WWW-Authenticate', 'Retry-After'],
    maxAge: 600,
    // An OPTIONS that asks nothing is no mistake of the client's that it would have to be told in plain text.
    strictPreflight: false,
    credentials: false,
  });
  refuseForeign(app, settings);
}

/** Refuse what a page of another site sends, and nothing else: for an app that answers browsers' questions by itself. */
export function refuseForeign(app: FastifyInstance, settings: Settings): void {
  app.addHook('onRequest', async (request) => {
    if (!safe.has(request.method) && isForeign(settings, request)) throw refuse('cross_site');
  });
}

/** Programs send neither header. A browser says who asks with the one, and with the other at least that it was another site. */
function isForeign(settings: Settings, request: FastifyRequest): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers;
  return origin === undefined ? site === 'cross-site' : !isOwnOrigin(settings, origin);
}
