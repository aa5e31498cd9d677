/** `npm test`: the static checks, then every test. Arguments go to vitest and skip the checks. */
import { spawnSync } from 'node:child_process';
import process from 'node:process';

const args = process.argv.slice(2);
if (args.length === 0) {
  const check = spawnSync(process.execPath, ['--conditions=@hoop/source', 'scripts/check.ts'], { stdio: 'inherit' });
  if (check.status !== 0) process.exit(1);
}
const tests = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args], { stdio: 'inherit' });
process.exit(tests.status ?? 1);
