/**
 * How a journal lies on the disk. A segment begins with a header; groups follow, each sealed as one message:
 *
 *     length of the ciphertext (4) ‖ number of the group (8) ‖ ciphertext ‖ tag (16)
 *
 * A segment is used again once its groups are shipped, so old groups may lie behind the new ones. The header's digest,
 * the offset and the number are authenticated with each group: no group fits where it was not written.
 */
import { createCipheriv, createDecipheriv, hash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

const magic = Buffer.from('hoopjrn1');
export const headerBytes = 4096;
const digestBytes = 32;
export const frameBytes = 12;
export const tagBytes = 16;
/** What a group takes up besides its bytes. */
export const groupOverhead = frameBytes + tagBytes;

/** A place in a journal: epochs count the uses of segments, in order. */
export interface Position {
  readonly epoch: number;
  /** In the segment, bytes. */
  readonly offset: number;
}

export const isBefore = (a: Position, b: Position): boolean => a.epoch < b.epoch || (a.epoch === b.epoch && a.offset < b.offset);

export interface SegmentHeader {
  readonly version: 1;
  readonly journal: string;
  readonly epoch: number;
  /** Number of the segment's first group. */
  readonly firstGroup: number;
  /** How far the journal was durable when this segment was begun. */
  readonly durable: Position;
  /** The key of this use of the segment, as `JournalKeys.create` wrapped it. */
  readonly wrappedKey: string;
}

/** A header as it is written, and the digest that its groups are bound to. */
export interface EncodedHeader {
  readonly bytes: Buffer;
  readonly digest: Buffer;
}

/** @throws RangeError where the wrapped key is too long */
export function encodeHeader(header: SegmentHeader): EncodedHeader {
  const json = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.alloc(headerBytes);
  if (magic.length + 4 + json.length + digestBytes > headerBytes) throw new RangeError('the header of a segment is too long');
  magic.copy(bytes);
  bytes.writeUInt32BE(json.length, magic.length);
  json.copy(bytes, magic.length + 4);
  const digest = digestOf(bytes.subarray(0, magic.length + 4 + json.length));
  digest.copy(bytes, magic.length + 4 + json.length);
  return { bytes, digest };
}

/** Null: not a whole header of a journal. */
export function decodeHeader(bytes: Buffer): { header: SegmentHeader; digest: Buffer } | null {
  if (bytes.length < headerBytes || !bytes.subarray(0, magic.length).equals(magic)) return null;
  const end = magic.length + 4 + bytes.readUInt32BE(magic.length);
  if (end + digestBytes > headerBytes) return null;
  const digest = digestOf(bytes.subarray(0, end));
  if (!digest.equals(bytes.subarray(end, end + digestBytes))) return null;
  const header = JSON.parse(bytes.toString('utf8', magic.length + 4, end)) as SegmentHeader;
  return header.version === 1 ? { header, digest } : null;
}

const digestOf = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

/** The key of one use of a segment, with what every group of it is bound to. */
export interface SegmentSeal {
  readonly key: KeyObject;
  readonly digest: Buffer;
}

/** Numbers are never used twice under one key, so they are the nonces. */
function nonceOf(number: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(number), 4);
  return nonce;
}

function boundTo(digest: Buffer, offset: number, frame: Uint8Array): Buffer {
  const bytes = Buffer.alloc(digestBytes + 4 + frameBytes);
  digest.copy(bytes);
  bytes.writeUInt32BE(offset, digestBytes);
  bytes.set(frame, digestBytes + 4);
  return bytes;
}

/** The parts of a sealed group (AES-256-GCM), to be written one behind the other. */
export function sealGroup({ key, digest }: SegmentSeal, offset: number, number: number, parts: readonly Uint8Array[]): Uint8Array[] {
  const frame = Buffer.allocUnsafe(frameBytes);
  frame.writeUInt32BE(lengthOf(parts));
  frame.writeBigUInt64BE(BigInt(number), 4);
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number)).setAAD(boundTo(digest, offset, frame));
  const sealed: Uint8Array[] = [frame];
  for (const part of parts) if (part.length > 0) sealed.push(cipher.update(part));
  cipher.final();
  sealed.push(cipher.getAuthTag());
  return sealed;
}

export interface Frame {
  readonly length: number;
  readonly number: number;
}

export const readFrame = (bytes: Buffer): Frame => ({ length: bytes.readUInt32BE(0), number: Number(bytes.readBigUInt64BE(4)) });

/** @param bytes the whole group, from its frame to its tag. Null: it was changed, is torn, or does not belong here. */
export function openGroup({ key, digest }: SegmentSeal, offset: number, bytes: Buffer): Buffer | null {
  const frame = bytes.subarray(0, frameBytes);
  const { number } = readFrame(frame);
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number), { authTagLength: tagBytes })
    .setAAD(boundTo(digest, offset, frame))
    .setAuthTag(bytes.subarray(bytes.length - tagBytes));
  const opened = decipher.update(bytes.subarray(frameBytes, bytes.length - tagBytes));
  try {
    decipher.final();
  } catch {
    return null;
  }
  return opened;
}

export const lengthOf = (parts: readonly Uint8Array[]): number => {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  return bytes;
};

/** A position, and the entries of the journal before it. */
export interface Mark extends Position {
  readonly entries: number;
}

export const firstMark: Mark = { epoch: 0, offset: 0, entries: 0 };

/** The files `durable` and `shipped` hold a mark each: epoch, offset, entries, and a check against a torn write. */
export const markBytes = 22;
const checkedBytes = 16;

export function encodeMark({ epoch, offset, entries }: Mark): Buffer {
  const bytes = Buffer.alloc(markBytes);
  bytes.writeUIntBE(epoch, 0, 6);
  bytes.writeUInt32BE(offset, 6);
  bytes.writeUIntBE(entries, 10, 6);
  checkOf(bytes).copy(bytes, checkedBytes);
  return bytes;
}

/** Null: not a whole mark. */
export function decodeMark(bytes: Buffer): Mark | null {
  if (bytes.length < markBytes || !checkOf(bytes).equals(bytes.subarray(checkedBytes, markBytes))) return null;
  return { epoch: bytes.readUIntBE(0, 6), offset: bytes.readUInt32BE(6), entries: bytes.readUIntBE(10, 6) };
}

const checkOf = (bytes: Buffer): Buffer => hash('sha256', bytes.subarray(0, checkedBytes), 'buffer').subarray(0, markBytes - checkedBytes);
