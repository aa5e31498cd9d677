/**
 * How a batch of entries travels. Heads of one relay's calls are much alike, so they are compressed together (60 bytes
 * a call instead of 2 KB); sealed bodies do not compress and travel beside them as bytes.
 * The form is `PackedRecordBatch` of the contract.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

import { AppError, packedRecordBatchSchema, recordBatchSchema, recordEntrySchema } from '@hoop/contract';
import type { PackedRecordBatch, RecordedBody, RecordEntry } from '@hoop/contract';

/** An entry as one line of JSON in which a body's `sealed` reads `@N`, and the N sealed bytes of each, in order. */
export interface PackedEntry {
  readonly line: string;
  readonly sealed: readonly Uint8Array[];
}

const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** A job above this is refused: no relay sends one (its batches are bounded far below). */
const maxFrameBytes = 256 * 1024 * 1024;
const placeholder = /^@(\d{1,9})$/;

export function packRecords(relayId: string, entries: readonly PackedEntry[]): PackedRecordBatch {
  const lines: string[] = [];
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    lines.push(entry.line);
    for (const bytes of entry.sealed) parts.push(bytes);
  }
  const frame = zstdCompressSync(lines.join('\n'), compression);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(frame.length);
  return { version: 2, relayId, count: entries.length, packed: Buffer.concat([length, frame, ...parts]).toString('base64') };
}

/**
 * The entries of a `recordings` job, in either form, checked against the contract.
 * @throws AppError `invalid_request` where the payload is not what a relay sends
 */
export function unpackRecordBatch(payload: unknown): RecordEntry[] {
  const plain = recordBatchSchema.safeParse(payload);
  if (plain.success) return plain.data.entries;
  const batch = packedRecordBatchSchema.safeParse(payload);
  if (!batch.success) throw new AppError('invalid_request', 'The job is not a batch of records.', { cause: batch.error });
  const bytes = Buffer.from(batch.data.packed, 'base64');
  const frameLength = bytes.length < 4 ? Number.POSITIVE_INFINITY : bytes.readUInt32BE(0);
  if (4 + frameLength > bytes.length) throw new AppError('invalid_request', 'The batch of records is cut short.');
  let text: string;
  try {
    text = zstdDecompressSync(bytes.subarray(4, 4 + frameLength), { maxOutputLength: maxFrameBytes }).toString('utf8');
  } catch (cause) {
    throw new AppError('invalid_request', 'The batch of records cannot be decompressed.', { cause });
  }
  const sealed = new SealedReader(bytes.subarray(4 + frameLength));
  const entries = text.split('\n').map((line) => restore(line, sealed));
  if (entries.length !== batch.data.count) throw new AppError('invalid_request', 'The batch of records does not have the count it states.');
  sealed.end();
  return entries;
}

class SealedReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  take(length: number): string {
    if (this.#at + length > this.#bytes.length) throw new AppError('invalid_request', 'A sealed body of the batch is cut short.');
    return this.#bytes.toString('base64', this.#at, (this.#at += length));
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new AppError('invalid_request', 'The batch of records has bytes that belong to no entry.');
  }
}

function restore(line: string, sealed: SealedReader): RecordEntry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new AppError('invalid_request', 'An entry of the batch is not JSON.', { cause });
  }
  const parsed = recordEntrySchema.safeParse(value);
  if (!parsed.success) throw new AppError('invalid_request', 'An entry of the batch is not a record.', { cause: parsed.error });
  const entry = parsed.data;
  if (entry.type === 'intent') return entry;
  const outcome = entry.type === 'outcome' ? entry : entry.outcome;
  outcome.requestBody = withSealed(outcome.requestBody, sealed);
  outcome.responseBody = withSealed(outcome.responseBody, sealed);
  return entry;
}

function withSealed(body: RecordedBody | null, sealed: SealedReader): RecordedBody | null {
  const length = body?.sealed == null ? null : placeholder.exec(body.sealed);
  return body && length ? { ...body, sealed: sealed.take(Number(length[1])) } : body;
}

/** An entry in the packed form; a sealed body of the entry moves from base64 to bytes. */
export function packEntry(entry: RecordEntry): PackedEntry {
  const sealed: Uint8Array[] = [];
  const moved = (body: RecordedBody | null): RecordedBody | null => {
    if (body?.sealed == null) return body;
    const bytes = Buffer.from(body.sealed, 'base64');
    sealed.push(bytes);
    return { ...body, sealed: `@${bytes.length}` };
  };
  if (entry.type === 'intent') return { line: JSON.stringify(entry), sealed };
  const outcome = entry.type === 'outcome' ? entry : entry.outcome;
  const packed = { ...outcome, requestBody: moved(outcome.requestBody), responseBody: moved(outcome.responseBody) };
  return { line: JSON.stringify(entry.type === 'outcome' ? packed : { ...entry, outcome: packed }), sealed };
}
