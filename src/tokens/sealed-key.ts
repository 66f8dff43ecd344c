// The private half of a key as it lies in the store: AES-256-GCM under a key derived from the house's secret.
// Name, purpose and algorithm are bound in, so that a row which was copied over another one does not open.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deriveKey } from '../secrets.ts';
import { decodeBase64url } from './compact.ts';
import type { KeyRecord } from './keyring.ts';

/** What a sealed key is bound to. */
export type KeyIdentity = Pick<KeyRecord, 'kid' | 'purpose' | 'algorithm'>;

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const version = 'v1';

/** Seal the private half of a key. The text is `v1.NONCE.TAG.CIPHERTEXT`, each base64url. */
export function sealPrivate(secret: string, identity: KeyIdentity, plaintext: Buffer): string {
  // Random nonces of 96 bits are safe for far more keys than a ring will ever hold (NIST SP 800-38D section 8.3).
  const nonce = randomBytes(nonceBytes);
  const sealing = createCipheriv(cipher, sealingKey(secret), nonce, { authTagLength: tagBytes });
  sealing.setAAD(boundTo(identity));
  const ciphertext = Buffer.concat([sealing.update(plaintext), sealing.final()]);
  const parts = [nonce, sealing.getAuthTag(), ciphertext].map((part) => part.toString('base64url'));
  return [version, ...parts].join('.');
}

/** Open what `sealPrivate` made; null when it does not open: another secret, another key's row, or damage. */
export function openPrivate(secret: string, identity: KeyIdentity, sealed: string): Buffer | null {
  const [written, ...texts] = sealed.split('.');
  const [nonce, tag, ciphertext, ...more] = texts.map(decodeBase64url);
  if (written !== version || !nonce || !tag || !ciphertext || more.length > 0) return null;
  // GCM would take a shorter tag, which is easier to guess.
  if (nonce.length !== nonceBytes || tag.length !== tagBytes) return null;
  const opening = createDecipheriv(cipher, sealingKey(secret), nonce, { authTagLength: tagBytes });
  opening.setAAD(boundTo(identity)).setAuthTag(tag);
  try {
    return Buffer.concat([opening.update(ciphertext), opening.final()]);
  } catch {
    return null;
  }
}

function sealingKey(secret: string): Buffer {
  return deriveKey(secret, 'key sealing');
}

function boundTo({ kid, purpose, algorithm }: KeyIdentity): Buffer {
  return Buffer.from(JSON.stringify([version, kid, purpose, algorithm]));
}
