/**
 * A batch of entries as one group of a journal: what the batch is, how its bodies are to be sealed, its text, and the
 * bodies themselves. The journal seals the group as a whole; whoever ships it seals each body under its session's key, as
 * the text says already.
 */
import type { KeyObject } from 'node:crypto';

import { noKey } from './recorder-pack.ts';
import type { BatchPacker, BodyOwner } from './recorder-pack.ts';
import type { BatchHead, SentBatch } from './recorder.ts';

interface Prefix {
  readonly head: BatchHead;
  readonly textBytes: number;
  /** Base64 of the sessions' keys, in the order of their numbers. */
  readonly keys: readonly string[];
  readonly owners: readonly BodyOwner[];
}

const lengthBytes = 4;
const exportedKeys = new WeakMap<KeyObject, string>();

/** A session has many calls. */
function exported(key: KeyObject): string {
  let text = exportedKeys.get(key);
  if (text === undefined) exportedKeys.set(key, (text = key.export().toString('base64')));
  return text;
}

export interface PackedGroup {
  readonly entries: number;
  /** One behind the other; they are the packer's until its `release`. */
  readonly parts: readonly Uint8Array[];
}

export function packGroup(head: BatchHead, packer: BatchPacker): PackedGroup {
  const { text, bodies, owners, keys } = packer.finishGroup();
  const prefix: Prefix = { head, textBytes: text.length, keys: keys.map(exported), owners };
  const json = Buffer.from(JSON.stringify(prefix));
  const length = Buffer.allocUnsafe(lengthBytes);
  length.writeUInt32BE(json.length);
  return { entries: head.count, parts: [length, json, text, bodies] };
}

/** @param key base64 */
export type SealBody = (key: string, bytes: Uint8Array, owner: string) => Uint8Array;

/**
 * The batch that a group stands for, its bodies sealed.
 * @throws Error where the bytes are no group
 */
export function sealedBatch(group: Buffer, seal: SealBody): SentBatch {
  const prefixEnd = lengthBytes + group.readUInt32BE(0);
  const { head, textBytes, keys, owners } = JSON.parse(group.toString('utf8', lengthBytes, prefixEnd)) as Prefix;
  const parts: Uint8Array[] = [group.subarray(prefixEnd, prefixEnd + textBytes)];
  let at = prefixEnd + textBytes;
  for (const [bytes, key, owner] of owners) {
    const body = group.subarray(at, (at += bytes));
    parts.push(key === noKey ? body : seal(keys[key]!, body, owner));
  }
  if (at !== group.length) throw new Error('a group of the journal has bytes that belong to no body');
  return { head, bytes: Buffer.concat(parts) };
}

/** Several batches as one: blocks of u32be length and the bytes of a batch. */
export function joinBatches(batches: readonly SentBatch[]): SentBatch {
  const [only] = batches;
  if (batches.length === 1) return only!;
  const parts: Uint8Array[] = [];
  let count = 0;
  for (const { head, bytes } of batches) {
    const length = Buffer.allocUnsafe(lengthBytes);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
    count += head.count;
  }
  return { head: { version: 4, relayId: only!.head.relayId, count }, bytes: Buffer.concat(parts) };
}
