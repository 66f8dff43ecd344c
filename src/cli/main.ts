// The command `latchkey`: which words lead to which command, and what its end means for scripts.
import { isLatchkeyError, StartError } from '../errors.ts';
import { nearestName } from '../nearest.ts';
import { version } from '../version.ts';
import { type Command, CommandError, meant, readCall, UsageError } from './command.ts';
import { commands } from './commands.ts';
import { commandHelp, generalHelp, groupHelp } from './help.ts';
import { jsonText, printable } from './print.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** Run the command; resolves to its exit code: 0 done, 1 failed or refused, 2 wrong words. */
export async function main(argv: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  const json = argv.includes('--json');
  try {
    return await run(argv, terminal, json);
  } catch (error) {
    const failure = failureOf(error);
    if (failure === null) throw error;
    if (json) terminal.stdout.write(`${jsonText({ error: failure.body })}\n`);
    else terminal.stderr.write(failure.lines.map((line) => `${printable(line)}\n`).join(''));
    return failure.code;
  }
}

async function run(argv: readonly string[], terminal: Terminal, json: boolean): Promise<number> {
  const [first] = argv;
  if (first === '--version') {
    terminal.stdout.write(json ? `${jsonText({ version })}\n` : `${version}\n`);
    return 0;
  }
  if (first !== undefined && ['--help', '-h', 'help'].includes(first)) {
    terminal.stdout.write(generalHelp(commands));
    return 0;
  }
  const command = findCommand(argv);
  if (command === null) {
    const group = commands.filter(({ words }) => words[0] === first);
    if (group.length > 0 && (argv.includes('--help') || argv.includes('-h'))) {
      terminal.stdout.write(groupHelp(first!, group));
      return 0;
    }
    throw unknownCommand(argv, group);
  }
  const call = readCall(command, argv.slice(command.words.length), terminal);
  if (call.flag('help')) {
    terminal.stdout.write(commandHelp(command));
    return 0;
  }
  return command.run(call);
}

function findCommand(argv: readonly string[]): Command | null {
  return commands.find(({ words }) => words.every((word, index) => argv[index] === word)) ?? null;
}

function unknownCommand(argv: readonly string[], group: readonly Command[]): UsageError {
  const [first, second] = argv;
  if (first === undefined) return new UsageError('Which command? `latchkey --help` lists them.');
  if (group.length > 0) {
    const seconds = group.map(({ words }) => words[1]!);
    if (second === undefined || second.startsWith('-'))
      return new UsageError(`\`latchkey ${first}\` wants one of: ${seconds.join(', ')}.`);
    const nearest = nearestName(second, seconds);
    return new UsageError(
      `There is no command \`latchkey ${first} ${shown(second)}\`.${meant(nearest && `\`latchkey ${first} ${nearest}\``)} It is one of: ${seconds.join(', ')}.`,
    );
  }
  if (first.startsWith('-'))
    return new UsageError('The command comes first, and options behind it: `latchkey COMMAND --json`.');
  const firsts = [...new Set(commands.map(({ words }) => words[0]!))];
  const nearest = nearestName(first, firsts);
  return new UsageError(
    `There is no command \`latchkey ${shown(first)}\`.${meant(nearest && `\`latchkey ${nearest}\``)} \`latchkey --help\` lists them.`,
  );
}

function shown(word: string): string {
  return word.length > 40 ? `${word.slice(0, 40)}…` : word;
}

interface Failure {
  readonly code: 1 | 2;
  readonly lines: readonly string[];
  readonly body: Readonly<Record<string, unknown>>;
}

/** How a failure is told; null for what is a fault of ours. */
function failureOf(error: unknown): Failure | null {
  if (error instanceof UsageError)
    return { code: 2, lines: [error.message], body: { code: 'usage', detail: error.message } };
  if (error instanceof CommandError)
    return { code: 1, lines: [error.message], body: { code: 'failed', detail: error.message } };
  if (error instanceof StartError) {
    const body = { code: 'cannot_start', detail: error.message, problems: error.problems };
    return { code: 1, lines: error.problems, body };
  }
  if (isSystemError(error)) {
    const detail = `The system says ${error.message}.`;
    return { code: 1, lines: [detail], body: { code: 'failed', detail } };
  }
  if (!isLatchkeyError(error)) return null;
  const { errors } = error.extra;
  const fields = (errors ?? []).map(({ field, detail }) => `  ${field}: ${detail}`);
  const body = { code: error.code, detail: error.message, ...(errors && { errors }) };
  return { code: 1, lines: [error.message, ...fields], body };
}

/** A file that is a folder, may not be read, or has no room: where a trace of ours would help nobody. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
