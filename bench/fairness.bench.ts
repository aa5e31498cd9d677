/**
 * The p99 of one caller beside another that misbehaves, over its p99 alone: one relay process with all steps on, the
 * misbehaving caller in a process of its own, under another identity, on the same connection and from the same address.
 * `--only=KIND` runs one kind. The caller that is measured has four new sockets in each turn. Its turn begins once the relay answers as quickly as
 * before, or after three seconds: to open and close thousands of sockets is work of its own.
 */
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { cores, openBench, pinSelf, startProcess } from './measure.ts';
import type { Sample } from './measure.ts';
import type { Misbehaviour, Start } from './fairness/misbehave.ts';
import { load } from './relay/load.ts';
import { startStage } from './relay/stage.ts';

const connections = 4;
const forMs = 1000;
/** A turn that fails, or does not end, counts as so long. */
const mostMs = 3000;
const settleLimitMs = 3000;
const misbehaviours: readonly Misbehaviour[] = [
  'unfinished bodies',
  'unfinished heads',
  'refused calls',
  'slow inspected bodies',
  'slow readers',
  'hanging target',
  'masked responses',
  'pipelining',
];

const bench = openBench('fairness');
const pinned = pinSelf();
const target = startProcess(path.join(import.meta.dirname, 'fairness/target.ts'), { core: cores.load });
const targetUrl = await target.listening();
const stage = await startStage([
  {
    name: 'shared',
    target: targetUrl,
    rules: [
      { name: 'small refunds', effect: 'allow', match: { methods: ['POST'], paths: ['/v1/refunds'] }, when: 'request.body.amount < 10' },
    ],
  },
  {
    name: 'masked',
    target: targetUrl,
    mask: [
      { path: '$.data[*].email', action: 'partial' },
      { detect: 'payment_card', action: 'redact' },
      { pattern: '[0-9.]{7,15}', action: 'redact' },
    ],
  },
]);
const other = startProcess(path.join(import.meta.dirname, 'fairness/misbehave.ts'), { core: cores.load });
await other.listening();

async function measure(): Promise<Sample> {
  const grants = await Promise.all(Array.from({ length: connections }, () => stage.grant()));
  const head = (index: number): string => `GET /shared/v1/customers HTTP/1.1\r\nauthorization: Bearer ${grants[index]}`;
  const result = await Promise.race([load({ url: stage.relayUrl, connections, forMs, head }), delay(mostMs, null, { ref: false })]);
  if (result === null) return { value: mostMs, p50Ms: mostMs, extra: { failures: connections, responses: 0 } };
  const value = result.failures > 0 || result.responses === 0 ? mostMs : result.p99Ms!;
  return { value, p50Ms: result.p50Ms!, extra: { failures: result.failures, responses: result.responses } };
}

/** A call that is answered within so long, sockets and all, shows that the relay has nothing left to catch up with. */
let settledMs = 0;

async function settle(): Promise<void> {
  const grant = await stage.grant();
  const until = performance.now() + settleLimitMs;
  for (let quick = 0; quick < 5 && performance.now() < until;) {
    const start = performance.now();
    const head = (): string => `GET /shared/v1/customers HTTP/1.1\r\nauthorization: Bearer ${grant}`;
    const limit = delay(until - start, null, { ref: false });
    await Promise.race([load({ url: stage.relayUrl, connections: 1, forMs: 1, head }), limit]);
    quick = performance.now() - start < settledMs ? quick + 1 : 0;
  }
}

async function tell(message: Start | 'stop'): Promise<void> {
  const answered = once(other.child, 'message');
  other.child.send(message);
  await answered;
}

settledMs = 3 * (await measure()).p50Ms!;
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);
for (const kind of misbehaviours) {
  if (only !== undefined && kind !== only) continue;
  await bench.compare({
    case: kind,
    unit: 'ms p99',
    goal: 2,
    lowerIsBetter: true,
    warmUpPairs: 0,
    candidate: async () => {
      await tell({ kind, relayUrl: stage.relayUrl, grant: await stage.grant('another') });
      try {
        await settle();
        return await measure();
      } finally {
        await tell('stop');
        await settle();
      }
    },
    baseline: measure,
    extra: { pinned },
  });
}
await other.close();
await stage.close();
await target.close();
