// What every route says of itself in the OpenAPI document: its answers, its lock, the tag it stands under.
import { type TSchema, Type } from 'typebox';
import { OAuthProblem, Problem } from '../wire/problem.ts';

/** What one answer looks like. */
export interface Answer {
  readonly description: string;
  readonly schema?: TSchema;
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
  refresh: [{ refresh: [] }, {}],
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
export interface Description {
  readonly tag: Tag;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly lock?: Lock;
  readonly body?: TSchema;
  readonly query?: TSchema;
  readonly params?: TSchema;
  /** Good answers by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** The statuses of refusals. */
  readonly refuses?: readonly number[];
  /** Whether refusals and body have the form of RFC 6749. */
  readonly oauth?: boolean;
}

/** The `schema` of a Fastify route. */
export function describeRoute(route: Description): Record<string, unknown> {
  const {
    tag,
    id,
    summary,
    description,
    lock,
    body,
    query,
    params,
    answers,
    refuses = [],
    oauth = false,
  } = route;
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

function answerOf({ description, schema, type = 'application/json' }: Answer): Record<string, unknown> {
  if (schema === undefined) return { description, ...Type.Null() };
  return { description, content: { [type]: { schema } } };
}

function refusalOf(status: number, oauth: boolean): Record<string, unknown> {
  const description = sentences[status] ?? 'Refused.';
  return oauth && status !== 415
    ? answerOf({ description, schema: OAuthProblem })
    : answerOf({ description, schema: Problem, type: 'application/problem+json' });
}
