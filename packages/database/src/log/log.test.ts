import { createHash, generateKeyPairSync } from 'node:crypto';

import { newId } from '@hoop/contract';
import { logLeafHash, openCheckpoint, signCheckpoint, verifierKey, verifyConsistency, verifyInclusion } from '@hoop/recording';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Database } from '../database.ts';
import { withTransaction } from '../records/transaction.ts';
import { appendLeaves, lockLog, pendingLeaves, removePending } from './append.ts';
import { enqueueLeaves, leavesOf, proveConsistency, proveInclusion, readCheckpoint, readLeaves } from './log.ts';
import type { LogHead } from './log.ts';
import { openSignedDatabase } from '../../test/row-keys.ts';

const origin = 'hoop.example/audit';
const { privateKey } = generateKeyPairSync('ed25519');
const vkey = verifierKey(origin, privateKey);
const sign = (head: LogHead): string => signCheckpoint({ origin, ...head }, privateKey);
const digestOf = (refId: string): Buffer => createHash('sha256').update(refId).digest();

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openSignedDatabase(database.url);
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

const enqueue = (count: number): Promise<void> =>
  db.inTransaction((tx) =>
    enqueueLeaves(
      tx,
      Array.from({ length: count }, () => ({ kind: 'call' as const, refId: newId('call') })),
    ),
  );

const sequence = (limit: number): Promise<LogHead> =>
  withTransaction(db.pool, async (client) => {
    const head = await lockLog(client);
    const leaves = await pendingLeaves(client, limit);
    const next = await appendLeaves(
      client,
      head,
      leaves.map((leaf) => ({ ...leaf, digest: digestOf(leaf.refId) })),
      sign,
      Date.now(),
    );
    await removePending(client, leaves);
    return next;
  });

describe('the log', () => {
  it('appends what is pending, in batches of any size, and proves each leaf and each extension', async () => {
    const heads: LogHead[] = [];
    for (const count of [1, 2, 252, 1, 1, 700, 3]) {
      await enqueue(count);
      heads.push(await sequence(10_000));
    }
    const last = heads.at(-1)!;
    expect(last.size).toBe(960);
    const leaves = await readLeaves(db.prisma, 0, last.size);
    for (const index of [0, 1, 254, 255, 256, 257, 511, 512, 900, 959]) {
      const leaf = leaves[index]!;
      const proof = await proveInclusion(db.prisma, index, last.size);
      expect(verifyInclusion(logLeafHash(leaf.kind, leaf.refId, leaf.digest), index, last.size, proof, last.root)).toBe(true);
      expect((await leavesOf(db.prisma, leaf.refId)).map((one) => one.index)).toEqual([index]);
    }
    for (const head of heads) {
      const proof = await proveConsistency(db.prisma, head.size, last.size);
      expect(verifyConsistency(head.size, last.size, head.root, last.root, proof)).toBe(true);
      const checkpoint = await readCheckpoint(db.prisma, head.size);
      expect(openCheckpoint(checkpoint!.note, vkey)).toEqual({
        ok: true,
        checkpoint: { origin, size: head.size, root: Buffer.from(head.root) },
      });
    }
    expect(await db.prisma.logPending.count()).toBe(0);
    expect(await db.prisma.logNode.count()).toBe(4);
  });

  it('lets one sequencer at a time append, so that no leaf is taken twice or left out', async () => {
    await enqueue(500);
    const before = (await readCheckpoint(db.prisma))!.size;
    const heads = await Promise.all([sequence(200), sequence(200), sequence(200)]);
    expect(Math.max(...heads.map((head) => head.size))).toBe(before + 500);
    const refs = (await readLeaves(db.prisma, before, before + 500)).map((leaf) => leaf.refId);
    expect(new Set(refs).size).toBe(500);
  });

  it('takes every audit event by itself', async () => {
    const id = newId('audit_event');
    const event = {
      id,
      at: new Date(),
      actorId: 'tok_1',
      actorName: 'x',
      actorRole: 'admin',
      action: 'x.y',
      targetType: 'x',
      targetId: 'y',
      change: {},
      requestId: 'r',
      remote: '',
    };
    await db.prisma.auditEvent.create({ data: event });
    expect((await pendingLeaves(db.pool, 10)).map((leaf) => [leaf.kind, leaf.refId])).toEqual([['audit_event', id]]);
    await sequence(10);
    expect(await leavesOf(db.prisma, id)).toHaveLength(1);
  });

  it('refuses to change or remove a leaf, and to append to a log whose rows were changed behind its back', async () => {
    const client = new pg.Client(database.url);
    await client.connect();
    try {
      await expect(client.query(`update log_leaves set ref_id = 'x' where index = 5`)).rejects.toThrow('immutable');
      await expect(client.query(`delete from log_leaves where index = 5`)).rejects.toThrow('immutable');
      await expect(client.query(`truncate log_leaves`)).rejects.toThrow('immutable');
      // Somebody with the rights of the owner.
      const size = (await readCheckpoint(db.prisma))!.size;
      await client.query(`alter table log_leaves disable trigger user`);
      await client.query(`update log_leaves set ref_id = 'x' where index = ${size - 1}`);
      await client.query(`alter table log_leaves enable trigger user`);
      await enqueue(1);
      await expect(sequence(10)).rejects.toThrow('its rows were changed');
      expect(await db.prisma.logPending.count()).toBe(1);
    } finally {
      await client.end();
    }
  });

  it('refuses proofs for sizes and leaves that it does not have', async () => {
    const size = (await readCheckpoint(db.prisma))!.size;
    await expect(proveInclusion(db.prisma, 0, size + 1)).rejects.toThrow(RangeError);
    await expect(proveInclusion(db.prisma, 5, 5)).rejects.toThrow(RangeError);
    await expect(proveConsistency(db.prisma, 7, 5)).rejects.toThrow(RangeError);
  });
});
