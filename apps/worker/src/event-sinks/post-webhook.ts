/** Sends events to a webhook: CloudEvents (HTTP binding 1.0, structured or batched), signed as Standard Webhooks 1.0 says. */
import { FetchRefused } from '@hoop/upstream';
import type { GuardedFetch } from '@hoop/upstream';
import { Webhook } from 'standardwebhooks';

import type { LogEvent } from './log-events.ts';

export interface WebhookTarget {
  readonly sinkId: string;
  readonly url: string;
  readonly send: GuardedFetch;
  /** `whsec_…` */
  readonly secret: string;
  /** One event a message, in the structured format; else in batches. */
  readonly isBatched: boolean;
}

/** Resolves once the receiver has said that it took them (2xx). @throws Error with a sentence */
export async function postEvents(target: WebhookTarget, events: readonly LogEvent[], nowMs: number, signal: AbortSignal): Promise<void> {
  const [first, last] = [events[0]!.id, events.at(-1)!.id];
  // The same on every attempt, so that the receiver can drop repetitions.
  const id = target.isBatched ? `${target.sinkId}.${first}-${last}` : `${target.sinkId}.${first}`;
  const body = JSON.stringify(target.isBatched ? events : events[0]);
  // Whole seconds: what is signed must be what the header says.
  const at = Math.floor(nowMs / 1000);
  const headers = {
    'content-type': `application/cloudevents${target.isBatched ? '-batch' : ''}+json; charset=utf-8`,
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': new Webhook(target.secret).sign(id, new Date(at * 1000), body),
  };
  let status: number;
  try {
    ({ status } = await target.send(target.url, { method: 'POST', headers, body, signal }));
  } catch (error) {
    throw error instanceof FetchRefused ? new Error(error.reason, { cause: error }) : error;
  }
  if (status < 200 || status > 299) throw new Error(`The receiver answered ${status}.`);
}
