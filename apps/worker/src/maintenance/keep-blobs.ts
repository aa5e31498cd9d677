/** Keeps blobs and rows together: deletes blobs whose row is gone or never existed, and reports rows whose blob is gone. */
import type { BlobInfo, BlobStore } from '@hoop/blobs';
import { compareBlobs, dueBlobDeletions, noteBlobsDeleted, readBlobCheckState, writeBlobCheckState } from '@hoop/database';

import type { WorkerContext } from '../context.ts';

const batch = 500;
/** Batches that are compared in one run. */
const batchesAtMost = 40;
/** A blob of that age has its row, or its worker died before it wrote one; its job then writes it again. Milliseconds. */
const settledMs = 3_600_000;

export interface BlobUpkeep {
  readonly deleted: number;
  readonly stray: number;
  readonly missing: readonly string[];
}

export async function keepBlobs({ config, db, log, now }: WorkerContext, signal: AbortSignal): Promise<BlobUpkeep> {
  const { blobs } = config;
  if (blobs === undefined) return { deleted: 0, stray: 0, missing: [] };
  let deleted = 0;
  for (let keys: string[] = []; !signal.aborted && (deleted === 0 || keys.length === batch);) {
    keys = await dueBlobDeletions(db.pool, batch);
    if (keys.length === 0) break;
    for (const key of keys) await blobs.delete(key);
    await noteBlobsDeleted(db.pool, keys);
    deleted += keys.length;
  }
  const { stray, missing } = await compare({ blobs, pool: db.pool, settledBefore: now() - settledMs, signal });
  if (deleted + stray > 0) log.info({ event: 'blobs_deleted', ofDeletedRows: deleted, withoutRow: stray });
  if (missing.length > 0)
    log.error(
      { event: 'blobs_missing', count: missing.length, first: missing.slice(0, 10) },
      'recorded bodies are gone from the blob store',
    );
  return { deleted, stray, missing };
}

interface Comparing {
  readonly blobs: BlobStore;
  readonly pool: Parameters<typeof compareBlobs>[0];
  readonly settledBefore: number;
  readonly signal: AbortSignal;
}

/** Goes on where the last run ended. */
async function compare({ blobs, pool, settledBefore, signal }: Comparing): Promise<{ stray: number; missing: string[] }> {
  let after = await readBlobCheckState(pool);
  let stray = 0;
  const missing: string[] = [];
  for (let count = 0; count < batchesAtMost && !signal.aborted; count++) {
    const page: BlobInfo[] = [];
    for await (const one of blobs.list(after ?? undefined)) {
      page.push(one);
      if (page.length === batch) break;
    }
    const isLast = page.length < batch;
    const found = await compareBlobs(
      pool,
      after,
      page.map((one) => one.key),
      isLast,
    );
    const old = new Set(page.filter((one) => one.storedAt < settledBefore).map((one) => one.key));
    for (const key of found.stray) {
      if (!old.has(key)) continue;
      await blobs.delete(key);
      stray++;
    }
    // It may have been stored since the list was read.
    for (const key of found.missing) if (!(await blobs.has(key))) missing.push(key);
    after = isLast ? null : page.at(-1)!.key;
    await writeBlobCheckState(pool, after);
    if (isLast) break;
  }
  return { stray, missing };
}
