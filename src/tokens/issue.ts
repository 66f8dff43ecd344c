// Makes tokens. The header of a key is the same on every token, so it is encoded once.
import { signBytes } from './algorithms.ts';
import type { AccessClaims } from './claims.ts';
import { maxTokenLength } from './compact.ts';
import type { SigningKey } from './key.ts';

/** The `typ` of the tokens made here (RFC 9068 section 2.1): what keeps one kind from passing for another. */
export type TokenType = 'at+jwt';

const headers: Readonly<Record<TokenType, WeakMap<SigningKey, string>>> = { 'at+jwt': new WeakMap() };

/** A signed token in compact form (RFC 7515 section 7.1). The claims are signed as they are, unchecked. Throws a RangeError when the claims make it longer than any guard would read. */
export function issueToken(key: SigningKey, type: TokenType, claims: AccessClaims): string {
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
  const signed = `${headerSegment(key, type)}.${payload}`;
  const signature = signBytes(key.algorithm, key.privateKey, Buffer.from(signed, 'latin1'));
  const token = `${signed}.${signature.toString('base64url')}`;
  if (token.length > maxTokenLength) {
    throw new RangeError(
      `The token would be longer than ${maxTokenLength} characters: it carries too many claims.`,
    );
  }
  return token;
}

function headerSegment(key: SigningKey, type: TokenType): string {
  const known = headers[type].get(key);
  if (known !== undefined) return known;
  const header = JSON.stringify({ alg: key.algorithm, kid: key.kid, typ: type });
  const segment = Buffer.from(header).toString('base64url');
  headers[type].set(key, segment);
  return segment;
}
