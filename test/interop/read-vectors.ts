// Finds the published test vectors, which lie beside the repository and are never copied into it.
// Where they are absent, the tests that need them say so and are skipped.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder =
  process.env.LATCHKEY_VECTORS ?? fileURLToPath(new URL('../../../shared/vectors', import.meta.url));

/** Why the vector tests are skipped, or false when the vectors are here: what `skip` of node:test takes. */
export const vectorsMissing: string | false = existsSync(folder)
  ? false
  : 'the test vectors are not here (set LATCHKEY_VECTORS to their folder)';

/** One file of vectors. */
export function readVectors<Shape>(path: string): Shape {
  return JSON.parse(readFileSync(`${folder}/${path}`, 'utf8')) as Shape;
}
