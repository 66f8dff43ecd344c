// The Authorization header, read once and strictly; every framework and the server itself come through here (RFC 9110 section 11.6.2).
import { refuse } from '../errors.ts';

/** What the Authorization header held. */
export type Authorization =
  | { readonly scheme: 'none' }
  | { readonly scheme: 'bearer'; readonly token: string }
  | { readonly scheme: 'basic'; readonly name: string; readonly password: string }
  | { readonly scheme: 'other' };

/** Every Authorization header of a request that Node read: it keeps the first of several in `headers` and hides the rest. */
export function authorizationHeaders(rawHeaders: readonly string[]): string[] {
  const found: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() === 'authorization') found.push(rawHeaders[index + 1]!);
  }
  return found;
}

/** Read the Authorization headers of a request. Throws `ambiguous_credentials` when there are two, or two credentials in one. */
export function readAuthorization(headers: readonly string[]): Authorization {
  const [value, second] = headers;
  if (second !== undefined) throw refuse('ambiguous_credentials');
  if (value === undefined) return { scheme: 'none' };
  const match = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+) +([^ ,].*)$/.exec(value);
  const scheme = match?.[1]?.toLowerCase();
  const rest = match?.[2] ?? '';
  if (scheme === 'bearer') return readBearer(rest);
  if (scheme === 'basic') return readBasic(rest);
  return { scheme: 'other' };
}

function readBearer(token: string): Authorization {
  // A blank or comma would be a second credential in the same header.
  if (/[\s,]/.test(token)) throw refuse('ambiguous_credentials');
  return { scheme: 'bearer', token };
}

/** RFC 7617: base64 of `name:password` in UTF-8; the name holds no colon. */
function readBasic(encoded: string): Authorization {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return { scheme: 'other' };
  const text = readUtf8(Buffer.from(encoded, 'base64'));
  const colon = text?.indexOf(':') ?? -1;
  if (text === null || colon < 0) return { scheme: 'other' };
  return { scheme: 'basic', name: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** A text, or null for what is not UTF-8. */
export function readUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
