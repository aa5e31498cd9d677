/**
 * `npm test`: the static checks, then every test that needs nothing else. Arguments go to vitest and skip the checks.
 * `npm run test:peers` (`--peers`): the tests that need servers and clients of other makers.
 * The last line is `N passed, N failed`; a check that fails counts as one failed. Before it come the tests that failed, each
 * with its reason, on lines that begin with "failed: ": of a long log often the end alone is kept.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { stripVTControlCharacters } from 'node:util';

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

interface Results {
  numPassedTests: number;
  numFailedTests: number;
  numFailedTestSuites: number;
  success: boolean;
  testResults: { name: string; message: string; assertionResults: { status: string; fullName: string; failureMessages?: string[] }[] }[];
}

/** The lines of one failure: the file, the test where it is one, and the beginning of the reason. */
function failureLines(file: string, test: string, reason: string): string[] {
  const lines = stripVTControlCharacters(reason)
    .split('\n')
    .filter((line) => !/^\s+at .*(?:node_modules|node:internal|<anonymous>)/.test(line))
    .slice(0, 12);
  return [`${path.relative('.', file)} ${test}`.trim(), ...lines.map((line) => `  ${line.slice(0, 300)}`)];
}

function failuresOf({ testResults }: Results): string[] {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const failures = assertionResults.filter(({ status }) => status === 'failed');
    if (failures.length === 0) return message === '' ? [] : failureLines(name, '', message);
    return failures.flatMap(({ fullName, failureMessages = [] }) => failureLines(name, `"${fullName}"`, failureMessages.join('\n')));
  });
}

let passed = 0;
let failed = 0;
try {
  const report = JSON.parse(readFileSync(results, 'utf8')) as Results;
  passed = report.numPassedTests;
  // A file that cannot be loaded has no tests that could fail.
  failed = report.numFailedTests > 0 || report.success ? report.numFailedTests : report.numFailedTestSuites;
  const failures = failuresOf(report);
  if (failures.length === 0 && tests.status !== 0) failures.push('an error outside of the tests; it is in the log');
  for (const line of failures) process.stdout.write(`failed: ${line}\n`);
} catch {
  failed = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
end(passed, failed, tests.status !== 0);
