// Makes the hash of a password: argon2id at the lowest cost that OWASP accepts, since a log-in server must do many.
import { refuse } from '../errors.ts';
import { randomText } from '../secrets.ts';
import { type Argon2Parameters, argon2, formatArgon2 } from './argon2.ts';
import { isPassword, longestTried, normalise } from './normalise.ts';

/** How hashes are made now (OWASP Password Storage: m=19 MiB, t=2, p=1). Weaker ones are made anew at log-in. */
export const current: Argon2Parameters & { readonly kind: 'argon2id'; readonly saltLength: number } = {
  kind: 'argon2id',
  memory: 19 * 1024,
  passes: 2,
  parallelism: 1,
  saltLength: 16,
  tagLength: 32,
};

/**
 * The hash of a password as a PHC string (argon2id). Blocks the thread for 10 to 30 ms: a server asks a `Lane` instead.
 * Holds no rule but one: throws `password_refused` for what can never be tried, a text with a lone surrogate or over 4096 units.
 */
export function hashPassword(password: string): string {
  mustBePassword(password);
  const salt = Buffer.from(randomText(current.saltLength), 'base64url');
  const tag = argon2(current.kind, current, salt, Buffer.from(normalise(password), 'utf8'));
  return formatArgon2({ ...current, salt, tag });
}

/** Throw `password_refused` for a text that could be hashed but never tried. */
export function mustBePassword(password: string): void {
  if (isPassword(password)) return;
  const tooLong = password.length > longestTried;
  throw refuse('password_refused', {
    errors: [
      tooLong
        ? {
            field: 'password',
            code: 'too_long',
            detail: `No password is longer than ${longestTried} characters.`,
          }
        : { field: 'password', code: 'not_text', detail: 'A password must be valid Unicode text.' },
    ],
  });
}
