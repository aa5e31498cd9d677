/**
 * `npm run bench [-- NAME…] [--json]`: runs the benchmarks in `bench/<name>.ts`, each in a process of its own.
 * Each prints a table, or with `--json` one JSON object a line. A benchmark never fails a test run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

const folder = import.meta.dirname;
const args = process.argv.slice(2);
const flags = args.filter((arg) => arg.startsWith('--'));
const known = readdirSync(folder)
  .filter((name) => name.endsWith('.bench.ts'))
  .map((name) => name.slice(0, -'.bench.ts'.length))
  .sort();
const names = args.filter((arg) => !arg.startsWith('--'));
for (const name of names) {
  if (!known.includes(name)) {
    process.stderr.write(`bench: there is no benchmark ${JSON.stringify(name)}; known: ${known.join(', ')}\n`);
    process.exit(1);
  }
}
let status = 0;
for (const name of names.length > 0 ? names : known) {
  const file = path.join(folder, `${name}.bench.ts`);
  if (!existsSync(file)) continue;
  const run = spawnSync(process.execPath, ['--conditions=@hoop/source', '--expose-gc', file, ...flags], { stdio: 'inherit' });
  if (run.status !== 0) status = 1;
}
process.exit(status);
