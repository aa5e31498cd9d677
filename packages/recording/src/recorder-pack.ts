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
  /**
   * JSON objects whose members belong to the head (intent, refusal) or to the entry (outcome) too. Calls have much in
   * common, so each is written once a batch. @default []
   */
  readonly shared?: readonly string[];
}

const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** A job above this is refused: no relay sends one (its batches are bounded far below). */
const maxFrameBytes = 256 * 1024 * 1024;
const placeholder = /^@(\d{1,9})$/;

export function packRecords(relayId: string, entries: readonly PackedEntry[]): PackedRecordBatch {
  const numbers = new Map<string, number>();
  let shared = '';
  let lines = '';
  const parts: Uint8Array[] = [length, empty];
  let bytes = 0;
  for (const entry of entries) {
    lines += '\n';
    for (const part of entry.shared ?? none) {
      let number = numbers.get(part);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(part, number);
        shared += number === 0 ? part : `,${part}`;
      }
      lines += `${number},`;
    }
    lines += entry.line;
    for (const sealed of entry.sealed) {
      parts.push(sealed);
      bytes += sealed.length;
    }
  }
  const frame = zstdCompressSync(`[${shared}]${lines}`, compression);
  length.writeUInt32BE(frame.length);
  parts[1] = frame;
  return { version: 2, relayId, count: entries.length, packed: Buffer.concat(parts, 4 + frame.length + bytes).toString('base64') };
}

const length = Buffer.alloc(4);
const empty = new Uint8Array(0);
const none: readonly string[] = [];

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
  const [table = '', ...lines] = text.split('\n');
  const shared = parseJson(table);
  if (!Array.isArray(shared)) throw new AppError('invalid_request', 'The batch of records has no table of what its entries share.');
  const entries = lines.map((line) => restore(line, shared, sealed));
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('invalid_request', 'A line of the batch is not JSON.', { cause });
  }
}

/** `3,0,{"type":…}`: the entry, which takes members of the shared objects 3 and 0. */
function restore(line: string, shared: readonly unknown[], sealed: SealedReader): RecordEntry {
  const start = line.indexOf('{');
  const value = parseJson(line.slice(Math.max(start, 0))) as { type?: unknown; head?: object } | null;
  const takes = value?.type === 'outcome' ? value : value?.head;
  for (const number of line.slice(0, start).split(',')) {
    if (number === '') continue;
    const part = shared[Number(number)];
    if (typeof part !== 'object' || part === null || typeof takes !== 'object') throw new AppError('invalid_request', 'An entry shares what the batch does not have.');
    Object.assign(takes, part);
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
