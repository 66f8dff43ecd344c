// What every route says of itself in the OpenAPI document: its answers, its lock, the tag it stands under.
import { type TSchema, Type } from 'typebox';
import { type LatchkeyError, refuse } from '../errors.ts';
import { problem } from '../problem.ts';
import { OAuthProblem, Problem } from '../wire/problem.ts';
import { oauthProblem } from './refusals.ts';

/** What one answer looks like. */
export interface Answer {
  readonly description: string;
  readonly schema?: TSchema;
  /** In the place of the schema's own example. */
  readonly example?: unknown;
  /** Its media type, where that is not application/json. */
  readonly type?: string;
}

/** The parts of the API page. */
export type Tag =
  | 'Sign in'
  | 'Your account'
  | 'Administration'
  | 'For other services'
  | 'Discovery'
  | 'Probes';

/** How a route is locked: a bearer token (with the scope it needs), client credentials, HTTP Basic, a refresh token. */
export type Lock = 'bearer' | 'admin' | 'client' | 'basic' | 'refresh' | 'bearer or refresh';

const locks: Readonly<Record<Lock, Record<string, string[]>[]>> = {
  bearer: [{ password: [] }, { bearer: [] }],
  admin: [{ password: ['admin'] }, { bearer: [] }],
  client: [{ client: [] }],
  basic: [{ basic: [] }],
  refresh: [{ refresh: [] }],
  'bearer or refresh': [{ password: [] }, { bearer: [] }, { refresh: [] }],
};

const sentences: Readonly<Record<number, string>> = {
  400: 'The request could not be read.',
  401: 'The credentials are missing or not good.',
  403: 'Not allowed.',
  404: 'There is no such thing.',
  409: 'The name or address is taken.',
  415: 'The media type is not the one that this route reads.',
  422: 'A field is missing or wrong.',
  503: 'Not now: `Retry-After` says when.',
};

/** What a route tells about itself. */
export interface Description<Body extends TSchema, Query extends TSchema, Params extends TSchema> {
  readonly tag: Tag;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly lock?: Lock;
  readonly body?: Body;
  readonly query?: Query;
  readonly params?: Params;
  /** Good answers by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** The statuses of refusals. */
  readonly refuses?: readonly number[];
  /** Whether refusals and body have the form of RFC 6749. */
  readonly oauth?: boolean;
}

/** The `schema` of a Fastify route: it gives body, query and params their types. What is not described has the type `unknown`. */
export interface RouteSchema<Body extends TSchema, Query extends TSchema, Params extends TSchema> {
  readonly body?: Body;
  readonly querystring?: Query;
  readonly params?: Params;
  readonly [more: string]: unknown;
}

/** Describe a route. */
export function describeRoute<
  Body extends TSchema = TSchema,
  Query extends TSchema = TSchema,
  Params extends TSchema = TSchema,
>(route: Description<Body, Query, Params>): RouteSchema<Body, Query, Params> {
  const { tag, id, summary, description, lock, body, query, params, answers } = route;
  const { refuses = [], oauth = false } = route;
  const good = Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)]);
  const bad = [...refuses].sort().map((status) => [status, refusalOf(status, oauth)]);
  return {
    tags: [tag],
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    ...(lock !== undefined && { security: locks[lock] }),
    ...(body !== undefined && { body }),
    ...(oauth && { consumes: ['application/x-www-form-urlencoded'] }),
    ...(query !== undefined && { querystring: query }),
    ...(params !== undefined && { params }),
    response: Object.fromEntries([...good, ...bad]),
  };
}

function answerOf({
  description,
  schema,
  example,
  type = 'application/json',
}: Answer): Record<string, unknown> {
  if (schema === undefined) return { description, ...Type.Null() };
  return { description, content: { [type]: { schema, ...(example !== undefined && { example }) } } };
}

const exampleRequestId = 'q7Zc0aXv3mBt';

/** A refusal that this status is likely to be about. */
function exampleOf(status: number, oauth: boolean): LatchkeyError {
  if (status === 401) return refuse(oauth ? 'invalid_client' : 'token_expired');
  if (status === 400) return refuse(oauth ? 'invalid_credentials' : 'malformed_json');
  if (status === 403) return refuse('insufficient_scope');
  if (status === 404) return refuse('not_found');
  if (status === 409) return refuse('username_taken');
  if (status === 415) return refuse('unsupported_media_type');
  if (status === 503) return refuse('store_unavailable');
  const errors = [{ field: 'password', code: 'required', detail: 'is required.' }];
  return refuse('invalid_input', { errors });
}

function refusalOf(status: number, oauth: boolean): Record<string, unknown> {
  const description = sentences[status] ?? 'Refused.';
  const refusal = exampleOf(status, oauth);
  return oauth && status !== 415
    ? answerOf({ description, schema: OAuthProblem, example: oauthProblem(refusal) })
    : answerOf({
        description,
        schema: Problem,
        example: problem(refusal, exampleRequestId),
        type: 'application/problem+json',
      });
}
