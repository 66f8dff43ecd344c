// The OpenAPI document: made of what the routes say of themselves.
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { Settings } from '../settings.ts';
import { version } from '../version.ts';

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
