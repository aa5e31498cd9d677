/** A disk in memory that can lose its power, run full and fail: every operation is kept, and which of them were made durable. */
import type { JournalFile, JournalFiles } from '../src/files.ts';

type Operation =
  | { readonly kind: 'create'; readonly name: string; readonly bytes: number }
  | { readonly kind: 'write'; readonly name: string; readonly file: number; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'sync'; readonly name: string; readonly file: number }
  | { readonly kind: 'remove'; readonly name: string };

/** What becomes of a write that was not synced: a number of sectors of it arrive, those for which this says so. */
export type Fate = (write: number, sector: number) => boolean;

const sectorBytes = 512;

export class TracedDisk implements JournalFiles {
  readonly operations: Operation[] = [];
  /** Throws where the operation fails. */
  fail: (operation: 'create' | 'write' | 'sync', name: string) => void = () => undefined;
  readonly #files = new Map<string, { id: number; bytes: Buffer }>();
  #made = 0;

  list(): Promise<string[]> {
    return Promise.resolve([...this.#files.keys()]);
  }

  async create(name: string, bytes: number): Promise<JournalFile> {
    await Promise.resolve();
    this.fail('create', name);
    this.#files.set(name, { id: ++this.#made, bytes: Buffer.alloc(bytes) });
    this.operations.push({ kind: 'create', name, bytes });
    return this.#opened(name);
  }

  open(name: string): Promise<JournalFile> {
    if (!this.#files.has(name)) return Promise.reject(Object.assign(new Error(`there is no ${name}`), { code: 'ENOENT' }));
    return Promise.resolve(this.#opened(name));
  }

  remove(name: string): Promise<void> {
    this.#files.delete(name);
    this.operations.push({ kind: 'remove', name });
    return Promise.resolve();
  }

  #opened(name: string): JournalFile {
    const { id: file, bytes } = this.#files.get(name)!;
    return {
      write: (parts, position) => {
        const written = Buffer.concat(parts);
        this.fail('write', name);
        written.copy(bytes, position);
        this.operations.push({ kind: 'write', name, file, position, bytes: written });
      },
      sync: async () => {
        await Promise.resolve();
        this.fail('sync', name);
        this.operations.push({ kind: 'sync', name, file });
      },
      read: (buffer, position) => Promise.resolve(bytes.copy(buffer, 0, position)),
      close: () => Promise.resolve(),
    };
  }

  /** What lies on the disk when the power is lost after so many operations. */
  afterPowerCut(operations: number, fate: Fate): TracedDisk {
    const done = this.operations.slice(0, operations);
    const isSynced = (at: number, file: number): boolean =>
      done.some((operation, i) => i > at && operation.kind === 'sync' && operation.file === file);
    const disk = new TracedDisk();
    let made = 0;
    const names = new Map<number, string>();
    done.forEach((operation, at) => {
      if (operation.kind === 'create') {
        disk.#files.set(operation.name, { id: ++made, bytes: Buffer.alloc(operation.bytes) });
        names.set(made, operation.name);
      } else if (operation.kind === 'remove') {
        // The name may come back: no folder is synced after it.
        if (fate(at, 0)) disk.#files.delete(operation.name);
      } else if (operation.kind === 'write') {
        const file = disk.#files.get(operation.name);
        if (file === undefined || file.id !== operation.file) return;
        const whole = isSynced(at, operation.file);
        for (let from = 0; from < operation.bytes.length;) {
          const to = Math.min(operation.bytes.length, from + sectorBytes - ((operation.position + from) % sectorBytes));
          if (whole || fate(at, from)) operation.bytes.copy(file.bytes, operation.position + from, from, to);
          from = to;
        }
      }
    });
    return disk;
  }
}
