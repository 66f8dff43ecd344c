// Which texts may be the secret of the house, and how one is made. The secret seals the keys, so a text that could be guessed
// is worth nothing: whoever reads the store would try all of them at home.
import { randomText } from './secrets.ts';

/** A new secret: 256 random bits, 43 characters of base64url. What `latchkey secret` prints. */
export function generateSecret(): string {
  return randomText(32);
}

const shortest = 32;
const longest = 1024;
/** The least that `estimateBits` must find in a secret. Sixteen random bytes in hex, the weakest that is taken, come to 118. */
export const leastBits = 64;

/** Why a text may not be the secret (`is too short …`), or null. Never holds the text. */
export function secretFault(text: string): string | null {
  if (isListed(text)) return 'is one that is known from documentation or examples';
  if (text.length < shortest) return `is too short: it has fewer than ${shortest} characters`;
  if (text.length > longest) return `is too long: it has more than ${longest} characters`;
  if (!/^[\x20-\x7e]+$/.test(text)) return 'holds characters other than printable ASCII';
  if (text.trim() !== text) return 'begins or ends with a blank';
  if (estimateBits(text) < leastBits) {
    return `is too easy to guess: words, repeats and rows of it are worth fewer than ${leastBits} bits`;
  }
  return null;
}

/** Secrets that stand in documentation, ours and others', and have been copied ever since; without blanks and case. */
const listed: ReadonlySet<string> = new Set([
  // Latchkey's own docs/settings.md.
  'kx3v0h7nqzm2tjw8rbu5cyd1fsg4apl6eio9ktxvw-q',
  // FastAPI, "OAuth2 with Password (and hashing), Bearer with JWT tokens".
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  // Flask, "Deploy to Production".
  '192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf',
  // jwt.io, then and now.
  'your-256-bit-secret',
  'a-string-secret-at-least-256-bits-long',
  // Supabase's docker compose file.
  'super-secret-jwt-token-with-at-least-32-characters-long',
  'your-super-secret-jwt-token-with-at-least-32-characters-long',
  'secret',
  'password',
  'changeme',
  'change-me',
  'keyboardcat',
]);

function isListed(text: string): boolean {
  return listed.has(text.toLowerCase().replaceAll(/\s/g, ''));
}

// Words of which placeholders are made; they count nothing.
const placeholderWords: ReadonlySet<string> = new Set(
  `admin and auth bit bits change changeme character characters chars default demo dev development dummy example fixme for
  hello here insecure jwt key latchkey least letmein local long must only passphrase passwd password phrase placeholder
  please private prod production qwerty random replace root sample secret server session should sign signing string
  super test testing that the this token use value very welcome with world your`.split(/\s+/),
);

const bitsOfWord = 11;
const lettersOfWord = 8;

/**
 * How many bits a text is worth, estimated low. Each character counts the logarithm of how many different ones the text has.
 * Letters that may be a word count 11 bits for each eight of them at most (a word of a list of 2,048); words that
 * placeholders are made of count nothing. A repeat of three or more characters, or a row (`aaa`, `abc`, `321`), counts
 * one; a mark that came before counts one bit.
 */
export function estimateBits(text: string): number {
  const each = Math.log2(new Set(text).size);
  const small = text.toLowerCase();
  let bits = 0;
  for (let at = 0; at < text.length; ) {
    const letters = lettersAt(text, at);
    const known = Math.max(repeatAt(small, at), rowAt(text, at));
    if (known >= Math.max(3, letters)) {
      bits += each;
      at += known;
    } else {
      bits += worthOf(small, at, letters, each);
      at += letters;
    }
  }
  return bits;
}

function worthOf(text: string, at: number, letters: number, each: number): number {
  if (placeholderWords.has(text.slice(at, at + letters))) return 0;
  // The hyphen between two words tells nothing after the first.
  const isSeparator = /[^a-z0-9]/.test(text[at]!);
  if (isSeparator && text.indexOf(text[at]!) < at) return Math.min(each, 1);
  return Math.min(letters * each, bitsOfWord);
}

/** How many characters from here may be one word, written small, large or with a capital; one where it is no letter. */
function lettersAt(text: string, at: number): number {
  const pattern = /[A-Z]?[a-z]+|[A-Z]+/y;
  pattern.lastIndex = at;
  const letters = pattern.exec(text)?.[0] ?? '';
  if (placeholderWords.has(letters.toLowerCase())) return letters.length;
  return Math.max(1, Math.min(letters.length, lettersOfWord));
}

/** How many characters from here stood in the text before. */
function repeatAt(text: string, at: number): number {
  let length = 0;
  while (at + length < text.length && text.indexOf(text.slice(at, at + length + 1)) < at) length++;
  return length;
}

/** How many characters from here are one row: the same, or each the next or the one before. */
function rowAt(text: string, at: number): number {
  const step = text.charCodeAt(at + 1) - text.charCodeAt(at);
  if (!(Math.abs(step) <= 1)) return 1;
  let length = 2;
  while (text.charCodeAt(at + length) - text.charCodeAt(at + length - 1) === step) length++;
  return length;
}
