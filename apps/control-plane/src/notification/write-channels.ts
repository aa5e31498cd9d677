import {
  AppError,
  createNotificationChannel as createOperation,
  deleteNotificationChannel as deleteOperation,
  notificationChannelInputSchema,
  newId,
  updateNotificationChannel as updateOperation,
} from '@hoop/contract';
import { channelNamed, createChannel, deleteChannel, lockChannel, updateChannel, type Transaction } from '@hoop/database';
import { parseTarget } from '@hoop/upstream';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { patched } from '../http/merge.ts';
import { route } from '../http/route.ts';
import { checkWebhookSecret, newWebhookSecret, sealChannelSecret } from './channel-secret.ts';
import { toChannelResource } from './resource.ts';

/** The same rules as for targets; `@throws` target_refused. Where the name resolves to is checked at every sending. */
function checkUrl(url: string, allowedCidrs: string[]): void {
  const { origin } = new URL(url);
  if (new URL(url).username !== '' || new URL(url).hash !== '')
    throw new AppError('target_refused', 'The URL of a channel has no user info and no fragment.');
  parseTarget({ target: origin, allowedHosts: [], allowedCidrs });
}

async function refuseNamesake(tx: Transaction, name: string, id: string): Promise<void> {
  const namesake = await channelNamed(tx, name);
  if (namesake !== null && namesake.id !== id) throw new AppError('name_taken', `There is a notification channel "${name}" already.`);
}

export const createNotificationChannel = route(createOperation, async (call) => {
  const { secret: given, slackChannel, ...channel } = call.body;
  checkUrl(channel.url, channel.allowedCidrs);
  const id = newId('notification_channel');
  const made = channel.kind === 'webhook' && given === undefined ? newWebhookSecret() : null;
  if (channel.kind === 'webhook' && given !== undefined) checkWebhookSecret(given);
  const secret = given ?? made;
  const sealed = secret === null ? '' : await sealChannelSecret(call.context.keys.notificationPublic, id, secret);

  return mutate(call, { action: 'notification_channel.create', isConfiguration: false }, async ({ tx, at }) => {
    await refuseNamesake(tx, channel.name, id);
    const settings = slackChannel === undefined ? {} : { slackChannel };
    const after = toChannelResource(await createChannel(tx, { id, ...channel, settings, sealed }, at));
    return {
      reply: { body: { ...after, secret: made }, version: after.version, headers: { location: `/v1/notification-channels/${id}` } },
      kept: { ...after, secret: null },
      target: { type: 'notification_channel', id, name: channel.name },
      before: null,
      after,
    };
  });
});

export const updateNotificationChannel = route(updateOperation, async (call) => {
  const { channelId } = call.params;
  const { secret: given, ...patch } = call.body;

  return mutate(call, { action: 'notification_channel.update', isConfiguration: false }, async ({ tx, at }) => {
    const before = found(await lockChannel(tx, channelId), 'notification channel');
    call.precondition.check(before.version);
    const schema = notificationChannelInputSchema.omit({ secret: true });
    const { slackChannel, kind, ...wanted } = patched(schema, toChannelResource(before), patch);
    // Slack's token is the one secret that a channel can be without.
    const isSecretTaken = given === null && kind === 'slack';
    if (given === null && !isSecretTaken)
      throw new AppError('invalid_request', '`secret` in the body: cannot be removed from a webhook.', {
        extras: { errors: [{ path: 'secret', message: 'cannot be removed from a webhook' }] },
      });
    const secret = given ?? undefined;
    checkUrl(wanted.url, wanted.allowedCidrs);
    const isElsewhere = new URL(wanted.url).origin !== new URL(before.url).origin;
    if (isElsewhere && secret === undefined && !isSecretTaken && before.sealed !== '') {
      throw new AppError('target_refused', 'The secret was given for another host: send it again together with the new URL.');
    }
    await refuseNamesake(tx, wanted.name, channelId);
    if (secret !== undefined && before.kind === 'webhook') checkWebhookSecret(secret);
    const sealed =
      secret === undefined
        ? isSecretTaken
          ? { sealed: '' }
          : {}
        : { sealed: await sealChannelSecret(call.context.keys.notificationPublic, channelId, secret) };
    const settings = slackChannel === undefined ? {} : { slackChannel };
    const after = await updateChannel(tx, channelId, { ...wanted, settings, ...sealed }, at);
    return {
      reply: { body: toChannelResource(after), version: after.version },
      target: { type: 'notification_channel', id: channelId, name: after.name },
      before: toChannelResource(before),
      after: { ...toChannelResource(after), ...(given === undefined ? {} : { secret: isSecretTaken ? 'removed' : 'replaced' }) },
    };
  });
});

export const deleteNotificationChannel = route(deleteOperation, async (call) => {
  const { channelId } = call.params;
  return mutate(call, { action: 'notification_channel.delete', isConfiguration: false }, async ({ tx }) => {
    const before = found(await lockChannel(tx, channelId), 'notification channel');
    call.precondition.check(before.version);
    await deleteChannel(tx, channelId);
    return {
      reply: {},
      target: { type: 'notification_channel', id: channelId, name: before.name },
      before: toChannelResource(before),
      after: null,
    };
  });
});
