// Which strings are passwords at all, and the one spelling (NFKC) under which a password is hashed and compared.
// A lone surrogate has no UTF-8 of its own (it would become U+FFFD), so two such strings would hash equal: they are no passwords.

/**
 * The most UTF-16 units that are ever hashed. Longer ones are never set and never match, so that a megabyte costs no more than a wrong guess.
 * It lies far above the 256 characters of a new password, because imported hashes may belong to longer ones.
 */
export const longestTried = 4096;

/** Whether a string can be a password: well-formed Unicode, at most `longestTried` units. */
export function isPassword(text: string): boolean {
  return text.length <= longestTried && text.isWellFormed();
}

/** The spelling that is hashed (NIST SP 800-63B section 3.1.1.2). */
export function normalise(password: string): string {
  return password.normalize('NFKC');
}
