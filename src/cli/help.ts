// What `--help` says, made from the table of commands.
import { type Command, optionsOf } from './command.ts';

const exitCodes = [
  'Exit codes: 0 done; 1 failed or refused; 2 the words of the command are wrong.',
  'With --json the answer is one JSON document on standard output, also when it fails.',
].join('\n');

/** What `latchkey --help` says. */
export function generalHelp(commands: readonly Command[]): string {
  const rows = commands.map((command) => [headOf(command), command.summary] as const);
  return [
    'latchkey COMMAND: the log-in half of a TypeScript API.',
    '',
    ...aligned(rows),
    '',
    '`latchkey COMMAND --help` says more of one; `latchkey --version` tells the version.',
    'Settings come from the environment (docs/settings.md) and from latchkey.config.ts.',
    exitCodes,
    '',
  ].join('\n');
}

/** What `latchkey users --help` says: the commands that begin with a word. */
export function groupHelp(word: string, commands: readonly Command[]): string {
  const rows = commands.map((command) => [headOf(command), command.summary] as const);
  return [`latchkey ${word} …`, '', ...aligned(rows), ''].join('\n');
}

/** What `latchkey users add --help` says. */
export function commandHelp(command: Command): string {
  const options = Object.entries(optionsOf(command));
  return [
    `Usage: latchkey ${headOf(command)} [options]`,
    '',
    command.summary,
    ...(command.details === undefined ? [] : ['', command.details]),
    '',
    ...aligned((command.arguments ?? []).map(({ name, help }) => [name, help])),
    ...aligned(options.map(([name, { value, help }]) => [`--${name}${value ? ` ${value}` : ''}`, help])),
    '',
    `Example: ${command.example}`,
    '',
    exitCodes,
    '',
  ].join('\n');
}

/** A command with its arguments: `users add NAME`. */
export function headOf(command: Command): string {
  const named = (command.arguments ?? []).map(({ name, optional }) => (optional ? `[${name}]` : name));
  return [...command.words, ...named].join(' ');
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
}
