import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { connectionLimitsSchema } from '@hoop/contract';
import { expect, it } from 'vitest';

import { completeLimits, limitVariables } from './limits.ts';

it('each limit has a variable of its own, and follows from the totals and from the open files of the process', () => {
  const names = Object.values(limitVariables);
  expect(new Set(names).size).toBe(names.length);
  expect(completeLimits({ maxCalls: 100 })).toMatchObject({ maxCallsPerIdentity: 50, maxSockets: 20_000 });
  expect(completeLimits({}, 1024)).toMatchObject({ maxSockets: 512, maxSocketsPerIdentity: 256, maxHeads: 128 });
});

it('the table in the docs has every limit, with its default', async () => {
  const page = await readFile(path.join(import.meta.dirname, '../../../../docs/limits.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| '));
  const { maxCalls, maxSockets, maxHeldBytes, maxKeptBytesPerIdentity, maxPipelined, maxRefusalsPerSecond } = completeLimits();
  const numbers: Record<string, number> = {
    maxCalls,
    maxSockets,
    maxHeldBytes,
    maxKeptBytesPerIdentity,
    maxPipelined,
    maxRefusalsPerSecond,
  };
  for (const [limit, variable] of Object.entries(limitVariables)) {
    const row = rows.filter((line) => line.includes(`\`${variable}\``));
    expect(row, variable).toHaveLength(1);
    if (limit in numbers) expect(row[0]).toContain(String(numbers[limit]));
  }
  const defaults = connectionLimitsSchema.parse({});
  for (const name of ['maxCalls', 'maxSockets', 'socketWaitMs', 'inspectTimeoutMs', 'idleTimeoutMs'] as const) {
    const row = rows.find((line) => line.startsWith(`| \`${name}\``));
    expect(row?.split('|')[3]?.trim(), name).toBe(String(defaults[name]));
  }
});
