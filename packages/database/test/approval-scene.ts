/** For tests: an identity with a connection, and claims for approvals of its calls. */
import { newId } from '@hoop/contract';
import type { ApprovalRequirement } from '@hoop/contract';

import { guardOf } from '../src/index.ts';
import type { ApprovalClaim, ClaimOrigin, Database } from '../src/index.ts';

export interface ApprovalScene {
  readonly identityId: string;
  readonly otherIdentityId: string;
  readonly connectionId: string;
  readonly policyId: string;
  readonly credentialId: string;
}

export async function createApprovalScene(db: Database, now: number): Promise<ApprovalScene> {
  const { prisma } = db;
  const guard = guardOf(prisma);
  const at = new Date(now);
  const stamps = { disabled: false, version: 1, revision: 1, createdAt: at, updatedAt: at };
  const [providerId, identityId, otherIdentityId] = [newId('identity_provider'), newId('identity'), newId('identity')];
  const [connectionId, policyId, credentialId] = [newId('connection'), newId('policy'), newId('credential_source')];
  const provider = { id: providerId, name: providerId, issuer: `https://${providerId}.example`, settings: {}, ...stamps };
  await prisma.identityProvider.create({ data: { ...provider, signature: guard.sign('identity_provider', provider) } });
  for (const id of [identityId, otherIdentityId]) {
    const identity = { id, name: id, providerId, match: 'true', owner: 'olga', labels: {}, grantsNotBefore: 0, ...stamps };
    await prisma.identity.create({ data: { ...identity, signature: guard.sign('identity', { ...identity, unmanaged: null }) } });
  }
  const connection = { id: connectionId, name: connectionId, settings: { target: 'https://api.payments.example' }, ...stamps };
  const identities = [{ identityId }, { identityId: otherIdentityId }];
  const parts = { identities, credential: { id: credentialId, version: 1 }, policy: { id: policyId, currentRevision: 3 } };
  const signature = guard.sign('connection', { ...connection, ...parts });
  await prisma.connection.create({ data: { ...connection, signature, identities: { create: identities } } });
  await prisma.policy.create({
    data: { id: policyId, connectionId, connectionName: connectionId, currentRevision: 3, createdAt: at, updatedAt: at },
  });
  const sealing = { sealed: 'x', sealedHosts: [], sealedAt: at };
  const credential = { id: credentialId, connectionId, settings: {}, ...sealing, version: 1, createdAt: at, updatedAt: at };
  await prisma.credentialSource.create({ data: { ...credential, signature: guard.sign('credential_source', credential) } });
  return { identityId, otherIdentityId, connectionId, policyId, credentialId };
}

export const origin: ClaimOrigin = { requestId: 'req_1', remote: '127.0.0.1' };

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
