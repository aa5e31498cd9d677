import type { IngestClient } from './ingest-client.ts';

/** Tells of calls whose row was inserted or concluded. */
export const callsChannel = 'hoop_calls';

/** A notification takes 8000 bytes. */
const idsInOne = 200;
const maxNotifications = 20;

/**
 * Notifies with the commit, a few notifications however many calls. A payload is ids, separated by commas; empty where
 * there are too many to name.
 */
export async function notifyCallChanges(client: IngestClient, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const payloads: string[] = [];
  for (let from = 0; from < ids.length; from += idsInOne) payloads.push(ids.slice(from, from + idsInOne).join());
  await client.query({
    name: 'records-notify',
    text: 'SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS r(payload)',
    values: [callsChannel, payloads.length > maxNotifications ? [''] : payloads],
  });
}

/** Ids of a payload; null where it names none. */
export const changedCallIds = (payload: string): string[] | null => (payload === '' ? null : payload.split(','));
