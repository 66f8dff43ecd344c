// `npm run example -- NAME`: starts one of the examples from its own folder.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = new URL('./', import.meta.url);
const names = readdirSync(here, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);
const [name] = process.argv.slice(2);
const file = new URL(`./${name}/main.ts`, here);
if (name === undefined || !names.includes(name) || !existsSync(file)) {
  process.stderr.write(`Which one? npm run example -- ${names.join(' | ')}\n`);
  process.exit(2);
}
const child = spawn(process.execPath, ['--conditions=source', fileURLToPath(file)], { stdio: 'inherit' });
// The example stops in its own order; this one only waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
// npm hands a signal to a shell, which dies of it alone: without its shell this process would hold the port for ever.
const shell = process.ppid;
if (process.env.npm_lifecycle_event !== undefined) {
  setInterval(() => process.ppid === shell || child.kill('SIGTERM'), 200).unref();
}
child.on('exit', (code) => process.exit(code ?? 1));
