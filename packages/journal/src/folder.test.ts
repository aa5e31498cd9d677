import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { acceptDamage, JournalDamaged, JournalToShip, journalStates, lockForShipping, openJournal } from './index.ts';
import { testKeys } from '../test/keys.ts';

const keys = testKeys();
let root: string;
beforeEach(async () => {
  root = path.join(await mkdtemp(path.join(tmpdir(), 'hoop-journals-')), 'made');
});
afterEach(() => rm(path.dirname(root), { recursive: true }));

it('a journal is abandoned once its writer is closed, and goes when all of it is shipped', async () => {
  const { writer, close } = await openJournal(root, { id: 'jrn_1', keys });
  await writer.append([Buffer.from('a group')]);
  const journal = await JournalToShip.open(root, 'jrn_1', keys);
  expect(journal.isAbandoned()).toBe(false);
  expect(await journalStates(root)).toEqual([{ id: 'jrn_1', isWritten: true, damage: null }]);
  await close();
  await expect.poll(() => journal.isAbandoned()).toBe(true);
  expect((await journal.reader.next(true))?.bytes.toString()).toBe('a group');
  expect(await journal.reader.next(true)).toBeNull();
  await journal.remove();
  expect(await readdir(root)).toEqual([]);
});

it('one shipper works on a volume', async () => {
  const lock = await lockForShipping(root);
  expect(lock).not.toBeNull();
  expect(await lockForShipping(root)).toBeNull();
  lock!.unlock();
});

it('damage holds a journal back until somebody accepts it', async () => {
  const { close } = await openJournal(root, { id: 'jrn_1', keys });
  await close();
  const journal = await JournalToShip.open(root, 'jrn_1', keys);
  expect(await journal.isHeldBack()).toBe(false);
  await journal.holdBack(new JournalDamaged({ epoch: 2, offset: 4096 }, 'Group 7 is not what was written.'));
  expect(await journal.isHeldBack()).toBe(true);
  expect(await journalStates(root)).toEqual([
    { id: 'jrn_1', isWritten: false, damage: { epoch: 2, offset: 4096, message: 'Group 7 is not what was written.' } },
  ]);
  await acceptDamage(root, 'jrn_1');
  expect(await journal.isHeldBack()).toBe(false);
  await journal.close();
});

it('a folder that cannot be made says why', async () => {
  await writeFile(root, 'a file');
  await expect(openJournal(root, { id: 'jrn_1', keys })).rejects.toThrow(/EEXIST|ENOTDIR/);
});
