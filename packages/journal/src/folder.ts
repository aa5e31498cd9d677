/** The journals on one volume: a folder each, with a lock that tells whether its writer lives. */
import { mkdir, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { lockFile } from '@hoop/file-lock';
import type { FileLock } from '@hoop/file-lock';

import { createFolder, openFolder, removeFolder } from './files.ts';
import type { Position } from './format.ts';
import { JournalReader } from './reader.ts';
import type { JournalDamaged } from './reader.ts';
import { JournalWriter } from './writer.ts';
import type { WriterOptions } from './writer.ts';
import type { JournalKeys } from './keys.ts';

const lockName = 'lock';
const shipperLockName = 'shipper.lock';
const damagedFile = 'damaged';
const tryLockEveryMs = 200;

export interface OpenJournal {
  readonly writer: JournalWriter;
  /** What was appended becomes durable, and the folder is left to the shipper. */
  close(): Promise<void>;
}

/**
 * A new journal in a folder of its own under `root`, which is made where it is missing.
 * Rejects with the error of the operating system where `root` cannot be written, synced or locked.
 */
export async function openJournal(root: string, options: Omit<WriterOptions, 'files'>): Promise<OpenJournal> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const folder = path.join(root, options.id);
  let lock: FileLock | null = null;
  let writer: JournalWriter | null = null;
  await createFolder(folder, async (hidden) => {
    lock = lockFile(path.join(hidden, lockName));
    writer = await JournalWriter.open({ ...options, files: openFolder(hidden) });
    // From here on by the name that the folder will have.
    writer.files = openFolder(folder);
  });
  return {
    writer: writer!,
    close: async () => {
      await writer!.close();
      lock!.unlock();
    },
  };
}

/** Of file systems that lose everything with the power: tmpfs and ramfs (linux/magic.h). */
const memoryTypes: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6]);

/** Whether what is written to the folder is only in memory. */
export async function isMemory(root: string): Promise<boolean> {
  return memoryTypes.has((await statfs(root)).type);
}

/** Null: another shipper works on this volume. */
export async function lockForShipping(root: string): Promise<FileLock | null> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  return lockFile(path.join(root, shipperLockName));
}

/** The folders of journals, whether their writers live or not. */
export async function listJournals(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => entry.name);
}

export interface JournalState {
  readonly id: string;
  /** A relay has it open. */
  readonly isWritten: boolean;
  /** Where and how it was damaged, so that it is shipped no further; null: it is not. */
  readonly damage: JournalDamage | null;
}

export type JournalDamage = Position & { readonly message: string };

/** Of all journals on a volume, without opening them. */
export async function journalStates(root: string): Promise<JournalState[]> {
  const states: JournalState[] = [];
  for (const id of await listJournals(root)) {
    const folder = path.join(root, id);
    const lock = lockFile(path.join(folder, lockName));
    lock?.unlock();
    const marked = (await readdir(folder)).includes(damagedFile) ? await readFile(path.join(folder, damagedFile), 'utf8') : null;
    states.push({ id, isWritten: lock === null, damage: marked === null ? null : (JSON.parse(marked) as JournalDamage) });
  }
  return states;
}

/** Somebody has looked at the damage: the journal is shipped on behind it. */
export async function acceptDamage(root: string, id: string): Promise<void> {
  await rm(path.join(root, id, damagedFile), { force: true });
}

/** One journal, as its shipper has it. */
export class JournalToShip {
  readonly id: string;
  readonly #folder: string;
  readonly reader: JournalReader;
  #lock: FileLock | null = null;

  private constructor(id: string, folder: string, reader: JournalReader) {
    this.id = id;
    this.#folder = folder;
    this.reader = reader;
  }

  static async open(root: string, id: string, keys: JournalKeys): Promise<JournalToShip> {
    const folder = path.join(root, id);
    return new JournalToShip(id, folder, await JournalReader.open(openFolder(folder), keys));
  }

  /**
   * A part of it was damaged, and nobody has looked yet. Once somebody has removed the file that says so, the reader goes on
   * behind the damage.
   */
  async isHeldBack(): Promise<boolean> {
    const marks = await readdir(this.#folder);
    const isMarked = marks.includes(damagedFile);
    if (this.#isHeldBack && !isMarked) await this.reader.skip();
    this.#isHeldBack = isMarked;
    return isMarked;
  }
  #isHeldBack = false;

  /** As `isHeldBack` last found it. */
  get wasHeldBack(): boolean {
    return this.#isHeldBack;
  }

  async holdBack({ at, message }: JournalDamaged): Promise<void> {
    await writeFile(path.join(this.#folder, damagedFile), `${JSON.stringify({ ...at, message })}\n`, { mode: 0o600 });
    this.#isHeldBack = true;
  }

  /** Nobody writes any more; from then on nobody else can. Looked for every now and then, as trying a lock costs more than reading. */
  isAbandoned(): boolean {
    if (this.#lock === null && performance.now() >= this.#nextTry) {
      this.#lock = lockFile(path.join(this.#folder, lockName));
      this.#nextTry = performance.now() + tryLockEveryMs;
    }
    return this.#lock !== null;
  }
  #nextTry = 0;

  /** Everything is shipped, and nobody writes any more. */
  async remove(): Promise<void> {
    await this.close();
    await removeFolder(this.#folder);
  }

  async close(): Promise<void> {
    await this.reader.close();
    this.#lock?.unlock();
    this.#lock = null;
  }
}
