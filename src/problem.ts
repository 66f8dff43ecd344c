// A refusal as HTTP says it: the body of RFC 9457 and the challenge of a 401 or 403. Nothing that the client sent is in either.
import { type FieldError, type LatchkeyError, type Refusal, refusals } from './errors.ts';

/** The body of RFC 9457. `code` is stable; docs/errors.md lists them all. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  request_id?: string;
  errors?: FieldError[];
}

/** The realm of every challenge. */
const realm = 'latchkey';

/** The body of a refusal. `requestId` is what the log knows the request by. */
export function problem<Id extends string | undefined>(
  { code, message, extra }: LatchkeyError,
  requestId: Id,
): ProblemBody & (Id extends string ? { request_id: string } : unknown) {
  const { status, title } = refusals[code];
  return {
    type: 'about:blank',
    title,
    status,
    detail: message,
    code,
    ...(requestId !== undefined && { request_id: requestId }),
    ...(extra.errors !== undefined && { errors: extra.errors.map((error) => ({ ...error })) }),
  } as ProblemBody & { request_id: string };
}

/** What `WWW-Authenticate` says of a refusal (RFC 6750 section 3, RFC 9470 section 3, RFC 7617), or null. */
export function challengeOf({ code, extra }: LatchkeyError, scheme: 'basic' | undefined): string | null {
  const { challenge } = refusals[code] as Refusal;
  if (challenge === undefined) return null;
  if (challenge === 'basic' || scheme === 'basic') return `Basic realm="${realm}", charset="UTF-8"`;
  const parts = [`Bearer realm="${realm}"`];
  if (challenge !== 'bearer') {
    // The sentences of the table hold no quotes and no backslashes but in code spans, which are taken out.
    parts.push(`error="${challenge}"`, `error_description="${describable(refusals[code].detail)}"`);
  }
  if (extra.maxAge !== undefined) parts.push(`max_age="${extra.maxAge}"`);
  if (extra.scope !== undefined) parts.push(`scope="${extra.scope}"`);
  return parts.join(', ');
}

/** The characters that RFC 6749 section 5.2 allows in `error_description`. */
export function describable(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, "'");
}
