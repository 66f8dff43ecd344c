// What a new password must be. Held where a password is set, never where it is tried: an old or imported one still logs in.
import { commonPasswords } from './common-passwords.ts';
import { isOneCharacter, isRunOfKeys } from './keyboard.ts';
import { isPassword, longestTried, normalise } from './normalise.ts';

/** The fewest characters of a new password (NIST SP 800-63B section 3.1.1.2 with a second factor in view; ASVS 6.2.1). */
const shortest = 8;
/** The most characters of a new password. */
const longest = 256;

/** Whose password it is to be: what is known of the account. */
export interface PasswordContext {
  readonly username?: string | null;
  readonly email?: string | null;
}

/** One reason why a password is refused. */
export interface PasswordFault {
  /** A stable word for programs. */
  readonly code: 'too_short' | 'too_long' | 'too_common' | 'too_simple' | 'contains_name' | 'not_text';
  /** A sentence for people; never holds the password. */
  readonly detail: string;
}

const faults = {
  not_text: {
    code: 'not_text',
    detail: 'A password must be valid Unicode text; this one holds half a character.',
  },
  too_short: { code: 'too_short', detail: `A password has at least ${shortest} characters.` },
  too_long: { code: 'too_long', detail: `A password has at most ${longest} characters.` },
  too_common: {
    code: 'too_common',
    detail: 'This password is on the list of common ones, or is one of them followed by digits.',
  },
  one_character: {
    code: 'too_simple',
    detail: 'This password is one character, again and again.',
  },
  run_of_keys: {
    code: 'too_simple',
    detail: 'This password is a run of digits, letters or neighbouring keys.',
  },
  contains_name: {
    code: 'contains_name',
    detail: 'This password is your name or address, alone or with digits and signs around it.',
  },
} as const satisfies Record<string, PasswordFault>;

/**
 * Every reason to refuse a new password; none means that it is good. Any composition will do, blanks and all of Unicode too.
 * The first call reads the list of common passwords, which blocks for about 30 ms: a server asks `Lane.check` instead.
 */
export function checkNewPassword(password: string, context: PasswordContext = {}): PasswordFault[] {
  // No text shrinks to less than an eighth of its units under NFKC, so this is too long in any spelling.
  if (password.length > longestTried) return [faults.too_long];
  if (!isPassword(password)) return [faults.not_text];
  const text = normalise(password);
  const length = [...text].length;
  if (length > longest) return [faults.too_long];
  const found: PasswordFault[] = [];
  if (length < shortest) found.push(faults.too_short);
  if (isCommon(text)) found.push(faults.too_common);
  if (isOneCharacter(fold(text))) found.push(faults.one_character);
  else if (isRunOfKeys(fold(text))) found.push(faults.run_of_keys);
  if (holdsName(text, context)) found.push(faults.contains_name);
  return found;
}

/** Whether a text is a listed word, or one followed by digits. */
function isCommon(text: string): boolean {
  const list = commonPasswords();
  const folded = fold(text);
  if (list.has(folded)) return true;
  let word = folded;
  while (/\d$/.test(word)) {
    word = word.slice(0, -1);
    // A listed number followed by digits is any number: only words count here.
    if (/\D/.test(word) && list.has(word)) return true;
  }
  return false;
}

/** Names shorter than this stand in too many good passwords by chance. */
const shortestName = 3;

/** Whether a text is one of the account's names with nothing but digits and signs around it. */
function holdsName(text: string, { username, email }: PasswordContext): boolean {
  const bare = letters(text);
  return [username, email, email?.split('@')[0]]
    .map((name) => letters(name ?? ''))
    .filter((name) => [...name].length >= shortestName)
    .some((name) => isWrapped(bare, name));
}

function isWrapped(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    if (!/\p{L}/u.test(text.slice(0, at) + text.slice(at + name.length))) return true;
  }
  return false;
}

/** Letters, marks and digits alone, folded: `John.Smith` and `john smith` are one name. */
function letters(text: string): string {
  return fold(normalise(text)).replace(/[^\p{L}\p{M}\p{N}]/gu, '');
}

/** Case folding near enough for comparison here (UTS 18 would call it simple): through upper case, so that ß meets SS. */
function fold(text: string): string {
  return text.toUpperCase().toLowerCase();
}
