/**
 * `npm test`: the static checks, then every test that needs nothing else. Arguments go to vitest and skip the checks.
 * `npm run test:peers` (`--peers`): the tests that need servers and clients of other makers.
 * The last line is `N passed, N failed`; a check that fails counts as one failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

import { installPeerLibraries } from './peer-libraries.ts';

const isPeersRun = process.argv[2] === '--peers';
const args = process.argv.slice(isPeersRun ? 3 : 2);

function end(passed: number, failed: number, isFailure: boolean): never {
  // A run that failed without a failed test (an error outside of tests, say) must not look clean.
  process.stdout.write(`\n${passed} passed, ${isFailure ? Math.max(failed, 1) : failed} failed\n`);
  process.exit(isFailure || failed > 0 ? 1 : 0);
}

if (args.length === 0 && !isPeersRun) {
  const check = spawnSync(process.execPath, ['--conditions=@hoop/source', 'scripts/check.ts'], { stdio: 'inherit' });
  if (check.status !== 0) end(0, 1, true);
}

const failure = isPeersRun ? installPeerLibraries() : null;
if (failure !== null) {
  process.stderr.write(`${failure}\n`);
  end(0, 1, true);
}
if (isPeersRun && args.length === 0) {
  // These files' types come from libraries that `npm run check` does not have.
  const types = spawnSync('tsc', ['--noEmit', '-p', 'test/peers'], { stdio: 'inherit', shell: process.platform === 'win32' });
  if (types.status !== 0) end(0, 1, true);
}

const scratch = mkdtempSync(path.join(os.tmpdir(), 'hoop-test-results-'));
const results = path.join(scratch, 'results.json');
const tests = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${results}`, ...args],
  // Every file has a process of its own, which loads much the same modules.
  {
    stdio: 'inherit',
    env: { ...process.env, HOOP_TEST_PEERS: String(isPeersRun), NODE_COMPILE_CACHE: path.resolve('node_modules/.cache/hoop-compile') },
  },
);
let passed = 0;
let failed = 0;
try {
  const { numPassedTests, numFailedTests, numFailedTestSuites, success } = JSON.parse(readFileSync(results, 'utf8')) as {
    numPassedTests: number;
    numFailedTests: number;
    numFailedTestSuites: number;
    success: boolean;
  };
  passed = numPassedTests;
  // A file that cannot be loaded has no tests that could fail.
  failed = numFailedTests > 0 || success ? numFailedTests : numFailedTestSuites;
} catch {
  failed = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
end(passed, failed, tests.status !== 0);
