// What others need to know to verify tokens by themselves: the keys and the metadata. Nothing here ever follows the Host header.
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { House } from '../../flows/house.ts';
import { jwksMaxAgeSeconds } from '../../flows/rotate-keys.ts';
import { describeRoute } from '../describe.ts';

const Keys = Type.Object(
  { keys: Type.Array(Type.Record(Type.String(), Type.Unknown())) },
  { title: 'JwkSet', examples: [{ keys: [] }] },
);
const Metadata = Type.Object(
  { issuer: Type.String(), jwks_uri: Type.String(), token_endpoint: Type.String() },
  { title: 'Metadata', additionalProperties: true },
);

/** The media type of a JWK Set (RFC 7517 section 8.5.2). */
const keySet = 'application/jwk-set+json';

/** Mount the routes. */
export function discoveryRoutes(app: FastifyInstance, house: House): void {
  const cacheable = `public, max-age=${jwksMaxAgeSeconds}`;

  app.get(
    '/.well-known/jwks.json',
    {
      schema: describeRoute({
        tag: 'Discovery',
        id: 'jwks',
        summary: 'The public keys (RFC 7517)',
        answers: {
          200: {
            description: 'Those that tokens may be signed with now or soon.',
            schema: Keys,
            type: keySet,
          },
        },
      }),
    },
    async (_, reply) => {
      // A key that another process made must be known before what it signs.
      house.store.catchUp();
      return reply.header('Cache-Control', cacheable).type(keySet).send(house.keys.jwks());
    },
  );

  app.get(
    '/.well-known/oauth-authorization-server',
    {
      schema: describeRoute({
        tag: 'Discovery',
        id: 'metadata',
        summary: 'The metadata of this server (RFC 8414)',
        answers: { 200: { description: 'Addresses and abilities.', schema: Metadata } },
      }),
    },
    async (_, reply) => reply.header('Cache-Control', cacheable).send(metadata(house)),
  );
}

function metadata({ settings }: House): Record<string, unknown> {
  const at = (path: string): string => `${settings.issuer.replace(/\/$/, '')}${path}`;
  const clientAuthentication = ['client_secret_basic', 'client_secret_post'];
  return {
    issuer: settings.issuer,
    jwks_uri: at('/.well-known/jwks.json'),
    token_endpoint: at('/token'),
    token_endpoint_auth_methods_supported: ['none', ...clientAuthentication],
    grant_types_supported: [...(settings.passwordGrant ? ['password'] : []), 'refresh_token'],
    response_types_supported: [],
    introspection_endpoint: at('/introspect'),
    introspection_endpoint_auth_methods_supported: clientAuthentication,
    revocation_endpoint: at('/revoke'),
    revocation_endpoint_auth_methods_supported: ['none', ...clientAuthentication],
    service_documentation: at('/docs'),
  };
}
