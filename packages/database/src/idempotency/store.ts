import type { Transaction } from '../database.ts';
import { guardOf } from '../row-signatures/guard.ts';

/** Responses are kept this long. */
export const idempotencyHours = 24;

export interface StoredResponse {
  readonly operation: string;
  readonly requestDigest: string;
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

/**
 * Finds the earlier answer to this key. Holds a lock on the key until the transaction ends, so that of two requests
 * at once the second waits for the first one's answer.
 */
export async function claimIdempotencyKey(tx: Transaction, actorId: string, key: string, now: Date): Promise<StoredResponse | null> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`${actorId}\n${key}`}, 72707372))`;
  await tx.$executeRaw`
    DELETE FROM idempotency_keys WHERE (actor_id, key) IN (SELECT actor_id, key FROM idempotency_keys WHERE expires_at <= ${now}
    ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED)`;
  const row = await tx.idempotencyKey.findUnique({ where: { actorId_key: { actorId, key } } });
  if (row === null || row.expiresAt <= now || !guardOf(tx).isAuthentic('idempotency_key', row)) return null;
  return {
    operation: row.operation,
    requestDigest: row.requestDigest,
    status: row.status,
    headers: row.headers as Record<string, string>,
    body: row.body,
  };
}

/** As JSON would bring it back. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** Keeps an answer; in the transaction of what it answers to, so that there is one if and only if it happened. */
export async function keepResponse(tx: Transaction, actorId: string, key: string, response: StoredResponse, now: Date): Promise<void> {
  const { operation, requestDigest, status } = response;
  const [headers, body] = [plain(response.headers), plain(response.body)];
  const expiresAt = new Date(now.getTime() + idempotencyHours * 3_600_000);
  const signed = { actorId, key, operation, requestDigest, status, headers, body, createdAt: now, expiresAt };
  const data = { ...signed, body: body as object, signature: guardOf(tx).sign('idempotency_key', signed) };
  await tx.idempotencyKey.upsert({ where: { actorId_key: { actorId, key } }, create: data, update: data });
}
