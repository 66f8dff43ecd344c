// Random ids, hashes of secrets, equality in constant time. All randomness of the house comes from here.
import { createHash, hkdfSync, randomBytes, randomFillSync, timingSafeEqual } from 'node:crypto';

/** `bytes` random bytes from the system's generator, base64url without padding. */
export function randomText(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

/** A new UUID version 7 (RFC 9562 section 5.7): its first 48 bits are `now` in milliseconds, 74 bits are random. */
export function uuidv7(now: number): string {
  const bytes = randomFillSync(Buffer.alloc(16));
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** SHA-256 of a text, base64url. For secrets of at least 128 random bits only; passwords go to the room of that name. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('base64url');
}

/** Whether two secrets are equal, in a time that depends on neither of them. */
export function equalSecrets(left: string | Uint8Array, right: string | Uint8Array): boolean {
  // Hashing first makes both sides one length, so that timingSafeEqual tells nothing of it.
  return timingSafeEqual(
    createHash('sha256').update(left).digest(),
    createHash('sha256').update(right).digest(),
  );
}

/** A 32-byte key for one purpose, derived from the house's secret (HKDF-SHA256, RFC 5869). */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(
    hkdfSync('sha256', Buffer.from(secret, 'utf8'), Buffer.alloc(0), `latchkey ${purpose}`, 32),
  );
}
