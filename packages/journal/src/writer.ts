/**
 * Writes a journal: groups of entries, each sealed and durable as one. One write and one sync are under way at a time;
 * what is appended meanwhile is written next, together.
 */
import type { JournalFile, JournalFiles } from './files.ts';
import {
  decodeMark,
  encodeHeader,
  encodeMark,
  firstMark,
  groupOverhead,
  headerBytes,
  isBefore,
  lengthOf,
  markBytes,
  sealGroup,
} from './format.ts';
import type { Mark, SegmentSeal } from './format.ts';
import type { JournalKeys } from './keys.ts';

export interface WriterOptions {
  /** Of the journal; a new one for every writer. */
  readonly id: string;
  readonly files: JournalFiles;
  readonly keys: JournalKeys;
  /** @default 16 MiB */
  readonly segmentBytes?: number;
  /** Of groups that are not shipped: beyond, nothing is taken. @default 1 GiB */
  readonly maxBytes?: number;
  /** After so long a new key is taken. @default 15 minutes */
  readonly keyMs?: number;
  /** How long no further segment is asked for after one could not be made. @default 1000 */
  readonly retryMs?: number;
  /** Told of everything that kept groups from becoming durable, and of what went wrong ahead of them. */
  readonly onTrouble?: (error: unknown) => void;
}

/** Nothing was made durable; the same group may be appended again. */
export class JournalUnavailable extends Error {
  override readonly name = 'JournalUnavailable';
}

/** The files by which writer and shipper tell each other how far they are. */
export const durableFile = 'durable';
export const shippedFile = 'shipped';
export const segmentPrefix = 'segment-';

interface SegmentFile {
  readonly name: string;
  readonly file: JournalFile;
  readonly bytes: number;
}

interface Segment extends SegmentFile {
  readonly epoch: number;
  readonly seal: SegmentSeal;
  readonly begunAt: number;
  /** Where the next group goes. */
  end: number;
  /** A write or a sync failed: it is never written again. */
  isBroken: boolean;
}

/** A segment that can be begun at once. */
interface Spare extends SegmentFile {
  readonly key: Awaited<ReturnType<JournalKeys['create']>>;
}

interface Waiting {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly entries: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Written with one sync at most. */
const maxWriteBytes = 4 * 1024 * 1024;

export class JournalWriter {
  readonly id: string;
  /** Another view of the same folder may take its place. */
  files: JournalFiles;
  readonly #keys: JournalKeys;
  readonly #segmentBytes: number;
  readonly #maxBytes: number;
  readonly #keyMs: number;
  readonly #retryMs: number;
  readonly #onTrouble: (error: unknown) => void;
  readonly #durable: JournalFile;
  readonly #shippedFile: JournalFile;
  #durableTo: Mark = firstMark;
  #shipped: Mark = firstMark;
  #waiting: Waiting[] = [];
  #isWorking = false;
  #isClosed = false;
  #working: Promise<void> = Promise.resolve();
  #current: Segment | null = null;
  /** Written, and not known to be shipped; in order. */
  #used: Segment[] = [];
  #spare: Promise<Spare> | null = null;
  #noSpareUntil = 0;
  #madeFiles = 0;
  #epoch = 0;
  #group = 0;

  private constructor(options: WriterOptions, durable: JournalFile, shipped: JournalFile) {
    this.id = options.id;
    this.files = options.files;
    this.#keys = options.keys;
    this.#segmentBytes = options.segmentBytes ?? 16 * 1024 * 1024;
    this.#maxBytes = options.maxBytes ?? 1024 * 1024 * 1024;
    this.#keyMs = options.keyMs ?? 15 * 60_000;
    this.#retryMs = options.retryMs ?? 1000;
    this.#onTrouble = options.onTrouble ?? (() => undefined);
    this.#durable = durable;
    this.#shippedFile = shipped;
  }

  /** In an empty folder. Rejects with the error of the operating system where the folder cannot be written or synced. */
  static async open(options: WriterOptions): Promise<JournalWriter> {
    const { files } = options;
    const durable = await files.create(durableFile, markBytes);
    const shipped = await files.create(shippedFile, markBytes);
    const writer = new JournalWriter(options, durable, shipped);
    await writer.#spareSegment();
    return writer;
  }

  /**
   * Resolves once the group is durable.
   * @param parts the group's bytes, which must not change until then
   * @param entries how many records the group holds: they are counted for whoever wants to know how many are not shipped
   * @throws JournalUnavailable where it could not be made durable, or too much waits to be shipped
   */
  append(parts: readonly Uint8Array[], entries = 1): Promise<void> {
    const bytes = lengthOf(parts) + groupOverhead;
    if (this.#isClosed) return Promise.reject(new JournalUnavailable('the journal is closed'));
    if (this.unshippedBytes + bytes > this.#maxBytes) {
      this.#look();
      return Promise.reject(new JournalUnavailable(`more than ${this.#maxBytes} bytes of the journal wait to be shipped`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ parts, bytes, entries, resolve, reject });
      if (!this.#isWorking) this.#working = this.#work();
    });
  }

  /** Whether something new may begin: the last eighth of what may wait is for the ends of what has begun. */
  get hasRoom(): boolean {
    if (this.unshippedBytes < this.#maxBytes - this.#maxBytes / 8) return true;
    this.#look();
    return false;
  }

  /** As far as the shipper's progress is known. */
  get unshippedBytes(): number {
    let bytes = 0;
    for (const segment of this.#used) bytes += segment.end - headerBytes;
    const current = this.#current;
    if (current !== null) bytes += current.end - (this.#shipped.epoch === current.epoch ? this.#shipped.offset : headerBytes);
    return bytes;
  }

  #isLooking = false;

  /** Whether the shipper has gone on. */
  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    void this.#freeShipped(0)
      .catch(this.#onTrouble)
      .finally(() => {
        this.#isLooking = false;
      });
  }

  /** Takes nothing more; what was appended becomes durable first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#working;
    const spare = await this.#spare?.catch(() => null);
    for (const one of [...this.#used, this.#current, spare]) await one?.file.close();
    await this.#durable.close();
    await this.#shippedFile.close();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (this.#waiting.length > 0) {
      const groups: Waiting[] = [];
      try {
        const segment = await this.#segmentFor(this.#waiting[0]!.bytes);
        const from = segment.end;
        let at = from;
        let { entries } = this.#durableTo;
        const parts: Uint8Array[] = [];
        while (this.#waiting.length > 0) {
          const { bytes } = this.#waiting[0]!;
          if (groups.length > 0 && (at + bytes > segment.bytes || at + bytes - from > maxWriteBytes)) break;
          const group = this.#waiting.shift()!;
          groups.push(group);
          parts.push(...sealGroup(segment.seal, at, ++this.#group, group.parts));
          at += bytes;
          entries += group.entries;
        }
        await this.#makeDurable(segment, parts, { epoch: segment.epoch, offset: at, entries });
        for (const group of groups) group.resolve();
      } catch (error) {
        this.#onTrouble(error);
        const failure = new JournalUnavailable('the journal cannot be written', { cause: error });
        // Where there is no segment, none of those that wait can be written.
        for (const group of groups.length > 0 ? groups : this.#waiting.splice(0)) group.reject(failure);
      }
    }
    this.#isWorking = false;
  }

  async #makeDurable(segment: Segment, parts: readonly Uint8Array[], end: Mark): Promise<void> {
    try {
      segment.file.write(parts, segment.end);
      await segment.file.sync();
    } catch (error) {
      segment.isBroken = true;
      throw error;
    }
    segment.end = end.offset;
    this.#durableTo = end;
    // A hint for the shipper, which must not fail a group that is durable.
    try {
      this.#durable.write([encodeMark(this.#durableTo)], 0);
    } catch (error) {
      this.#onTrouble(error);
    }
  }

  /** The segment that has room for a group. */
  async #segmentFor(bytes: number): Promise<Segment> {
    const current = this.#current;
    if (current !== null && !current.isBroken && current.end + bytes <= current.bytes && performance.now() - current.begunAt < this.#keyMs)
      return current;
    const needed = headerBytes + bytes;
    const spare = needed > this.#segmentBytes ? await this.#makeSpare(needed) : await this.#spareSegment();
    if (needed <= this.#segmentBytes) this.#spare = null;
    const { name, file, key } = spare;
    const epoch = this.#epoch + 1;
    const header = encodeHeader({
      version: 1,
      journal: this.id,
      epoch,
      firstGroup: this.#group + 1,
      durable: { epoch: this.#durableTo.epoch, offset: this.#durableTo.offset },
      wrappedKey: key.wrapped,
    });
    try {
      // Synced together with the first group.
      file.write([header.bytes], 0);
    } catch (error) {
      await file.close();
      await this.files.remove(name);
      throw error;
    }
    this.#epoch = epoch;
    if (current !== null) this.#used.push(current);
    this.#current = {
      name,
      file,
      bytes: spare.bytes,
      epoch,
      seal: { key: key.key, digest: header.digest },
      begunAt: performance.now(),
      end: headerBytes,
      isBroken: false,
    };
    // Ahead of its use.
    void this.#spareSegment().catch(this.#onTrouble);
    return this.#current;
  }

  #spareSegment(): Promise<Spare> {
    if (this.#spare !== null) return this.#spare;
    if (performance.now() < this.#noSpareUntil) return Promise.reject(new Error('there is no further segment yet'));
    const made = this.#makeSpare(this.#segmentBytes);
    this.#spare = made;
    made.catch(() => {
      this.#spare = null;
      this.#noSpareUntil = performance.now() + this.#retryMs;
    });
    return made;
  }

  async #makeSpare(bytes: number): Promise<Spare> {
    const [key, again] = await Promise.all([this.#keys.create(), this.#freeShipped(bytes)]);
    if (again !== null) return { ...again, key };
    const name = `${segmentPrefix}${++this.#madeFiles}`;
    return { name, file: await this.files.create(name, bytes), bytes, key };
  }

  /** Removes the files whose groups were all shipped, but for one of so many bytes, which is returned: it can be used again. */
  async #freeShipped(bytes: number): Promise<SegmentFile | null> {
    const mark = Buffer.alloc(markBytes);
    await this.#shippedFile.read(mark, 0);
    const shipped = decodeMark(mark);
    if (shipped !== null && isBefore(this.#shipped, shipped)) {
      // What is used again must not be looked for after a loss of power.
      if (shipped.epoch > this.#shipped.epoch) await this.#shippedFile.sync();
      this.#shipped = shipped;
    }
    let again: SegmentFile | null = null;
    while (this.#used.length > 0 && this.#used[0]!.epoch < this.#shipped.epoch) {
      const segment = this.#used.shift()!;
      if (again === null && !segment.isBroken && segment.bytes === bytes) {
        again = segment;
      } else {
        await segment.file.close();
        await this.files.remove(segment.name);
      }
    }
    return again;
  }
}
