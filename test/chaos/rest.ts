/** How the product comes to rest: nothing under way, nothing waiting. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { queueNames } from '@hoop/contract';
import { openQueue } from '@hoop/queue';
import { progressUntil } from '@hoop/testkit';
import pg from 'pg';

import type { Product } from './product.ts';

/** Lets the relays end in good order, and says what was not in order. */
export async function stopRelays(product: Product): Promise<string[]> {
  const { relays, folder } = product;
  const breaches: string[] = [];
  for (const relay of relays) {
    const code = await relay.stop();
    if (code !== 0) breaches.push(`${relay.name} did not stop in good order: exit ${code}`);
  }
  await shipRest(product);
  const logs = path.join(folder, 'logs');
  for (const name of await readdir(logs)) {
    if ((await readFile(path.join(logs, name), 'utf8')).includes('"records_lost"')) breaches.push(`${name} says that records were lost`);
  }
  return breaches;
}

/** On a slow machine a part of the journal may be left, for whoever has the volume next. */
async function shipRest({ journalFolder, startShipper }: Product): Promise<void> {
  const left = async (): Promise<number> => (await readdir(journalFolder)).filter((name) => name.startsWith('jrn_')).length;
  if ((await left()) === 0) return;
  const shipper = startShipper();
  await progressUntil('journals that are left to be shipped', left, (count) => count === 0);
  await shipper.kill();
}

/** Waits until the worker has written all records, closed all orphans and sequenced all leaves, and says what was given up or does not end. */
export async function comeToRest({ queue: connection, databaseUrl }: Product): Promise<string[]> {
  const queue = openQueue<unknown>(queueNames.recordings, connection, { timeoutMs: 120_000 });
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    const look = async (): Promise<Record<'waiting' | 'active' | 'delayed' | 'failed' | 'pending' | 'unsequenced', number>> => {
      const { waiting, active, delayed, failed } = await queue.counts();
      const { rows } = await client.query<{ pending: number; unsequenced: number }>(
        "SELECT (SELECT count(*)::int FROM calls WHERE state = 'pending') AS pending, (SELECT count(*)::int FROM log_pending) AS unsequenced",
      );
      return { waiting, active, delayed, failed, ...rows[0]! };
    };
    const isResting = ({ failed, ...open }: Awaited<ReturnType<typeof look>>): boolean =>
      failed > 0 || Object.values(open).every((count) => count === 0);
    const { failed } = await progressUntil('coming to rest', look, isResting, { everyMs: 100 });
    if (failed === 0) return [];
    return [`${failed} batches of records were given up: ${JSON.stringify((await queue.failed(3)).map((job) => job.reason))}`];
  } finally {
    await queue.close();
    await client.end();
  }
}
