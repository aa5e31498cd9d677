/** Notification channels and the deliveries to them. */
import { newId } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import { Prisma } from '../generated/client.ts';
import { guardOf } from '../row-signatures/guard.ts';
import type { NotificationChannel as ChannelRow, NotificationDelivery as DeliveryRow } from '../generated/client.ts';

export interface ChannelRecord {
  readonly id: string;
  readonly name: string;
  readonly kind: 'webhook' | 'slack';
  readonly url: string;
  readonly allowedCidrs: string[];
  readonly events: string[];
  readonly reviewers: string[];
  /** Compact JWE; only the worker opens it. */
  readonly sealed: string;
  readonly settings: { readonly slackChannel?: string };
  readonly disabled: boolean;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface DeliveryRecord {
  readonly id: string;
  readonly channelId: string;
  readonly event: string;
  readonly subjectId: string;
  readonly payload: Record<string, unknown>;
  readonly state: 'pending' | 'delivered' | 'dead';
  readonly attempts: number;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly nextAt: Date;
  readonly createdAt: Date;
  readonly deliveredAt: Date | null;
}

const toChannel = ({ signature: _, ...row }: ChannelRow): ChannelRecord => ({
  ...row,
  kind: row.kind as ChannelRecord['kind'],
  settings: row.settings as ChannelRecord['settings'],
});
const toDelivery = (row: DeliveryRow): DeliveryRecord => ({
  ...row,
  payload: row.payload as Record<string, unknown>,
  state: row.state as DeliveryRecord['state'],
});

export async function createChannel(
  tx: Transaction,
  channel: Omit<ChannelRecord, 'version' | 'createdAt' | 'updatedAt'>,
  now: Date,
): Promise<ChannelRecord> {
  const data = { ...channel, settings: { ...channel.settings }, version: 1, createdAt: now, updatedAt: now };
  const signature = guardOf(tx).sign('notification_channel', data);
  return toChannel(await tx.notificationChannel.create({ data: { ...data, signature } }));
}

/** Locks the row until the transaction ends. */
export async function lockChannel(tx: Transaction, id: string): Promise<ChannelRecord | null> {
  await tx.$queryRaw`SELECT id FROM notification_channels WHERE id = ${id} FOR UPDATE`;
  return readChannel(tx, id);
}

export async function readChannel(tx: Transaction, id: string): Promise<ChannelRecord | null> {
  const row = await tx.notificationChannel.findUnique({ where: { id } });
  return row === null ? null : toChannel(guardOf(tx).require('notification_channel', row));
}

export async function updateChannel(
  tx: Transaction,
  id: string,
  changes: Partial<Omit<ChannelRecord, 'id' | 'kind' | 'version' | 'createdAt' | 'updatedAt'>>,
  now: Date,
): Promise<ChannelRecord> {
  const guard = guardOf(tx);
  const before = guard.require('notification_channel', await tx.notificationChannel.findUniqueOrThrow({ where: { id } }));
  const { signature: _, ...next } = { ...before, ...changes, version: before.version + 1, updatedAt: now };
  const data = { ...next, settings: { ...(next.settings as object) } };
  const signature = guard.sign('notification_channel', data);
  return toChannel(await tx.notificationChannel.update({ where: { id }, data: { ...data, signature } }));
}

export async function deleteChannel(tx: Transaction, id: string): Promise<void> {
  await tx.notificationChannel.delete({ where: { id } });
  guardOf(tx).remove('notification_channel', id);
}

export async function listChannels(tx: Transaction, page: { readonly before?: string; readonly limit: number }): Promise<ChannelRecord[]> {
  const where = page.before === undefined ? {} : { id: { lt: page.before } };
  const rows = await tx.notificationChannel.findMany({ where, orderBy: { id: 'desc' }, take: page.limit });
  return (await guardOf(tx).authentic('notification_channel', rows)).map(toChannel);
}

/** Enabled channels that want this event of an approval that these people may review. */
export async function channelsFor(tx: Transaction, event: string, reviewers: readonly string[]): Promise<ChannelRecord[]> {
  const rows = await tx.notificationChannel.findMany({
    where: { disabled: false, events: { has: event }, OR: [{ reviewers: { isEmpty: true } }, { reviewers: { hasSome: [...reviewers] } }] },
    orderBy: { id: 'asc' },
  });
  return (await guardOf(tx).authentic('notification_channel', rows)).map(toChannel);
}

export async function channelNamed(tx: Transaction, name: string): Promise<ChannelRecord | null> {
  const row = await tx.notificationChannel.findUnique({ where: { name } });
  return row === null ? null : toChannel(guardOf(tx).require('notification_channel', row));
}

/** Makes one pending delivery a channel, unless it is there; returns the ids of all that are pending. */
export async function createDeliveries(
  tx: Transaction,
  event: string,
  subjectId: string,
  channels: readonly ChannelRecord[],
  payload: Record<string, unknown>,
  now: Date,
): Promise<string[]> {
  if (channels.length === 0) return [];
  await tx.notificationDelivery.createMany({
    data: channels.map((channel) => ({
      id: newId('notification_delivery', now.getTime()),
      channelId: channel.id,
      event,
      subjectId,
      payload: payload as Prisma.InputJsonObject,
      nextAt: now,
      createdAt: now,
    })),
    skipDuplicates: true,
  });
  const rows = await tx.notificationDelivery.findMany({
    where: { channelId: { in: channels.map((channel) => channel.id) }, event, subjectId, state: 'pending' },
    select: { id: true },
  });
  return rows.map((row) => row.id);
}

/** `channel` null: its row was changed outside of Hoop, so that nobody may say where the message goes. */
export type DeliveryWithChannel = DeliveryRecord & { readonly channel: ChannelRecord | null };

export async function readDelivery(tx: Transaction, id: string): Promise<DeliveryWithChannel | null> {
  const row = await tx.notificationDelivery.findUnique({ where: { id }, include: { channel: true } });
  if (row === null) return null;
  const isAuthentic = guardOf(tx).isAuthentic('notification_channel', row.channel);
  return { ...toDelivery(row), channel: isAuthentic ? toChannel(row.channel) : null };
}

export interface Attempt {
  readonly status: number | null;
  /** Null: it was delivered. */
  readonly error: string | null;
  /** When it is tried next; null: never, it is dead. */
  readonly nextAt: Date | null;
}

/** Writes down an attempt on a pending delivery. False where it is not pending any more. */
export async function recordAttempt(tx: Transaction, id: string, attempt: Attempt, now: Date): Promise<boolean> {
  const isDelivered = attempt.error === null;
  const { count } = await tx.notificationDelivery.updateMany({
    where: { id, state: 'pending' },
    data: {
      attempts: { increment: 1 },
      lastStatus: attempt.status,
      lastError: attempt.error,
      ...(isDelivered
        ? { state: 'delivered', deliveredAt: now }
        : attempt.nextAt === null
          ? { state: 'dead' }
          : { nextAt: attempt.nextAt }),
    },
  });
  return count > 0;
}

/** Makes a dead delivery pending again. False where it is not dead. */
export async function reviveDelivery(tx: Transaction, id: string, now: Date): Promise<boolean> {
  const { count } = await tx.notificationDelivery.updateMany({
    where: { id, state: 'dead' },
    data: { state: 'pending', attempts: 0, nextAt: now },
  });
  if (count > 0) await tx.outbox.create({ data: { topic: 'delivery.due', payload: { deliveryId: id } } });
  return count > 0;
}

/** Pending deliveries that are due: what a lost job would have sent. */
export async function dueDeliveries(tx: Transaction, dueBefore: Date, limit: number): Promise<string[]> {
  const rows = await tx.notificationDelivery.findMany({
    where: { state: 'pending', nextAt: { lt: dueBefore } },
    orderBy: { nextAt: 'asc' },
    take: limit,
    select: { id: true },
  });
  return rows.map((row) => row.id);
}

/** Deletes delivered and dead ones that were made before `before`, oldest first. Returns how many: `limit` where there may be more. */
export async function purgeDeliveries(tx: Transaction, before: Date, limit: number): Promise<number> {
  // Ids begin with the time.
  return tx.$executeRaw`
    DELETE FROM notification_deliveries WHERE id IN (
      SELECT id FROM notification_deliveries WHERE state IN ('delivered', 'dead') AND id < ${newId('notification_delivery', before.getTime())}
      ORDER BY id LIMIT ${limit})`;
}

/**
 * Takes a due delivery for `leaseMs`: until then nobody else sends it. Null where it is not pending or not due. Whoever
 * took it says what came of it with `recordAttempt`; if they die, it is due again.
 */
export async function takeDelivery(tx: Transaction, id: string, now: Date, leaseMs: number): Promise<DeliveryWithChannel | null> {
  const { count } = await tx.notificationDelivery.updateMany({
    where: { id, state: 'pending', nextAt: { lte: now } },
    data: { nextAt: new Date(now.getTime() + leaseMs) },
  });
  return count === 0 ? null : readDelivery(tx, id);
}

export interface DeliveryFilter {
  readonly state?: DeliveryRecord['state'];
  readonly channelId?: string;
  readonly before?: string;
  readonly limit: number;
}

export async function listDeliveries(tx: Transaction, filter: DeliveryFilter): Promise<DeliveryRecord[]> {
  const rows = await tx.notificationDelivery.findMany({
    where: {
      ...(filter.state === undefined ? {} : { state: filter.state }),
      ...(filter.channelId === undefined ? {} : { channelId: filter.channelId }),
      ...(filter.before === undefined ? {} : { id: { lt: filter.before } }),
    },
    orderBy: { id: 'desc' },
    take: filter.limit,
  });
  return rows.map(toDelivery);
}
