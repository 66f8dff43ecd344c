// Makes tokens that are wrong in one chosen way and right in every other: whatever is forged, the signature is made over it with the key.
// So a refusal is for the fault that a test names, and not because the signature happens to be bad.
import { signBytes } from '../../src/tokens/algorithms.ts';
import type { AccessClaims } from '../../src/tokens/claims.ts';
import type { KeyPair } from '../../src/tokens/key.ts';

/** The instant at which all these tokens are judged, and the same in seconds. */
export const now: number = Date.UTC(2026, 0, 1);
export const nowSeconds: number = now / 1000;

export const issuer = 'https://auth.example';
export const audience = 'https://api.example';
export const maxLifetimeSeconds = 900;

/** Claims that are good now, with changes; a member changed to undefined is left out. */
export function claimsWith(changes: Record<string, unknown> = {}): AccessClaims {
  return {
    iss: issuer,
    sub: 'user-1',
    aud: audience,
    iat: nowSeconds,
    exp: nowSeconds + 900,
    jti: 'token-1',
    sid: 'session-1',
    epoch: 0,
    ...changes,
  };
}

/** The header that the key's own tokens bear, with changes. */
export function headerWith(key: KeyPair, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { alg: key.algorithm, kid: key.kid, typ: 'at+jwt', ...changes };
}

export function encode(value: string | Buffer): string {
  return Buffer.from(value as string).toString('base64url');
}

/** Sign two segments as they are. */
export function signSegments(key: KeyPair, header: string, payload: string): string {
  const signature = signBytes(key.algorithm, key.privateKey, Buffer.from(`${header}.${payload}`));
  return `${header}.${payload}.${signature.toString('base64url')}`;
}

/** The token with one byte of its signature changed. */
export function spoil(token: string): string {
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const bytes = Buffer.from(signature, 'base64url');
  bytes[7]! ^= 1;
  return `${header}.${payload}.${encode(bytes)}`;
}

/** Sign any header and payload: objects become JSON, texts and bytes stay as they are. */
export function forge(
  key: KeyPair,
  header: object | string | Buffer = headerWith(key),
  payload: object | string | Buffer = claimsWith(),
): string {
  const text = (part: object | string | Buffer) =>
    typeof part === 'string' || Buffer.isBuffer(part) ? part : JSON.stringify(part);
  return signSegments(key, encode(text(header)), encode(text(payload)));
}
