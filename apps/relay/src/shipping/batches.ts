/** Groups of a journal as batches for the queue: small groups travel together. */
import { createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type { Group, JournalReader, Position } from '@hoop/journal';
import { joinGroups, sealGroup } from '@hoop/recording';
import type { SealedGroup, SentBatch } from '@hoop/recording';
import { sealBodyBytes } from '@hoop/sealing';
import { LRUCache } from 'lru-cache';

export interface ShippedBatch {
  readonly batch: SentBatch;
  /** Numbers of the first and the last group. */
  readonly first: number;
  readonly last: number;
  /** Behind the last group. */
  readonly end: Position;
  /** As large as batches become: more may wait behind it. */
  readonly isFull: boolean;
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

/**
 * The next groups that are there, their bodies sealed under the keys of their sessions; null where there are none.
 * @throws JournalDamaged, or what reading failed with; the reader then stands where it stood
 */
export async function nextBatch(reader: JournalReader, isWriterGone: boolean): Promise<ShippedBatch | null> {
  const first = await reader.next(isWriterGone);
  if (first === null) return null;
  const groups = [sealed(first)];
  let last = first;
  let [entries, bytes] = [groups[0]!.head.count, groups[0]!.bytes];
  const isFull = (): boolean => entries >= enoughEntries || bytes >= enoughBytes;
  while (!isFull()) {
    // What was read must not be lost with what cannot be read, which the next call finds again.
    const group = await reader.next(isWriterGone).catch(() => null);
    if (group === null) break;
    const next = sealed(group);
    groups.push(next);
    last = group;
    entries += next.head.count;
    bytes += next.bytes;
  }
  return { batch: joinGroups(groups), first: first.number, last: last.number, end: last.end, isFull: isFull() };
}

const sealed = (group: Group): SealedGroup => sealGroup(group.bytes, (key, body, owner) => sealBodyBytes(keyOf(key), body, owner));
