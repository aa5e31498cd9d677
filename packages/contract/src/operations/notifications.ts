/** Channels that notify people of approvals: webhooks (Standard Webhooks) and Slack. */
import { z } from 'zod';

import { idSchema, nameSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { editors, listQuery, overseers, pageOf, patchOf, registered, timeSchema } from './wire.ts';

const tag = 'Notifications';
const channelPath = '/v1/notification-channels/{channelId}';
const channelParams = z.object({ channelId: idSchema('notification_channel') });
const deliveryParams = z.object({ deliveryId: idSchema('notification_delivery') });

export const notificationEvents = [
  'approval.requested',
  'approval.reminder',
  'approval.escalated',
  'approval.approved',
  'approval.denied',
  'approval.expired',
  'approval.withdrawn',
  'approval.voided',
  'approval.break_glass',
  /** A deferred call that named the channel has finished. */
  'deferred.finished',
  /** A target answered with the injected credential, which was scrubbed: once an hour for each connection and lease. */
  'credential.reflected',
] as const;
export const notificationEventSchema = z.enum(notificationEvents);

export const notificationChannelInputSchema = z.strictObject({
  name: nameSchema,
  kind: z.enum(['webhook', 'slack']),
  /** Slack: an incoming-webhook URL or `https://slack.com/api/chat.postMessage`. */
  url: z.url({ protocol: /^https?$/ }).max(2048),
  /** Private address ranges in which the URL may be. @default [] */
  allowedCidrs: z.array(z.string().max(64)).max(20).default([]),
  /** @default every event */
  events: z
    .array(notificationEventSchema)
    .min(1)
    .default([...notificationEvents]),
  /** Only for approvals that one of these may review (`user:NAME`, `group:NAME`); empty: all. @default [] */
  reviewers: z
    .array(z.string().regex(/^(?:group|user):[A-Za-z0-9._@-]{1,100}$/))
    .max(50)
    .default([]),
  /** Write-only. Webhook: `whsec_` and base64 of 24 to 64 bytes; made and shown once where absent. Slack: the bot token, if one is needed. */
  secret: z.string().min(1).max(500).optional(),
  /** Slack's channel id for chat.postMessage. */
  slackChannel: z.string().max(100).optional(),
  disabled: z.boolean().default(false),
});
export const notificationChannelSchema = z.object({
  id: idSchema('notification_channel'),
  ...notificationChannelInputSchema.omit({ secret: true }).shape,
  ...registered,
});
export const createdNotificationChannelSchema = notificationChannelSchema.extend({
  /** The signing secret where Hoop made it: shown this once. */
  secret: z.string().nullable(),
});

export const createNotificationChannel = defineOperation({
  id: 'createNotificationChannel',
  method: 'POST',
  path: '/v1/notification-channels',
  tag,
  audience: editors,
  summary: 'Register a notification channel',
  body: notificationChannelInputSchema,
  status: 201,
  returns: ['ETag', 'Location'],
  response: createdNotificationChannelSchema,
  idempotent: true,
  errors: ['name_taken', 'target_refused'],
});
export const listNotificationChannels = defineOperation({
  id: 'listNotificationChannels',
  method: 'GET',
  path: '/v1/notification-channels',
  tag,
  audience: overseers,
  summary: 'List notification channels',
  query: listQuery({}),
  status: 200,
  response: pageOf(notificationChannelSchema),
  errors: [],
});
export const getNotificationChannel = defineOperation({
  id: 'getNotificationChannel',
  method: 'GET',
  path: channelPath,
  tag,
  audience: overseers,
  summary: 'Get a notification channel',
  params: channelParams,
  status: 200,
  returns: ['ETag'],
  response: notificationChannelSchema,
  errors: ['not_found'],
});
export const updateNotificationChannel = defineOperation({
  id: 'updateNotificationChannel',
  method: 'PATCH',
  path: channelPath,
  tag,
  audience: editors,
  summary: 'Change a notification channel',
  params: channelParams,
  body: patchOf(notificationChannelInputSchema.omit({ kind: true }).shape),
  status: 200,
  response: notificationChannelSchema,
  conditional: true,
  errors: ['not_found', 'name_taken', 'target_refused'],
});
export const deleteNotificationChannel = defineOperation({
  id: 'deleteNotificationChannel',
  method: 'DELETE',
  path: channelPath,
  tag,
  audience: editors,
  summary: 'Delete a notification channel and its deliveries',
  params: channelParams,
  status: 204,
  conditional: true,
  errors: ['not_found'],
});

export const notificationDeliverySchema = z.object({
  id: idSchema('notification_delivery'),
  channelId: idSchema('notification_channel'),
  event: notificationEventSchema,
  subjectId: z.string(),
  /** `dead`: given up after all attempts; it can be resent. */
  state: z.enum(['pending', 'delivered', 'dead']),
  attempts: z.int(),
  lastStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  payload: z.record(z.string(), z.unknown()),
  createdAt: timeSchema,
  deliveredAt: timeSchema.nullable(),
});
export const listNotificationDeliveries = defineOperation({
  id: 'listNotificationDeliveries',
  method: 'GET',
  path: '/v1/notification-deliveries',
  tag,
  audience: overseers,
  summary: 'List deliveries, newest first; `state=dead` is the dead-letter list',
  query: listQuery({ state: z.enum(['pending', 'delivered', 'dead']).optional(), channel: idSchema('notification_channel').optional() }),
  status: 200,
  response: pageOf(notificationDeliverySchema),
  errors: [],
});
export const resendNotificationDelivery = defineOperation({
  id: 'resendNotificationDelivery',
  method: 'POST',
  path: '/v1/notification-deliveries/{deliveryId}/resend',
  tag,
  audience: editors,
  summary: 'Send a dead delivery again',
  params: deliveryParams,
  status: 200,
  response: notificationDeliverySchema,
  errors: ['not_found', 'conflict'],
});

export const slackUserSchema = z.object({ slackUserId: z.string(), user: z.string(), groups: z.array(z.string()), createdAt: timeSchema });
const slackParams = z.object({ slackUserId: z.string().regex(/^[UW][A-Z0-9]{2,20}$/, 'must be a Slack member id such as U012AB3CD') });
const principal = z.string().regex(/^[A-Za-z0-9._@-]{1,100}$/);
export const putSlackUser = defineOperation({
  id: 'putSlackUser',
  method: 'PUT',
  path: '/v1/slack-users/{slackUserId}',
  tag,
  audience: ['admin'],
  summary: 'Map a Slack user to an approver',
  params: slackParams,
  body: z.strictObject({ user: principal, groups: z.array(principal).max(50).default([]) }),
  status: 200,
  response: slackUserSchema,
  errors: [],
});
export const listSlackUsers = defineOperation({
  id: 'listSlackUsers',
  method: 'GET',
  path: '/v1/slack-users',
  tag,
  audience: overseers,
  summary: 'List the Slack users mapped to approvers',
  query: listQuery({}),
  status: 200,
  response: pageOf(slackUserSchema),
  errors: [],
});
export const deleteSlackUser = defineOperation({
  id: 'deleteSlackUser',
  method: 'DELETE',
  path: '/v1/slack-users/{slackUserId}',
  tag,
  audience: ['admin'],
  summary: 'Remove the mapping of a Slack user',
  params: slackParams,
  status: 204,
  errors: ['not_found'],
});
export const receiveSlackInteraction = defineOperation({
  id: 'receiveSlackInteraction',
  method: 'POST',
  path: '/v1/slack/interactions',
  tag,
  audience: 'public',
  summary: 'Receive interactions from Slack; verified by its signature, each accepted once',
  bodyType: 'application/x-www-form-urlencoded',
  body: z.looseObject({ payload: z.string().max(100_000) }),
  status: 200,
  response: z.object({ text: z.string() }),
  errors: ['unauthenticated', 'forbidden', 'invalid_request', 'unavailable'],
});
