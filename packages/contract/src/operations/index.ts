import type { Operation } from '../operation.ts';
import * as adminTokens from './admin-tokens.ts';
import * as approvals from './approvals.ts';
import * as backtests from './backtests.ts';
import * as connections from './connections.ts';
import * as eventSinks from './event-sinks.ts';
import * as events from './events.ts';
import * as identities from './identities.ts';
import * as identityProviders from './identity-providers.ts';
import * as investigations from './investigations.ts';
import * as log from './log.ts';
import * as masking from './masking.ts';
import * as notifications from './notifications.ts';
import * as oauth from './oauth.ts';
import * as policies from './policies.ts';
import * as records from './records.ts';
import * as relayApprovals from './relay-approvals.ts';
import * as retention from './retention.ts';
import * as system from './system.ts';

export * from './admin-tokens.ts';
export * from './approvals.ts';
export * from './backtests.ts';
export * from './connections.ts';
export * from './event-sinks.ts';
export * from './events.ts';
export * from './identities.ts';
export * from './identity-providers.ts';
export * from './investigations.ts';
export * from './log.ts';
export * from './masking.ts';
export * from './notifications.ts';
export * from './oauth.ts';
export * from './policies.ts';
export * from './records.ts';
export * from './relay-approvals.ts';
export * from './retention.ts';
export * from './system.ts';
export { pageOf, referenceSchema } from './wire.ts';

const rooms: readonly Record<string, unknown>[] = [
  identityProviders,
  identities,
  connections,
  policies,
  backtests,
  masking,
  approvals,
  notifications,
  records,
  investigations,
  log,
  retention,
  eventSinks,
  adminTokens,
  events,
  oauth,
  system,
  relayApprovals,
];

const isOperation = (value: unknown): value is Operation =>
  typeof value === 'object' && value !== null && 'audience' in value && 'path' in value;

const methodOrder = ['POST', 'GET', 'PUT', 'PATCH', 'DELETE'];

const byPath = (a: Operation, b: Operation): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : methodOrder.indexOf(a.method) - methodOrder.indexOf(b.method);

/** Every operation of the REST API, in the order of `openapi.json`, which depends on nothing but them. */
export const operations: readonly Operation[] = rooms.flatMap((room) => Object.values(room).filter(isOperation).toSorted(byPath));
