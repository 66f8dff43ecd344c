// What a command is, and how the words after its name are read. Strict: an option that nobody knows is never passed over.
import { parseArgs } from 'node:util';
import { nearestName } from '../nearest.ts';
import { jsonText, printable } from './print.ts';
import type { Terminal } from './terminal.ts';

/** An option of a command. */
export interface Option {
  /** `flag` takes no value, `text` one, `texts` one each time it is given. */
  readonly kind: 'flag' | 'text' | 'texts';
  /** What its value is called: `DURATION`. */
  readonly value?: string;
  readonly help: string;
}

/** Something that is named after the command, such as `NAME`. */
export interface Argument {
  readonly name: string;
  readonly help: string;
  readonly optional?: true;
}

/** One command: all that `--help`, docs/command.md and the reading of its words need. */
export interface Command {
  /** `['users', 'add']`. */
  readonly words: readonly string[];
  readonly summary: string;
  /** What cannot be guessed, in a few sentences. */
  readonly details?: string;
  readonly arguments?: readonly Argument[];
  readonly options?: Readonly<Record<string, Option>>;
  /** A whole line that could be typed. */
  readonly example: string;
  /** Whether it opens the house, and so takes `--config`. */
  readonly opens?: true;
  /** Do it. 0: done; 1: failed or refused, and said so. */
  run(call: Call): Promise<number>;
}

/** A command with what was typed after its name. */
export interface Call {
  readonly terminal: Terminal;
  /** Whether `--json` was given. */
  readonly json: boolean;
  /** The argument of that name; throws `UsageError` where it is missing. */
  argument(name: string): string;
  /** The argument of that name, or null. */
  argumentIf(name: string): string | null;
  flag(name: string): boolean;
  text(name: string): string | null;
  texts(name: string): readonly string[] | null;
  /** What was asked for: JSON with `--json`, else the text, which ends with a line break. */
  answer(json: unknown, text: string): void;
  /** A remark for whoever sits there; never part of the answer. */
  notice(sentence: string): void;
}

/** The words after the name are wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** It cannot be done, and this is why: exit code 1. For what is no refusal of the house. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const everywhere: Readonly<Record<string, Option>> = {
  json: { kind: 'flag', help: 'Answer with one JSON document, also when it fails.' },
  help: { kind: 'flag', help: 'Say what this command does.' },
};

const configOption: Readonly<Record<string, Option>> = {
  config: {
    kind: 'text',
    value: 'FILE',
    help: 'Read this file instead of latchkey.config.ts, .js or .mjs in the working folder.',
  },
};

/** All options of a command, its own first. */
export function optionsOf(command: Command): Readonly<Record<string, Option>> {
  return { ...command.options, ...(command.opens && configOption), ...everywhere };
}

/** Read what was typed after the name. Throws `UsageError`. */
export function readCall(command: Command, typed: readonly string[], terminal: Terminal): Call {
  const options = optionsOf(command);
  const { values, positionals, tokens } = parseArgs({
    args: [...typed],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, { kind }]) => [
        name,
        {
          type: kind === 'flag' ? ('boolean' as const) : ('string' as const),
          multiple: kind === 'texts',
          ...(name === 'help' && { short: 'h' }),
        },
      ]),
    ),
  });
  for (const token of tokens) if (token.kind === 'option') checkOption(token, options);
  const given = values as Readonly<Record<string, string | boolean | string[] | undefined>>;
  // Whoever asks for help may have left anything out.
  const named = given.help === true ? new Map<string, string>() : nameArguments(command, positionals);
  const json = given.json === true;
  return {
    terminal,
    json,
    argument(name) {
      const value = named.get(name);
      if (value === undefined) throw new UsageError(`${name} is missing.`);
      return value;
    },
    argumentIf: (name) => named.get(name) ?? null,
    flag: (name) => given[name] === true,
    text: (name) => (given[name] as string | undefined) ?? null,
    texts: (name) => (given[name] as string[] | undefined) ?? null,
    answer: (value, text) => terminal.stdout.write(json ? `${jsonText(value)}\n` : text),
    notice: (sentence) => terminal.stderr.write(`${printable(sentence)}\n`),
  };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function checkOption(
  { name, rawName, value, inlineValue }: OptionToken,
  options: Readonly<Record<string, Option>>,
): void {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined || (!rawName.startsWith('--') && rawName !== '-h')) {
    // Only what looks like the name of an option is repeated: what else stands there may be a password.
    const shown = /^--?[a-z][a-z-]{0,31}$/i.test(rawName) ? `the option ${rawName}` : 'one of those options';
    if (!rawName.startsWith('--'))
      throw new UsageError(
        `There is no such thing as ${shown}. What begins with a hyphen and is no option is written behind a --.`,
      );
    const nearest = nearestName(name, Object.keys(options));
    throw new UsageError(`There is no such thing as ${shown}.${meant(nearest && `--${nearest}`)}`);
  }
  if (option.kind === 'flag') {
    if (inlineValue) throw new UsageError(`--${name} takes no value.`);
  } else if (value === undefined || (!inlineValue && value.startsWith('-') && value !== '-')) {
    throw new UsageError(`--${name} wants a value: --${name}=${option.value ?? 'TEXT'}.`);
  }
}

/** ` Did you mean …?`, or nothing. */
export function meant(nearest: string | null): string {
  return nearest === null ? '' : ` Did you mean ${nearest}?`;
}

function nameArguments(command: Command, given: readonly string[]): Map<string, string> {
  const wanted = command.arguments ?? [];
  if (given.length > wanted.length) {
    const most = wanted.length === 0 ? 'nothing' : wanted.map(({ name }) => name).join(' ');
    throw new UsageError(`\`latchkey ${command.words.join(' ')}\` takes ${most} and no more.`);
  }
  const missing = wanted[given.length];
  if (missing !== undefined && !missing.optional)
    throw new UsageError(
      `${missing.name} is missing: \`latchkey ${command.words.join(' ')} --help\` says what it is.`,
    );
  return new Map(given.map((value, index) => [wanted[index]!.name, value]));
}
