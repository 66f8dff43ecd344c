// The door `latchkey/tokens`: make, verify and publish without a store or a framework. (exports only)
export { type Algorithm, algorithms, isAlgorithm } from './algorithms.ts';
export type { AccessClaims } from './claims.ts';
export { issueToken, type TokenType } from './issue.ts';
export { type Jwks, readJwks, toJwks } from './jwks.ts';
export {
  exportPrivateJwk,
  exportPublicJwk,
  generateKey,
  importPrivateJwk,
  importPublicJwk,
  type Jwk,
  type KeyPair,
  type SigningKey,
  thumbprint,
  type VerifyingKey,
} from './key.ts';
export { createVerifier, type Verdict, type Verifier, type VerifierOptions } from './verified-cache.ts';
export type { TokenFault } from './verify.ts';
