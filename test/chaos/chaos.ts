/**
 * Runs the product under a mixed load while its processes and servers are killed with -9 at random, lets it come to rest,
 * and says what of its promises did not hold. What is killed, and when, follows from the seed.
 */
import { setTimeout as delay } from 'node:timers/promises';

import { progressUntil } from '@hoop/testkit';

import { findBreaches, readRecords } from './check.ts';
import { startLoad, type Load } from './load.ts';
import type { Part } from './part.ts';
import { startProduct, type Product } from './product.ts';
import { verifyLog } from './log.ts';
import { seeded, type Random } from './random.ts';
import { comeToRest, stopRelays } from './rest.ts';
import { searchAll, searchJobs } from './secrets.ts';

export interface ChaosOptions {
  readonly queue: 'postgres' | 'redis';
  readonly rounds: number;
  readonly seed: number;
  /** Told what happens. */
  readonly say?: (sentence: string) => void;
}

export interface ChaosResult {
  /** Each promise that did not hold, as a sentence. */
  readonly breaches: string[];
  /** How often each part was killed. */
  readonly kills: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly received: number;
  /** Records by state. */
  readonly states: Readonly<Record<string, number>>;
  /** Records that the verified export of the log proves. */
  readonly proved: number;
  /** Entries found in queue jobs, rows and bodies that were searched for secrets. */
  readonly searched: { readonly entries: number; readonly rows: number; readonly bodies: number };
}

const concurrency = 8;
/** Whole responses of the target after which a round is over. */
const goodPerRound = 15;

export async function runChaos({ queue, rounds, seed, say = () => undefined }: ChaosOptions): Promise<ChaosResult> {
  const random = seeded(seed);
  const product = await startProduct({ queue, journal: true });
  try {
    const breaches: string[] = [];
    const kills: Record<string, number> = {};
    const relayKills: number[] = [];
    let grant = await product.grant();
    const load = startLoad({
      relayUrls: product.relayUrls,
      random: seeded(seed + 1),
      grant: () => grant,
      canary: product.secrets.canary,
      concurrency,
      most: Number.POSITIVE_INFINITY,
    });
    await progress(load, goodPerRound);
    const draw = drawer(product.parts, random);
    for (let round = 1; round <= rounds; round++) {
      const killed = await killSome(product, draw, random, relayKills);
      for (const name of killed) kills[name] = (kills[name] ?? 0) + 1;
      say(`round ${round}: killed ${killed.join(' and ')}; ${load.sent.size} calls sent, ${load.good()} answered by the target`);
      await progress(load, goodPerRound);
      grant = await product.grant().catch(() => grant);
    }
    await Promise.all(product.parts.map((part) => part.ready()));

    // Entries that a relay writes while the worker is away stay in the queue, where they can be inspected.
    const needles = Object.values(product.secrets);
    await product.worker.stop();
    await progress(load, goodPerRound);
    await load.stop();
    const jobs = await searchJobs(product.queue, needles);
    breaches.push(...jobs.seen);
    if (jobs.entries === 0) breaches.push('no job was in the queue to look into');
    product.worker.start();
    await product.worker.ready();

    breaches.push(...(await stopRelays(product)), ...(await comeToRest(product)));
    const { recorded, breaches: miscounted } = await readRecords(product.databaseUrl);
    breaches.push(
      ...miscounted,
      ...findBreaches({ received: product.target.received, sent: load.sent, recorded, relayKills, secrets: needles }),
    );
    const log = await verifyLog(product);
    breaches.push(...log.breaches);
    if (log.intact < recorded.size) breaches.push(`the log proves ${log.intact} records, and there are ${recorded.size} calls`);
    const search = await searchAll(product, needles);
    breaches.push(...search.seen);
    const states: Record<string, number> = {};
    for (const [record] of recorded.values()) states[record!.state] = (states[record!.state] ?? 0) + 1;
    return {
      breaches,
      kills,
      sent: load.sent.size,
      received: product.target.received.size,
      states,
      proved: log.intact,
      searched: { entries: jobs.entries, rows: search.rows, bodies: search.bodies },
    };
  } finally {
    await product.close();
  }
}

/** Draws parts at random, none again before all had their turn. */
function drawer(parts: readonly Part[], random: Random): () => Part {
  let left: Part[] = [];
  return () => {
    if (left.length === 0) left = [...parts];
    return left.splice(random.below(left.length), 1)[0]!;
  };
}

/** Kills one part, often a second one while the first is away, and starts them again. */
async function killSome({ relays }: Product, draw: () => Part, random: Random, relayKills: number[]): Promise<string[]> {
  const victims = [draw()];
  if (random.next() < 0.5) {
    const second = draw();
    if (second !== victims[0]) victims.push(second);
  }
  await delay(random.below(250));
  for (const victim of victims) {
    await victim.kill();
    if ((relays as readonly unknown[]).includes(victim)) relayKills.push(Date.now());
    await delay(random.below(200));
  }
  await delay(random.below(400));
  for (const victim of random.next() < 0.5 ? victims : victims.toReversed()) victim.start();
  return victims.map((victim) => victim.name);
}

/** Waits until the target has answered so many more calls: the product goes on without anybody's help. */
async function progress(load: Load, more: number): Promise<void> {
  const wanted = load.good() + more;
  await progressUntil('calls that the target answers', load.good, (good) => good >= wanted, { everyMs: 10 }).catch((error: Error) => {
    const last = [...load.sent.values()].slice(-20).map(({ kind, ending, status, error }) => ({ kind, ending, status, error }));
    throw new Error(`${error.message}: ${JSON.stringify(last)}`);
  });
}
