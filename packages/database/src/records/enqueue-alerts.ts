/** Enqueues alerts about calls that people should know of at once: a target that answered with the injected credential. */
import type { IngestClient } from './ingest-client.ts';

/** The facts of a written call that alerts need. */
export interface AlertFacts {
  readonly id: string;
  readonly state: string;
  readonly has_head: boolean;
  readonly connection_id: string | null;
  readonly lease_fingerprint: string | null;
  readonly credential_reflected: boolean | null;
}

/** One outbox row for each connection and lease, however many calls of it the batch has; the worker tells once an hour. */
export async function enqueueAlerts(client: IngestClient, changes: readonly AlertFacts[]): Promise<void> {
  const first = new Map<string, string>();
  for (const change of changes) {
    if (change.credential_reflected !== true || !change.has_head || change.state === 'pending') continue;
    const key = `${change.connection_id} ${change.lease_fingerprint}`;
    if (!first.has(key)) first.set(key, change.id);
  }
  if (first.size === 0) return;
  await client.query({
    name: 'records-alerts',
    text: `INSERT INTO outbox (topic, payload) SELECT 'credential.reflected', jsonb_build_object('callId', id) FROM unnest($1::text[]) AS r(id)`,
    values: [[...first.values()]],
  });
}
