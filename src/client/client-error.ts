// What the client throws, and how an answer of the server becomes its value or that error.
// An answer that cannot be read says nothing about the session: a proxy's page must not sign anybody out.
import type { Problem } from '../wire/problem.ts';

/** One field that was refused, as the server names it. */
export type ClientFieldError = NonNullable<Problem['errors']>[number];

/** What an error says beyond its code. */
export interface ClientErrorExtra {
  readonly message?: string | undefined;
  readonly errors?: readonly ClientFieldError[] | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The one error that the client throws. `code` is the server's (docs/errors.md), `network` when no answer came,
 * or `unexpected_answer` when it could not be read.
 */
export class LatchkeyClientError extends Error {
  override readonly name = 'LatchkeyClientError';
  readonly code: string;
  /** The HTTP status; 0 when no answer came. */
  readonly status: number;
  /** The fields that were refused. */
  readonly errors: readonly ClientFieldError[];
  /** How long the server asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, status: number, { message, errors, retryAfterMs, cause }: ClientErrorExtra = {}) {
    super(message ?? code, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.errors = errors ?? [];
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer came: offline, refused, hung up, redirected where it must not be, or too slow. */
export function networkError(cause: unknown): LatchkeyClientError {
  return new LatchkeyClientError('network', 0, { message: 'No answer came from the server.', cause });
}

/** The value of a successful answer, undefined when it is empty. Throws `LatchkeyClientError`. */
export async function readAnswer(response: Response): Promise<unknown> {
  const text = await response.text().catch((cause) => {
    throw networkError(cause);
  });
  if (response.ok && text === '') return undefined;
  const body = parse(text);
  if (!response.ok) throw refusalOf(response, body);
  if (body === null) throw unexpected(response.status);
  return body;
}

/** An answer that makes no sense. */
export function unexpected(status: number): LatchkeyClientError {
  return new LatchkeyClientError('unexpected_answer', status, {
    message: `The server's answer (status ${status}) could not be read.`,
  });
}

function refusalOf(response: Response, body: Readonly<Record<string, unknown>> | null): LatchkeyClientError {
  const { code, detail, errors } = body ?? {};
  const wait = response.headers.get('retry-after') ?? '';
  const extra = {
    message: typeof detail === 'string' ? detail : undefined,
    errors: Array.isArray(errors) ? (errors as ClientFieldError[]) : undefined,
    retryAfterMs: /^\d{1,6}$/.test(wait) ? Number(wait) * 1000 : undefined,
  };
  if (typeof code === 'string') return new LatchkeyClientError(code, response.status, extra);
  // An app may have given refusals a shape of its own; the challenge (RFC 6750 section 3) stays what it is.
  if (/\berror="?invalid_token/.test(response.headers.get('www-authenticate') ?? ''))
    return new LatchkeyClientError('token_invalid', response.status, extra);
  const { message } = unexpected(response.status);
  return new LatchkeyClientError('unexpected_answer', response.status, { ...extra, message });
}

/** The object in a text, or null when it holds none. */
export function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
