// The command `latchkey`: which word leads to which file.
import { StartError } from '../errors.ts';
import { serve } from './serve.ts';

/** Run the command; resolves to its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    if (argv[0] === 'serve') return await serve();
    process.stderr.write(`There is no command "${argv[0] ?? ''}".\n`);
    return 2;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(
      `Latchkey did not start.\n${error.problems.map((problem) => `  ${problem}\n`).join('')}`,
    );
    return 1;
  }
}
