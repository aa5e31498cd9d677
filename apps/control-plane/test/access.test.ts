import { operations } from '@hoop/contract';
import { testClock, type TestClock } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startHarness, unique, type Harness } from './harness.ts';

let h: Harness;
let clock: TestClock;
beforeAll(async () => {
  clock = testClock();
  h = await startHarness({ now: clock.now });
});
afterAll(() => h.close());

const makeToken = async (body: Record<string, unknown> = {}): Promise<any> =>
  (await h.call<any>('POST', '/v1/admin-tokens', { body: { name: unique('t'), role: 'admin', ...body } })).body;
const whoAmI = (token: string | null) => h.call<any>('GET', '/v1/admin-tokens/current', { token });

describe('an admin token', () => {
  it('is shown once and stored as a hash only', async () => {
    const made = await makeToken({ user: 'ada', groups: ['payments'] });
    expect(made.token).toMatch(/^hoop_admin_[A-Za-z0-9_-]{43}$/);
    expect((await whoAmI(made.token)).body).toMatchObject({ id: made.id, user: 'ada', groups: ['payments'], createdBy: 'bootstrap' });
    const { rows } = await h.database.pool.query('SELECT t::text FROM admin_tokens t');
    for (const text of [
      JSON.stringify(rows),
      h.logged(),
      (await h.call('GET', `/v1/admin-tokens/${made.id}`)).text,
      (await h.call('GET', '/v1/audit-events')).text,
    ]) {
      expect(text).not.toContain(made.token);
    }
  });

  it('is not shown again when its creation is repeated', async () => {
    const request = { body: { name: 'repeat', role: 'auditor' }, headers: { 'idempotency-key': unique('key') } };
    const first = await h.call<any>('POST', '/v1/admin-tokens', request);
    const second = await h.call<any>('POST', '/v1/admin-tokens', request);
    expect(second.body).toEqual({ ...first.body, token: null });
    const { rows } = await h.database.pool.query('SELECT t::text FROM idempotency_keys t');
    expect(JSON.stringify(rows)).not.toContain(first.body.token);
  });

  it('works until the millisecond before it expires', async () => {
    const made = await makeToken({ expiresInSeconds: 60 });
    clock.advance(59_999);
    expect((await whoAmI(made.token)).status).toBe(200);
    clock.advance(1);
    const refused = await whoAmI(made.token);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="hoop", error="invalid_token"');
    expect(refused.body.detail).toContain('expired');
  });

  it('is asked for without an error where none was sent (RFC 6750 §3.1)', async () => {
    for (const headers of [{}, { authorization: 'Basic dXNlcjpwYXNz' }]) {
      const response = await fetch(`${h.url}/v1/admin-tokens/current`, { headers });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="hoop"');
    }
  });

  it('stops working when it is revoked, at once', async () => {
    const made = await makeToken({ role: 'auditor' });
    expect((await whoAmI(made.token)).status).toBe(200);
    const revoked = await h.call<any>('POST', `/v1/admin-tokens/${made.id}/revoke`);
    expect(revoked.body.revokedAt).toBe(new Date(clock.now()).toISOString());
    expect((await whoAmI(made.token)).status).toBe(401);
  });

  it('notes its last use, once a minute', async () => {
    const made = await makeToken();
    await whoAmI(made.token);
    const first = new Date(clock.now()).toISOString();
    clock.advance(59_000);
    await whoAmI(made.token);
    expect((await h.call<any>('GET', `/v1/admin-tokens/${made.id}`)).body.lastUsedAt).toBe(first);
    clock.advance(1000);
    await whoAmI(made.token);
    expect((await h.call<any>('GET', `/v1/admin-tokens/${made.id}`)).body.lastUsedAt).toBe(new Date(clock.now()).toISOString());
  });

  it('is recorded where it is refused, and never quoted', async () => {
    const wrong = `hoop_admin_${'x'.repeat(43)}`;
    expect((await whoAmI(wrong)).status).toBe(401);
    const { body, text } = await h.call<any>('GET', '/v1/security-events?kind=admin_authentication');
    expect(body.items[0]).toMatchObject({ code: 'unauthenticated', remote: '127.0.0.1' });
    expect(text).not.toContain(wrong);
    expect(h.logged()).not.toContain(wrong);
  });

  it.each(['', 'Basic Zm9v', 'Bearer', 'Bearer ', 'Bearer a b', 'bearer é'])('is needed: %j is none', async (authorization) => {
    const response = await fetch(`${h.url}/v1/identities`, authorization === 'bearer é' ? {} : { headers: { authorization } });
    expect(response.status).toBe(401);
  });
});

describe('the last token that can administer', () => {
  it('cannot be revoked, not even by two at once who each see the other', async () => {
    const one = await makeToken();
    const other = await makeToken();
    const all = (await h.call<any>('GET', '/v1/admin-tokens?limit=200&role=admin&revoked=false')).body.items as { id: string }[];
    for (const { id } of all)
      if (id !== one.id && id !== other.id) await h.call('POST', `/v1/admin-tokens/${id}/revoke`, { token: one.token });
    // Both are past authentication, and wait for the lock that decides.
    const gate = await h.database.pool.connect();
    await gate.query('SELECT pg_advisory_lock(72707371)');
    const both = [
      h.call<any>('POST', `/v1/admin-tokens/${one.id}/revoke`, { token: other.token }),
      h.call<any>('POST', `/v1/admin-tokens/${other.id}/revoke`, { token: one.token }),
    ];
    await expect
      .poll(async () => (await gate.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).rowCount)
      .toBe(2);
    await gate.query('SELECT pg_advisory_unlock(72707371)');
    gate.release();
    const answers = await Promise.all(both);
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 409]);
    const left = await h.database.prisma.adminToken.findMany({
      where: { role: 'admin', revokedAt: null, expiresAt: { gt: new Date(clock.now()) } },
    });
    expect(left).toHaveLength(1);
  });
});

describe('roles', () => {
  const own = operations;

  it('deny by default: no operation that changes configuration is open to approvers or auditors', () => {
    const changing = own.filter(({ method, path }) => method !== 'GET' && path.startsWith('/v1/'));
    const open = changing
      .filter(({ audience }) => audience.includes('auditor' as never) || audience.includes('approver' as never))
      .map(({ id }) => id);
    // Deciding is what approvers are for; auditors close what was broken open and keep evidence. The others only compute.
    const deciding = ['closeBreakGlassReview', 'placeLegalHold', 'reviewApproval'];
    const computing = ['backtestPolicy', 'explainDecision', 'lintPolicy', 'proposePolicy', 'searchCalls', 'tryMasking', 'validatePolicy'];
    expect(open.toSorted()).toEqual([...computing, ...deciding].toSorted());
  });

  it('let nobody but admins make tokens, so that no role can raise itself', () => {
    const tokens = own.filter(({ tag, id }) => tag === 'Admin tokens' && id !== 'getCurrentAdminToken');
    for (const { audience } of tokens) expect(audience).toEqual(['admin']);
  });

  it('keep public what needs no credential, and nothing else', () => {
    expect(
      own
        .filter(({ audience }) => audience === 'public')
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual([
      'exchangeToken',
      'getAuthorizationServerMetadata',
      'getHealth',
      'getJwks',
      'getLogKey',
      'getOpenApi',
      'getReadiness',
      // By Slack's own signature.
      'receiveSlackInteraction',
      'revokeToken',
      // The id, its state and the commands to use.
      'showApprovalPage',
    ]);
  });
});

describe('a role that may not', () => {
  it('is told so alike for what is there and what is not', async () => {
    const fresh = await startHarness();
    const identity = await fresh.makeIdentity();
    const token = await fresh.tokenOf('auditor');
    const [there, not] = await Promise.all(
      ['x', identity['name']].map((name) => fresh.call<any>('DELETE', `/v1/identities/${name}`, { token })),
    );
    expect({ ...there!.body, requestId: '' }).toEqual({ ...not!.body, requestId: '' });
    expect(there!.status).toBe(403);
    await fresh.close();
  });
});
