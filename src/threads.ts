// Starts a worker thread from a file that lies beside the caller, whether the house runs from source or from what was built.
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Start `name` (without its ending) beside the module at `here` (its `import.meta.url`) as a thread. */
export function startThread(here: string, name: string, options: WorkerOptions): Worker {
  const ending = here.endsWith('.ts') ? '.ts' : '.js';
  // Flags of the command line are for the main thread: --input-type, as in `node --input-type=module -e …`, would end every other.
  return new Worker(new URL(`./${name}${ending}`, here), { execArgv: [], ...options });
}
