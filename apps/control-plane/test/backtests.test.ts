import { newId, type BacktestReport, type CallHead, type PolicyProposal } from '@hoop/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startHarness, type Harness } from './harness.ts';
import { recordCall } from './recorded-call.ts';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

type Decision = NonNullable<CallHead['decision']>;
const decided = (effect: Decision['effect']): Decision => ({ effect, rule: 'a rule', reason: 'r', policyId: null, policyRevision: null });
const counts = ({ changes }: BacktestReport): Record<string, number> =>
  Object.fromEntries(Object.entries(changes).flatMap(([kind, { count }]) => (count > 0 ? [[kind, count]] : [])));
const noBody = { requestBody: null };

/** A connection with calls on record. */
async function recorded(calls: readonly { head?: Partial<CallHead>; outcome?: Record<string, unknown>; request?: string }[]) {
  const connection = await h.makeConnection();
  const ids: string[] = [];
  for (const { head, ...rest } of calls)
    ids.push((await recordCall(h, { head: { connectionId: connection['id'] as string, ...head }, ...rest })).callId);
  return { id: connection['id'] as string, name: connection['name'] as string, ids };
}
const backtest = async (
  connection: string,
  rules: unknown[],
  over: Record<string, unknown> = {},
  token?: string,
): Promise<BacktestReport> => {
  const { status, body, text } = await h.call<any>('POST', '/v1/policies/backtest', {
    body: { connection, rules, ...over },
    ...(token === undefined ? {} : { token }),
  });
  expect(status, text).toBe(200);
  return body;
};
const read = { name: 'read', effect: 'allow', match: { methods: ['GET'] } };
const small = { name: 'small refunds', effect: 'allow', match: { methods: ['POST'] }, when: 'request.body.amount <= 100' };

describe('a backtest', () => {
  it('counts what changes over the recorded calls of a connection, with examples, and leaves a trace', async () => {
    const { id, name, ids } = await recorded([
      { head: { method: 'GET', decision: decided('allow') }, outcome: noBody },
      { head: { method: 'DELETE', decision: decided('allow') }, outcome: noBody },
      { head: { method: 'GET', decision: decided('deny') }, outcome: { ...noBody, state: 'refused', status: 403, targetStatus: null } },
      { head: { method: 'POST', decision: decided('allow') }, request: '{"amount":5}' },
      { head: { method: 'POST', decision: decided('allow') }, request: '{"amount":500}' },
    ]);
    await recorded([{ head: { method: 'DELETE', decision: decided('allow') } }]);
    const report = await backtest(name, [read, small]);
    expect(report).toMatchObject({ connection: { id }, scanned: 5, isComplete: true, total: 5, unchanged: 2 });
    expect(counts(report)).toEqual({ newlyDenied: 2, newlyAllowed: 1 });
    expect(report.changes.newlyAllowed.examples).toMatchObject([
      { callId: ids[2], method: 'GET', before: 'deny', after: ['allow'], rule: 'read' },
    ]);
    expect(report.changes.newlyDenied.examples.map((one) => one.callId).toSorted()).toEqual([ids[1], ids[4]].toSorted());
    const audit = await h.call<any>('GET', `/v1/audit-events?target=${id}&action=policy.backtest`);
    expect(audit.body.items).toMatchObject([{ action: 'policy.backtest', change: { after: { rules: 2 } } }]);
  });

  it('says what cannot be told where the value was masked, and guesses nothing', async () => {
    const policy = { name: 'x', mask: [{ key: 'amount', action: 'redact' }], rules: [read] };
    const { id } = await recorded([]);
    const put = await h.call<any>('PUT', `/v1/connections/${id}/policy`, {
      body: { rules: policy.rules, mask: policy.mask },
      headers: { 'if-none-match': '*' },
    });
    const head = { connectionId: id, method: 'POST', decision: { ...decided('allow'), policyId: put.body.id, policyRevision: 1 } };
    await recordCall(h, { head, request: '{"amount":"[redacted]","currency":"EUR"}' });
    await recordCall(h, { head, request: '{"amount":"****4242"}' });
    const report = await backtest(id, [small]);
    expect(counts(report)).toEqual({ unknown: 2 });
    expect(report.changes.unknown.examples[0]).toMatchObject({ after: ['allow', 'deny'], reason: expect.stringContaining('masked') });
    expect(report.caveats.join(' ')).toContain('masked');
    const byCurrency = await backtest(id, [{ ...small, when: 'has(request.body.currency) && request.body.currency == "EUR"' }]);
    expect(counts(byCurrency)).toEqual({ newlyDenied: 1 });
  });

  it.each([
    ['null', { action: 'null' }, '{"amount":null}'],
    ['remove', { action: 'remove' }, '{"currency":"EUR"}'],
  ])('does not take what masking by %s left behind for what was there', async (_name, rule, request) => {
    const { id } = await recorded([]);
    const put = await h.call<any>('PUT', `/v1/connections/${id}/policy`, {
      body: { rules: [read], mask: [{ key: 'amount', ...rule }] },
      headers: { 'if-none-match': '*' },
    });
    await recordCall(h, {
      head: { connectionId: id, method: 'POST', decision: { ...decided('allow'), policyId: put.body.id, policyRevision: 1 } },
      request,
    });
    expect(counts(await backtest(id, [{ ...small, when: 'has(request.body.amount) && request.body.amount == 5' }]))).toEqual({
      unknown: 1,
    });
  });

  it('cannot tell what depends on a body that was not kept, was cut, or belongs to a refused call', async () => {
    const post = { method: 'POST', decision: decided('allow') };
    const kept = { bytes: 12, digest: 'd'.repeat(64), sealed: null, keptBytes: 0, truncated: true, contentType: 'application/json' };
    const { id } = await recorded([
      { head: post, outcome: { requestBody: kept } },
      {
        head: { ...post, decision: decided('deny'), requestHeaders: [['content-length', '12']] },
        outcome: { ...noBody, state: 'refused', status: 403, targetStatus: null },
      },
    ]);
    expect(counts(await backtest(id, [small]))).toEqual({ unknown: 2 });
    expect(counts(await backtest(id, [{ name: 'all', effect: 'allow', match: { methods: ['POST'] } }]))).toEqual({ newlyAllowed: 1 });
  });

  it('uses the body of a refused call, and says of one that was refused unread that it is not known', async () => {
    const denied = { method: 'POST', decision: decided('deny') };
    const refused = { state: 'refused' as const, status: 403, targetStatus: null };
    const unread = { bytes: 0, digest: null, sealed: null, keptBytes: 0, truncated: true, contentType: 'application/json', unread: true };
    const { id, ids } = await recorded([
      { head: denied, outcome: refused, request: '{"amount":5}' },
      { head: denied, outcome: refused, request: '{"amount":500}' },
      { head: denied, outcome: refused, request: '{"amount":5,"Amount":500}' },
      { head: denied, outcome: refused, request: '{"Amount":5}' },
      { head: denied, outcome: { ...refused, requestBody: unread } },
    ]);
    const { changes, unchanged } = await backtest(id, [small]);
    expect(changes.newlyAllowed.examples.map((one) => one.callId)).toEqual([ids[0]]);
    expect(unchanged).toBe(3);
    expect(changes.unknown.examples).toMatchObject([{ callId: ids[4], reason: expect.stringContaining('masked or not kept') }]);
  });

  it('knows no headers where the connection keeps none', async () => {
    const { id } = await recorded([{ head: { method: 'GET', requestHeaders: [], decision: decided('allow') }, outcome: noBody }]);
    expect(counts(await backtest(id, [{ ...read, when: '"x-team" in request.headers && request.headers["x-team"] == "a"' }]))).toEqual({
      unknown: 1,
    });
    expect(counts(await backtest(id, [{ ...read, when: 'request.headers["x-team"] == "a"' }]))).toEqual({ unknown: 1 });
  });

  it('takes claims of the session, and labels as unknown where the identity is gone', async () => {
    const { id } = await recorded([]);
    const sessionId = newId('session');
    const head = { connectionId: id, sessionId, method: 'GET', decision: decided('allow') };
    await recordCall(h, { head, outcome: noBody });
    await recordCall(h, { head: { ...head, claims: null }, outcome: noBody });
    expect(counts(await backtest(id, [{ ...read, when: 'identity.claims.ref == "refs/heads/main"' }]))).toEqual({});
    expect(counts(await backtest(id, [{ ...read, when: 'identity.labels.team == "billing"' }]))).toEqual({ unknown: 2 });
  });

  it('opens no body for an operator, and says so', async () => {
    const { id } = await recorded([{ head: { method: 'POST', decision: decided('allow') }, request: '{"amount":5}' }]);
    const report = await backtest(id, [small], {}, await h.tokenOf('operator'));
    expect(counts(report)).toEqual({ unknown: 1 });
    expect(report.caveats.join(' ')).toContain('this role may not see recorded bodies');
    expect(counts(await backtest(id, [small], {}, await h.tokenOf('auditor')))).toEqual({});
  });

  it('skips what no policy was asked about and what retention removed, and counts it', async () => {
    const { id, ids } = await recorded([
      { head: { decision: null }, outcome: { ...noBody, state: 'refused', status: 404, targetStatus: null } },
      { head: { method: 'GET', decision: decided('allow') }, outcome: noBody },
    ]);
    await h.database.prisma.call.update({ where: { id: ids[1]! }, data: { purgedAt: new Date(), path: null, url: null } });
    expect(await backtest(id, [read])).toMatchObject({ scanned: 2, total: 0, skipped: { purged: 1, undecided: 1 } });
  });

  it('looks at the period and the identity that are asked for', async () => {
    const identity = await h.makeIdentity();
    const subject = { identityId: identity['id'] as string, identityName: 'x', issuer: 'i', subject: 's', grantId: null };
    const { id } = await recorded([
      { head: { method: 'GET', subject: subject as CallHead['subject'], decision: decided('deny') }, outcome: noBody },
      { head: { method: 'GET', decision: decided('deny') }, outcome: noBody },
    ]);
    expect(await backtest(id, [read], { identity: identity['name'] })).toMatchObject({ scanned: 1 });
    expect(await backtest(id, [read], { until: '2020-01-01T00:00:00Z' })).toMatchObject({ scanned: 0, isComplete: true, reached: null });
    const swapped = await h.call<any>('POST', '/v1/policies/backtest', {
      body: { connection: id, rules: [], since: '2021-01-01T00:00:00Z', until: '2020-01-01T00:00:00Z' },
    });
    expect(swapped.body).toMatchObject({ code: 'invalid_request', detail: expect.stringContaining('since') });
  });

  it('ends at its limit, and says that it is not complete', async () => {
    const { id, ids } = await recorded(
      Array.from({ length: 5 }, () => ({ head: { method: 'DELETE', decision: decided('allow') }, outcome: noBody })),
    );
    const report = await backtest(id, [read], { maxCalls: 3, maxExamples: 1 });
    expect(report).toMatchObject({ scanned: 3, isComplete: false, changes: { newlyDenied: { count: 3 } } });
    expect(report.changes.newlyDenied.examples.map((one) => one.callId)).toEqual([ids[4]]);
    expect(await backtest(id, [read], { maxCalls: 5 })).toMatchObject({ scanned: 5, isComplete: false });
    expect(await backtest(id, [read], { maxCalls: 6 })).toMatchObject({ scanned: 5, isComplete: true });
  });
});

describe('a proposed policy', () => {
  const propose = async (connection: string, over: Record<string, unknown> = {}): Promise<PolicyProposal> => {
    const { status, body, text } = await h.call<any>('POST', '/v1/policies/propose', { body: { connection, ...over } });
    expect(status, text).toBe(200);
    return body;
  };

  it('allows what was allowed and answered, nothing else, and holds against the record', async () => {
    const get = (path: string) => ({ head: { method: 'GET', path, decision: decided('allow') }, outcome: noBody });
    const { id } = await recorded([
      get('/v1/customers/1'),
      get('/v1/customers/2'),
      {
        head: { method: 'DELETE', path: '/v1/customers/1', decision: decided('deny') },
        outcome: { ...noBody, state: 'refused', status: 403, targetStatus: null },
      },
      { head: { method: 'POST', path: '/v1/refunds', decision: decided('require_approval') }, outcome: noBody },
      {
        head: { method: 'PUT', path: '/v1/down', decision: decided('allow') },
        outcome: { ...noBody, state: 'failed', status: 502, targetStatus: null },
      },
    ]);
    const proposal = await propose(id);
    expect(proposal).toMatchObject({
      scanned: 5,
      total: 2,
      isComplete: true,
      skipped: { purged: 0, refused: 1, approved: 1, unanswered: 1 },
    });
    expect(proposal.rules).toEqual([
      { name: 'GET /v1/customers/:id', effect: 'allow', match: { methods: ['GET'], paths: ['/v1/customers/:id'] } },
    ]);
    expect(proposal.evidence).toEqual([{ rule: 'GET /v1/customers/:id', calls: 2, examples: ['/v1/customers/2', '/v1/customers/1'] }]);
    expect(counts(await backtest(id, proposal.rules))).toEqual({ newlyDenied: 2 });
    expect((await h.call<any>('POST', '/v1/policies/validate', { body: { rules: proposal.rules } })).body).toEqual({
      valid: true,
      errors: [],
    });
  });

  it('says that it is not complete where it ends at its limit', async () => {
    const { id } = await recorded([
      { head: { method: 'GET', path: '/a', decision: decided('allow') } },
      { head: { method: 'GET', path: '/b', decision: decided('allow') } },
    ]);
    expect(await propose(id, { maxCalls: 1 })).toMatchObject({ total: 1, isComplete: false });
  });
});
