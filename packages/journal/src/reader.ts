/** Reads a journal from a position on, as far as it is durable or, where its writer is gone, as far as it goes. */
import type { JournalFile, JournalFiles } from './files.ts';
import {
  decodeHeader,
  decodeMark,
  encodeMark,
  firstMark,
  frameBytes,
  groupOverhead,
  headerBytes,
  isBefore,
  openGroup,
  markBytes,
  readFrame,
  tagBytes,
} from './format.ts';
import type { Mark, Position, SegmentHeader, SegmentSeal } from './format.ts';
import type { JournalKeys } from './keys.ts';
import { durableFile, segmentPrefix, shippedFile } from './writer.ts';

export interface Group {
  readonly number: number;
  readonly bytes: Buffer;
  /** Where the next group is. */
  readonly end: Position;
}

/** Bytes that were durable are not what was written. */
export class JournalDamaged extends Error {
  override readonly name = 'JournalDamaged';
  readonly at: Position;
  constructor(at: Position, message: string, options?: ErrorOptions) {
    super(message, options);
    this.at = at;
  }
}

interface Segment {
  readonly name: string;
  readonly file: JournalFile;
  readonly header: SegmentHeader;
  readonly seal: SegmentSeal;
}

/** Of an ordinary group; a larger one is read in a second step. */
const readAheadBytes = 256 * 1024;

export class JournalReader {
  readonly #files: JournalFiles;
  readonly #keys: JournalKeys;
  readonly #durableFile: JournalFile;
  readonly #shippedFile: JournalFile;
  #position: Position;
  #durable: Mark = firstMark;
  #shipped: Mark;
  #number = 0;
  #segment: Segment | null = null;
  #ahead: { readonly bytes: Buffer; readonly from: Position } | null = null;

  private constructor(files: JournalFiles, marks: { durable: JournalFile; shipped: JournalFile }, keys: JournalKeys, from: Mark) {
    this.#durableFile = marks.durable;
    this.#shippedFile = marks.shipped;
    this.#files = files;
    this.#keys = keys;
    this.#position = from;
    this.#shipped = from;
  }

  /** Begins where the shipper had ended. */
  static async open(files: JournalFiles, keys: JournalKeys): Promise<JournalReader> {
    const shipped = await files.open(shippedFile);
    const from = (await markIn(shipped)) ?? firstMark;
    return new JournalReader(files, { durable: await files.open(durableFile), shipped }, keys, from);
  }

  get position(): Position {
    return this.#position;
  }

  /**
   * The next group; null: there is none yet or, where the writer is gone, none any more.
   * @param isWriterGone nobody writes any more: what is whole counts, also beyond what the writer said to be durable
   * @throws JournalDamaged
   */
  async next(isWriterGone: boolean): Promise<Group | null> {
    if (!isBefore(this.#position, this.#durable)) this.#durable = (await markIn(this.#durableFile)) ?? this.#durable;
    if (!isWriterGone && !isBefore(this.#position, this.#durable)) return null;
    for (;;) {
      const segment = this.#segment ?? (await this.#enter());
      const group = segment === null ? null : ((await this.#read(segment)) ?? (await this.#readAgain(segment)));
      if (group !== null) {
        this.#position = group.end;
        this.#number = group.number + 1;
        return group;
      }
      // The end of this segment, or of the journal.
      const after = segment === null ? null : await this.#segmentAfter(segment.header.epoch);
      if (isBefore(this.#position, after?.durable ?? this.#durable))
        throw new JournalDamaged(this.#position, `Group ${this.#number} of the journal was durable, and is not what was written.`);
      if (after === null) return null;
      await this.#leave();
      this.#position = { epoch: after.epoch, offset: headerBytes };
    }
  }

  /** Goes on behind a damaged group: at the next group of the segment where there is one, else at the next segment. */
  async skip(): Promise<void> {
    const segment = this.#segment;
    if (segment === null) return;
    const { epoch } = segment.header;
    const after = await this.#segmentAfter(epoch);
    const frame = Buffer.alloc(frameBytes);
    await segment.file.read(frame, this.#position.offset);
    const { length, number } = readFrame(frame);
    const behind = { epoch, offset: this.#position.offset + length + groupOverhead };
    this.#ahead = null;
    if (number === this.#number && length > 0) {
      this.#number++;
      this.#position = behind;
      if ((await this.#read(segment)) !== null) return;
    }
    await this.#leave();
    this.#position = { epoch: after?.epoch ?? epoch + 1, offset: headerBytes };
  }

  /**
   * Everything before this position is elsewhere: a reader that is opened later begins here, and the writer uses the space again.
   * @param entries that are elsewhere since the last mark
   */
  markShipped({ epoch, offset }: Position, entries = 1): void {
    this.#shipped = { epoch, offset, entries: this.#shipped.entries + entries };
    this.#shippedFile.write([encodeMark(this.#shipped)], 0);
  }

  /**
   * Entries that are durable and not elsewhere yet. Those that were damaged and passed over count until everything behind
   * them is elsewhere.
   */
  async unshippedEntries(): Promise<number> {
    const durable = (await markIn(this.#durableFile)) ?? this.#durable;
    return isBefore(this.#shipped, durable) ? Math.max(0, durable.entries - this.#shipped.entries) : 0;
  }

  async close(): Promise<void> {
    await this.#leave();
    await this.#durableFile.close();
    await this.#shippedFile.close();
  }

  /** The segment of the position, or the first one after it. */
  async #enter(): Promise<Segment | null> {
    const found = await this.#headers();
    const at = found.find(({ header }) => header.epoch >= this.#position.epoch);
    if (at === undefined) return null;
    const { header } = at;
    if (header.epoch > this.#position.epoch) this.#position = { epoch: header.epoch, offset: headerBytes };
    const key = await this.#keys.open(header.wrappedKey);
    this.#segment = { name: at.name, header, file: await this.#files.open(at.name), seal: { key, digest: at.digest } };
    this.#number = this.#position.offset === headerBytes ? header.firstGroup : await this.#numberAt(this.#segment);
    return this.#segment;
  }

  /** Of the group at the position, where the reader begins within a segment: of the groups before it only the frames are read. */
  async #numberAt({ file, header }: Segment): Promise<number> {
    let number = header.firstGroup;
    const frame = Buffer.alloc(frameBytes);
    for (let at = headerBytes; at < this.#position.offset; number++) {
      await file.read(frame, at);
      at += readFrame(frame).length + groupOverhead;
    }
    return number;
  }

  async #leave(): Promise<void> {
    const segment = this.#segment;
    this.#segment = null;
    this.#ahead = null;
    await segment?.file.close();
  }

  async #segmentAfter(epoch: number): Promise<SegmentHeader | null> {
    return (await this.#headers()).find(({ header }) => header.epoch > epoch)?.header ?? null;
  }

  async #headers(): Promise<{ readonly name: string; readonly header: SegmentHeader; readonly digest: Buffer }[]> {
    const found = [];
    for (const name of await this.#files.list()) {
      if (!name.startsWith(segmentPrefix)) continue;
      const bytes = await this.#firstBytes(name);
      const decoded = bytes === null ? null : decodeHeader(bytes);
      if (decoded !== null) found.push({ name, ...decoded });
    }
    return found.sort((a, b) => a.header.epoch - b.header.epoch);
  }

  /** Null: the writer has removed the file meanwhile. */
  async #firstBytes(name: string): Promise<Buffer | null> {
    try {
      const file = await this.#files.open(name);
      try {
        const bytes = Buffer.alloc(headerBytes);
        return bytes.subarray(0, await file.read(bytes, 0));
      } finally {
        await file.close();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Null: no whole group of this journal begins at the position. */
  async #read(segment: Segment): Promise<Group | null> {
    const { epoch, offset } = this.#position;
    const start = await this.#bytesAt(segment, offset, frameBytes);
    if (start === null) return null;
    const { length, number } = readFrame(start);
    if (length === 0 || number !== this.#number) return null;
    const bytes = await this.#bytesAt(segment, offset, frameBytes + length + tagBytes);
    const opened = bytes === null ? null : openGroup(segment.seal, offset, bytes);
    return opened === null ? null : { number, bytes: opened, end: { epoch, offset: offset + length + groupOverhead } };
  }

  /** What was read ahead may be older than what the writer has written since. */
  #readAgain(segment: Segment): Promise<Group | null> {
    this.#ahead = null;
    return this.#read(segment);
  }

  /** Null: the segment ends before. */
  async #bytesAt({ file, header: { epoch } }: Segment, offset: number, length: number): Promise<Buffer | null> {
    const ahead = this.#ahead;
    if (
      ahead !== null &&
      ahead.from.epoch === epoch &&
      ahead.from.offset <= offset &&
      offset + length <= ahead.from.offset + ahead.bytes.length
    )
      return ahead.bytes.subarray(offset - ahead.from.offset, offset - ahead.from.offset + length);
    if (length > maxGroupBytes) return null;
    const buffer = Buffer.allocUnsafe(Math.max(length, readAheadBytes));
    const bytes = buffer.subarray(0, await file.read(buffer, offset));
    this.#ahead = { bytes, from: { epoch, offset } };
    return bytes.length < length ? null : bytes.subarray(0, length);
  }
}

/** No group is larger: a length beyond was not written by a journal. */
const maxGroupBytes = 1024 * 1024 * 1024;

async function markIn(file: JournalFile): Promise<Mark | null> {
  const bytes = Buffer.alloc(markBytes);
  return decodeMark(bytes.subarray(0, await file.read(bytes, 0)));
}
