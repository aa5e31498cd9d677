import {
  AppError,
  getNotificationChannel as getOperation,
  listNotificationChannels as listOperation,
  listNotificationDeliveries as deliveriesOperation,
  resendNotificationDelivery as resendOperation,
} from '@hoop/contract';
import { listChannels, listDeliveries, readChannel, readDelivery, reviveDelivery } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { fromCursor, toCursor } from '../http/cursor.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';
import { toChannelResource, toDeliveryResource } from './resource.ts';

export const getNotificationChannel = route(getOperation, async ({ context, params }) => {
  const channel = found(await readChannel(context.database.prisma, params.channelId), 'notification channel');
  return { body: toChannelResource(channel), version: channel.version };
});

export const listNotificationChannels = route(listOperation, async ({ context, query }) => {
  const before = fromCursor(query.cursor);
  const rows = await listChannels(context.database.prisma, { limit: query.limit + 1, ...(before === undefined ? {} : { before }) });
  const items = rows.slice(0, query.limit);
  return { body: { items: items.map(toChannelResource), next: rows.length > query.limit ? toCursor(items.at(-1)!.id) : null } };
});

export const listNotificationDeliveries = route(deliveriesOperation, async ({ context, query }) => {
  const { limit, cursor, state, channel } = query;
  const before = fromCursor(cursor);
  const rows = await listDeliveries(context.database.prisma, {
    limit: limit + 1,
    ...(state === undefined ? {} : { state }),
    ...(channel === undefined ? {} : { channelId: channel }),
    ...(before === undefined ? {} : { before }),
  });
  const items = rows.slice(0, limit);
  return { body: { items: items.map(toDeliveryResource), next: rows.length > limit ? toCursor(items.at(-1)!.id) : null } };
});

export const resendNotificationDelivery = route(resendOperation, async (call) => {
  const { deliveryId } = call.params;
  return mutate(call, { action: 'notification_delivery.resend', isConfiguration: false }, async ({ tx, at }) => {
    const before = found(await readDelivery(tx, deliveryId), 'notification delivery');
    const isRevived = await reviveDelivery(tx, deliveryId, at);
    if (!isRevived) throw new AppError('conflict', `Only a dead delivery can be sent again; this one is ${before.state}.`);
    const after = toDeliveryResource(found(await readDelivery(tx, deliveryId), 'notification delivery'));
    return {
      reply: { body: after },
      target: { type: 'notification_delivery', id: deliveryId, name: null },
      before: { state: before.state, attempts: before.attempts },
      after: { state: after.state, attempts: after.attempts },
    };
  });
});
