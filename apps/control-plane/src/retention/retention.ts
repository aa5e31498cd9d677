import { checkRecords as checkOperation, getRetention as getOperation, putRetention as putOperation } from '@hoop/contract';
import {
  checkIntegrity,
  checkRecords as checkPart,
  guardOf,
  integrityStart,
  isIntegrityPosition,
  lockRetention,
  readRetention,
  writeRetention,
  type RetentionRecord,
} from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { route } from '../http/route.ts';

const toResource = ({ updatedAt, ...settings }: RetentionRecord) => ({ ...settings, updatedAt: updatedAt.toISOString() });

export const getRetention = route(getOperation, async ({ context }) => {
  const settings = await readRetention(context.database.prisma);
  return { body: toResource(settings), version: settings.version };
});

export const putRetention = route(putOperation, async (call) =>
  mutate(call, { action: 'retention.update', isConfiguration: false }, async ({ tx, at }) => {
    const before = await lockRetention(tx);
    call.precondition.check(before.version);
    const after = await writeRetention(tx, call.body, at);
    return {
      reply: { body: toResource(after), version: after.version },
      target: { type: 'retention', id: 'retention', name: null },
      before: toResource(before),
      after: toResource(after),
    };
  }),
);

/** A repair has two audit events: one names who asked for it, the other, by the repair itself, lists its changes. */
export const checkRecords = route(checkOperation, async (call) => {
  const { body, context } = call;
  const { database } = context;
  if (isIntegrityPosition(body.after)) return { body: await checkIntegrity(database, body.after, body.limit) };
  if (body.repair) {
    await mutate(call, { action: 'records.check', isConfiguration: false }, async () => ({
      reply: {},
      target: { type: 'records', id: 'records', name: null },
      before: null,
      after: { repair: true, after: body.after, limit: body.limit },
    }));
  }
  const part = await checkPart(database.pool, { ...body, guard: guardOf(database.prisma) });
  // After the last call come the rows that are signed, the audit trail and the log.
  return { body: { ...part, next: part.next ?? integrityStart } };
});
