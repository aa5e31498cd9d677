/** Looks for what must not be kept: in every table, file, queue job and recorded body. */
import { readFile } from 'node:fs/promises';

import { createDirectoryBlobStore } from '@hoop/blobs';
import { queueNames } from '@hoop/contract';
import { openDatabase, readBodies } from '@hoop/database';
import type { QueueConnection } from '@hoop/queue';
import { unpackRecordBatch } from '@hoop/recording';
import { openBody, openDataKey, type JwkSet } from '@hoop/sealing';
import { Redis } from 'ioredis';
import pg from 'pg';

import { notations, searchDatabase, searchFiles } from '../e2e/canary.ts';
import type { Product } from './product.ts';

const seenIn = (where: string, content: Buffer, needles: readonly string[]): string[] =>
  needles.flatMap((needle) =>
    [...notations(needle)].filter(([, text]) => content.includes(text)).map(([notation]) => `${where}: ${needle} (${notation})`),
  );

export interface JobSearch {
  readonly seen: string[];
  /** Entries of records that were looked into. */
  readonly entries: number;
}

/** The jobs that wait in the recordings queue: as they lie there, and unpacked. */
export async function searchJobs(connection: QueueConnection, needles: readonly string[]): Promise<JobSearch> {
  const stored = connection.kind === 'postgres' ? await jobsInPostgres(connection.url) : await jobsInRedis(connection.url);
  const seen: string[] = [];
  let entries = 0;
  for (const text of stored) {
    seen.push(...seenIn('queue job', Buffer.from(text), needles));
    const { json } = JSON.parse(text) as { json?: unknown };
    for (const entry of unpackRecordBatch(json)) {
      entries++;
      seen.push(...seenIn('queue job, unpacked', Buffer.from(JSON.stringify(entry)), needles));
    }
  }
  return { seen, entries };
}

async function jobsInPostgres(url: string): Promise<string[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<{ data: string }>('SELECT data::text AS data FROM bullmq.job WHERE queue = $1', [
      queueNames.recordings,
    ]);
    return rows.map((row) => row.data);
  } finally {
    await client.end();
  }
}

async function jobsInRedis(url: string): Promise<string[]> {
  const redis = new Redis(url);
  try {
    const found: string[] = [];
    for (const key of await redis.keys(`hoop:${queueNames.recordings}:*`)) {
      if ((await redis.type(key)) !== 'hash') continue;
      const data = await redis.hget(key, 'data');
      if (data !== null) found.push(data);
    }
    return found;
  } finally {
    redis.disconnect();
  }
}

export interface Search {
  readonly seen: string[];
  readonly rows: number;
  /** Recorded bodies that were opened and looked into. */
  readonly bodies: number;
}

/** Everything that stays, while Postgres and Redis run. */
export async function searchAll(product: Product, needles: readonly string[]): Promise<Search> {
  const { seen, rows } = await searchDatabase(product.databaseUrl, needles);
  seen.push(...(await searchFiles(product.folder, needles)));
  if (product.queue.kind === 'redis') {
    const redis = new Redis(product.queue.url);
    const [, folder] = (await redis.config('GET', 'dir')) as [string, string];
    redis.disconnect();
    seen.push(...(await searchFiles(folder, needles)));
  }
  const opened = await searchBodies(product, needles);
  return { seen: [...seen, ...opened.seen], rows, bodies: opened.bodies };
}

/** Searches the bodies as investigators open them. */
async function searchBodies(
  { databaseUrl, recordingKeyFile, blobFolder }: Product,
  needles: readonly string[],
): Promise<{ seen: string[]; bodies: number }> {
  const keys = JSON.parse(await readFile(recordingKeyFile, 'utf8')) as JwkSet;
  const blobs = createDirectoryBlobStore(blobFolder);
  const db = openDatabase(databaseUrl);
  try {
    const ids = (await db.prisma.callBody.findMany({ select: { callId: true }, distinct: ['callId'] })).map((row) => row.callId);
    const seen: string[] = [];
    let bodies = 0;
    for (let from = 0; from < ids.length; from += 500) {
      for (const { callId, side, sealed, wrappedKey } of await readBodies(db.prisma, ids.slice(from, from + 500), blobs)) {
        const key = await openDataKey(keys, wrappedKey);
        const text = openBody(key, Buffer.from(sealed).toString('base64'), `${callId}:${side}`);
        bodies++;
        seen.push(...seenIn(`the ${side} body of ${callId}`, text, needles));
      }
    }
    return { seen, bodies };
  } finally {
    await db.close();
  }
}
