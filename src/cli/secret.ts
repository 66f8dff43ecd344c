// `latchkey secret` and `latchkey hash`: made here and printed, nothing is kept.
import { generateSecret } from '../house-secret.ts';
import { hashPassword } from '../passwords/hash.ts';
import { checkNewPassword } from '../passwords/rules.ts';
import { askHidden, readSecretInput } from './ask.ts';
import type { Command } from './command.ts';

/** `latchkey secret`. */
export const secret: Command = {
  words: ['secret'],
  summary: 'Print a new secret for LATCHKEY_SECRET.',
  example: 'LATCHKEY_SECRET=$(npx latchkey secret) npx latchkey serve',
  async run(call) {
    const made = generateSecret();
    call.answer({ secret: made }, `${made}\n`);
    return 0;
  },
};

/** `latchkey hash`. */
export const hash: Command = {
  words: ['hash'],
  summary: 'Print the hash of a password.',
  details:
    'Asks at a terminal, where nothing is shown, and reads standard input otherwise. A password that sign-up would refuse is warned about, and hashed.',
  example: 'npx latchkey hash < password.txt',
  async run(call) {
    const { terminal } = call;
    const password = terminal.stdin.isTTY
      ? await askHidden(terminal, 'Password: ')
      : await readSecretInput(terminal);
    const faults = checkNewPassword(password);
    for (const { detail } of faults) call.notice(`Warning: ${detail}`);
    const made = hashPassword(password);
    call.answer({ hash: made, warnings: faults }, `${made}\n`);
    return 0;
  },
};
