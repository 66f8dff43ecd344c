// How the text of one setting is read. Strict, because a setting that is read kindly is one that means something else: the
// sentences say what is wrong and what to write, and never repeat the text, which may be a secret in the wrong place.
import { isIP } from 'node:net';
import { secretFault } from './house-secret.ts';

/**
 * A value, or why the text is none: `NAME ${fault}. ${advice ?? 'Write'}, for example …`; of a secret
 * the advice is the whole sentence.
 */
export type Reading<Value> = { readonly value: Value } | { readonly fault: string; readonly advice?: string };

/** Reads the text of a setting. */
export type Reader<Value> = (text: string) => Reading<Value>;

/** A length of time within bounds, in milliseconds: `0`, or a whole number with `ms`, `s`, `m`, `h` or `d`. */
export function duration(bounds: { least: string; most: string; wholeSeconds?: true }): Reader<number> {
  const least = milliseconds(bounds.least)!;
  const most = milliseconds(bounds.most)!;
  return (text) => {
    const value = milliseconds(text);
    if (value === null) return { fault: 'is not a length of time such as 500ms, 10s, 15m, 12h or 30d' };
    if (value < least) return { fault: `is shorter than ${bounds.least}` };
    if (value > most) return { fault: `is longer than ${bounds.most}` };
    // What goes into a token counts in whole seconds (RFC 7519 section 2).
    if (bounds.wholeSeconds && value % 1000 !== 0) return { fault: 'is not a whole number of seconds' };
    return { value };
  };
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A length of time such as `500ms`, `10s`, `15m`, `12h`, `30d` or `0` in milliseconds; null for what is none. */
export function milliseconds(text: string): number | null {
  if (text === '0') return 0;
  const match = /^(0|[1-9]\d{0,8})(ms|s|m|h|d)$/.exec(text);
  return match === null ? null : Number(match[1]) * units[match[2] as keyof typeof units];
}

/** One of a few words, exactly as written. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Reader<Word> {
  return (text) => {
    const value = words.find((word) => word === text);
    return value === undefined ? { fault: `is none of ${words.join(', ')}` } : { value };
  };
}

/** `on` or `off`. */
export function onOff(text: string): Reading<boolean> {
  return text === 'on' || text === 'off' ? { value: text === 'on' } : { fault: 'is neither on nor off' };
}

/** The secret of the house. */
export function secretText(text: string): Reading<string> {
  const fault = secretFault(text);
  return fault === null ? { value: text } : { fault };
}

/** A path of the file system, of a folder or a file. */
export function folderPath(text: string): Reading<string> {
  return /\0/.test(text) ? { fault: 'holds the character U+0000' } : { value: text };
}

/** The path of the SQLite file. */
export function databaseFile(text: string): Reading<string> {
  if (/^postgres(?:ql)?:/i.test(text)) {
    return {
      fault: 'names a PostgreSQL database, and PostgreSQL is not in this version yet',
      advice: 'Write the path of a file',
    };
  }
  if (/^(?:[a-z][a-z0-9+.-]+:|:memory:$)/i.test(text)) {
    return { fault: 'is not the path of a file', advice: 'Write a path without a scheme' };
  }
  if (/[\\/]$/.test(text)) return { fault: 'is the path of a folder' };
  return folderPath(text);
}

/**
 * The public address, which is also the issuer. Others compare it character for character, so only the one spelling that a
 * URL parser gives back is taken; no query and no fragment (RFC 8414 section 2), no credentials, no slash at the end.
 */
export function publicUrl(text: string): Reading<string> {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    return { fault: 'is not an http or https address' };
  }
  if (url.username !== '' || url.password !== '') return { fault: 'holds a user name or a password' };
  if (/[?#]/.test(text)) return { fault: 'has a query or a fragment' };
  if (text.endsWith('/')) return { fault: 'ends with a slash' };
  if (url.origin + (url.pathname === '/' ? '' : url.pathname) !== text) {
    return {
      fault: 'is not in its plain form: host in small letters, no port that goes without saying, no ..',
    };
  }
  return { value: text };
}

/**
 * Origins with commas between, at most 100. Browsers send an origin in one spelling, and it is compared character for character,
 * so only that one is taken; `*` and `null` are none.
 */
export function originList(text: string): Reading<readonly string[]> {
  const origins = text.split(',').map((origin) => origin.trim());
  if (origins.length > 100) return { fault: 'holds more than 100 origins' };
  if (origins.every(isOrigin)) return { value: Object.freeze([...new Set(origins)]) };
  return {
    fault: 'holds something that is not an origin as browsers write it: scheme, host in small letters, port',
    advice: 'Write each without a path and without a slash at its end',
  };
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  const isOne = url !== null && ['http:', 'https:'].includes(url.protocol) && url.origin === text;
  // A URL parser takes a star in a host; here it would look like a wildcard and match nothing.
  return isOne && !text.includes('*');
}

/** What tokens are for: printable ASCII without blanks, a URL when there is a colon in it (StringOrURI, RFC 7519 section 2). */
export function audience(text: string): Reading<string> {
  if (!/^[\x21-\x7e]{1,256}$/.test(text))
    return { fault: 'is not 1 to 256 printable ASCII characters without blanks' };
  if (text.includes(':') && !URL.canParse(text)) return { fault: 'has a colon in it and is not a URL' };
  return { value: text };
}

/** The address to listen on: an IP address without brackets, or a host name. */
export function host(text: string): Reading<string> {
  const isName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i.test(
    text,
  );
  // A name whose last part is a number would be read as an IPv4 address in one of its odd forms.
  if (isIP(text) !== 0 || (isName && !/(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i.test(text))) return { value: text };
  return { fault: 'is neither an IP address nor a host name', advice: 'Leave out brackets, scheme and port' };
}

/** Whether only this machine can reach what listens there. */
export function isLoopback(hostText: string): boolean {
  return (
    hostText === 'localhost' || hostText === '::1' || (isIP(hostText) === 4 && hostText.startsWith('127.'))
  );
}

/** A TCP port; 0 lets the system choose. */
export function port(text: string): Reading<number> {
  const value = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : Number.NaN;
  return value <= 65_535 ? { value } : { fault: 'is not a port from 0 to 65535' };
}
