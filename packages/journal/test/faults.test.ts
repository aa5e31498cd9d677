/** A disk that is full, cannot be synced or went read-only: nothing that was not made durable is said to be, and it goes on without help. */
import { describe, expect, it } from 'vitest';

import { JournalReader, JournalUnavailable, JournalWriter } from '../src/index.ts';
import { TracedDisk } from './disk.ts';
import { testKeys } from './keys.ts';

const keys = testKeys();
const text = (value: string): Uint8Array[] => [Buffer.from(value)];

async function readAll(disk: TracedDisk): Promise<string[]> {
  const reader = await JournalReader.open(disk, keys);
  const found: string[] = [];
  for (let group = await reader.next(true); group !== null; group = await reader.next(true)) found.push(group.bytes.toString());
  return found;
}

function start(disk: TracedDisk, onTrouble: (error: unknown) => void = () => undefined): Promise<JournalWriter> {
  return JournalWriter.open({ id: 'jrn_1', files: disk, keys, segmentBytes: 4096 + 1000, onTrouble, retryMs: 1 });
}

/** As the relay does it: the same group again until it is taken. */
async function until(writer: JournalWriter, value: string): Promise<number> {
  for (let refused = 0; ; refused++) {
    try {
      await writer.append(text(value));
      return refused;
    } catch (error) {
      expect(error).toBeInstanceOf(JournalUnavailable);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

const full = (): never => {
  throw Object.assign(new Error('no space left on the device'), { code: 'ENOSPC' });
};

describe('a disk', () => {
  it.each(['sync', 'write'] as const)(
    'whose %s fails: the group is refused, and that file is never written or synced again',
    async (kind) => {
      const disk = new TracedDisk();
      const troubles: unknown[] = [];
      const writer = await start(disk, (error) => troubles.push(error));
      await writer.append(text('before'));
      const failed: string[] = [];
      disk.fail = (operation, name) => {
        if (!name.startsWith('segment-') || operation === 'create') return;
        if (failed.length === 0 && operation === kind) {
          failed.push(name);
          full();
        }
        expect(name).not.toBe(failed[0]);
      };
      await expect(writer.append(text('refused'))).rejects.toThrow(JournalUnavailable);
      expect(troubles).toHaveLength(1);
      await writer.append(text('after'));
      await writer.close();
      const found = await readAll(disk);
      expect(found.filter((value) => value !== 'refused')).toEqual(['before', 'after']);
    },
  );

  it('that is full takes what it has room for, refuses the rest, and takes it once there is room', async () => {
    const disk = new TracedDisk();
    const writer = await start(disk);
    disk.fail = (operation) => void (operation === 'create' && full());
    const values = Array.from({ length: 20 }, (_, i) => `${i} ${'x'.repeat(300)}`);
    const refused: string[] = [];
    for (const value of values) {
      await writer.append(text(value)).catch((error: unknown) => {
        expect(error).toBeInstanceOf(JournalUnavailable);
        refused.push(value);
      });
    }
    expect(refused.length).toBeGreaterThan(10);
    disk.fail = () => undefined;
    for (const value of refused) await until(writer, value);
    await writer.close();
    expect(await readAll(disk)).toEqual(values);
  });

  it('that went read-only refuses everything until it is not', async () => {
    const disk = new TracedDisk();
    const writer = await start(disk);
    let attempts = 0;
    disk.fail = () => {
      if (++attempts < 20) throw Object.assign(new Error('read-only file system'), { code: 'EROFS' });
    };
    expect(await until(writer, 'a group')).toBeGreaterThan(0);
    await writer.close();
    expect(await readAll(disk)).toEqual(['a group']);
  });

  it('whose hint of what is durable cannot be written loses nothing', async () => {
    const disk = new TracedDisk();
    const troubles: unknown[] = [];
    const writer = await start(disk, (error) => troubles.push(error));
    disk.fail = (_operation, name) => void (name === 'durable' && full());
    for (const value of ['one', 'two']) await writer.append(text(value));
    await writer.close();
    expect(troubles).toHaveLength(2);
    expect(await readAll(disk)).toEqual(['one', 'two']);
  });

  it('that fails at the start stops the journal from being opened', async () => {
    const disk = new TracedDisk();
    disk.fail = full;
    await expect(start(disk)).rejects.toThrow('no space left');
  });
});
