/** A message to a webhook, signed as Standard Webhooks 1.0 says: `webhook-id`, `webhook-timestamp`, `webhook-signature`. */
import { Webhook } from 'standardwebhooks';

export interface SignedMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * @param secret `whsec_` and base64
 * @param id the delivery's id: the same on every attempt, so that the receiver can drop repetitions
 */
export function signedWebhook(
  secret: string,
  id: string,
  event: string,
  data: Readonly<Record<string, unknown>>,
  createdAt: Date,
  now: Date,
): SignedMessage {
  const body = JSON.stringify({ type: event, timestamp: createdAt.toISOString(), data });
  // Whole seconds: what is signed must be what the header says.
  const at = new Date(Math.floor(now.getTime() / 1000) * 1000);
  const signature = new Webhook(secret).sign(id, at, body);
  return {
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(at.getTime() / 1000),
      'webhook-signature': signature,
    },
    body,
  };
}
