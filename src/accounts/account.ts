// What an account is, and how the names by which it is known are read. Two spellings are one name when their keys are equal:
// a store keeps the key beside the name, and the key is what is unique there.
import { domainToASCII, domainToUnicode } from 'node:url';
import type { Instant } from '../clock.ts';
import { localPartKey, nfkc, usernameKey } from './name-key.ts';
import { hasOnlyNameCharacters, isOneWritingSystem } from './writing-systems.ts';

/** A user as the house knows it; the hash of the password is not part of it. */
export interface Account {
  /** UUID version 7. */
  readonly id: string;
  /** In NFKC, as it was written. An account has a username, an address, or both. */
  readonly username: string | null;
  /** As it was written. */
  readonly email: string | null;
  /** Log-in is refused like a wrong password. */
  readonly disabled: boolean;
  readonly emailVerified: boolean;
  /** The fields of the app that embeds the house: plain JSON. */
  readonly profile: Readonly<Record<string, unknown>>;
  readonly scopes: readonly string[];
  /**
   * Carried by every access token. What ends all tokens of the account (a new password, disabling, deletion, signing out
   * everywhere, the loss of a scope) raises it and revokes what is below: no revocation of the house compares times.
   */
  readonly epoch: number;
  /** Goes up with every change of the row: what a compare-and-set compares. */
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** Why a value was refused: a short word for programs and a sentence for people, without the value. */
export interface Fault {
  readonly code:
    | 'wrong_type'
    | 'too_short'
    | 'too_long'
    | 'forbidden_character'
    | 'mixed_scripts'
    | 'not_normalized'
    | 'not_an_address'
    | 'not_a_domain'
    | 'not_a_scope';
  readonly detail: string;
}

/** Something that was refused, with its reason. */
export interface Refused {
  readonly ok: false;
  readonly fault: Fault;
}

function refused(code: Fault['code'], detail: string): Refused {
  return { ok: false, fault: { code, detail } };
}

/** A username and the key under which it is unique. */
export interface Username {
  readonly ok: true;
  readonly username: string;
  readonly key: string;
}

const longestUsername = 64;

/**
 * Read a username: 1 to 64 characters (code points) in NFKC, letters and digits of one script, `.` `_` `-`, at least one
 * letter or digit. Names that differ in case or compatibility form alone have one key, which is itself such a name.
 */
export function readUsername(raw: unknown): Username | Refused {
  if (typeof raw !== 'string') return refused('wrong_type', 'A username is a text.');
  if (raw.length === 0) return refused('too_short', 'A username has at least one character.');
  // Before any work is done on it. NFKC makes a text shorter only by joining letters, four at most.
  if (raw.length > 8 * longestUsername) return tooLongUsername;
  const username = nfkc(raw);
  if (!hasOnlyNameCharacters(username)) {
    return refused('forbidden_character', 'A username holds letters, digits, and the marks . _ - only.');
  }
  if (!isOneWritingSystem(username)) {
    return refused('mixed_scripts', 'The letters and digits of a username are of one script.');
  }
  if (!/[\p{L}\p{Nd}]/u.test(username)) {
    return refused('too_short', 'A username has at least one letter or digit.');
  }
  const key = usernameKey(username);
  // The key may be longer (ß is ss there). It has to fit too, or of two spellings of one name only one would be accepted.
  if (characters(username) > longestUsername || characters(key) > longestUsername) return tooLongUsername;
  return { ok: true, username, key };
}

const tooLongUsername = refused('too_long', `A username has at most ${longestUsername} characters.`);

function characters(text: string): number {
  return [...text].length;
}

/** An address and the key under which it is unique. */
export interface Email {
  readonly ok: true;
  readonly email: string;
  readonly key: string;
}

// RFC 5321 section 4.5.3.1 counts octets: 64 for the local part, and 256 for a path with its angle brackets.
const longestLocalPart = 64;
const longestEmail = 254;
// A dot-atom (RFC 5322 section 3.2.3) with the letters of RFC 6532. Quoted local parts and comments are left out: nobody has
// one, and no two programs read them alike.
const atom = String.raw`[[a-zA-Z0-9!#$%\&'*+\/=?^_\`\{\|\}~\-\p{L}\p{M}\p{Nd}]--\p{Default_Ignorable_Code_Point}]+`;
const dotAtom = new RegExp(`^${atom}(?:\\.${atom})*$`, 'v');

/**
 * Read one e-mail address: `local@domain` in NFKC, nothing around it, 254 octets of UTF-8 at most, 64 before the `@`. The key
 * is the whole address case-folded, its domain in ASCII form (so that `bücher.example` and `xn--bcher-kva.example` are one).
 * Mail goes to the address that is stored, never to one that was typed and has the same key.
 */
export function readEmail(raw: unknown): Email | Refused {
  if (typeof raw !== 'string') return refused('wrong_type', 'An email address is a text.');
  if (raw.length === 0) return refused('too_short', 'An email address is not empty.');
  if (raw.length > longestEmail) return tooLongEmail;
  // Normalising it here would make another address of it, whose mailbox may be another person's.
  if (nfkc(raw) !== raw) {
    return refused('not_normalized', 'The email address has characters that are not in Unicode form NFKC.');
  }
  const [local, domain, ...more] = raw.split('@');
  if (!local || !domain || more.length > 0 || !dotAtom.test(local)) {
    return refused('not_an_address', 'This is not one email address of the form name@example.com.');
  }
  const asciiDomain = readDomain(domain);
  if (asciiDomain === null) {
    return refused('not_a_domain', 'The part after the @ is not a domain name such as example.com.');
  }
  const localKey = localPartKey(local);
  const key = `${localKey}@${asciiDomain}`;
  if ([local, localKey].some((part) => octets(part) > longestLocalPart)) return tooLongEmail;
  if ([raw, key].some((whole) => octets(whole) > longestEmail)) return tooLongEmail;
  return { ok: true, email: raw, key };
}

const tooLongEmail = refused(
  'too_long',
  `An email address has at most ${longestEmail} bytes, ${longestLocalPart} of them before the @.`,
);

function octets(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

const label = /^[\p{L}\p{M}\p{Nd}\-]+$/v;
const asciiLabel = /^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?$/v;
// Not a number in any base: the converter reads those as IPv4 addresses.
const topLabel = /^(?!0x)[a-z][a-z0-9\-]*[a-z0-9]$/v;

/**
 * The ASCII form of a domain name with a dot in it, or null. `localhost` and other names without a dot are refused: what
 * they mean depends on the machine that reads them, so they are no address for an account.
 */
function readDomain(domain: string): string | null {
  const labels = domain.split('.');
  // Checked before the converter sees it, which takes whole host parts: ports, percent signs, invisible letters.
  if (labels.length < 2 || !labels.every((part) => label.test(part))) return null;
  if (/\p{Default_Ignorable_Code_Point}/v.test(domain)) return null;
  const ascii = domainToASCII(domain);
  const unicode = domainToUnicode(ascii);
  const asciiLabels = ascii.split('.');
  const wellFormed =
    asciiLabels.every((part) => asciiLabel.test(part)) &&
    topLabel.test(asciiLabels.at(-1)!) &&
    // What stands for no Unicode name, or for another than itself, would be a second spelling of something.
    !/(?:^|\.)xn--/.test(unicode) &&
    domainToASCII(unicode) === ascii;
  return wellFormed ? ascii : null;
}

/** Under which key to look for whoever wants to log in. */
export interface LoginName {
  readonly by: 'username' | 'email';
  /** Empty for what cannot be a name. No account has that key, so it takes the path of an unknown name and tells nothing. */
  readonly key: string;
}

/** Read what was typed where a log-in asks for a name: with an `@` it is an address, without one a username. Never refuses. */
export function readLoginName(raw: unknown): LoginName {
  if (typeof raw === 'string' && raw.includes('@')) {
    const email = readEmail(raw);
    return { by: 'email', key: email.ok ? email.key : '' };
  }
  const username = readUsername(raw);
  return { by: 'username', key: username.ok ? username.key : '' };
}

/** Scopes in the order given, none twice. */
export interface Scopes {
  readonly ok: true;
  readonly scopes: readonly string[];
}

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
// Every access token carries them, and a token has at most 8 KB.
const longestScopeText = 1024;

/** Read scopes: a list, or a text with one space between two (RFC 6749 section 3.3). An empty text is no scopes. */
export function readScopes(raw: unknown): Scopes | Refused {
  const given = typeof raw === 'string' ? (raw === '' ? [] : raw.split(' ')) : raw;
  if (!Array.isArray(given) || !given.every((scope) => typeof scope === 'string')) {
    return refused('wrong_type', 'Scopes are a list of texts, or one text with a space between two scopes.');
  }
  if (given.length > longestScopeText) return tooLongScopes;
  if (!given.every((scope) => scopeToken.test(scope))) {
    return refused(
      'not_a_scope',
      'A scope is printable ASCII without spaces, double quotes and backslashes.',
    );
  }
  const scopes = [...new Set(given)];
  if (scopeText(scopes).length > longestScopeText) return tooLongScopes;
  return { ok: true, scopes };
}

const tooLongScopes = refused('too_long', `The scopes have at most ${longestScopeText} characters together.`);

/** Scopes as the `scope` of a token or of an answer (RFC 6749 section 3.3). */
export function scopeText(scopes: readonly string[]): string {
  return scopes.join(' ');
}
