/** As error-codes.ts, for approvals, notifications and what relays ask about both. */
import { createHmac } from 'node:crypto';

import { newId } from '@hoop/contract';
import { createDeliveries, maxOpenDeferredCalls, maxPendingApprovals, readChannel, recordAttempt } from '@hoop/database';
import { createDataKey, sealBody, toPublicJwks } from '@hoop/sealing';

import type { Sample } from './error-codes.ts';
import { unique, type Harness } from './harness.ts';
import { signAll } from '../../../packages/database/test/row-keys.ts';

type Make = (h: Harness) => Promise<Sample>;
type Json = Record<string, any>;

export const slackSigningSecret = '8f742231b10e8888abcd99yyyzzz85a5';

const at = (path: string, rest: Omit<Sample, 'path'> = {}): Sample => ({ path, ...rest });
const match = { headers: { 'if-match': '*' } };
const blob = { wrappedKey: 'wrapped', sealed: Buffer.from('sealed').toString('base64') };
const rule = { reviewers: ['group:payments'], quorum: 1, ttl: '30m', validity: ['once', '10m'], fourEyes: false, requireComment: false };
let digests = 0;

interface Scene {
  readonly identityId: string;
  readonly connectionId: string;
  readonly policyId: string;
}

async function scene(h: Harness): Promise<Scene> {
  const identity = await h.makeIdentity();
  const connection = await h.makeConnection({ identities: [identity['id']] });
  const rules = [{ name: 'large refunds', effect: 'require_approval', approval: rule }];
  const policy = await h.call('PUT', `/v1/connections/${connection['id']}/policy`, { body: { rules }, headers: { 'if-none-match': '*' } });
  return { identityId: identity['id'], connectionId: connection['id'], policyId: policy.body['id'] };
}

async function claim(h: Harness, over: Json = {}, changes: Json = {}): Promise<Json> {
  const callId = newId('call');
  const { wrapped, key } = await createDataKey(toPublicJwks(h.recordingKeys).keys[0]!);
  const shown = { method: 'POST', url: 'https://api.example/v1/refunds', headers: [], encoding: 'utf8', body: '{}' };
  return {
    approvalId: null,
    callId,
    sessionId: newId('session'),
    digest: (++digests).toString(16).padStart(64, 'a'),
    ...(await scene(h)),
    policyRevision: 1,
    credential: null,
    requirements: [{ rule: 'large refunds', approval: { ...rule, ...changes } }],
    context: null,
    claims: null,
    method: 'POST',
    url: 'https://api.example/v1/refunds',
    path: '/v1/refunds',
    bodyBytes: 2,
    shown: { wrappedKey: wrapped, sealed: sealBody(key, Buffer.from(JSON.stringify(shown)), `${callId}:approval`) },
    ...over,
  };
}

const relay = (h: Harness, path: string, body?: unknown): Sample =>
  at(`/internal/relay${path}`, { token: h.relayToken, ...(body === undefined ? {} : { body }) });

async function asked(h: Harness, changes: Json = {}, over: Json = {}): Promise<Json> {
  const body = await claim(h, over, changes);
  const answer = await h.call('POST', '/internal/relay/approvals', { token: h.relayToken, body });
  if (answer.status !== 200) throw new Error(answer.text);
  return { ...body, ...answer.body };
}

const tokens = new WeakMap<Harness, Map<string, Promise<string>>>();
/** Of a person of the group payments, unless another one is given. */
function tokenOf(h: Harness, role: string, user: string | null = 'ann', groups: string[] = ['payments']): Promise<string> {
  const known = tokens.get(h) ?? new Map<string, Promise<string>>();
  tokens.set(h, known);
  const name = `${role} ${user ?? ''} ${groups.join()}`;
  const made =
    known.get(name) ??
    h
      .call('POST', '/v1/admin-tokens', { body: { name: 'person', role, groups, ...(user === null ? {} : { user }) } })
      .then((answer) => answer.body['token'] as string);
  known.set(name, made);
  return made;
}

type Change = (h: Harness, one: Json) => Promise<unknown>;
const nothing: Change = async () => undefined;

async function review(
  h: Harness,
  { before = nothing, body = {}, user = 'ann', changes = {} }: { before?: Change; body?: Json; user?: string | null; changes?: Json } = {},
): Promise<Sample> {
  const one = await asked(h, changes);
  await before(h, one);
  return at(`/v1/approvals/${one['approvalId']}/reviews`, {
    token: await tokenOf(h, 'approver', user),
    body: { decision: 'approve', digest: one['digest'], ...body },
  });
}
async function glass(
  h: Harness,
  { before = nothing, body = {}, user = 'max' }: { before?: Change; body?: Json; user?: string | null } = {},
): Promise<Sample> {
  const one = await asked(h);
  await before(h, one);
  return at(`/v1/approvals/${one['approvalId']}/break-glass`, {
    token: await tokenOf(h, 'break_glass', user, []),
    body: { digest: one['digest'], reason: 'the house is on fire', ...body },
  });
}
const send = async (h: Harness, method: string, sample: Sample): Promise<Json> => (await h.call(method, sample.path, sample)).body;

const expired: Change = (h, one) =>
  h.database.prisma.approval.update({ where: { id: one['approvalId'] }, data: { expiresAt: new Date(0) } }).then(() => signAll(h.database));
const withdrawn: Change = (h, one) => h.call('POST', `/v1/approvals/${one['approvalId']}/withdraw`, { body: { reason: 'a mistake' } });
const voided: Change = (h, one) => h.call('POST', `/v1/identities/${one['identityId']}/disable`);
const decided: Change = async (h, one) =>
  h.call('POST', `/v1/approvals/${one['approvalId']}/reviews`, {
    token: await tokenOf(h, 'approver', 'bob'),
    body: { decision: 'approve', digest: one['digest'] },
  });
const reviewedOnce: Change = async (h, one) =>
  h.call('POST', `/v1/approvals/${one['approvalId']}/reviews`, {
    token: await tokenOf(h, 'approver'),
    body: { decision: 'approve', digest: one['digest'] },
  });
const otherDigest = { digest: 'f'.repeat(64) };

async function brokenGlass(h: Harness): Promise<string> {
  const one = await glass(h);
  await send(h, 'POST', one);
  return one.path.split('/')[3]!;
}
const closing = async (h: Harness, approvalId: string, user = 'aud'): Promise<Sample> =>
  at(`/v1/break-glass-reviews/${approvalId}/close`, { token: await tokenOf(h, 'auditor', user, []), body: { comment: 'looked at' } });

const channelInput = () => ({ name: unique('channel'), kind: 'webhook', url: 'https://hooks.example/x' });
const channel = async (h: Harness): Promise<Json> => send(h, 'POST', at('/v1/notification-channels', { body: channelInput() }));

async function delivery(h: Harness, isDead: boolean): Promise<string> {
  const { prisma } = h.database;
  const kept = (await readChannel(prisma, (await channel(h))['id']))!;
  const [id] = await createDeliveries(prisma, 'approval.requested', newId('approval'), [kept], {}, new Date());
  if (isDead) await recordAttempt(prisma, id!, { status: 500, error: 'it said 500', nextAt: null }, new Date());
  return id!;
}

const slackId = (): string =>
  `U${unique('x')
    .slice(-8)
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, 'A')}`;
async function slackUser(h: Harness): Promise<string> {
  const id = slackId();
  await h.call('PUT', `/v1/slack-users/${id}`, { body: { user: 'ann', groups: ['payments'] } });
  return id;
}
function press(payload: Json, secret = slackSigningSecret): Sample {
  const form = new URLSearchParams({ payload: JSON.stringify({ nonce: newId('request'), ...payload }) });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${form.toString()}`).digest('hex')}`;
  return at('/v1/slack/interactions', {
    token: null,
    form,
    headers: { 'x-slack-signature': signature, 'x-slack-request-timestamp': timestamp },
  });
}
async function button(h: Harness, user: string): Promise<Json> {
  const one = await asked(h);
  return {
    type: 'block_actions',
    user: { id: user },
    actions: [{ action_id: 'hoop_approve', value: JSON.stringify({ approvalId: one['approvalId'], digest: one['digest'] }) }],
  };
}

const deferral = async (h: Harness, over: Json = {}): Promise<Json> => {
  const { identityId, connectionId } = await scene(h);
  return {
    callId: newId('call'),
    identityId,
    connectionId,
    approvalId: null,
    request: blob,
    idempotencyKey: null,
    mayRetry: false,
    webhookChannel: null,
    ...over,
  };
};
async function deferred(h: Harness): Promise<Json> {
  const body = await deferral(h);
  await send(h, 'POST', relay(h, '/deferred-calls', body));
  return body;
}
const result = { relayId: 'rly_1', state: 'done', status: 200, error: null, errorDetail: null, response: blob };

export const approvalSamples: Record<string, Make> = {
  listApprovals: async () => at('/v1/approvals'),
  followApprovals: async () => at('/v1/approvals/events'),
  getApproval: async (h) => at(`/v1/approvals/${(await asked(h))['approvalId']}`),
  followApproval: async (h) => at(`/v1/approvals/${(await asked(h))['approvalId']}/events`),
  showApprovalPage: async (h) => at(`/approvals/${(await asked(h))['approvalId']}`, { token: null }),
  reviewApproval: (h) => review(h),
  breakGlass: (h) => glass(h),
  withdrawApproval: async (h) => at(`/v1/approvals/${(await asked(h))['approvalId']}/withdraw`, { body: { reason: 'a mistake' } }),
  listBreakGlassReviews: async () => at('/v1/break-glass-reviews'),
  closeBreakGlassReview: async (h) => closing(h, await brokenGlass(h)),
  createNotificationChannel: async () => at('/v1/notification-channels', { body: channelInput() }),
  listNotificationChannels: async () => at('/v1/notification-channels'),
  getNotificationChannel: async (h) => at(`/v1/notification-channels/${(await channel(h))['id']}`),
  updateNotificationChannel: async (h) =>
    at(`/v1/notification-channels/${(await channel(h))['id']}`, { body: { disabled: true }, ...match }),
  deleteNotificationChannel: async (h) => at(`/v1/notification-channels/${(await channel(h))['id']}`, match),
  listNotificationDeliveries: async () => at('/v1/notification-deliveries'),
  resendNotificationDelivery: async (h) => at(`/v1/notification-deliveries/${await delivery(h, true)}/resend`),
  putSlackUser: async () => at(`/v1/slack-users/${slackId()}`, { body: { user: 'ann' } }),
  listSlackUsers: async () => at('/v1/slack-users'),
  deleteSlackUser: async (h) => at(`/v1/slack-users/${await slackUser(h)}`),
  receiveSlackInteraction: async (h) => press(await button(h, await slackUser(h))),
  claimRelayApproval: async (h) => relay(h, '/approvals', await claim(h)),
  readRelayApproval: async (h) => {
    const one = await asked(h);
    return relay(h, `/approvals/${one['approvalId']}?identity=${one['identityId']}`);
  },
  withdrawRelayApproval: async (h) => {
    const one = await asked(h);
    return relay(h, `/approvals/${one['approvalId']}/withdraw`, { identityId: one['identityId'], reason: 'x' });
  },
  createRelayDeferredCall: async (h) => relay(h, '/deferred-calls', await deferral(h)),
  claimRelayDeferredCall: async (h) => relay(h, `/deferred-calls/${(await deferred(h))['callId']}/claim`, { relayId: 'rly_1' }),
  finishRelayDeferredCall: async (h) => relay(h, `/deferred-calls/${(await deferred(h))['callId']}/result`, result),
  readRelayDeferredCall: async (h) => {
    const one = await deferred(h);
    return relay(h, `/deferred-calls/${one['callId']}?identity=${one['identityId']}`);
  },
  withdrawRelayDeferredCall: async (h) => {
    const one = await deferred(h);
    return relay(h, `/deferred-calls/${one['callId']}/withdraw`, { identityId: one['identityId'] });
  },
};

/** 1000 rows at once, as a flood would leave them. */
async function flood(h: Harness): Promise<Json> {
  const one = await asked(h);
  await h.database.pool.query(
    `INSERT INTO approvals (id, state, digest, identity_id, identity_name, identity_owner, connection_id, connection_name, policy_id, policy_revision, requirements,
                            rules, reviewers, method, url, path, body_bytes, call_id, session_id, shown_key, shown, requested_at, expires_at)
     SELECT id || n, state, n::text, identity_id, identity_name, identity_owner, connection_id, connection_name, policy_id, policy_revision, requirements,
            rules, reviewers, method, url, path, body_bytes, call_id, session_id, shown_key, shown, requested_at, expires_at
     FROM approvals, generate_series(2, $2) AS n WHERE id = $1`,
    [one['approvalId'], maxPendingApprovals],
  );
  return one;
}
async function floodOfDeferred(h: Harness): Promise<Json> {
  const one = await deferred(h);
  await h.database.pool.query(
    `INSERT INTO deferred_calls (call_id, state, identity_id, connection_id, request_key, request, created_at, expires_at)
     SELECT call_id || n, state, identity_id, connection_id, request_key, request, created_at, expires_at
     FROM deferred_calls, generate_series(2, $2) AS n WHERE call_id = $1`,
    [one['callId'], maxOpenDeferredCalls],
  );
  return one;
}

const pendingEnds = { approval_expired: expired, approval_withdrawn: withdrawn, approval_voided: voided, approval_decided: decided };
const each = (make: (before: Change) => Make): Record<string, Make> =>
  Object.fromEntries(Object.entries(pendingEnds).map(([code, before]) => [code, make(before)]));

export const approvalRefusals: Record<string, Record<string, Make>> = {
  reviewApproval: {
    ...each((before) => (h) => review(h, { before })),
    forbidden: async (h) => ({ ...(await review(h)), token: await h.tokenOf('auditor') }),
    reviewer_not_allowed: (h) => review(h, { user: null }),
    review_repeated: (h) => review(h, { before: reviewedOnce, changes: { quorum: 2 } }),
    review_comment_required: (h) => review(h, { changes: { requireComment: true } }),
    review_validity_refused: (h) => review(h, { body: { validity: '1h' } }),
    approval_digest_mismatch: (h) => review(h, { body: otherDigest }),
  },
  breakGlass: {
    ...each((before) => (h) => glass(h, { before })),
    reviewer_not_allowed: (h) => glass(h, { user: null }),
    approval_digest_mismatch: (h) => glass(h, { body: otherDigest }),
  },
  closeBreakGlassReview: {
    conflict: async (h) => {
      const id = await brokenGlass(h);
      await send(h, 'POST', await closing(h, id));
      return closing(h, id, 'aud2');
    },
    reviewer_not_allowed: async (h) => closing(h, await brokenGlass(h), 'max'),
  },
  createNotificationChannel: {
    name_taken: async (h) => at('/v1/notification-channels', { body: { ...channelInput(), name: (await channel(h))['name'] } }),
    target_refused: async () => at('/v1/notification-channels', { body: { ...channelInput(), url: 'http://169.254.169.254/' } }),
  },
  updateNotificationChannel: {
    name_taken: async (h) =>
      at(`/v1/notification-channels/${(await channel(h))['id']}`, { body: { name: (await channel(h))['name'] }, ...match }),
    target_refused: async (h) =>
      at(`/v1/notification-channels/${(await channel(h))['id']}`, { body: { url: 'https://elsewhere.example/x' }, ...match }),
  },
  resendNotificationDelivery: {
    conflict: async (h) => at(`/v1/notification-deliveries/${await delivery(h, false)}/resend`),
  },
  receiveSlackInteraction: {
    unauthenticated: async (h) => press(await button(h, await slackUser(h)), 'x'.repeat(32)),
    forbidden: async (h) => press(await button(h, 'U0NOBODY')),
    invalid_request: async () => press({ type: 'view_submission' }),
  },
  claimRelayApproval: {
    identity_disabled: async (h) => {
      const body = await claim(h);
      await h.call('POST', `/v1/identities/${body['identityId']}/disable`);
      return relay(h, '/approvals', body);
    },
    connection_unknown: async (h) => relay(h, '/approvals', await claim(h, { connectionId: newId('connection') })),
    approval_voided: async (h) => relay(h, '/approvals', await claim(h, { policyRevision: 2 })),
    not_found: async (h) => relay(h, '/approvals', await claim(h, { approvalId: newId('approval') })),
    too_many_approvals: async (h) => {
      const { identityId, connectionId, policyId } = await flood(h);
      return relay(h, '/approvals', await claim(h, { identityId, connectionId, policyId }));
    },
  },
  createRelayDeferredCall: {
    not_found: async (h) => relay(h, '/deferred-calls', await deferral(h, { approvalId: newId('approval') })),
    approval_decided: async (h) => {
      const one = await asked(h);
      await withdrawn(h, one);
      return relay(h, '/deferred-calls', await deferral(h, { identityId: one['identityId'], approvalId: one['approvalId'] }));
    },
    too_many_approvals: async (h) => {
      const { identityId, connectionId } = await floodOfDeferred(h);
      return relay(h, '/deferred-calls', await deferral(h, { identityId, connectionId }));
    },
  },
  withdrawRelayDeferredCall: {
    conflict: async (h) => {
      const one = await deferred(h);
      await send(h, 'POST', relay(h, `/deferred-calls/${one['callId']}/claim`, { relayId: 'rly_1' }));
      return relay(h, `/deferred-calls/${one['callId']}/withdraw`, { identityId: one['identityId'] });
    },
  },
};
