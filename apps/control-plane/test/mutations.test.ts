import { operations } from '@hoop/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { samples } from './error-codes.ts';
import { startHarness, type Harness } from './harness.ts';

/** These compute and change nothing. What the last three read of records is audited, which their own tests hold them to. */
const computing = new Set([
  'validatePolicy',
  'lintPolicy',
  'explainDecision',
  'tryMasking',
  'backtestPolicy',
  'proposePolicy',
  'searchCalls',
]);
/** No relay works by what these change. */
const beside = new Set(['createAdminToken', 'revokeAdminToken', 'dismissMaskSuggestion']);

const mutating = operations.filter(
  ({ id, method, path }) => samples[id] !== undefined && method !== 'GET' && path.startsWith('/v1/') && !computing.has(id),
);

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

const revisionNow = async (): Promise<number> => (await h.database.prisma.snapshotState.findFirstOrThrow()).revision;

it.each(mutating.map((operation) => [operation.id, operation] as const))(
  '%s writes one audit event with its change, and makes one revision where relays work by it',
  async (id, operation) => {
    const sample = await samples[id]!(h);
    const revision = await revisionNow();
    const answer = await h.call(operation.method, sample.path, sample);
    expect(answer.status).toBe(operation.status);
    const events = await h.database.prisma.auditEvent.findMany({ where: { requestId: answer.headers.get('request-id')! } });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ actorName: 'bootstrap', actorRole: 'admin', remote: '127.0.0.1' });
    const change = events[0]!.change as { before?: object; after?: object };
    if (operation.method === 'DELETE') expect([change.before, change.after]).toEqual([expect.anything(), undefined]);
    else expect(change.after).toBeDefined();
    expect(await revisionNow()).toBe(revision + (beside.has(id) ? 0 : 1));
  },
);

it.each(mutating.map((operation) => [operation.id, operation] as const))('%s leaves no trace when it is refused', async (id, operation) => {
  const sample = await samples[id]!(h);
  const before = [await revisionNow(), await h.database.prisma.auditEvent.count()];
  const answer = await h.call(operation.method, `${sample.path}?bogus=1`, sample);
  expect(answer.status).toBe(400);
  expect([await revisionNow(), await h.database.prisma.auditEvent.count()]).toEqual(before);
});

it('changes nothing where the audit event cannot be written', async () => {
  const { id } = await h.makeConnection();
  const revision = await revisionNow();
  await h.database.pool.query("ALTER TABLE audit_events ADD CONSTRAINT full_disk CHECK (action <> 'connection.disable') NOT VALID");
  const answer = await h.call('POST', `/v1/connections/${id}/disable`);
  await h.database.pool.query('ALTER TABLE audit_events DROP CONSTRAINT full_disk');
  expect(answer.status).toBe(500);
  expect(answer.text).not.toContain('full_disk');
  expect((await h.call('GET', `/v1/connections/${id}`)).body['disabled']).toBe(false);
  expect(await revisionNow()).toBe(revision);
});
