/**
 * A batch of entries as one group of a journal: what the batch is, how its bodies are to be sealed, its text, and the
 * bodies themselves. The journal seals the group as a whole; whoever ships it seals each body under its session's key, as
 * the text says already.
 */
import type { KeyObject } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';

import { compressedVersion, noKey } from './recorder-pack.ts';
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
  return { entries: head.count, parts: [length, json, text, ...bodies] };
}

/** @param key base64 */
export type SealBody = (key: string, bytes: Uint8Array, owner: string) => Uint8Array;

/** A group of the journal, its bodies sealed. */
export interface SealedGroup {
  readonly head: BatchHead;
  /** Begins with its length. */
  readonly text: Uint8Array;
  readonly bodies: readonly Uint8Array[];
  /** Of text and bodies. */
  readonly bytes: number;
}

/** @throws Error where the bytes are no group */
export function sealGroup(group: Buffer, seal: SealBody): SealedGroup {
  const prefixEnd = lengthBytes + group.readUInt32BE(0);
  const { head, textBytes, keys, owners } = JSON.parse(group.toString('utf8', lengthBytes, prefixEnd)) as Prefix;
  const bodies: Uint8Array[] = [];
  let [at, bytes] = [prefixEnd + textBytes, textBytes];
  for (const [length, key, owner] of owners) {
    const body = group.subarray(at, (at += length));
    const sealed = key === noKey ? body : seal(keys[key]!, body, owner);
    bodies.push(sealed);
    bytes += sealed.length;
  }
  if (at !== group.length) throw new Error('a group of the journal has bytes that belong to no body');
  return { head, text: group.subarray(prefixEnd, prefixEnd + textBytes), bodies, bytes };
}

/**
 * Groups of one relay as one batch, in the form `compressedVersion`: see `PackedRecordBatch`. The texts of many calls say
 * much the same, and whatever is in the queue is written twice and read once.
 */
export function joinGroups(groups: readonly SealedGroup[]): SentBatch {
  const texts = zstdCompressSync(Buffer.concat(groups.map((group) => group.text)), { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const length = Buffer.allocUnsafe(lengthBytes);
  length.writeUInt32BE(texts.length);
  return {
    head: { version: compressedVersion, relayId: groups[0]!.head.relayId, count: groups.reduce((sum, { head }) => sum + head.count, 0) },
    bytes: Buffer.concat([length, texts, ...groups.flatMap((group) => group.bodies)]),
  };
}
