// Reads a JSON object that can be read in one way only: valid UTF-8, no member name twice, at any depth.
// JSON.parse keeps the last of two equal names and other parsers the first, so a token with both could mean two things (RFC 7515 section 4).
import { isUtf8 } from 'node:buffer';

/** How deep objects and arrays may be nested. */
export const maxDepth = 32;

/** The object, or null when the bytes are not exactly one JSON object with one meaning. */
export function parseObject(bytes: Buffer): Record<string, unknown> | null {
  if (!isUtf8(bytes)) return null;
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return hasOneMeaning(text) ? (value as Record<string, unknown>) : null;
}

// A bracket, or a string with the colon that makes it a member name. The text is known to be valid JSON by now.
const pieces = /[{[}\]]|"(?:[^"\\]|\\.)*"(\s*:)?/g;

function hasOneMeaning(text: string): boolean {
  const open: Set<string>[] = [];
  for (const [piece, colon] of text.matchAll(pieces)) {
    if (piece === '{' || piece === '[') {
      if (open.push(new Set()) > maxDepth) return false;
    } else if (piece === '}' || piece === ']') {
      open.pop();
    } else if (colon !== undefined) {
      // Unescaped before it is compared: "\u0061lg" is "alg".
      const name: string = JSON.parse(piece.slice(0, -colon.length));
      const names = open.at(-1);
      if (names === undefined || names.has(name) || name === '__proto__') return false;
      names.add(name);
    }
  }
  return true;
}
