/** For tests: an identity with a connection, and claims for approvals of its calls. */
import { newId } from '@hoop/contract';
import type { ApprovalRequirement } from '@hoop/contract';

import type { ApprovalClaim, Database } from '../src/index.ts';

export interface ApprovalScene {
  readonly identityId: string;
  readonly otherIdentityId: string;
  readonly connectionId: string;
  readonly policyId: string;
  readonly credentialId: string;
}

export async function createApprovalScene({ prisma }: Database, now: number): Promise<ApprovalScene> {
  const at = new Date(now);
  const stamps = { revision: 1, createdAt: at, updatedAt: at };
  const [providerId, identityId, otherIdentityId] = [newId('identity_provider'), newId('identity'), newId('identity')];
  const [connectionId, policyId, credentialId] = [newId('connection'), newId('policy'), newId('credential_source')];
  await prisma.identityProvider.create({
    data: { id: providerId, name: providerId, issuer: `https://${providerId}.example`, settings: {}, ...stamps },
  });
  for (const id of [identityId, otherIdentityId]) {
    await prisma.identity.create({ data: { id, name: id, providerId, match: 'true', owner: 'olga', labels: {}, ...stamps } });
  }
  await prisma.connection.create({
    data: {
      id: connectionId,
      name: connectionId,
      settings: {},
      ...stamps,
      identities: { create: [{ identityId }, { identityId: otherIdentityId }] },
    },
  });
  await prisma.policy.create({
    data: { id: policyId, connectionId, connectionName: connectionId, currentRevision: 3, createdAt: at, updatedAt: at },
  });
  await prisma.credentialSource.create({
    data: { id: credentialId, connectionId, settings: {}, sealed: 'x', sealedHosts: [], sealedAt: at, createdAt: at, updatedAt: at },
  });
  return { identityId, otherIdentityId, connectionId, policyId, credentialId };
}

export const digestOf = (n: number): string => n.toString(16).padStart(64, '0');

export const requirement = (changes: Partial<ApprovalRequirement['approval']> = {}): ApprovalRequirement => ({
  rule: 'large refunds',
  approval: {
    reviewers: ['group:payments'],
    quorum: 1,
    ttl: '30m',
    validity: ['once', '10m'],
    fourEyes: false,
    requireComment: false,
    ...changes,
  },
});

export const claimOf = (scene: ApprovalScene, n: number, changes: Partial<ApprovalClaim> = {}): ApprovalClaim => ({
  newApprovalId: newId('approval'),
  approvalId: null,
  callId: newId('call'),
  sessionId: newId('session'),
  digest: digestOf(n),
  identityId: scene.identityId,
  connectionId: scene.connectionId,
  policyId: scene.policyId,
  policyRevision: 3,
  credential: { id: scene.credentialId, revision: 1 },
  requirements: [requirement()],
  context: { ticket: 'OPS-1' },
  claims: { repository: 'acme/billing' },
  method: 'POST',
  url: 'https://api.payments.example/v1/refunds',
  path: '/v1/refunds',
  bodyBytes: 16,
  shown: { wrappedKey: 'key', sealed: Buffer.from('sealed') },
  ...changes,
});
