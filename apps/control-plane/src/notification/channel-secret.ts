/** Secrets of notification channels: sealed at once to the worker's key; the control plane cannot open them again. */
import { randomBytes } from 'node:crypto';

import { AppError } from '@hoop/contract';
import { createDataKey, sealBody } from '@hoop/sealing';
import type { JWK } from 'jose';

/** `whsec_` and base64 of 24 to 64 bytes (Standard Webhooks). */
export function checkWebhookSecret(secret: string): void {
  const match = /^whsec_([A-Za-z0-9+/]+=*)$/.exec(secret);
  const length = match === null ? 0 : Buffer.from(match[1]!, 'base64').length;
  if (length >= 24 && length <= 64) return;
  throw new AppError('invalid_request', '`secret` must be whsec_ followed by base64 of 24 to 64 bytes; leave it out to have one made.', {
    extras: { errors: [{ path: 'secret', message: 'must be whsec_ followed by base64 of 24 to 64 bytes' }] },
  });
}

export const newWebhookSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** `wrapped data key ~ sealed secret`, bound to the channel's id. */
export async function sealChannelSecret(publicKey: JWK | null, channelId: string, secret: string): Promise<string> {
  if (publicKey === null) {
    throw new AppError(
      'unavailable',
      'Notifications are not configured: set HOOP_NOTIFICATION_PUBLIC_KEY_FILE for the control plane and HOOP_NOTIFICATION_KEY_FILE for the worker.',
    );
  }
  const { wrapped, key } = await createDataKey(publicKey);
  return `${wrapped}~${sealBody(key, Buffer.from(secret), `${channelId}:secret`)}`;
}
