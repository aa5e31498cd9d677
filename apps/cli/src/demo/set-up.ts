/** Does the one-time setup of a platform engineer, through the public REST API. */
import { routes, type Client, type Input, type OperationId } from '@hoop/client';

import { approverGroup, approverName } from './approver.ts';
import { functionName, paymentsClientId } from './settings.ts';

type Policy = Input<'putPolicy'>['body'];

export const connectionName = 'payments';

export const ruleNames = {
  read: 'read customers',
  refund: 'small refunds name a ticket',
  largeRefund: 'large refunds need a person',
  delete: 'nobody deletes',
} as const;

const rules: Policy['rules'] = [
  { name: ruleNames.read, effect: 'allow', match: { methods: ['GET'], paths: ['/v1/customers', '/v1/customers/:id'] } },
  {
    name: ruleNames.refund,
    effect: 'require_context',
    match: { methods: ['POST'], paths: ['/v1/refunds'] },
    when: 'request.body.amount <= 10000',
    context: { ticket: '^OPS-[0-9]+$' },
  },
  {
    name: ruleNames.largeRefund,
    effect: 'require_approval',
    match: { methods: ['POST'], paths: ['/v1/refunds'] },
    when: 'request.body.amount > 10000',
    reason: 'Refunds above 100.00 are decided by somebody of payments.',
    approval: {
      reviewers: [`group:${approverGroup}`],
      ttl: '30m',
      validity: ['once', '10m'],
      fourEyes: true,
      requireComment: true,
      quorum: 1,
    },
  },
  { name: ruleNames.delete, effect: 'deny', match: { methods: ['DELETE'] }, reason: 'Customers are closed in the back office.' },
];

const mask: NonNullable<Policy['mask']> = [
  { path: '$..email', action: 'partial' },
  { path: '$..card', action: 'redact' },
];

export interface SetUpInput {
  readonly api: Client;
  readonly issuer: string;
  readonly audience: string;
  readonly paymentsUrl: string;
  readonly paymentsClientSecret: string;
}

export interface SetUpStep {
  /** The operation's method and path. */
  readonly operation: string;
  readonly what: string;
}

export interface SetUp {
  readonly steps: readonly SetUpStep[];
  /** Of the person who approves large refunds. */
  readonly approverToken: string;
}

export async function setUpDemo({ api, issuer, audience, paymentsUrl, paymentsClientSecret }: SetUpInput): Promise<SetUp> {
  const steps: SetUpStep[] = [];
  const done = (operation: OperationId, what: string): void => {
    const { method, path } = routes[operation];
    steps.push({ operation: `${method} ${path}`, what });
  };
  // Both services are on this machine; by default Hoop refuses loopback addresses.
  const allowedCidrs = ['127.0.0.0/8'];

  await api.call('createIdentityProvider', {
    body: { name: 'company', issuer, audiences: [audience], algorithms: ['ES256'], allowedCidrs },
  });
  done('createIdentityProvider', `tokens of ${issuer} are accepted`);

  await api.call('createIdentity', {
    body: {
      name: functionName,
      provider: 'company',
      match: 'claims.repository == "acme/billing" && claims.ref == "refs/heads/main"',
      owner: 'billing-team',
    },
  });
  done('createIdentity', 'the main branch of acme/billing is the identity nightly-billing');

  await api.call('createConnection', { body: { name: connectionName, target: paymentsUrl, allowedCidrs, identities: [functionName] } });
  done('createConnection', `nightly-billing may use ${paymentsUrl}`);

  await api.call('putCredentialSource', {
    params: { connection: connectionName },
    headers: { 'if-none-match': '*' },
    body: {
      settings: { type: 'oauth2_client_credentials', tokenUrl: `${paymentsUrl}/oauth/token`, clientId: paymentsClientId },
      secrets: { clientSecret: paymentsClientSecret },
    },
  });
  done('putCredentialSource', 'how its access tokens are obtained; the client secret is sealed at once');

  const body: Policy = { rules, mask, comment: 'The demonstration' };
  await api.call('putPolicy', { params: { connection: connectionName }, headers: { 'if-none-match': '*' }, body });
  done('putPolicy', 'read customers, refund with a ticket, large refunds only with an approval, never delete; emails and cards are masked');

  const { findings } = await api.call('lintPolicy', { body: { connection: connectionName } });
  done('lintPolicy', findings.length === 0 ? 'nothing to remark' : findings.map(({ message }) => message).join(' '));

  const approver = { name: approverName, role: 'approver' as const, user: approverName, groups: [approverGroup] };
  const { token: approverToken } = await api.call('createAdminToken', { body: approver });
  if (approverToken === null) throw new Error('The control plane did not show the token that it made.');
  done('createAdminToken', `${approverName} of ${approverGroup} may approve`);
  return { steps, approverToken };
}
