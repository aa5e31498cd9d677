/** Deletes rows that nothing needs any longer, so that no table grows forever (docs/operations.md has the retention of each). */
import { purgeApprovals, purgeDeliveries, purgeGrants, purgeRevokedGrants, purgeSecurityEvents, purgeTombstones } from '@hoop/database';

import type { WorkerContext } from '../context.ts';

const dayMs = 86_400_000;
/** Days. Approvals and grants are kept as long as their connections keep what is recorded. */
const keptDays = { deliveries: 30, securityEvents: 400, tombstones: 30, revokedGrants: 1 } as const;
const batch = 1000;

export async function purgeHistory({ db, log, now }: WorkerContext, signal: AbortSignal): Promise<void> {
  const before = (days: number): Date => new Date(now() - days * dayMs);
  const inBatches = async (purge: () => Promise<number>): Promise<number> => {
    let all = 0;
    for (let purged = batch; purged >= batch && !signal.aborted; all += purged) purged = await purge();
    return all;
  };
  const purged = {
    approvals: await inBatches(() => db.inTransaction((tx) => purgeApprovals(tx, now(), batch))),
    grants: await inBatches(() => db.inTransaction((tx) => purgeGrants(tx, now(), batch))),
    deliveries: await inBatches(() => purgeDeliveries(db.prisma, before(keptDays.deliveries), batch)),
    securityEvents: await inBatches(() => purgeSecurityEvents(db.prisma, before(keptDays.securityEvents), batch)),
    tombstones: await purgeTombstones(db.prisma, before(keptDays.tombstones)),
    revokedGrants: await purgeRevokedGrants(db.prisma, before(keptDays.revokedGrants)),
  };
  if (Object.values(purged).some((count) => count > 0)) log.info({ event: 'history_purged', ...purged });
}
