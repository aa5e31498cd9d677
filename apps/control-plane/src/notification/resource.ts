import { notificationEvents } from '@hoop/contract';
import type { ChannelRecord, DeliveryRecord } from '@hoop/database';

type Event = (typeof notificationEvents)[number];

/** A channel as callers see it: its secret is never among it. */
export const toChannelResource = (channel: ChannelRecord) => ({
  id: channel.id,
  name: channel.name,
  kind: channel.kind,
  url: channel.url,
  allowedCidrs: channel.allowedCidrs,
  events: channel.events as Event[],
  reviewers: channel.reviewers,
  ...(channel.settings.slackChannel === undefined ? {} : { slackChannel: channel.settings.slackChannel }),
  disabled: channel.disabled,
  version: channel.version,
  createdAt: channel.createdAt.toISOString(),
  updatedAt: channel.updatedAt.toISOString(),
});

export const toDeliveryResource = (delivery: DeliveryRecord) => ({
  id: delivery.id,
  channelId: delivery.channelId,
  event: delivery.event as Event,
  subjectId: delivery.subjectId,
  state: delivery.state,
  attempts: delivery.attempts,
  lastStatus: delivery.lastStatus,
  lastError: delivery.lastError,
  payload: delivery.payload,
  createdAt: delivery.createdAt.toISOString(),
  deliveredAt: delivery.deliveredAt?.toISOString() ?? null,
});
