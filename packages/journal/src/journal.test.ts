import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { JournalDamaged, JournalReader, JournalUnavailable, JournalWriter, openFolder } from './index.ts';
import type { JournalFiles, JournalKeys, WriterOptions } from './index.ts';
import { testKeys } from '../test/keys.ts';

let folder: string;
let files: JournalFiles;
let keys: JournalKeys;
let options: WriterOptions;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hoop-journal-'));
  files = openFolder(folder);
  keys = testKeys();
  options = { id: 'jrn_1', files, keys, segmentBytes: 64 * 1024 };
});
afterEach(() => rm(folder, { recursive: true }));

const text = (value: string): Uint8Array[] => [Buffer.from(value)];

async function all(reader: JournalReader, isWriterGone: boolean): Promise<string[]> {
  const found: string[] = [];
  for (let group = await reader.next(isWriterGone); group !== null; group = await reader.next(isWriterGone))
    found.push(group.bytes.toString());
  return found;
}

async function readAll(isWriterGone = true): Promise<string[]> {
  const reader = await JournalReader.open(files, keys);
  try {
    return await all(reader, isWriterGone);
  } finally {
    await reader.close();
  }
}

async function change(name: string, at: number, bytes: Uint8Array): Promise<void> {
  const handle = await open(path.join(folder, name), 'r+');
  await handle.write(bytes, 0, bytes.length, at);
  await handle.close();
}

const segments = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.startsWith('segment-')).sort();

describe('a journal', () => {
  it('gives back every group, in order, over many segments, while it is written and afterwards', async () => {
    const writer = await JournalWriter.open(options);
    const reader = await JournalReader.open(files, keys);
    const written = Array.from({ length: 200 }, (_, i) => `group ${i} ${'x'.repeat(i * 13)}`);
    const seen: string[] = [];
    for (let i = 0; i < written.length; i += 20) {
      await Promise.all(written.slice(i, i + 20).map((value) => writer.append(text(value))));
      seen.push(...(await all(reader, false)));
      expect(seen).toEqual(written.slice(0, i + 20));
    }
    await writer.close();
    expect(await all(reader, true)).toEqual([]);
    await reader.close();
    expect(await readAll()).toEqual(written);
    expect((await segments()).length).toBeGreaterThan(3);
  });

  it('takes a group larger than a segment', async () => {
    const writer = await JournalWriter.open(options);
    const written = ['small', 'x'.repeat(1_000_000), 'another'];
    for (const value of written) await writer.append(text(value));
    await writer.close();
    expect(await readAll()).toEqual(written);
  });

  it('has nothing readable on the disk', async () => {
    const writer = await JournalWriter.open(options);
    await writer.append(text('a secret of the function'));
    await writer.close();
    for (const name of await readdir(folder)) {
      const handle = await open(path.join(folder, name), 'r');
      expect((await handle.readFile()).includes('a secret')).toBe(false);
      await handle.close();
    }
  });

  it('uses the segments again whose groups are shipped, and begins where the shipper had ended', async () => {
    const writer = await JournalWriter.open(options);
    const reader = await JournalReader.open(files, keys);
    for (let i = 0; i < 100; i++) {
      await writer.append(text(`${i} ${'x'.repeat(10_000)}`));
      expect((await reader.next(false))?.number).toBe(i + 1);
      reader.markShipped(reader.position);
    }
    expect((await segments()).length).toBeLessThan(6);
    await writer.append(text('the last'));
    await writer.close();
    await reader.close();
    expect(await readAll()).toEqual(['the last']);
  });

  it('takes nothing more where too much waits to be shipped, and again once it is shipped', async () => {
    const writer = await JournalWriter.open({ ...options, maxBytes: 200_000 });
    let taken = 0;
    await expect(
      (async () => {
        for (; ; taken++) await writer.append(text('x'.repeat(10_000)));
      })(),
    ).rejects.toThrow(JournalUnavailable);
    expect(taken).toBe(19);
    expect(writer.hasRoom).toBe(false);
    const reader = await JournalReader.open(files, keys);
    expect(await all(reader, false)).toHaveLength(taken);
    reader.markShipped(reader.position);
    await expect
      .poll(() =>
        writer.append(text('again')).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    expect((await reader.next(false))?.bytes.toString()).toBe('again');
    await expect.poll(() => writer.hasRoom).toBe(true);
    await reader.close();
    await writer.close();
  });

  it('takes a new key after a while', async () => {
    let made = 0;
    const counted: JournalKeys = { ...keys, create: () => keys.create().finally(() => made++) };
    const writer = await JournalWriter.open({ ...options, keys: counted, keyMs: 0 });
    for (const value of ['one', 'two', 'three']) await writer.append(text(value));
    await writer.close();
    expect(made).toBeGreaterThanOrEqual(3);
    expect(await readAll()).toEqual(['one', 'two', 'three']);
  });
});

describe('a journal whose bytes changed', () => {
  const first = 4096;
  beforeEach(async () => {
    const writer = await JournalWriter.open(options);
    for (let i = 0; i < 3; i++) await writer.append(text(`group ${i}`));
    await writer.close();
  });
  const group = 'group 0'.length + 28;

  it('is damaged, where the change is in a group that was durable; a reader can go on behind it', async () => {
    await change('segment-1', first + group + 12, Buffer.from('!'));
    const reader = await JournalReader.open(files, keys);
    expect((await reader.next(true))?.bytes.toString()).toBe('group 0');
    await expect(reader.next(true)).rejects.toThrow(JournalDamaged);
    await expect(reader.next(true)).rejects.toThrow('Group 2 of the journal');
    await reader.skip();
    expect(await all(reader, true)).toEqual(['group 2']);
    await reader.close();
  });

  it('is damaged where groups change places', async () => {
    const handle = await open(path.join(folder, 'segment-1'), 'r');
    const bytes = Buffer.alloc(2 * group);
    await handle.read(bytes, 0, bytes.length, first);
    await handle.close();
    await change('segment-1', first, bytes.subarray(group));
    await change('segment-1', first + group, bytes.subarray(0, group));
    await expect(readAll()).rejects.toThrow(JournalDamaged);
  });

  it('is damaged where its end was cut off that was known to be durable', async () => {
    await change('segment-1', first + group, Buffer.alloc(2 * group));
    await expect(readAll()).rejects.toThrow(JournalDamaged);
  });

  it('is damaged where a segment was removed that was known to be durable', async () => {
    await rm(path.join(folder, 'segment-1'));
    await expect(readAll()).rejects.toThrow(JournalDamaged);
  });

  it('ends before a group that is torn and was never said to be durable', async () => {
    await change('durable', 0, Buffer.alloc(16));
    await change('segment-1', first + 2 * group + 12, Buffer.from('!'));
    expect(await readAll()).toEqual(['group 0', 'group 1']);
  });
});
