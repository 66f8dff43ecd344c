// How a refusal leaves: problem+json (RFC 9457), or the shape of RFC 6749 at the OAuth endpoints. Nothing that the client sent
// is in it, and nothing of what went wrong underneath.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type FieldError,
  isLatchkeyError,
  type LatchkeyError,
  type Refusal,
  refusals,
  refuse,
} from '../errors.ts';
import { challengeOf, describable, problem } from '../problem.ts';
import type { OAuthProblem } from '../wire/problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether refusals of this route have the shape of RFC 6749. */
    oauth?: boolean;
    /** What the `WWW-Authenticate` of a 401 says in the place of Bearer. */
    challenge?: 'basic';
  }
}

/** Answer a request with a refusal. */
export function sendRefusal(request: FastifyRequest, reply: FastifyReply, refusal: LatchkeyError): void {
  const config = request.routeOptions.config;
  const row: Refusal = refusals[refusal.code];
  if (refusal.extra.retryAfter !== undefined)
    reply.header('Retry-After', Math.ceil(refusal.extra.retryAfter));
  reply.header('Cache-Control', 'no-store');
  const asOAuth = config.oauth === true && isOAuthRefusal(row);
  const status = asOAuth ? oauthStatus(row) : row.status;
  const challenge = status === 401 || status === 403 ? challengeOf(refusal, config.challenge) : null;
  if (challenge !== null) reply.header('WWW-Authenticate', challenge);
  if (asOAuth) {
    reply.code(status).type('application/json; charset=utf-8').send(oauthProblem(refusal));
    return;
  }
  reply.code(status).type('application/problem+json; charset=utf-8').send(problem(refusal, request.id));
}

/** The body of RFC 6749 section 5.2. */
export function oauthProblem({ code, message, extra }: LatchkeyError): OAuthProblem {
  const row: Refusal = refusals[code];
  // This shape has no member for them, so the sentence names the fields itself.
  const fields = extra.errors?.map(({ field, detail }) => `${field}: ${detail}`).join(' ');
  return {
    error: row.oauth ?? 'invalid_request',
    error_description: describable(fields ?? message),
    code,
  };
}

/** What a client did wrong in terms of OAuth; a media type or method that is wrong is HTTP's affair. */
function isOAuthRefusal(row: Refusal): boolean {
  return row.oauth !== undefined || row.status === 422 || row.status === 400;
}

/** RFC 6749 section 5.2 knows 400, and 401 for a client that failed to prove itself. */
function oauthStatus({ oauth, status }: Refusal): number {
  if (status === 503) return 503;
  return oauth === 'invalid_client' ? 401 : 400;
}

const ofFastify: Readonly<Record<string, Parameters<typeof refuse>[0]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_BAD_URL: 'malformed_request',
  FST_ERR_NOT_FOUND: 'not_found',
};

/** Any error as the refusal that it is answered with. */
function refusalFor(error: unknown): LatchkeyError {
  if (isLatchkeyError(error)) return error;
  const { code, statusCode } = error as Partial<FastifyError>;
  const known = code === undefined ? undefined : ofFastify[code];
  if (known !== undefined) return refuse(known);
  if (error instanceof SyntaxError) return refuse('malformed_json');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return refuse('malformed_request');
  return refuse('internal', { cause: error });
}

/** A refusal that names fields. */
export function invalid(errors: readonly FieldError[]): LatchkeyError {
  return refuse('invalid_input', { errors });
}

/** Answer every error of an app in this way, and log those that are ours. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalFor(error);
    if (refusal.status >= 500)
      request.log.error({ err: refusal.cause ?? error, code: refusal.code }, 'refused');
    sendRefusal(request, reply, refusal);
  });
}
