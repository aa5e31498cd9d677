import { AppError } from '@hoop/contract';
import { findConnection, findIdentity, type CallFilter } from '@hoop/database';

import type { Context } from '../context.ts';
import { referred } from '../http/found.ts';

export interface Selection {
  readonly connection: string;
  readonly identity?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

const defaultPeriodMs = 30 * 86_400_000;

/** The calls of one connection in a period. @throws AppError `not_found`, `invalid_request` */
export async function readSelection(context: Context, selection: Selection) {
  const { prisma } = context.database;
  const connection = referred(await findConnection(prisma, selection.connection), 'connection', 'connection', selection.connection);
  const identity =
    selection.identity === undefined
      ? null
      : referred(await findIdentity(prisma, selection.identity), 'identity', 'identity', selection.identity);
  const until = selection.until === undefined ? new Date(context.now()) : new Date(selection.until);
  const since = selection.since === undefined ? new Date(until.getTime() - defaultPeriodMs) : new Date(selection.since);
  if (since >= until) {
    throw new AppError('invalid_request', '`since` must be before `until`.', {
      extras: { errors: [{ path: 'since', message: 'must be before until' }] },
    });
  }
  const filter: CallFilter = { connectionId: connection.id, since, until, ...(identity === null ? {} : { identityId: identity.id }) };
  return { connection, identity, since, until, filter };
}
