// The lines of an import file, JSON or CSV, read one by one: whatever is wrong with one says nothing about the next.
import { parse } from 'csv-parse/sync';
import { nearestName } from '../nearest.ts';
import { CommandError, meant } from './command.ts';
import { printable } from './print.ts';

/** The members of a line. */
const importFields = [
  'username',
  'email',
  'password_hash',
  'scopes',
  'disabled',
  'email_verified',
  'profile',
] as const;

/** One record of a file: its members, or why it could not be read. The number is that of its first line. */
export type ImportLine =
  | { readonly line: number; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly line: number; readonly fault: string };

const longestLine = 256 * 1024;
/** How many lines a record of CSV may go on for, inside of quotes. */
const longestRecord = 50;

interface Line {
  readonly line: number;
  /** Null: too long, or not UTF-8. */
  readonly text: string | null;
}

/** The records of JSON lines. Empty lines are none. */
export async function* jsonRecords(file: AsyncIterable<Buffer | string>): AsyncGenerator<ImportLine> {
  for await (const { line, text } of linesOf(file)) {
    if (text === null) yield { line, fault: unreadable };
    else if (text.trim() !== '') yield { line, ...fieldsOfJson(text) };
  }
}

const unreadable = `It is longer than ${longestLine} bytes, or not UTF-8.`;

function fieldsOfJson(text: string): { fields: Record<string, unknown> } | { fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: 'It is not JSON.' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { fault: 'It is not a JSON object.' };
  const unknown = Object.keys(value).find((name) => !(importFields as readonly string[]).includes(name));
  if (unknown !== undefined) return { fault: unknownField(unknown) };
  return { fields: value as Record<string, unknown> };
}

function unknownField(name: string): string {
  const shown = printable(name.slice(0, 40));
  return `There is no field "${shown}".${meant(nearestName(name, importFields))}`;
}

/** The records of CSV (RFC 4180) whose first line names the fields; `profile.NAME` is one member of the profile. */
export async function* csvRecords(file: AsyncIterable<Buffer | string>): AsyncGenerator<ImportLine> {
  const reader = lookAhead(linesOf(file));
  const first = await reader.next();
  if (first === undefined) return;
  const head = csvCells(first.text ?? '');
  if (head === null) throw new CommandError('The first line is not CSV: it names the fields.');
  const names = head.map((name) => name.trim());
  checkHead(names);
  for (let start = await reader.next(); start !== undefined; start = await reader.next()) {
    if (start.text?.trim() === '') continue;
    const { line } = start;
    const cells = start.text === null ? null : await recordFrom(reader, start.text, names.length);
    if (cells === null) {
      const fault = start.text === null ? unreadable : `It is not CSV with ${names.length} fields.`;
      yield { line, fault };
    } else yield { line, ...fieldsOfCsv(names, cells) };
  }
}

function checkHead(names: readonly string[]): void {
  for (const name of names) {
    if (!(importFields as readonly string[]).includes(name) && !/^profile\../.test(name))
      throw new CommandError(`The first line names the fields. ${unknownField(name)} Nothing was added.`);
  }
  if (new Set(names).size !== names.length)
    throw new CommandError('The first line names a field twice. Nothing was added.');
}

/**
 * The cells of the record that begins with `text`; lines are added while a quote is open. Null: it is none; then only the first line is used
 * up, so that one stray quote does not swallow what follows.
 */
async function recordFrom(reader: LookAhead, text: string, count: number): Promise<string[] | null> {
  let record = text;
  for (let more = 0; ; more++) {
    if (isClosed(record)) {
      const cells = csvCells(record);
      if (cells?.length !== count) return null;
      await reader.skip(more);
      return cells;
    }
    const next = more < longestRecord ? await reader.peek(more) : undefined;
    if (next === undefined || next.text === null || record.length > longestLine) return null;
    record += `\n${next.text}`;
  }
}

/** A quote inside of quotes is written twice, so an even number closes what it opens. */
function isClosed(text: string): boolean {
  return (text.split('"').length - 1) % 2 === 0;
}

function csvCells(text: string): string[] | null {
  try {
    const records = parse(text, { relax_column_count: true }) as string[][];
    return records.length === 1 ? records[0]! : null;
  } catch {
    return null;
  }
}

/** An empty cell is a field that is left out. */
function fieldsOfCsv(
  names: readonly string[],
  cells: readonly string[],
): { fields: Record<string, unknown> } | { fault: string } {
  const fields: Record<string, unknown> = {};
  const profile: Record<string, unknown> = {};
  for (const [index, name] of names.entries()) {
    const cell = cells[index]!;
    if (cell === '') continue;
    if (name.startsWith('profile.')) profile[name.slice('profile.'.length)] = cell;
    else if (name === 'profile') {
      const read = fieldsOfProfile(cell);
      if (read === null) return { fault: 'Its profile is not a JSON object.' };
      Object.assign(profile, read);
    } else if (name === 'disabled' || name === 'email_verified') {
      const word = cell.toLowerCase();
      const known = ['true', '1', 'yes', 'false', '0', 'no'];
      if (!known.includes(word)) return { fault: `Its ${name} is neither true nor false.` };
      fields[name] = known.indexOf(word) < 3;
    } else fields[name] = cell;
  }
  if (Object.keys(profile).length > 0) fields.profile = profile;
  return { fields };
}

function fieldsOfProfile(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

interface LookAhead {
  next(): Promise<Line | undefined>;
  /** The line that is `index` further on, without using it up. */
  peek(index: number): Promise<Line | undefined>;
  /** Use up so many lines. */
  skip(count: number): Promise<void>;
}

function lookAhead(lines: AsyncGenerator<Line>): LookAhead {
  const waiting: Line[] = [];
  async function fill(count: number): Promise<void> {
    while (waiting.length < count) {
      const { done, value } = await lines.next();
      if (done === true) return;
      waiting.push(value);
    }
  }
  return {
    async next() {
      await fill(1);
      return waiting.shift();
    },
    async peek(index) {
      await fill(index + 1);
      return waiting[index];
    },
    async skip(count) {
      await fill(count);
      waiting.splice(0, count);
    },
  };
}

/** Lines end with LF or CRLF and with nothing else: U+2028 may stand in JSON as it is. Each is decoded by itself. */
async function* linesOf(file: AsyncIterable<Buffer | string>): AsyncGenerator<Line> {
  let rest: Buffer[] = [];
  let length = 0;
  let line = 1;
  const end = (last: Buffer): Line => {
    const whole = length + last.length > longestLine ? null : Buffer.concat([...rest, last]);
    rest = [];
    length = 0;
    return { line: line++, text: whole === null ? null : decode(whole, line === 2) };
  };
  for await (const chunk of file) {
    const bytes = Buffer.from(chunk);
    let start = 0;
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, start)) {
      yield end(bytes.subarray(start, at));
      start = at + 1;
    }
    const tail = bytes.subarray(start);
    length += tail.length;
    // What is too long is counted and not kept.
    if (length <= longestLine) rest.push(tail);
  }
  if (length > 0) yield end(Buffer.alloc(0));
}

function decode(bytes: Buffer, first: boolean): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: !first }).decode(bytes);
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  } catch {
    return null;
  }
}
