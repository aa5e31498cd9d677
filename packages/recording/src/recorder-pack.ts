/**
 * How a batch of entries travels: lines of JSON, in which what many entries have in common is written once and the
 * frequent entries are lists of values instead of objects; the sealed bodies as bytes behind them. Entries are written
 * into one buffer as they come, so that a batch leaves no garbage behind. Measured against compression (zstd): a few
 * hundred bytes a call more, and clearly less of the relay's time. The form is `PackedRecordBatch` of the contract.
 */
import { AppError, packedRecordBatchSchema, parseJson, recordBatchSchema, recordEntrySchema } from '@hoop/contract';
import type { PackedRecordBatch, RecordedBody, RecordEntry } from '@hoop/contract';
import type { KeyObject } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';

/** A body that is sealed only when the journal is shipped. `sealed` reads `@N` in the line for the N bytes that it will have then. */
export interface PlainBody {
  /** In order. They must not change until the batch is durable. */
  readonly parts: readonly Uint8Array[];
  /** Of all parts. */
  readonly bytes: number;
  /** The key of the session. */
  readonly key: KeyObject;
  /** `<call id>:request` or `<call id>:response`, as it is sealed. */
  readonly owner: string;
}

/** One line, and the sealed bytes of each body whose `sealed` reads `@N` in it, in order. */
export interface PackedEntry {
  /**
   * JSON of the entry, or of a list: `"i"` or `"o"`, then the values of `intentMembers` or `outcomeMembers`, up to the
   * last that is not left to `shared`.
   */
  readonly line: string;
  readonly sealed: readonly Uint8Array[];
  /** In place of `sealed`, where the batch goes into a journal. */
  readonly plain?: readonly PlainBody[];
  /**
   * JSON objects whose members belong to the head (intent, refusal) or to the entry (outcome) too; members that are
   * objects are taken together. Each is written once a batch. @default []
   */
  readonly shared?: readonly string[];
}

export const intentMembers = [
  'callId',
  'at',
  'snapshotRevision',
  'claims',
  'approvalId',
  'context',
  'method',
  'url',
  'path',
  'traceId',
] as const;
export const outcomeMembers = ['callId', 'at', 'requestBody', 'responseBody', 'maskedCount', 'credentialReflected', 'timings'] as const;
/** Of a body in a list of outcome members; up to `contentType`, or as far as there is something to tell. */
export const bodyMembers = ['bytes', 'digest', 'sealed', 'keptBytes', 'truncated', 'contentType', 'parts', 'decoded', 'withheld'] as const;
/** Of the timings in a list of outcome members; 0: not reached. */
export const timingMembers = ['authenticated', 'decided', 'approved', 'intended', 'credential', 'head', 'body', 'end'] as const;

/** Of a batch whose text is compressed. */
export const compressedVersion = 5;
/** What compressed texts may come to: a bound on what a hostile producer can make a worker allocate. */
const maxTextBytes = 128 * 1024 * 1024;

const placeholder = /^@(\d{1,9})$/;
const none: readonly string[] = [];
const lengthBytes = 4;

/** Of one body: its length, the number of its key or `noKey` where it is sealed already, and its owner. */
export type BodyOwner = readonly [bytes: number, key: number, owner: string];
export const noKey = -1;

export interface GroupParts {
  /** Begins with its length. */
  readonly text: Uint8Array;
  /** One behind the other. */
  readonly bodies: readonly Uint8Array[];
  readonly owners: readonly BodyOwner[];
  readonly keys: readonly KeyObject[];
}

const noBodies: readonly PlainBody[] = [];

/** Bytes of bodies from here on are not copied into the batch: they would be most of what it costs. */
const uncopiedBytes = 16 * 1024;

interface Uncopied {
  /** How much of what was copied comes before. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A batch while it collects entries. */
export class BatchPacker {
  count = 0;
  #text = takeBuffer(64 * 1024);
  #textEnd = lengthBytes;
  #bodies = takeBuffer(64 * 1024);
  #bodiesEnd = 0;
  readonly #uncopied: Uncopied[] = [];
  #uncopiedBytes = 0;
  readonly #owners: BodyOwner[] = [];
  readonly #keys: KeyObject[] = [];
  readonly #numbers = new Map<string, number>();
  #shared = '';

  /** Bytes so far, without what entries share. */
  get bytes(): number {
    return this.#textEnd + this.#bodiesEnd + this.#uncopiedBytes;
  }

  /** Takes the whole entry or, where there is no memory for it, throws and takes nothing. */
  add(entry: PackedEntry): void {
    const { sealed, plain = noBodies, shared = none } = entry;
    let copied = 0;
    for (const bytes of sealed) copied += copiedBytes(bytes);
    for (const { parts } of plain) for (const bytes of parts) copied += copiedBytes(bytes);
    this.#bodies = withRoom(this.#bodies, this.#bodiesEnd, copied);
    let line = '';
    for (const part of shared) line += `${this.#numberOf(part)},`;
    this.#write(`${line}${entry.line}\n`);
    for (const bytes of sealed) {
      this.#addBytes(bytes);
      this.#owners.push([bytes.length, noKey, '']);
    }
    for (const { parts, bytes, key, owner } of plain) {
      for (const part of parts) this.#addBytes(part);
      this.#owners.push([bytes, this.#keyNumber(key), owner]);
    }
    this.count++;
  }

  #addBytes(bytes: Uint8Array): void {
    if (copiedBytes(bytes) === 0) {
      this.#uncopied.push({ at: this.#bodiesEnd, bytes });
      this.#uncopiedBytes += bytes.length;
    } else {
      this.#bodies.set(bytes, this.#bodiesEnd);
      this.#bodiesEnd += bytes.length;
    }
  }

  #keyNumber(key: KeyObject): number {
    const known = this.#keys.indexOf(key);
    return known < 0 ? this.#keys.push(key) - 1 : known;
  }

  #numberOf(part: string): number {
    let number = this.#numbers.get(part);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(part, number);
      this.#shared += number === 0 ? part : `,${part}`;
    }
    return number;
  }

  /** The bytes of `packed`; they are this batch's until `release`. Nothing can be added any more. */
  finish(): Uint8Array {
    this.#end();
    this.#text = withRoom(this.#text, this.#textEnd, this.#bodiesEnd + this.#uncopiedBytes);
    let end = this.#textEnd;
    for (const part of this.#bodyParts()) {
      this.#text.set(part, end);
      end += part.length;
    }
    giveBack(this.#bodies);
    this.#bodies = nothing;
    return this.#text.subarray(0, end);
  }

  /** The same for a journal, in parts that stand one behind the other: see `journal-group.ts`. */
  finishGroup(): GroupParts {
    this.#end();
    return { text: this.#text.subarray(0, this.#textEnd), bodies: this.#bodyParts(), owners: this.#owners, keys: this.#keys };
  }

  #bodyParts(): Uint8Array[] {
    const parts: Uint8Array[] = [];
    let from = 0;
    for (const { at, bytes } of this.#uncopied) {
      if (at > from) parts.push(this.#bodies.subarray(from, at));
      parts.push(bytes);
      from = at;
    }
    if (this.#bodiesEnd > from) parts.push(this.#bodies.subarray(from, this.#bodiesEnd));
    return parts;
  }

  #end(): void {
    this.#write(`[${this.#shared}]`);
    this.#text.writeUInt32BE(this.#textEnd - lengthBytes);
  }

  /** The bytes are not needed any more, by anybody. */
  release(): void {
    giveBack(this.#text);
    giveBack(this.#bodies);
    this.#text = this.#bodies = nothing;
  }

  #write(text: string): void {
    // A UTF-16 unit takes three bytes of UTF-8 at most.
    this.#text = withRoom(this.#text, this.#textEnd, text.length * 3);
    this.#textEnd += this.#text.write(text, this.#textEnd);
  }
}

const copiedBytes = (bytes: Uint8Array): number => (bytes.length < uncopiedBytes ? bytes.length : 0);

/** Buffers go from batch to batch: large ones that die young cost the collector more than the packing. */
const spare: Buffer[] = [];
const maxSpare = 16;
const maxSpareBytes = 1024 * 1024;
const nothing = Buffer.alloc(0);

function takeBuffer(bytes: number): Buffer {
  const fits = spare.findLastIndex((one) => one.length >= bytes);
  return fits < 0 ? Buffer.allocUnsafeSlow(bytes) : spare.splice(fits, 1)[0]!;
}

function giveBack(buffer: Buffer): void {
  if (buffer.length > 0 && buffer.length <= maxSpareBytes && spare.length < maxSpare) spare.push(buffer);
}

function withRoom(buffer: Buffer, used: number, more: number): Buffer {
  if (used + more <= buffer.length) return buffer;
  const larger = takeBuffer((used + more) * 2);
  larger.set(buffer.subarray(0, used));
  giveBack(buffer);
  return larger;
}

/** As one job of the queue. */
export function packRecords(relayId: string, entries: readonly PackedEntry[]): PackedRecordBatch {
  const packer = new BatchPacker();
  for (const entry of entries) packer.add(entry);
  const packed = Buffer.from(packer.finish()).toString('base64');
  packer.release();
  return { version: 3, relayId, count: entries.length, packed };
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
  const entries = batch.data.version === compressedVersion ? unpackCompressed(bytes) : unpackPlain(bytes);
  if (entries.length !== batch.data.count) throw new AppError('invalid_request', 'The batch of records does not have the count it states.');
  return entries;
}

/** The text that begins at `at` with its length, and what is behind it. */
function textAt(bytes: Buffer, at: number): { text: Buffer; end: number } {
  const start = at + lengthBytes;
  const end = start > bytes.length ? Number.POSITIVE_INFINITY : start + bytes.readUInt32BE(at);
  if (end > bytes.length) throw new AppError('invalid_request', 'The batch of records is cut short.');
  return { text: bytes.subarray(start, end), end };
}

function unpackPlain(bytes: Buffer): RecordEntry[] {
  const { text, end } = textAt(bytes, 0);
  const sealed = new SealedReader(bytes.subarray(end));
  const entries = entriesOf(text, sealed);
  sealed.end();
  return entries;
}

function unpackCompressed(bytes: Buffer): RecordEntry[] {
  const { text, end } = textAt(bytes, 0);
  const texts = decompressed(text);
  const sealed = new SealedReader(bytes.subarray(end));
  const entries: RecordEntry[] = [];
  for (let at = 0; at < texts.length;) {
    const next = textAt(texts, at);
    for (const entry of entriesOf(next.text, sealed)) entries.push(entry);
    at = next.end;
  }
  sealed.end();
  return entries;
}

function decompressed(bytes: Buffer): Buffer {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: maxTextBytes });
  } catch (cause) {
    throw new AppError('invalid_request', 'The texts of the batch of records are not zstd, or too long.', { cause });
  }
}

function entriesOf(bytes: Buffer, sealed: SealedReader): RecordEntry[] {
  const lines = bytes.toString('utf8').split('\n');
  const shared = jsonOfLine(lines.pop() ?? '');
  if (!Array.isArray(shared)) throw new AppError('invalid_request', 'The batch of records has no table of what its entries share.');
  const parts = shared.map((part) => (isObject(part) ? Object.entries(part) : null));
  return lines.map((line) => restore(line, parts, sealed));
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

function jsonOfLine(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new AppError('invalid_request', 'A line of the batch is not JSON.', { cause });
  }
}

type Members = Record<string, unknown>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

function zip(names: readonly string[], values: readonly unknown[]): Members {
  const members: Members = {};
  for (let i = 0; i < values.length; i++) members[names[i] ?? `member ${i}`] = values[i];
  return members;
}

/** The object that a list of values stands for. */
function named(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const type: unknown = value[0];
  const values = value.slice(1) as unknown[];
  if (type === 'i') return { type: 'intent', head: zip(intentMembers, values) };
  if (type !== 'o') return null;
  const outcome = zip(outcomeMembers, values);
  for (const body of ['requestBody', 'responseBody']) if (Array.isArray(outcome[body])) outcome[body] = zip(bodyMembers, outcome[body]);
  const { timings } = outcome;
  if (Array.isArray(timings)) {
    const reached: Members = {};
    for (let i = 0; i < timings.length; i++) if (timings[i] !== 0) reached[timingMembers[i] ?? `member ${i}`] = timings[i];
    outcome['timings'] = reached;
  }
  outcome['type'] = 'outcome';
  return outcome;
}

/** `3,0,{"type":…}`: the entry, which takes members of the shared objects 3 and 0. */
function restore(line: string, shared: readonly (readonly [string, unknown][] | null)[], sealed: SealedReader): RecordEntry {
  const start = line.search(/[[{]/);
  const value = named(jsonOfLine(line.slice(Math.max(start, 0))));
  const takes = isObject(value) ? (value['type'] === 'outcome' ? value : value['head']) : null;
  for (const number of line.slice(0, Math.max(start, 0)).split(',')) {
    if (number === '') continue;
    const part = shared[Number(number)] ?? null;
    if (part === null || !isObject(takes)) throw new AppError('invalid_request', 'An entry shares what the batch does not have.');
    for (const [name, member] of part) takes[name] = isObject(member) && isObject(takes[name]) ? { ...takes[name], ...member } : member;
  }
  if (isObject(takes)) joinKey(takes['dataKey']);
  const parsed = recordEntrySchema.safeParse(value);
  if (!parsed.success) throw new AppError('invalid_request', 'An entry of the batch is not a record.', { cause: parsed.error });
  const entry = parsed.data;
  if (entry.type === 'intent') return entry;
  const outcome = entry.type === 'outcome' ? entry : entry.outcome;
  outcome.requestBody = withSealed(outcome.requestBody, sealed);
  outcome.responseBody = withSealed(outcome.responseBody, sealed);
  return entry;
}

/** The wrapping key is shared by all sessions of a relay, what it wraps is each session's: see sealing's `DataKey`. */
function joinKey(dataKey: unknown): void {
  if (!isObject(dataKey) || typeof dataKey['wrapped'] !== 'string' || typeof dataKey['inner'] !== 'string') return;
  dataKey['wrapped'] += dataKey['inner'];
  delete dataKey['inner'];
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
