/** Groups of a journal as batches for the queue: small groups travel together. */
import { createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type { JournalReader, Position } from '@hoop/journal';
import { joinBatches, sealedBatch } from '@hoop/recording';
import type { SentBatch } from '@hoop/recording';
import { sealBodyBytes } from '@hoop/sealing';
import { LRUCache } from 'lru-cache';

export interface ShippedBatch {
  readonly batch: SentBatch;
  /** Number of the first group. */
  readonly first: number;
  /** Behind the last group. */
  readonly end: Position;
}

/** A batch is complete with so many entries, or bytes. */
const enoughEntries = 512;
const enoughBytes = 512 * 1024;

const keys = new LRUCache<string, KeyObject>({ max: 10_000 });

function keyOf(base64: string): KeyObject {
  let key = keys.get(base64);
  if (key === undefined) {
    key = createSecretKey(Buffer.from(base64, 'base64'));
    keys.set(base64, key);
  }
  return key;
}

/** The next groups that are there, their bodies sealed under the keys of their sessions; null where there are none. */
export async function nextBatch(reader: JournalReader, isWriterGone: boolean): Promise<ShippedBatch | null> {
  const batches: SentBatch[] = [];
  let first = 0;
  let [entries, bytes] = [0, 0];
  while (entries < enoughEntries && bytes < enoughBytes) {
    const group = await reader.next(isWriterGone);
    if (group === null) break;
    if (batches.length === 0) first = group.number;
    const batch = sealedBatch(group.bytes, (key, body, owner) => sealBodyBytes(keyOf(key), body, owner));
    batches.push(batch);
    entries += batch.head.count;
    bytes += batch.bytes.length;
  }
  return batches.length === 0 ? null : { batch: joinBatches(batches), first, end: reader.position };
}
