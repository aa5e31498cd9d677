/**
 * Somebody who owns the database, and has none of Hoop's keys, changes rows with SQL: what is changed permits nothing,
 * and a security event names the row.
 */
import { createHash } from 'node:crypto';

import { newId } from '@hoop/contract';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';

import { startControlPlane } from '../src/index.ts';
import { asRelay, claimBody, h, people, request, review, scene, useApprovals, type Json } from './approval-stage.ts';
import { registerIssuer, unique } from './harness.ts';

useApprovals();

/** As the owner: without triggers and without asking anybody. */
async function sql(text: string, ...values: unknown[]): Promise<number> {
  const client = await h.database.pool.connect();
  try {
    await client.query("SET session_replication_role = 'replica'");
    return (await client.query(text, values)).rowCount ?? 0;
  } finally {
    await client.query('RESET session_replication_role').finally(() => client.release());
  }
}
const alarms = async (id: string): Promise<number> =>
  h.database.prisma.securityEvent.count({ where: { kind: 'log_integrity', code: 'row_not_authentic', detail: { contains: id } } });
const expectAlarm = (id: string): Promise<void> => expect.poll(() => alarms(id)).toBeGreaterThan(0);
const snapshot = async (query = ''): Promise<Json> =>
  (await h.call<Json>('GET', `/internal/relay/snapshot${query}`, { token: h.relayToken })).body;
const claimAgain = async (one: Json, changes: Json = {}): Promise<Json> =>
  (await asRelay('POST', '/approvals', await claimBody({ digest: one['digest'], ...changes }))).body;

describe('an approval', () => {
  it('that is marked as approved is not', async () => {
    const one = await request();
    const set = "UPDATE approvals SET state = 'approved', validity = 'once', usable_until = now() + interval '1 hour' WHERE id = $1";
    expect(await sql(set, one['approvalId'])).toBe(1);
    expect(await claimAgain(one, { approvalId: one['approvalId'], callId: one['callId'] })).toMatchObject({
      state: 'pending',
      isConsumed: false,
    });
    expect(await claimAgain(one)).toMatchObject({ isConsumed: false });
    await expectAlarm(one['approvalId']);
  });

  it('that is marked as used by a call that waits does not send the call', async () => {
    const one = await request();
    await sql("UPDATE approvals SET state = 'consumed', consumed_by = $2 WHERE id = $1", one['approvalId'], one['callId']);
    const answer = await claimAgain(one, { approvalId: one['approvalId'], callId: one['callId'] });
    expect(answer).toMatchObject({ state: 'consumed', isConsumed: false });
    await expectAlarm(one['approvalId']);
  });

  it('is not given by reviews that somebody wrote into the database', async () => {
    const one = await request({}, { quorum: 2 });
    await review(one, people.ann);
    await sql(
      `INSERT INTO approval_reviews (approval_id, user_name, groups, decision, via, at, signature)
       SELECT approval_id, 'bob', groups, decision, via, at, signature FROM approval_reviews WHERE approval_id = $1`,
      one['approvalId'],
    );
    await sql(
      "UPDATE approvals SET state = 'approved', validity = 'once', usable_until = now() + interval '1 hour' WHERE id = $1",
      one['approvalId'],
    );
    expect(await claimAgain(one)).toMatchObject({ state: 'pending', isConsumed: false });
    await expectAlarm(`${one['approvalId']} bob rest`);
  });

  it('is good for the request, the time and the number of calls that people decided about', async () => {
    const one = await request();
    await review(one, people.ann);
    await sql("UPDATE approvals SET validity = '10m', usable_until = now() + interval '9 years' WHERE id = $1", one['approvalId']);
    const other = await claimAgain({ digest: 'f'.repeat(64) });
    expect(other).toMatchObject({ state: 'pending', isConsumed: false });
    const changed = await request();
    await review(changed, people.ann);
    await sql('UPDATE approvals SET digest = $2 WHERE id = $1', changed['approvalId'], 'e'.repeat(64));
    const answer = await asRelay('POST', '/approvals', await claimBody({ digest: 'e'.repeat(64) }));
    expect(answer.body).toMatchObject({ code: 'row_not_authentic' });
    await expectAlarm(changed['approvalId']);
  });

  const setBack = async (one: Json, state: string): Promise<void> => {
    await sql(
      `UPDATE approvals SET state = $2, consumed_by = NULL, consumed_at = NULL, validity = 'once', usable_until = now() + interval '1 hour', reason = NULL
       WHERE id = $1`,
      one['approvalId'],
      state,
    );
  };

  it.each<[string, (one: Json) => Promise<unknown>]>([
    ['used', async (one) => expect(await claimAgain(one)).toMatchObject({ isConsumed: true })],
    ['withdrawn', (one) => h.call('POST', `/v1/approvals/${one['approvalId']}/withdraw`, { body: { reason: 'a mistake' } })],
    [
      'voided by a change of the identity',
      () => h.call('PATCH', `/v1/identities/${scene.identityId}`, { body: { owner: 'otto' }, headers: { 'if-match': '*' } }),
    ],
    [
      'voided by a change of the connection',
      () =>
        h.call('PATCH', `/v1/connections/${scene.connectionId}`, {
          body: { limits: { approvalWaitSeconds: 1 } },
          headers: { 'if-match': '*' },
        }),
    ],
  ])('that was %s is not set back', async (_, end) => {
    const one = await request();
    await review(one, people.ann);
    await end(one);
    await setBack(one, 'approved');
    expect(await claimAgain(one)).not.toMatchObject({ isConsumed: true });
    await expectAlarm(one['approvalId']);
  });

  it('that was denied stays denied, also where the denial is removed and somebody approves after all', async () => {
    const one = await request({}, { quorum: 2 });
    await review(one, people.ann);
    await review(one, people.bob, { decision: 'deny' });
    await setBack(one, 'approved');
    expect(await claimAgain(one)).toMatchObject({ state: 'denied', isConsumed: false });
    await sql("DELETE FROM approval_reviews WHERE approval_id = $1 AND decision = 'deny'", one['approvalId']);
    await setBack(one, 'pending');
    expect((await review(one, people.olga)).body).toMatchObject({ state: 'approved' });
    expect(await claimAgain(one)).toMatchObject({ state: 'denied', isConsumed: false });
    await expectAlarm(one['approvalId']);
  });

  it('that was used by one call does not become that of another', async () => {
    const one = await request();
    await review(one, people.ann);
    const first = newId('call');
    const second = newId('call');
    expect(await claimAgain(one, { callId: first })).toMatchObject({ isConsumed: true });
    expect(await claimAgain(one, { callId: first })).toMatchObject({ isConsumed: true });
    await sql('UPDATE approvals SET consumed_by = $2 WHERE id = $1', one['approvalId'], second);
    expect(await claimAgain(one, { callId: second, approvalId: one['approvalId'] })).toMatchObject({ isConsumed: false });
    await expectAlarm(one['approvalId']);
  });
});

describe('an admin token', () => {
  const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
  const me = async (token: string): Promise<number> => (await h.call('GET', '/v1/admin-tokens/current', { token })).status;

  it('that somebody inserts, raises, brings back or exchanges is none', async () => {
    const forged = `hoop_admin_${'f'.repeat(43)}`;
    const id = newId('admin_token');
    await sql(
      "INSERT INTO admin_tokens (id, name, role, hash, groups, created_by, created_at) VALUES ($1, 'mine', 'admin', $2, '{}', 'me', now())",
      id,
      hashOf(forged),
    );
    expect(await me(forged)).toBe(401);
    await expectAlarm(id);

    const make = async (role: string): Promise<Json> =>
      (await h.call<Json>('POST', '/v1/admin-tokens', { body: { name: unique('token'), role } })).body;
    const auditor = await make('auditor');
    expect(await me(auditor['token'])).toBe(200);
    await sql("UPDATE admin_tokens SET role = 'admin' WHERE id = $1", auditor['id']);
    expect(await me(auditor['token'])).toBe(401);
    await expectAlarm(auditor['id']);

    // The signature of another row of the same kind.
    const operator = await make('operator');
    await sql('UPDATE admin_tokens SET signature = (SELECT signature FROM admin_tokens WHERE id = $2) WHERE id = $1', operator['id'], id);
    await sql(
      'UPDATE admin_tokens SET (role, signature) = (SELECT role, signature FROM admin_tokens WHERE name = $2) WHERE id = $1',
      operator['id'],
      'bootstrap',
    );
    expect(await me(operator['token'])).toBe(401);
  });

  it('from before rows were signed is not accepted, and a control plane that starts says what to do', async () => {
    await sql(
      "INSERT INTO admin_tokens (id, name, role, hash, groups, created_by, created_at) VALUES ($1, 'old', 'admin', $2, '{}', 'me', now())",
      newId('admin_token'),
      hashOf('old'),
    );
    let logged = '';
    const log = pino({ level: 'error' }, { write: (line: string) => void (logged += line) });
    await (await startControlPlane(h.config, { log })).close();
    expect(logged).toMatch(/admin tokens in the database carry no signature.*hoop rows sign/);
  });

  it('that was revoked stays revoked, also where the whole row is put back as it was', async () => {
    const { id, token } = (await h.call<Json>('POST', '/v1/admin-tokens', { body: { name: unique('token'), role: 'operator' } })).body;
    const before = await h.database.prisma.adminToken.findUniqueOrThrow({ where: { id } });
    await h.call('POST', `/v1/admin-tokens/${id}/revoke`);
    expect(await me(token)).toBe(401);
    await sql('UPDATE admin_tokens SET revoked_at = NULL WHERE id = $1', id);
    expect(await me(token)).toBe(401);
    await sql('UPDATE admin_tokens SET revoked_at = NULL, signature = $2 WHERE id = $1', id, before.signature);
    expect(await me(token)).toBe(401);
    await sql('DELETE FROM admin_tokens WHERE id = $1', id);
    expect(await me(token)).toBe(401);
    await expectAlarm(id);
  });
});

describe('what relays are served', () => {
  const has = async (kind: 'providers' | 'identities' | 'connections', id: string): Promise<boolean> =>
    (await snapshot())[kind].some((one: Json) => one['id'] === id);

  it.each<['providers' | 'identities' | 'connections', string, string]>([
    ['connections', 'settings', `UPDATE connections SET settings = settings || '{"target":"https://evil.example"}' WHERE id = $1`],
    ['connections', 'allowed addresses', `UPDATE connections SET settings = settings || '{"allowedCidrs":["0.0.0.0/0"]}' WHERE id = $1`],
    ['connections', 'its name', `UPDATE connections SET name = name || '-2' WHERE id = $1`],
    ['connections', 'disabled', `UPDATE connections SET disabled = NOT disabled WHERE id = $1`],
    [
      'connections',
      'a member more',
      `INSERT INTO connection_identities SELECT $1, id FROM identities WHERE id NOT IN (SELECT identity_id FROM connection_identities WHERE connection_id = $1) LIMIT 1`,
    ],
    ['connections', 'a member less', `DELETE FROM connection_identities WHERE connection_id = $1`],
    ['connections', 'its policy removed', `UPDATE policies SET connection_id = NULL WHERE connection_id = $1`],
    ['connections', 'its policy set back', `UPDATE policies SET current_revision = 1 WHERE connection_id = $1`],
    [
      'connections',
      'rules of its policy',
      `UPDATE policy_revisions r SET rules = '[]' FROM policies p WHERE p.id = r.policy_id AND p.connection_id = $1`,
    ],
    [
      'connections',
      'a revision more',
      `WITH n AS (INSERT INTO policy_revisions SELECT r.policy_id, 3, '[{"name":"all","effect":"allow"}]', r.mask, r.comment, r.created_by, r.created_at, r.signature FROM policy_revisions r JOIN policies p ON p.id = r.policy_id WHERE p.connection_id = $1 AND r.revision = 2) UPDATE policies SET current_revision = 3 WHERE connection_id = $1`,
    ],
    [
      'connections',
      'the rules of a revision removed',
      `DELETE FROM policy_revisions r USING policies p WHERE p.id = r.policy_id AND p.connection_id = $1 AND r.revision = 2`,
    ],
    ['connections', 'its credential removed', `DELETE FROM credential_sources WHERE connection_id = $1`],
    [
      'connections',
      'where its credential goes',
      `UPDATE credential_sources SET settings = jsonb_set(settings, '{injection}', '{"into":"header","name":"x-mine"}') WHERE connection_id = $1`,
    ],
    ['connections', 'its sealed secret', `UPDATE credential_sources SET sealed = sealed || 'x' WHERE connection_id = $1`],
    [
      'identities',
      'match',
      `UPDATE identities SET match = 'true' WHERE id = (SELECT identity_id FROM connection_identities WHERE connection_id = $1)`,
    ],
    [
      'identities',
      'disabled',
      `UPDATE identities SET disabled = NOT disabled WHERE id = (SELECT identity_id FROM connection_identities WHERE connection_id = $1)`,
    ],
    [
      'identities',
      'grants that are good again',
      `UPDATE identities SET grants_not_before = grants_not_before - 1 WHERE id = (SELECT identity_id FROM connection_identities WHERE connection_id = $1)`,
    ],
    [
      'providers',
      'keys',
      `UPDATE identity_providers SET settings = settings || '{"jwksUri":"https://evil.example/jwks"}' WHERE id = (SELECT provider_id FROM identities WHERE id = (SELECT identity_id FROM connection_identities WHERE connection_id = $1))`,
    ],
    [
      'providers',
      'disabled',
      `UPDATE identity_providers SET disabled = NOT disabled WHERE id = (SELECT provider_id FROM identities WHERE id = (SELECT identity_id FROM connection_identities WHERE connection_id = $1))`,
    ],
  ])('does not include %s whose row was changed: %s', async (kind, what, change) => {
    await h.call('PUT', `/v1/connections/${scene.connectionId}/credential`, {
      body: { settings: { type: 'static', injection: { into: 'header' } }, secrets: { secret: 'sk_1' } },
      headers: { 'if-none-match': '*' },
    });
    await h.call('PUT', `/v1/connections/${scene.connectionId}/policy`, {
      body: { rules: [{ name: 'nobody', effect: 'deny' }] },
      headers: { 'if-match': '*' },
    });
    const identity = (await h.call<Json>('GET', `/v1/identities/${scene.identityId}`)).body;
    const id = { connections: scene.connectionId, identities: scene.identityId, providers: identity['provider'].id as string }[kind];
    const { revision } = await snapshot();
    expect(await has(kind, id), what).toBe(true);
    expect(await sql(change, scene.connectionId), what).toBeGreaterThan(0);
    expect(await has(kind, id), what).toBe(false);
    await expectAlarm(id);
    // A relay that has the row from before is told to forget it, once anything of it is said to be new.
    const table = { connections: 'connections', identities: 'identities', providers: 'identity_providers' }[kind];
    await sql(`UPDATE ${table} SET revision = $2 WHERE id = $1`, id, revision + 1);
    await sql('UPDATE snapshot_state SET revision = GREATEST(revision, $1)', revision + 1);
    const since = await snapshot(`?since=${revision}`);
    expect(since[kind].map((one: Json) => one['id'])).not.toContain(id);
    expect(since['removed']).toContain(id);
  });

  it('holds a grant that was revoked, also where the row is removed or changed', async () => {
    const jti = newId('grant');
    await h.call('POST', `/v1/grants/${jti}/revoke`);
    const listed = async (): Promise<boolean> => (await snapshot())['revokedGrants'].some((one: Json) => one['jti'] === jti);
    expect(await listed()).toBe(true);
    await sql('UPDATE revoked_grants SET exp = 1 WHERE jti = $1', jti);
    expect(await listed()).toBe(true);
    await sql('DELETE FROM revoked_grants WHERE jti = $1', jti);
    expect(await listed()).toBe(true);
    // One that somebody wrote in advance does not keep the revocation out.
    const next = newId('grant');
    await sql("INSERT INTO revoked_grants (jti, exp, revision, revoked_by, revoked_at) VALUES ($1, 1, 1, 'me', now())", next);
    await h.call('POST', `/v1/grants/${next}/revoke`);
    expect((await snapshot())['revokedGrants'].map((one: Json) => one['jti'])).toContain(next);
  });
});

describe('a token exchange', () => {
  it('stops where a provider or an identity was changed, rather than let a wider identity take its callers', async () => {
    const { provider, identity } = await registerIssuer(h);
    const token = await h.issuer.sign();
    expect((await h.exchange(token)).status).toBe(200);
    await sql('UPDATE identities SET match = \'claims.sub == "nobody"\' WHERE id = $1', identity['id']);
    expect((await h.exchange(token)).body).toMatchObject({ code: 'row_not_authentic' });
    await sql('UPDATE identity_providers SET settings = settings || \'{"audiences":["any"]}\' WHERE id = $1', provider['id']);
    expect((await h.exchange(token)).body).toMatchObject({ code: 'row_not_authentic' });
    await expectAlarm(identity['id'] as string);
    await expectAlarm(provider['id'] as string);
  });
});

describe('a deferred call', () => {
  const blob = { wrappedKey: 'wrapped', sealed: Buffer.from('sealed').toString('base64') };
  const claim = async (callId: string): Promise<Json> =>
    (await asRelay('POST', `/deferred-calls/${callId}/claim`, { relayId: 'rly_1' })).body;
  const defer = async (): Promise<string> => {
    const callId = newId('call');
    const body = {
      callId,
      identityId: scene.identityId,
      connectionId: scene.connectionId,
      approvalId: null,
      request: blob,
      idempotencyKey: null,
      mayRetry: false,
      webhookChannel: null,
    };
    const made = await asRelay('POST', '/deferred-calls', body);
    expect(made.status, made.text).toBe(201);
    return callId;
  };

  it('is not sent where somebody wrote it, changed who asks, or what is sent', async () => {
    for (const change of ["identity_id = 'idn_other'", "request = 'other'", 'approval_id = NULL, request_key = request_key || $2']) {
      const callId = await defer();
      await sql(`UPDATE deferred_calls SET ${change} WHERE call_id = $1 AND $2 <> ''`, callId, 'x');
      expect((await claim(callId))['request']).toBeNull();
      await expectAlarm(callId);
    }
    const forged = newId('call');
    await sql(
      `INSERT INTO deferred_calls (call_id, state, identity_id, connection_id, request_key, request, created_at, expires_at)
       VALUES ($1, 'ready', $2, $3, 'k', 'r', now(), now() + interval '1 hour')`,
      forged,
      scene.identityId,
      scene.connectionId,
    );
    expect((await claim(forged))['request']).toBeNull();
    await expectAlarm(forged);
  });

  it('that was sent is not sent again', async () => {
    const callId = await defer();
    expect((await claim(callId))['request']).not.toBeNull();
    await sql(`INSERT INTO calls (id, session_id, at, state) VALUES ($1, 'ses_1', now(), 'completed')`, callId);
    await sql("UPDATE deferred_calls SET state = 'ready', claimed_by = NULL, claimed_at = NULL, attempts = 0 WHERE call_id = $1", callId);
    expect((await claim(callId))['request']).toBeNull();
    await expectAlarm(callId);
    const read = await asRelay('GET', `/deferred-calls/${callId}?identity=${scene.identityId}&wait=0`);
    expect(read.body).toMatchObject({ state: 'unknown', error: 'outcome_unknown' });
  });
});

describe('everything else that the control plane goes by', () => {
  it('is refused, or left out of a list, and named', async () => {
    const channel = (
      await h.call<Json>('POST', '/v1/notification-channels', {
        body: { name: unique('hook'), kind: 'webhook', url: 'https://hooks.example/x', events: ['approval.requested'] },
      })
    ).body;
    await sql("UPDATE notification_channels SET url = 'https://evil.example' WHERE id = $1", channel['id']);
    expect((await h.call<Json>('GET', `/v1/notification-channels/${channel['id']}`)).body).toMatchObject({ code: 'row_not_authentic' });
    const sink = (
      await h.call<Json>('POST', '/v1/event-sinks', { body: { name: unique('sink'), kind: 'webhook', url: 'https://siem.example/x' } })
    ).body;
    await sql("UPDATE event_sinks SET url = 'https://evil.example' WHERE id = $1", sink['id']);
    expect((await h.call<Json>('GET', `/v1/event-sinks/${sink['id']}`)).body).toMatchObject({ code: 'row_not_authentic' });
    expect((await h.call<Json>('GET', '/v1/event-sinks')).body['items'].map((one: Json) => one['id'])).not.toContain(sink['id']);
    await h.call('PUT', '/v1/slack-users/U0000001', { body: { user: 'ann', groups: [] } });
    await sql("UPDATE slack_users SET groups = '{payments}' WHERE slack_user_id = 'U0000001'");
    expect((await h.call<Json>('GET', '/v1/slack-users')).body['items']).toEqual([]);
    const hold = (
      await h.call<Json>('POST', '/v1/legal-holds', { body: { kind: 'identity', subject: scene.identityId, reason: 'a case' } })
    ).body;
    expect(hold['id'], JSON.stringify(hold)).toBeDefined();
    await sql("UPDATE legal_holds SET lifted_at = now(), lifted_by = 'me' WHERE id = $1", hold['id']);
    expect((await h.call<Json>('GET', `/v1/legal-holds/${hold['id']}`)).body).toMatchObject({ code: 'row_not_authentic' });
    const retention = await h.call<Json>('PUT', '/v1/retention', {
      body: { unattributed: '30d', maximum: null },
      headers: { 'if-match': '*' },
    });
    expect(retention.status, retention.text).toBe(200);
    await sql("UPDATE retention_settings SET unattributed = '1d'");
    expect((await h.call<Json>('GET', '/v1/retention')).body).toMatchObject({ code: 'row_not_authentic' });
    for (const id of [channel['id'], sink['id'], 'U0000001', hold['id'], 'retention_settings']) await expectAlarm(id);
  });

  it('is not answered from a kept response that somebody wrote', async () => {
    const key = unique('key');
    const body = { name: unique('provider'), issuer: `https://${unique('issuer')}.example`, audiences: ['hoop'], algorithms: ['ES256'] };
    const headers = { 'idempotency-key': key };
    const made = await h.call<Json>('POST', '/v1/identity-providers', { body, headers });
    expect(made.status).toBe(201);
    await sql(`UPDATE idempotency_keys SET body = body || '{"disabled":true}' WHERE key = $1`, key);
    // It is as if the key had not been used.
    expect((await h.call<Json>('POST', '/v1/identity-providers', { body, headers })).body).toMatchObject({ code: 'name_taken' });
    await expectAlarm(key);
  });

  it('tells nothing by an audit event that somebody wrote', async () => {
    const id = newId('audit_event');
    await sql(
      `INSERT INTO audit_events (id, at, actor_id, actor_name, actor_role, action, target_type, target_id, change, request_id, remote)
       VALUES ($1, now(), 'system', 'x', 'system', 'x.y', 'x', 'x', '{}', 'r', '')`,
      id,
    );
    expect((await h.call<Json>('GET', `/v1/audit-events/${id}`)).body).toMatchObject({ code: 'row_not_authentic' });
    expect((await h.call<Json>('GET', '/v1/audit-events')).body['items'].map((one: Json) => one['id'])).not.toContain(id);
    await expectAlarm(id);
  });
});
