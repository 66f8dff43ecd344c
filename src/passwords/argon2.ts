// Argon2 (RFC 9106) and its PHC strings. The native package does the work, Node's own where there is no binary for the platform;
// both are synchronous here, because their asynchronous forms would queue on libuv's pool before every other user of it.
import * as crypto from 'node:crypto';
import { createRequire } from 'node:module';
import { decodeBase64, encodeBase64 } from './base64.ts';

/** The three kinds of RFC 9106. */
export type Argon2Kind = 'argon2id' | 'argon2i' | 'argon2d';

/** What an Argon2 hash costs. */
export interface Argon2Parameters {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  /** Bytes. */
  readonly tagLength: number;
}

/** An Argon2 hash, taken apart. */
export interface Argon2Hash extends Argon2Parameters {
  readonly kind: Argon2Kind;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** Computes a tag (version 19). Blocks the thread. */
export type Argon2 = (
  kind: Argon2Kind,
  parameters: Argon2Parameters,
  salt: Buffer,
  password: Buffer,
) => Buffer;

type NativePackage = Pick<typeof import('@node-rs/argon2'), 'hashRawSync'>;

// The values of the package's `Algorithm`, which is a const enum and so not there to import.
const algorithms = { argon2d: 0, argon2i: 1, argon2id: 2 } as const;

/** Argon2 by the native package if `load` finds its binary, by Node's own otherwise. */
export function chooseArgon2(load: () => NativePackage): Argon2 {
  let native: NativePackage;
  try {
    native = load();
  } catch {
    return nodeArgon2;
  }
  return (kind, { memory, passes, parallelism, tagLength }, salt, password) =>
    native.hashRawSync(password, {
      algorithm: algorithms[kind],
      memoryCost: memory,
      timeCost: passes,
      parallelism,
      outputLen: tagLength,
      salt,
    });
}

/** Argon2 by Node's own OpenSSL: half as fast as the native package. */
export const nodeArgon2: Argon2 = (kind, parameters, nonce, message) =>
  // Through the namespace, since an import by name would not load under Node before 24.7, which has the native package.
  crypto.argon2Sync(kind, { ...parameters, nonce, message });

let chosen: Argon2 | undefined;

/** Argon2 as this platform has it; the first call loads the binary (about 15 ms). */
export const argon2: Argon2 = (kind, parameters, salt, password) => {
  chosen ??= chooseArgon2(() => createRequire(import.meta.url)('@node-rs/argon2') as NativePackage);
  return chosen(kind, parameters, salt, password);
};

const shape =
  /^\$(argon2id|argon2i|argon2d)\$v=19\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** Take a PHC string apart; undefined if it is not one of version 19. Says nothing about what it would cost. */
export function parseArgon2(encoded: string): Argon2Hash | undefined {
  const [, kind, memory, passes, parallelism, salt64, tag64] = shape.exec(encoded) ?? [];
  const salt = decodeBase64(salt64 ?? '');
  const tag = decodeBase64(tag64 ?? '');
  if (!salt || !tag) return undefined;
  return {
    kind: kind as Argon2Kind,
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: tag.length,
    salt,
    tag,
  };
}

/** The PHC string of a hash: what the store keeps. */
export function formatArgon2({ kind, memory, passes, parallelism, salt, tag }: Argon2Hash): string {
  return `$${kind}$v=19$m=${memory},t=${passes},p=${parallelism}$${encodeBase64(salt)}$${encodeBase64(tag)}`;
}
