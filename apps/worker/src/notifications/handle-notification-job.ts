/** Sends one message to one channel, and decides when to try again. */
import {
  channelNamed,
  channelsFor,
  createDeliveries,
  findCall,
  readDeferredCallForWorker,
  recordAttempt,
  takeDelivery,
} from '@hoop/database';
import type { ChannelRecord, Database, DeliveryRecord } from '@hoop/database';
import { deadLetter } from '@hoop/queue';
import type { JobQueue } from '@hoop/queue';
import type { ShownRequest } from '@hoop/contract';
import type { Secret } from '@hoop/sealing';
import { FetchRefused } from '@hoop/upstream';
import type { GuardedFetchFactory } from '@hoop/upstream';

import type { NotificationJob } from '../outbox/jobs.ts';
import { slackMessage } from './slack.ts';
import { signedWebhook } from './webhook.ts';

export interface NotificationContext {
  readonly db: Database;
  readonly notifications: JobQueue<NotificationJob>;
  readonly now: () => number;
  readonly random: () => number;
  readonly createFetch: GuardedFetchFactory;
  /** Opens a channel's sealed secret. */
  readonly openSecret: (sealed: string, channelId: string) => Promise<Secret<string>>;
  /** Loads the request of an approval for messages that show it; null where this worker cannot open the request. */
  readonly shownRequest: (approvalId: string) => Promise<ShownRequest | null>;
  readonly onError: (error: Error) => void;
  /** Milliseconds before the next attempt, after the first, the second, …; after the last the delivery is dead. */
  readonly retryDelaysMs: readonly number[];
}

/** The schedule that Standard Webhooks recommends: a receiver that is down for a day misses nothing. */
export const standardRetryDelaysMs: readonly number[] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000].map(
  (seconds) => seconds * 1000,
);

interface Answer {
  readonly status: number | null;
  /** Null: delivered. */
  readonly error: string | null;
}

const timeoutMs = 15_000;
/** Longer than an attempt takes; a worker that dies in the middle of one leaves it to the next after this. */
const leaseMs = 60_000;

async function post(
  context: NotificationContext,
  channel: ChannelRecord,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Answer & { text: string }> {
  const send = context.createFetch({ allowedCidrs: channel.allowedCidrs, timeoutMs, maxBytes: 65_536, retries: 0 });
  try {
    const response = await send(channel.url, { method: 'POST', headers, body });
    const isGood = response.status >= 200 && response.status < 300;
    return {
      status: response.status,
      error: isGood ? null : `The channel answered ${response.status}.`,
      text: response.body.toString('utf8'),
    };
  } catch (error) {
    if (error instanceof FetchRefused) return { status: null, error: error.reason, text: '' };
    throw error;
  }
}

async function sendTo(context: NotificationContext, delivery: DeliveryRecord, channel: ChannelRecord): Promise<Answer> {
  let secret: Secret<string> | null;
  try {
    secret = channel.sealed === '' ? null : await context.openSecret(channel.sealed, channel.id);
  } catch (error) {
    context.onError(error as Error);
    return { status: null, error: 'The secret of the channel cannot be opened by this worker: set it again, or give the worker its key.' };
  }
  if (channel.kind === 'webhook') {
    if (secret === null) return { status: null, error: 'The channel has no signing secret.' };
    const message = signedWebhook(
      secret.reveal(),
      delivery.id,
      delivery.event,
      delivery.payload,
      delivery.createdAt,
      new Date(context.now()),
    );
    return post(context, channel, message.headers, message.body);
  }
  const request = delivery.subjectId.startsWith('apr_') ? await context.shownRequest(delivery.subjectId) : null;
  const body = slackMessage(delivery.event, delivery.payload, request, channel.settings.slackChannel);
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    ...(secret === null ? {} : { authorization: `Bearer ${secret.reveal()}` }),
  };
  const answer = await post(context, channel, headers, JSON.stringify(body));
  // Slack says 200 and `ok: false` to most mistakes.
  const refusal = answer.error === null ? /^\{.*"ok":\s*false/s.exec(answer.text) : null;
  if (refusal === null) return answer;
  const reason = /"error":\s*"([a-z_]{1,60})"/.exec(answer.text)?.[1] ?? 'unknown';
  return { status: answer.status, error: `Slack refused the message: ${reason}.` };
}

async function deliver(context: NotificationContext, deliveryId: string): Promise<void> {
  const { db, now, random, retryDelaysMs, notifications } = context;
  // A job that comes early, or crosses another one (a sweep and a retry), leaves it to the one that is due.
  const delivery = await takeDelivery(db.prisma, deliveryId, new Date(now()), leaseMs);
  if (delivery === null) return;
  const { channel } = delivery;
  const refusal = channel === null ? 'The channel was changed outside of Hoop.' : channel.disabled ? 'The channel is disabled.' : null;
  const answer = channel === null || refusal !== null ? { status: null, error: refusal } : await sendTo(context, delivery, channel);
  const delay = retryDelaysMs[delivery.attempts];
  const isFinal = answer.error === null || delay === undefined || refusal !== null;
  // A tenth of jitter, so that what failed together does not come back together.
  const nextAt = isFinal ? null : new Date(now() + Math.round(delay * (1 + random() / 10)));
  await recordAttempt(db.prisma, deliveryId, { ...answer, nextAt }, new Date(now()));
  if (nextAt !== null) {
    await notifications.add(
      `${deliveryId}.${delivery.attempts + 1}`,
      { version: 1, kind: 'deliver', deliveryId },
      { delayMs: nextAt.getTime() - now() },
    );
  }
}

async function tellDeferredFinished(context: NotificationContext, callId: string): Promise<void> {
  const { db, now, notifications } = context;
  const call = await readDeferredCallForWorker(db.prisma, callId);
  if (call === null || call.webhookChannel === null) return;
  const channel = await channelNamed(db.prisma, call.webhookChannel);
  if (channel === null || channel.disabled) return;
  // The message has the result's URL and not the result: only the identity may collect it.
  const data = { callId, state: call.state, status: call.status, error: call.error, collect: `/-/calls/${callId}` };
  const ids = await db.inTransaction((tx) => createDeliveries(tx, 'deferred.finished', callId, [channel], data, new Date(now())));
  for (const deliveryId of ids) await notifications.add(`${deliveryId}.0`, { version: 1, kind: 'deliver', deliveryId });
}

const hourMs = 3_600_000;

/** Once an hour for each connection and lease: a target that gives back every request must not flood the recipients. */
async function tellCredentialReflected(context: NotificationContext, callId: string): Promise<void> {
  const { db, now, notifications } = context;
  const call = await findCall(db.prisma, callId);
  if (call === null) return;
  const { sessionId, at, identity, connection, method, path, status, targetAddress, leaseFingerprint } = call;
  const data = {
    callId,
    sessionId,
    at,
    identity,
    connection,
    method,
    path,
    status,
    targetAddress,
    leaseFingerprint,
    details: `/v1/calls/${callId}`,
  };
  const subjectId = `${connection?.id ?? ''}.${leaseFingerprint ?? ''}.${Math.floor(now() / hourMs)}`;
  const ids = await db.inTransaction(async (tx) =>
    createDeliveries(tx, 'credential.reflected', subjectId, await channelsFor(tx, 'credential.reflected', []), data, new Date(now())),
  );
  for (const deliveryId of ids) await notifications.add(`${deliveryId}.0`, { version: 1, kind: 'deliver', deliveryId });
}

export async function handleNotificationJob(context: NotificationContext, job: NotificationJob): Promise<void> {
  if (job.version !== 1) throw deadLetter('The job is of a version that this worker does not know.');
  if (job.kind === 'deliver') return deliver(context, job.deliveryId);
  return job.kind === 'credential_reflected' ? tellCredentialReflected(context, job.callId) : tellDeferredFinished(context, job.callId);
}
