/** Mask suggestions: sensitive fields that relays saw and no rule covers. */
import { newId, type MaskSuggestion } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { MaskSuggestionModel } from '../generated/models.ts';
import { beforeCursor, pageArguments, toPage, type Page, type PageRequest } from '../page.ts';

export type MaskSuggestionState = 'open' | 'accepted' | 'dismissed';
export type MaskSuggestionRecord = Omit<MaskSuggestionModel, 'state'> & { readonly state: MaskSuggestionState };

/** Fields that are kept of one connection: what a hostile target can fill, and what people look through. */
export const maxSuggestions = 500;
const maxCount = 2_000_000_000;

const toRecord = (row: MaskSuggestionModel): MaskSuggestionRecord => ({ ...row, state: row.state as MaskSuggestionState });

export interface MaskObservation {
  readonly connectionId: string;
  readonly suggestions: readonly MaskSuggestion[];
}

/**
 * Adds up what relays saw. Of a connection that has `maxSuggestions`, only those that are known already are counted;
 * of one that is gone, nothing. Relays that report at the same time may go over the limit by what they report.
 *
 * @returns fields that were written
 */
export async function addMaskObservations(tx: Transaction, observations: readonly MaskObservation[], now: Date): Promise<number> {
  const sums = new Map<string, Record<string, string | number>>();
  for (const { connectionId, suggestions } of observations) {
    for (const { path, detector, count, firstSeen, lastSeen } of suggestions) {
      const key = `${connectionId} ${detector} ${path}`;
      const sum = sums.get(key);
      const first = Math.min(firstSeen, Number(sum?.['first'] ?? firstSeen));
      const last = Math.max(lastSeen, Number(sum?.['last'] ?? lastSeen));
      const total = Math.min(count + Number(sum?.['count'] ?? 0), maxCount);
      sums.set(key, {
        id: newId('mask_suggestion', now.getTime()),
        connection_id: connectionId,
        path,
        detector,
        count: total,
        first,
        last,
      });
    }
  }
  // In one order, so that two reports lock rows in one order.
  const rows = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  return tx.$executeRaw`
    INSERT INTO mask_suggestions AS s (id, connection_id, path, detector, count, first_seen, last_seen)
    SELECT id, connection_id, path, detector, count, to_timestamp(first / 1000.0), to_timestamp(last / 1000.0)
      FROM (
        SELECT r.*, known.id IS NOT NULL AS is_known,
               row_number() OVER (PARTITION BY r.connection_id, known.id IS NULL ORDER BY r.count DESC, r.path)
                 + (SELECT count(*) FROM mask_suggestions m WHERE m.connection_id = r.connection_id) AS place
          FROM json_to_recordset(${JSON.stringify(rows)}::json) AS r(id text, connection_id text, path text, detector text, count integer, first bigint, last bigint)
          JOIN connections c ON c.id = r.connection_id
          LEFT JOIN mask_suggestions known ON known.connection_id = r.connection_id AND known.path = r.path AND known.detector = r.detector
      ) AS seen
     WHERE is_known OR place <= ${maxSuggestions}
     ORDER BY connection_id, detector, path
    ON CONFLICT (connection_id, path, detector) DO UPDATE SET
      count = LEAST(s.count::bigint + excluded.count, ${maxCount}),
      first_seen = LEAST(s.first_seen, excluded.first_seen),
      last_seen = GREATEST(s.last_seen, excluded.last_seen)`;
}

export async function listMaskSuggestions(
  tx: Transaction,
  filter: { readonly connectionId: string; readonly state?: MaskSuggestionState | undefined },
  page: PageRequest,
): Promise<Page<MaskSuggestionRecord>> {
  const { connectionId, state } = filter;
  const where = { connectionId, ...(state === undefined ? {} : { state }), id: beforeCursor(page) };
  return toPage(await tx.maskSuggestion.findMany({ where, ...pageArguments(page) }), page, toRecord);
}

/** Locks the row until the transaction ends. */
export async function lockMaskSuggestion(tx: Transaction, connectionId: string, id: string): Promise<MaskSuggestionRecord | null> {
  await tx.$queryRaw`SELECT id FROM mask_suggestions WHERE id = ${id} FOR UPDATE`;
  const row = await tx.maskSuggestion.findUnique({ where: { id, connectionId } });
  return row === null ? null : toRecord(row);
}

export async function decideMaskSuggestion(
  tx: Transaction,
  id: string,
  decision: { readonly state: MaskSuggestionState; readonly by: string; readonly at: Date },
): Promise<MaskSuggestionRecord> {
  return toRecord(
    await tx.maskSuggestion.update({ where: { id }, data: { state: decision.state, decidedBy: decision.by, decidedAt: decision.at } }),
  );
}
