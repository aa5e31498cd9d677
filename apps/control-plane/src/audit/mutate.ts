import { isDeepStrictEqual } from 'node:util';

import { AppError, newId, type AuditEvent, type Operation } from '@hoop/contract';
import {
  claimIdempotencyKey,
  insertAuditEvent,
  keepResponse,
  nextRevision,
  voidApprovals,
  type StoredResponse,
  type Transaction,
} from '@hoop/database';

import { etagOf } from '../http/preconditions.ts';
import type { Call, Reply } from '../http/route.ts';

type Resource = Readonly<Record<string, unknown>>;

export interface Change<O extends Operation> {
  readonly reply: Reply<O>;
  readonly target: AuditEvent['target'];
  /** The resource as callers see it, without secrets. Null: it did not or does not exist. */
  readonly before: Resource | null;
  readonly after: Resource | null;
  /** Stored under the idempotency key instead of the reply's body where the body holds a secret. */
  readonly kept?: Resource;
  /** Approvals that depend on what has changed: those that are pending or unused are void with the commit. */
  readonly voids?: { readonly of: { readonly connectionId: string } | { readonly identityId: string }; readonly reason: string };
}

export interface Mutation {
  readonly tx: Transaction;
  readonly at: Date;
  /** The snapshot's revision; 0 where the mutation does not concern relays. */
  readonly revision: number;
}

export interface MutationKind {
  /** `identity.create` */
  readonly action: string;
  /** Relays work by what changes: makes a revision, and tells them when the transaction commits. */
  readonly isConfiguration: boolean;
}

/**
 * One mutation: in one transaction the change itself, its audit event, the snapshot's revision with its notification,
 * and the answer that is kept for the idempotency key. `act` may run more than once, so it talks to `tx` only.
 */
export async function mutate<O extends Operation>(
  call: Call<O>,
  kind: MutationKind,
  act: (mutation: Mutation) => Promise<Change<O>>,
): Promise<Reply<O>> {
  const { context, actor, idempotency } = call;
  return context.database.inTransaction(async (tx) => {
    const at = new Date(context.now());
    if (idempotency !== null) {
      const earlier = await claimIdempotencyKey(tx, actor.id, idempotency.key, at);
      if (earlier !== null) return replay(call, idempotency.requestDigest, earlier);
    }
    const revision = kind.isConfiguration ? await nextRevision(tx) : 0;
    const change = await act({ tx, at, revision });
    if (change.voids !== undefined) await voidApprovals(tx, change.voids.of, change.voids.reason, at.getTime());
    await insertAuditEvent(tx, {
      id: newId('audit_event', at.getTime()),
      at,
      actor: { id: actor.id, name: actor.name, role: actor.role ?? actor.kind },
      action: kind.action,
      target: change.target,
      change: differenceOf(change.before, change.after),
      requestId: call.requestId,
      remote: call.remote,
    });
    if (idempotency !== null) {
      const { body, version, headers, status } = change.reply;
      const stored: StoredResponse = {
        operation: call.operation.id,
        requestDigest: idempotency.requestDigest,
        status: status ?? call.operation.status,
        headers: { ...headers, ...(version === undefined ? {} : { etag: etagOf(version) }) },
        body: change.kept ?? body ?? null,
      };
      await keepResponse(tx, actor.id, idempotency.key, stored, at);
    }
    return change.reply;
  });
}

function replay<O extends Operation>(call: Call<O>, requestDigest: string, earlier: StoredResponse): Reply<O> {
  if (earlier.operation !== call.operation.id || earlier.requestDigest !== requestDigest) {
    throw new AppError('idempotency_key_reused', 'This Idempotency-Key was used with another request. Use a new key for a new request.');
  }
  return { status: earlier.status, headers: { ...earlier.headers, 'idempotency-replayed': 'true' }, body: earlier.body } as Reply<O>;
}

const bookkeeping = new Set(['version', 'createdAt', 'updatedAt']);

/** The members that differ, before and after. */
export function differenceOf(before: Resource | null, after: Resource | null): AuditEvent['change'] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].filter(
    (name) => !bookkeeping.has(name) && !isDeepStrictEqual(before?.[name], after?.[name]),
  );
  const pick = (resource: Resource): Record<string, unknown> =>
    Object.fromEntries(names.filter((name) => resource[name] !== undefined).map((name) => [name, resource[name]]));
  return { ...(before === null ? {} : { before: pick(before) }), ...(after === null ? {} : { after: pick(after) }) };
}
