/** How the product comes to rest: nothing under way, nothing waiting. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { queueNames } from '@hoop/contract';
import { openQueue } from '@hoop/queue';
import pg from 'pg';

import type { Product } from './product.ts';

const quietWithinMs = 60_000;

/** Lets the relays end in good order, and says what was not in order. */
export async function stopRelays({ relays, folder }: Product): Promise<string[]> {
  const breaches: string[] = [];
  for (const relay of relays) {
    const code = await relay.stop();
    if (code !== 0) breaches.push(`${relay.name} did not stop in good order: exit ${code}`);
  }
  const logs = path.join(folder, 'logs');
  for (const name of await readdir(logs)) {
    if ((await readFile(path.join(logs, name), 'utf8')).includes('"records_lost"')) breaches.push(`${name} says that records were lost`);
  }
  return breaches;
}

/** Waits until the worker has written all records, closed all orphans and sequenced all leaves, and says what was given up or does not end. */
export async function comeToRest({ queue: connection, databaseUrl }: Product): Promise<string[]> {
  const queue = openQueue<unknown>(queueNames.recordings, connection, { timeoutMs: 10_000 });
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    for (const deadline = Date.now() + quietWithinMs; ;) {
      const { waiting, active, delayed, failed } = await queue.counts();
      const { rows } = await client.query<{ pending: number; unsequenced: number }>(
        "SELECT (SELECT count(*)::int FROM calls WHERE state = 'pending') AS pending, (SELECT count(*)::int FROM log_pending) AS unsequenced",
      );
      const { pending, unsequenced } = rows[0]!;
      if (failed > 0)
        return [`${failed} batches of records were given up: ${JSON.stringify((await queue.failed(3)).map((job) => job.reason))}`];
      if (waiting + active + delayed + pending + unsequenced === 0) return [];
      if (Date.now() > deadline)
        return [`no rest after ${quietWithinMs} ms: ${JSON.stringify({ waiting, active, delayed, pending, unsequenced })}`];
      await delay(100);
    }
  } finally {
    await queue.close();
    await client.end();
  }
}
