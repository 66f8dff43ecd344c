// The compact form of RFC 7515 section 7.1, read strictly: every token has one spelling, and its header says only what we know.
import { parseObject } from './strict-json.ts';

/** The longest token, in characters. Longer ones are refused unread. */
export const maxTokenLength = 8192;

/** The longest `kid` that is looked up. */
export const maxKidLength = 256;

/** The three segments of a token, still encoded, and what its signature covers. */
export interface Compact {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
  readonly signed: string;
}

/** What a header may say. All of it is a claim of the token about itself, to be compared and never to be followed. */
export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly typ: string | undefined;
}

// Everything else is refused, unknown names too: `crit`, `b64`, `cty`, `jwk`, `jku`, `x5u`, `x5c` ask for things that are not done here.
const headerNames = new Set(['alg', 'kid', 'typ']);

/** Cut a token at its two dots; null when there are not exactly two. Looks at no more than three dots, however many there are. */
export function splitCompact(token: string): Compact | null {
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first < 1 || second < 0 || token.includes('.', second + 1)) return null;
  return {
    header: token.slice(0, first),
    payload: token.slice(first + 1, second),
    signature: token.slice(second + 1),
    signed: token.slice(0, second),
  };
}

/** The bytes of a base64url text without padding; null unless it is the one text that those bytes encode to (RFC 4648 section 3.5). */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  // Node skips what it does not know (blanks, padding, the standard alphabet, trailing bits), so encode again and compare.
  return bytes.toString('base64url') === text ? bytes : null;
}

/** Read a header segment; null when it is malformed or says anything besides `alg`, `kid` and `typ`. */
export function readHeader(segment: string): TokenHeader | null {
  const bytes = decodeBase64url(segment);
  const header = bytes && parseObject(bytes);
  if (!header || !Object.keys(header).every((name) => headerNames.has(name))) return null;
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || !isOptionalText(kid) || !isOptionalText(typ)) return null;
  if (kid !== undefined && (kid.length === 0 || kid.length > maxKidLength)) return null;
  return { alg, kid, typ };
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
