import type { CallState, Effect } from '@hoop/contract';
import { findConnection, findIdentity, type CallFilter, type Transaction } from '@hoop/database';

import { filterId } from '../http/found.ts';

export interface CallQuery {
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  readonly session?: string | undefined;
  readonly identity?: string | undefined;
  readonly connection?: string | undefined;
  readonly decision?: Effect | undefined;
  readonly rule?: string | undefined;
  readonly state?: CallState | undefined;
  readonly status?: number | undefined;
  readonly error?: string | undefined;
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  readonly trace?: string | undefined;
  readonly credentialReflected?: boolean | undefined;
}

/** A query in terms of the record. @throws AppError `invalid_request` where it has a name that nothing has */
export async function callFilterOf(tx: Transaction, query: CallQuery): Promise<CallFilter> {
  const { session, identity, connection, trace, since, until, decision, rule, state, status, error, method, path, credentialReflected } =
    query;
  return {
    since,
    until,
    decision,
    rule,
    state,
    status,
    error,
    method,
    path,
    credentialReflected,
    sessionId: session,
    traceId: trace,
    identityId: await filterId('identity', 'identity', identity, (reference) => findIdentity(tx, reference)),
    connectionId: await filterId('connection', 'connection', connection, (reference) => findConnection(tx, reference)),
  };
}
