import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { readReason, reasonIn } from './log-reason.ts';

test.each([
  ['nothing was logged', '', ''],
  [
    'lines follow the fatal entry',
    '{"level":30,"msg":"opening"}\n{"level":60,"event":"start_failed","msg":"The relay cannot start: HOOP_QUEUE_URL is not set."}\n{"level":30,"msg":"closed"}\n',
    'The relay cannot start: HOOP_QUEUE_URL is not set.',
  ],
  [
    'an error entry has its cause apart',
    '{"level":50,"msg":"no queue","err":{"message":"ECONNREFUSED"}}\n{"level":40,"msg":"x"}',
    'no queue: ECONNREFUSED',
  ],
  ['an app writes its own kind of entry', '{"event":"failed","message":"The key is missing."}\n', 'The key is missing.'],
  [
    'Node prints a stack whose frames name errors',
    "file:///x/main.ts:3\n  throw new RangeError('too long');\n        ^\n\nRangeError: too long\n    at run (file:///x/error.ts:3:9)\n    at main (file:///x/app-error.ts:1:1)\n\nNode.js v26.10.0\n",
    'RangeError: too long',
  ],
  [
    'an error has a code',
    'Error [ERR_MODULE_NOT_FOUND]: Cannot find package x\n    at error.js:1\n',
    'Error [ERR_MODULE_NOT_FOUND]: Cannot find package x',
  ],
  [
    'a warning mentions an error',
    '(node:1) Warning: the error page is old\n<--- JS stacktrace --->\nFATAL ERROR: Reached heap limit\n',
    'FATAL ERROR: Reached heap limit',
  ],
  ['a line is cut', '{"level":60,"msg":"cu', '{"level":60,"msg":"cu'],
])('is found where %s', (_name, log, reason) => expect(reasonIn(log)).toBe(reason));

test('is of this start, and not of an earlier one in the same log', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hoop-reason-'));
  const file = path.join(folder, 'log');
  await appendFile(file, 'Error: of yesterday\n');
  expect(await readReason(file, 20)).toBe('');
  await appendFile(file, 'Error: of today\n');
  expect(await readReason(file, 20)).toBe('Error: of today');
  expect(await readReason(path.join(folder, 'none'), 0)).toBe('');
  await rm(folder, { recursive: true });
});
