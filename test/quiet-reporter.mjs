// What `npm test` prints where nobody watches: what failed and why, what was skipped and why, and the count.
import { inspect } from 'node:util';

export default async function* quiet(events) {
  for await (const { type, data } of events) {
    if (type === 'test:fail') yield* failure(data);
    if (type === 'test:pass' && typeof data.skip === 'string')
      yield `﹣ skipped: ${data.name}: ${data.skip}\n`;
    // Lines at the outermost level are the closing ones: how many tests, passed, failed, skipped.
    if (type === 'test:diagnostic' && data.nesting === 0 && data.file === undefined)
      yield `ℹ ${data.message}\n`;
  }
}

function* failure({ name, file, line, details }) {
  const { error } = details;
  // A suite fails because of what is in it, which has been told already.
  if (error?.failureType === 'subtestsFailed') return;
  yield `\n✖ ${name}\n  at ${file}:${line}\n  ${inspect(error?.cause ?? error).replaceAll('\n', '\n  ')}\n`;
}
