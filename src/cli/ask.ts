// Passwords and other answers, from a person at a terminal or from a program through standard input.
// A password is never an option: the words of a command are seen by everybody on the machine and kept in the shell's history.
import { StringDecoder } from 'node:string_decoder';
import { randomText } from '../secrets.ts';
import { type Call, CommandError } from './command.ts';
import { printable } from './print.ts';
import type { Terminal } from './terminal.ts';

const mostOfInput = 64 * 1024;

/** A password, and whether it was made here: then it has to be shown. */
export interface GivenPassword {
  readonly password: string;
  readonly generated: boolean;
}

/** A new password: made with `--generate`, asked for twice at a terminal, else all of standard input without the line break at its end. */
export async function newPassword(call: Call, whose: string): Promise<GivenPassword> {
  if (call.flag('generate')) return { password: randomText(18), generated: true };
  const { terminal } = call;
  if (!terminal.stdin.isTTY) {
    const password = await readSecretInput(terminal);
    if (password === '')
      throw new CommandError('Standard input is empty: pipe a password in, or use --generate.');
    return { password, generated: false };
  }
  const password = await askHidden(terminal, `Password for ${printable(whose)}: `);
  if ((await askHidden(terminal, 'Once more: ')) !== password)
    throw new CommandError('The two are not the same. Nothing was changed.');
  return { password, generated: false };
}

/** All of standard input without the line break at its end. Throws `CommandError` when it is not UTF-8, or far too long. */
export async function readSecretInput({ stdin }: Terminal): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > mostOfInput) throw new CommandError(`Standard input is longer than ${mostOfInput} bytes.`);
    chunks.push(bytes);
  }
  try {
    // Strictly: a password in another encoding would be kept as question marks, and never match again.
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)).replace(/\r?\n$/, '');
  } catch {
    throw new CommandError('Standard input is not UTF-8.');
  }
}

/** Ask for a line that is not shown while it is typed. */
export function askHidden(terminal: Terminal, prompt: string): Promise<string> {
  return askLine(terminal, prompt, true);
}

/** Ask before something that cannot be undone. Without a terminal nobody is there to ask, and the command was meant. */
export async function confirm(call: Call, question: string): Promise<void> {
  if (call.flag('yes') || !call.terminal.stdin.isTTY) return;
  const answer = await askLine(call.terminal, `${printable(question)} Type yes: `, false);
  if (answer.trim().toLowerCase() !== 'yes') throw new CommandError('Nothing was changed.');
}

// What was pasted behind the line break waits here for the next question.
const pasted = new WeakMap<object, string>();

function askLine(terminal: Terminal, prompt: string, hidden: boolean): Promise<string> {
  const { stdin, stderr } = terminal;
  stderr.write(prompt);
  // Raw, so that the terminal shows nothing of itself.
  stdin.setRawMode?.(true);
  const decoder = new StringDecoder('utf8');
  return new Promise<string>((resolve, reject) => {
    let line = '';
    function finish(done: () => void): void {
      stdin.off?.('data', hear);
      stdin.setRawMode?.(false);
      stdin.pause?.();
      stderr.write('\n');
      done();
    }
    function take(text: string): void {
      const signs = [...text];
      for (const [index, sign] of signs.entries()) {
        if (sign === '\x03') {
          finish(() => reject(new CommandError('Stopped. Nothing was changed.')));
          return;
        }
        if (sign === '\r' || sign === '\n' || sign === '\x04') {
          pasted.set(
            stdin,
            signs
              .slice(index + 1)
              .join('')
              .replace(/^\n/, ''),
          );
          finish(() => resolve(line));
          return;
        }
        if (sign === '\x7f' || sign === '\b') {
          if (!hidden && line !== '') stderr.write('\b \b');
          line = [...line].slice(0, -1).join('');
        } else if (sign >= ' ') {
          if (!hidden) stderr.write(sign);
          line += sign;
        }
      }
    }
    function hear(chunk: Buffer | string): void {
      take(typeof chunk === 'string' ? chunk : decoder.write(chunk));
    }
    stdin.on?.('data', hear);
    stdin.resume?.();
    const waiting = pasted.get(stdin) ?? '';
    pasted.delete(stdin);
    if (waiting !== '') take(waiting);
  });
}
