// The OpenAPI document and the two pages that show it. Everything they load comes from here: no other host is asked.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { Settings } from '../settings.ts';
import { version } from '../version.ts';
import { redocPage } from './pages.ts';

type Json = Record<string, unknown>;

const tags = [
  {
    name: 'Sign in',
    description: 'From a password to tokens, from one pair of tokens to the next, and out again.',
  },
  {
    name: 'Your account',
    description: 'What the bearer of an access token can do to the account that it names.',
  },
  { name: 'Administration', description: 'For accounts with the scope `admin`.' },
  { name: 'For other services', description: 'Introspection and revocation.' },
  { name: 'Discovery', description: 'Keys and metadata.' },
  { name: 'Probes', description: 'For whoever carries the pager.' },
];

/** Collect the document from the routes that are mounted after this. */
export async function collectOpenApi(app: FastifyInstance, settings: Settings): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Latchkey',
        version,
        description:
          'Sign up, log in, be let in, refresh, leave. Refusals are `application/problem+json` with a stable `code`.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags,
      components: { securitySchemes: securitySchemes(settings) as never },
    },
    // A lock that the document does not describe would leave it without any.
    ...(!settings.passwordGrant && { transform: withoutPasswordLock }),
    transformObject: (document) =>
      hoistTitled(('openapiObject' in document ? document.openapiObject : {}) as Json) as never,
  });
}

function securitySchemes(settings: Settings): Json {
  const password = {
    type: 'oauth2',
    description: 'Username and password.',
    flows: { password: { tokenUrl: '/token', scopes: { admin: 'Administer accounts' } } },
  };
  return {
    ...(settings.passwordGrant && { password }),
    bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token.' },
    refresh: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A refresh token.' },
    basic: { type: 'http', scheme: 'basic', description: 'Username and password.' },
    client: { type: 'http', scheme: 'basic', description: 'Client id and secret of a registered service.' },
  };
}

/** The route without the lock of the password grant, for a house that has switched that off. */
function withoutPasswordLock<S, U>({ schema, url }: { schema: S; url: U }): { schema: S; url: U } {
  const { security } = (schema ?? {}) as { security?: readonly object[] };
  if (security === undefined) return { schema, url };
  return { schema: { ...schema, security: security.filter((lock) => !('password' in lock)) }, url };
}

/** Put every schema that has a title among the components, and refer to it: generated clients then have names for them. */
function hoistTitled(document: Json): Json {
  const schemas: Json = {};
  const walk = (value: unknown, isSchema: boolean): unknown => {
    if (Array.isArray(value)) return value.map((each) => walk(each, isSchema));
    if (typeof value !== 'object' || value === null) return value;
    const walked = Object.fromEntries(
      Object.entries(value).map(([name, each]) => [
        name,
        name === 'examples' ? each : walk(each, isSchema || name === 'schema'),
      ]),
    );
    const { title } = walked as { title?: unknown };
    if (!isSchema || typeof title !== 'string') return walked;
    schemas[title] = walked;
    return { $ref: `#/components/schemas/${title}` };
  };
  const paths = walk(document.paths, false);
  return { ...document, paths, components: { ...(document.components as Json), schemas } };
}

/** Serve the document and the pages. */
export async function showOpenApi(app: FastifyInstance, settings: Settings): Promise<void> {
  app.get('/openapi.json', { schema: { hide: true } }, async (_, reply) =>
    reply.type('application/json; charset=utf-8').send(app.swagger()),
  );
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsPolicy,
    theme: { title: 'Latchkey API' },
    logo: { type: 'image/svg+xml', content: Buffer.from(logo), href: '/', target: '_self' },
    uiConfig: {
      deepLinking: true,
      persistAuthorization: true,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      validatorUrl: null,
    },
    // A public client: its secret is empty, and /token knows that this is no error.
    ...(settings.passwordGrant && { initOAuth: { clientId: 'docs', clientSecret: '', scopes: [] } }),
  });
  serveRedoc(app);
}

// The plugin's own policy lets in any https host, for pictures and styles that this page does not have.
const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 140 28" height="28"><g fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round"><circle cx="11" cy="14" r="6"/><path d="M17 14h14M27 14v5"/></g><text x="40" y="20" font-family="system-ui,sans-serif" font-size="17" font-weight="600" fill="#fff">Latchkey</text></svg>`;

function serveRedoc(app: FastifyInstance): void {
  let script: Buffer | undefined;
  app.get('/redoc', { schema: { hide: true } }, async (_, reply) =>
    reply.type('text/html; charset=utf-8').header('Content-Security-Policy', redocPolicy).send(redocPage),
  );
  app.get('/redoc/redoc.js', { schema: { hide: true } }, async (_, reply) => {
    script ??= readRedoc();
    return reply
      .type('text/javascript; charset=utf-8')
      .header('Cache-Control', 'public, max-age=3600')
      .send(script);
  });
}

// Redoc styles itself while it runs, and searches in a worker that it makes from a blob.
const redocPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; worker-src blob:; frame-ancestors 'none'; base-uri 'none'";

/** The bundle: beside this file in what is published, in the dependencies of a clone. */
function readRedoc(): Buffer {
  const built = new URL('./assets/redoc.standalone.js', import.meta.url);
  const path = existsSync(built)
    ? built
    : createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js');
  // Its footer would load a picture from another host.
  const text = readFileSync(path, 'utf8').replaceAll(
    /https:\/\/cdn\.redoc\.ly\/redoc\/logo-mini\.svg/g,
    'data:,',
  );
  return Buffer.from(text);
}
