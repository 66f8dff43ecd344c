// Verifies tokens. What is cheap to refuse is refused before the signature is computed, and nothing in the payload is read before it is good.
// Nothing here throws, whatever the token: every fault is a value.
import { verifyBytes } from './algorithms.ts';
import { type AccessClaims, type ClaimsExpectation, type ClaimsFault, checkClaims } from './claims.ts';
import {
  type Compact,
  decodeBase64url,
  maxTokenLength,
  readHeader,
  splitCompact,
  type TokenHeader,
} from './compact.ts';
import type { TokenType } from './issue.ts';
import type { VerifyingKey } from './key.ts';
import { parseObject } from './strict-json.ts';

/** Why a token was refused: for logs and tests. At the door all of them but `expired` look alike, since the difference helps a forger. */
export type TokenFault =
  | 'too_large'
  | 'malformed'
  | 'wrong_type'
  | 'unknown_key'
  | 'wrong_algorithm'
  | 'bad_signature'
  | ClaimsFault;

/** What a service expects of a token. */
export interface Expectation extends ClaimsExpectation {
  readonly type: TokenType;
  /** The key of that name, from a Map or the like. The name is what a stranger wrote: look it up, never fetch by it. */
  readonly keys: (kid: string) => VerifyingKey | undefined;
  /** Headers already read, by their exact segment. */
  readonly headers?: HeaderMemory;
}

/** Headers of tokens that verified, so that the same few need not be parsed on each token. */
export interface HeaderMemory {
  get(segment: string): TokenHeader | undefined;
  add(segment: string, header: TokenHeader): void;
}

/** What a good token says and which key vouches for it, or why it was refused. */
export type TokenVerdict =
  | { readonly ok: true; readonly claims: AccessClaims; readonly key: VerifyingKey }
  | { readonly ok: false; readonly fault: TokenFault };

/** The signed bytes of a good token, whatever they mean, or why it was refused. */
export type SignatureVerdict =
  | { readonly ok: true; readonly payload: Buffer }
  | { readonly ok: false; readonly fault: TokenFault };

/** Verify an access token against what this service expects, at a time in seconds. */
export function verifyToken(token: string, expectation: Expectation, nowSeconds: number): TokenVerdict {
  const parts = readParts(token, expectation.headers);
  if ('fault' in parts) return parts;
  const { header } = parts;
  if (header.typ !== expectation.type) return refused('wrong_type');
  const key = header.kid === undefined ? undefined : expectation.keys(header.kid);
  // Compared again, in case the look-up answered to a name that no key bears, such as `constructor`.
  if (key === undefined || key.kid !== header.kid) return refused('unknown_key');
  const signature = verifyParts(parts, key);
  if (!signature.ok) return signature;
  expectation.headers?.add(parts.compact.header, header);
  const claims = parseObject(signature.payload);
  if (claims === null) return refused('malformed');
  const fault = checkClaims(claims, expectation, nowSeconds);
  return fault === null ? { ok: true, claims: claims as AccessClaims, key } : refused(fault);
}

/** Verify no more than form, algorithm and signature of a token under one key. The payload need not be claims. */
export function verifySignature(token: string, key: VerifyingKey): SignatureVerdict {
  const parts = readParts(token);
  return 'fault' in parts ? parts : verifyParts(parts, key);
}

interface Parts {
  readonly compact: Compact;
  readonly header: TokenHeader;
}

interface Refused {
  readonly ok: false;
  readonly fault: TokenFault;
}

function readParts(token: string, headers?: HeaderMemory): Parts | Refused {
  if (typeof token !== 'string') return refused('malformed');
  if (token.length > maxTokenLength) return refused('too_large');
  const compact = splitCompact(token);
  if (compact === null) return refused('malformed');
  const header = headers?.get(compact.header) ?? readHeader(compact.header);
  return header === null ? refused('malformed') : { compact, header };
}

function verifyParts({ compact, header }: Parts, key: VerifyingKey): SignatureVerdict {
  if (header.alg !== key.algorithm) return refused('wrong_algorithm');
  const payload = decodeBase64url(compact.payload);
  const signature = decodeBase64url(compact.signature);
  if (payload === null || signature === null) return refused('malformed');
  const signed = Buffer.from(compact.signed, 'latin1');
  return verifyBytes(key.algorithm, key.publicKey, signed, signature)
    ? { ok: true, payload }
    : refused('bad_signature');
}

function refused(fault: TokenFault): Refused {
  return { ok: false, fault };
}
