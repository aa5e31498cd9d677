/** The worker refuses rows that the database's owner changed. */
import { newId } from '@hoop/contract';
import { createChannel, insertAuditEvent, placeHold, purgeCalls, writeRetention } from '@hoop/database';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { openLogScene } from '../../test/log-scene.ts';
import type { LogScene } from '../../test/log-scene.ts';
import { openContext } from '../context.ts';
import type { WorkerContext } from '../context.ts';
import { tasks } from './tasks.ts';

let scene: LogScene;
let context: WorkerContext;
beforeAll(async () => {
  scene = await openLogScene();
  context = openContext(scene.config);
});
afterAll(async () => {
  await context?.db.close();
  await scene?.close();
});

const run = (task: keyof typeof tasks): Promise<void> => tasks[task](context, new AbortController().signal);
const alarms = async (code: string): Promise<string[]> =>
  (await scene.db.prisma.securityEvent.findMany({ where: { kind: 'log_integrity', code } })).map((event) => event.detail);

/** As the owner: without triggers. */
async function sql(text: string, ...values: unknown[]): Promise<void> {
  const client = await scene.db.pool.connect();
  try {
    await client.query("SET session_replication_role = 'replica'");
    await client.query(text, values);
  } finally {
    await client.query('RESET session_replication_role');
    client.release();
  }
}

test('the check of what is signed names a channel that was changed, and goes on where it stopped', async () => {
  const id = newId('notification_channel');
  const at = new Date();
  await scene.db.inTransaction(async (tx) => {
    const url = 'https://hooks.example/x';
    const rest = { allowedCidrs: [], events: [], reviewers: [], sealed: '', settings: {}, disabled: false };
    await createChannel(tx, { id, name: id.replaceAll('_', '-'), kind: 'webhook', url, ...rest }, at);
    await insertAuditEvent(tx, {
      id: newId('audit_event'),
      at,
      actor: { id: 'tok_1', name: 'ops', role: 'admin' },
      action: 'notification_channel.create',
      target: { type: 'notification_channel', id, name: null },
      change: {},
      requestId: 'req_1',
      remote: '',
    });
  });
  await run('integrity_check');
  expect(await alarms('row_not_authentic')).toEqual([]);
  const state = await scene.db.prisma.recordCheckState.findFirstOrThrow();
  expect(state).toMatchObject({ integrityAfter: 'rows.', integrityEnded: expect.any(Date) });
  await sql("UPDATE notification_channels SET url = 'https://evil.example' WHERE id = $1", id);
  await run('integrity_check');
  expect(await alarms('row_not_authentic')).toContainEqual(expect.stringContaining(id));
});

test('an audit event that nobody signed gets no leaf and an alarm, and holds up nothing', async () => {
  const id = newId('audit_event');
  await scene.db.pool.query(
    `INSERT INTO audit_events (id, at, actor_id, actor_name, actor_role, action, target_type, target_id, change, request_id, remote)
     VALUES ($1, now(), 'tok_1', 'ops', 'admin', 'x.y', 'x', 'x', '{}', 'r', '')`,
    [id],
  );
  const good = await scene.audit();
  const worker = await scene.work();
  await expect.poll(() => scene.db.prisma.logLeaf.count({ where: { refId: good } }), { timeout: 60_000 }).toBe(1);
  await expect.poll(async () => (await alarms('row_not_authentic')).join(), { timeout: 60_000 }).toContain(id);
  await worker.close();
  expect(await scene.db.prisma.logLeaf.count({ where: { refId: id } })).toBe(0);
});

test('retention removes nothing where its settings were changed, and nothing that a hold keeps whose row was changed', async () => {
  const [callId] = await scene.record(1);
  const { sessionId, connectionId } = await scene.db.prisma.call.findUniqueOrThrow({ where: { id: callId! } });
  await sql('DELETE FROM log_pending');
  const at = new Date();
  const hold = { id: newId('legal_hold'), kind: 'session', subjectId: sessionId, reason: 'a case', placedBy: 'ops', placedAt: at } as const;
  await scene.db.inTransaction((tx) => placeHold(tx, hold));
  await sql("UPDATE legal_holds SET lifted_at = now(), lifted_by = 'me' WHERE id = $1", hold.id);
  const rule = { connectionId, connectionName: null, seconds: 0 };
  const purge = () => scene.db.inTransaction((tx) => purgeCalls(tx, rule, Date.now() + 60_000));
  expect(await purge()).toMatchObject({ purged: 0 });

  await scene.db.inTransaction((tx) => writeRetention(tx, { unattributed: '30d', maximum: null }, at));
  await sql("UPDATE retention_settings SET unattributed = '1h', maximum = '1h'");
  await expect(run('retention')).rejects.toMatchObject({ code: 'row_not_authentic' });
  expect((await scene.db.prisma.call.findUniqueOrThrow({ where: { id: callId! } })).purgedAt).toBeNull();
});
