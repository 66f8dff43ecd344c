// How things look on a terminal. What comes out of the store was typed by strangers: a control character in it could move the
// cursor, change what was printed before, or answer for the operator, so none is ever printed raw.

/** Control, format (also those that turn the direction of text), line and paragraph separators, half characters. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A text that a terminal can show: whatever is no visible character stands as `\u{…}`. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`);
}

/** A value as JSON for people and programs. Still JSON where it escapes more than it would have to. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(unprintable, (sign) =>
    sign === '\n'
      ? sign
      : [...sign]
          .flatMap((part) => Array.from({ length: part.length }, (_, index) => part.charCodeAt(index)))
          .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
          .join(''),
  );
}

/** Rows in columns, each as wide as its widest cell; the last one is never filled up. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return columns([head, ...rows]);
}

/** A list of names and values, aligned. */
export function pairs(rows: readonly (readonly [string, string])[]): string {
  return columns(rows.map(([name, value]) => [`${name}:`, value]));
}

function columns(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map((cell) => printable(cell)));
  // One by one: the sessions of all accounts may be more than a call takes arguments.
  const widths = (shown[0] ?? []).map((_, column) =>
    shown.reduce((most, row) => Math.max(most, [...(row[column] ?? '')].length), 0),
  );
  return shown
    .map((row) => {
      const cells = row.map((cell, column) => cell + ' '.repeat(widths[column]! - [...cell].length));
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}
