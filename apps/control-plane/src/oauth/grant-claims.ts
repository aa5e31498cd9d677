/** Which claims a grant carries: those that the policies of its connections read, so that it fits into a header. */
import { setImmediate as nextTurn } from 'node:timers/promises';

import { findRecordedPolicy, policiesInForce, type Database, type PolicyVersion } from '@hoop/database';
import { claimsOfPolicy, joinClaims, type ClaimsRead } from '@hoop/policy';

export interface GrantClaimsReader {
  /** Finds the claims that policies of these connections read at `now`, and those that relays without the latest change still read. */
  (connectionIds: readonly string[], now: number): Promise<ClaimsRead>;
}

/** A relay works by a snapshot for so long at most; by default it refuses calls after 30 seconds. */
const supersededMs = 60_000;
const maxPolicies = 10_000;

export function createGrantClaimsReader(database: Database): GrantClaimsReader {
  // Revisions never change.
  const known = new Map<string, ClaimsRead>();

  const read = async (version: PolicyVersion): Promise<ClaimsRead> => {
    const key = `${version.policyId}:${version.revision}:${version.createdAt.getTime()}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const policy = await findRecordedPolicy(database.prisma, version.policyId, version.revision);
    const claims = policy === null ? 'all' : claimsOfPolicy(policy);
    if (known.size >= maxPolicies) known.delete(known.keys().next().value!);
    known.set(key, claims);
    // A policy may have a thousand rules to compile, and a grant a hundred policies.
    await nextTurn();
    return claims;
  };

  return async (connectionIds, now) => {
    const reads: ClaimsRead[] = [];
    for (const version of await policiesInForce(database.prisma, connectionIds, new Date(now - supersededMs)))
      reads.push(await read(version));
    return joinClaims(reads);
  };
}

/** The part of a token's claims that a grant carries. */
export function cutClaims(
  claims: Readonly<Record<string, unknown>>,
  read: ClaimsRead,
): { readonly claims: Record<string, unknown>; readonly claimNames?: string[] } {
  if (read === 'all') return { claims: { ...claims } };
  const claimNames = [...read].toSorted();
  return { claims: Object.fromEntries(Object.entries(claims).filter(([name]) => read.has(name))), claimNames };
}
