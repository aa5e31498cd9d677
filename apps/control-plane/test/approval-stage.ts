/** People, a connection with a rule that wants an approval, and relays that ask for one: what tests of approvals begin with. */
import { newId } from '@hoop/contract';
import { createDataKey, sealBody } from '@hoop/sealing';
import { readBody, startTarget, type TestTarget } from '@hoop/testkit';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';

import { startHarness, unique, type Answer, type Harness } from './harness.ts';

// Bodies are looked into freely here; what is wrong in them, the expectations tell.
export type Json = Record<string, any>;

export const slackSecret = '8f742231b10e8888abcd99yyyzzz85a5';
const approval = { reviewers: ['group:payments', 'user:cfo'], quorum: 1, ttl: '30m', validity: ['once', '10m'] };

/** Takes the answers to presses, as hooks.slack.com does. */
export let slackHook: TestTarget;
export const slackAnswers: Json[] = [];
export let h: Harness;
/** Tokens of people. */
export let people: Record<'ann' | 'bob' | 'olga' | 'eve' | 'max' | 'nobody' | 'auditor', string>;
export let scene: { identityId: string; connectionId: string; policyId: string };
let digestCount = 0;

/** For the file that calls it; each test has a scene of its own. */
export function useApprovals(): void {
  beforeAll(async () => {
    slackHook = await startTarget(async (req, res) => {
      slackAnswers.push(JSON.parse((await readBody(req)).toString('utf8')) as Json);
      res.end('ok');
    });
    h = await startHarness({
      slackSigningSecret: slackSecret,
      slackHooks: { origins: [new URL(slackHook.url).origin], allowedCidrs: ['127.0.0.0/8'] },
      notifications: true,
    });
    const token = async (role: string, user?: string, groups: string[] = []): Promise<string> =>
      (await h.call('POST', '/v1/admin-tokens', { body: { name: unique('token'), role, ...(user === undefined ? {} : { user }), groups } }))
        .body['token'] as string;
    people = {
      ann: await token('approver', 'ann', ['payments']),
      bob: await token('approver', 'bob', ['payments']),
      olga: await token('approver', 'olga', ['payments']),
      eve: await token('approver', 'eve', ['sales']),
      max: await token('break_glass', 'max'),
      nobody: await token('approver'),
      auditor: await token('auditor', 'aud'),
    };
  });
  afterAll(async () => {
    await h.close();
    await slackHook.close();
  });
  beforeEach(async () => {
    scene = await makeScene();
    slackAnswers.splice(0);
  });
}

async function makeScene(rule: Json = {}): Promise<typeof scene> {
  const identity = await h.makeIdentity({ owner: 'olga' });
  const connection = await h.makeConnection({ identities: [identity['id']] });
  const rules = [{ name: 'large refunds', effect: 'require_approval', approval: { ...approval, ...rule } }];
  const policy = await h.call('PUT', `/v1/connections/${connection['id']}/policy`, { body: { rules }, headers: { 'if-none-match': '*' } });
  return { identityId: identity['id'] as string, connectionId: connection['id'] as string, policyId: policy.body['id'] as string };
}

export async function claimBody(changes: Json = {}, rule: Json = {}): Promise<Json> {
  const callId = (changes['callId'] as string | undefined) ?? newId('call');
  const { wrapped, key } = await createDataKey((await import('@hoop/sealing')).toPublicJwks(h.recordingKeys).keys[0]!);
  const shown = {
    method: 'POST',
    url: 'https://api.example/v1/refunds',
    headers: [['content-type', 'application/json']],
    encoding: 'utf8',
    body: '{"amount":20000}',
  };
  return {
    approvalId: null,
    callId,
    sessionId: newId('session'),
    digest: (++digestCount).toString(16).padStart(64, '0'),
    ...scene,
    policyRevision: 1,
    credential: null,
    requirements: [
      {
        rule: 'large refunds',
        approval: {
          quorum: 1,
          ttl: '30m',
          validity: ['once', '10m'],
          fourEyes: false,
          requireComment: false,
          reviewers: approval.reviewers,
          ...rule,
        },
      },
    ],
    context: { ticket: 'OPS-1' },
    claims: { repository: 'acme/billing' },
    method: 'POST',
    url: 'https://api.example/v1/refunds',
    path: '/v1/refunds',
    bodyBytes: 16,
    shown: { wrappedKey: wrapped, sealed: sealBody(key, Buffer.from(JSON.stringify(shown)), `${callId}:approval`) },
    ...changes,
  };
}
export const asRelay = (method: string, path: string, body?: Json): Promise<Answer<Json>> =>
  h.call<Json>(method, `/internal/relay${path}`, { token: h.relayToken, ...(body === undefined ? {} : { body }) });
export async function request(changes: Json = {}, rule: Json = {}): Promise<Json> {
  const body = await claimBody(changes, rule);
  const answer = await asRelay('POST', '/approvals', body);
  expect(answer.status, answer.text).toBe(200);
  return { ...body, ...answer.body };
}
export const review = (one: Json, token: string, body: Json = {}): Promise<Answer<Json>> =>
  h.call<Json>('POST', `/v1/approvals/${one['approvalId']}/reviews`, {
    token,
    body: { decision: 'approve', digest: one['digest'], ...body },
  });
