/** Everything that is checked without running a server: types, lint and import rules, generated files. */
import { spawnSync } from 'node:child_process';

const steps: [name: string, command: string, args: string[]][] = [
  ['types', 'tsc', ['--noEmit', '-p', 'tsconfig.json']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['format', 'oxfmt', ['--check', '.']],
  ['dead code', 'knip', ['--no-progress']],
  ['walls', process.execPath, ['scripts/lint-config.ts', '--check']],
  ['openapi.json', process.execPath, ['--conditions=@hoop/source', 'scripts/openapi.ts', '--check']],
  ['docs/configuration.md', process.execPath, ['--conditions=@hoop/source', 'scripts/configuration.ts', '--check']],
];

for (const [name, command, args] of steps) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) {
    process.stderr.write(`check: ${name} failed${error ? ` (${error.message})` : ''}\n`);
    process.exit(1);
  }
  process.stdout.write(`check: ${name} ok\n`);
}
