/** A grant carries some claims of the token that was exchanged for it; the record holds all of them. */
import { newId } from '@hoop/contract';
import { purgeGrants } from '@hoop/database';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { registerIssuer, startHarness, type Harness } from './harness.ts';
import { recordCall } from './recorded-call.ts';

let h: Harness;
let set: Awaited<ReturnType<typeof registerIssuer>>;
let skewMs = 0;
beforeAll(async () => {
  h = await startHarness({ now: () => Date.now() + skewMs });
  set = await registerIssuer(h);
});
afterAll(() => h.close());
beforeEach(() => {
  skewMs = 0;
});

async function connect(when?: string, more: object = {}): Promise<Record<string, any>> {
  const connection = await h.makeConnection({ identities: [set.identity['name']] });
  await decideBy(connection, when, more, 'none');
  return connection;
}
async function decideBy(connection: Record<string, any>, when?: string, more: object = {}, match = '*'): Promise<void> {
  const rule = { name: 'r', effect: 'allow', ...(when === undefined ? {} : { when }), ...more };
  const headers = match === 'none' ? { 'if-none-match': '*' } : { 'if-match': match };
  const { status, text } = await h.call('PUT', `/v1/connections/${connection['id']}/policy`, { body: { rules: [rule] }, headers });
  if (status >= 300) throw new Error(text);
}

async function grantFor(
  connections: readonly Record<string, any>[],
  claims: object,
): Promise<{ jti: string; length: number; subject: any }> {
  const scope = connections.map((one) => one['name']).join(' ');
  const { status, body, text } = await h.exchange(await h.issuer.sign({ ...claims }), { scope });
  if (status !== 200) throw new Error(text);
  const grant = body['access_token'] as string;
  return { ...(decodeJwt(grant) as { jti: string; subject: any }), length: grant.length };
}

const large = { groups: Array.from({ length: 400 }, (_, i) => `group-${i}-${'x'.repeat(10)}`), ref: 'main', team: 'billing' };

describe('a grant', () => {
  it('carries the claims that policies of its connections read, and the names of those that the token lacks', async () => {
    const one = await connect('identity.claims.ref == "main"');
    const other = await connect(undefined, { mask: [{ key: 'iban', unless: 'has(identity.claims.absent)' }] });
    expect((await grantFor([one], large)).subject).toMatchObject({ claims: { ref: 'main' }, claimNames: ['ref'] });
    expect((await grantFor([one, other], large)).subject).toEqual({
      issuer: h.issuer.issuer,
      subject: 'machine',
      claims: { ref: 'main' },
      claimNames: ['absent', 'ref'],
    });
    expect((await grantFor([await connect()], large)).subject).toMatchObject({ claims: {}, claimNames: [] });
  });

  it('fits into a header whatever else the token carries: one of 11 KB', async () => {
    const connection = await connect('identity.claims.ref == "main"');
    const token = await h.issuer.sign(large);
    expect(token.length).toBeGreaterThan(11_000);
    const { status, body } = await h.exchange(token, { scope: connection['name'] });
    expect(status).toBe(200);
    expect(body['access_token'].length).toBeLessThan(1000);
  });

  it('carries all claims where a policy reads them by names that only the call tells', async () => {
    const connection = await connect('identity.claims[request.method] == "x"');
    const { subject } = await grantFor([connection], { ref: 'main', team: 'billing' });
    expect(subject).toMatchObject({ claims: { ref: 'main', team: 'billing', sub: 'machine' } });
    expect(subject).not.toHaveProperty('claimNames');
  });

  it('carries what the revision before reads for a minute more, as relays may not have heard of the next', async () => {
    const connection = await connect('identity.claims.ref == "main"');
    await decideBy(connection, 'identity.claims.team == "billing"');
    expect((await grantFor([connection], large)).subject.claimNames).toEqual(['ref', 'team']);
    skewMs = 61_000;
    expect((await grantFor([connection], { ...large, iat: Math.floor((Date.now() + skewMs) / 1000) })).subject.claimNames).toEqual([
      'team',
    ]);
  });
});

describe('the record of a grant', () => {
  it('holds all claims of the token, for whoever has its id', async () => {
    const connection = await connect('identity.claims.ref == "main"');
    const { jti } = await grantFor([connection], large);
    const { status, body } = await h.call('GET', `/v1/grants/${jti}`, { token: await h.tokenOf('auditor') });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: jti,
      identityId: set.identity['id'],
      subject: 'machine',
      claims: large,
      connectionIds: [connection['id']],
    });
    expect((await h.call('GET', `/v1/grants/${newId('grant')}`)).body['code']).toBe('not_found');
  });

  it('holds what Postgres cannot, as far as that goes', async () => {
    const { jti } = await grantFor([await connect()], { odd: 'a\0b' });
    expect((await h.call('GET', `/v1/grants/${jti}`)).body['claims'].odd).toBe('a\ufffdb');
  });

  it('gives the record of a call, and its session, the claims that the grant does not carry', async () => {
    const connection = await connect('identity.claims.ref == "main"');
    const { jti } = await grantFor([connection], large);
    const subject = { identityId: set.identity['id'], identityName: 'nightly', issuer: h.issuer.issuer, subject: 'machine', grantId: jti };
    const { callId, sessionId } = await recordCall(h, { head: { claims: { ref: 'main' }, subject } });
    expect((await h.call('GET', `/v1/calls/${callId}`)).body['claims']).toMatchObject(large);
    expect((await h.call('GET', `/v1/sessions/${sessionId}`)).body['claims']).toMatchObject(large);
  });

  it('goes when none of its connections keeps what is recorded any longer, and stays under a legal hold', async () => {
    const [short, long] = [await connect(), await connect()];
    for (const [connection, retention] of [
      [short, '1d'],
      [long, '30d'],
    ] as const) {
      const recording = { retention, capture: 'full' };
      const patched = await h.call('PATCH', `/v1/connections/${connection['id']}`, { body: { recording }, headers: { 'if-match': '*' } });
      expect(patched.status).toBe(200);
    }
    const [gone, kept] = [await grantFor([short], large), await grantFor([short, long], large)];
    const isThere = async ({ jti }: { jti: string }): Promise<boolean> => (await h.call('GET', `/v1/grants/${jti}`)).status === 200;
    const purge = (days: number) => h.database.inTransaction((tx) => purgeGrants(tx, Date.now() + days * 86_400_000, 1000));
    await purge(0.9);
    expect([await isThere(gone), await isThere(kept)]).toEqual([true, true]);
    await purge(2);
    expect([await isThere(gone), await isThere(kept)]).toEqual([false, true]);
    const hold = await h.call('POST', '/v1/legal-holds', { body: { kind: 'connection', subject: long['id'], reason: 'a case' } });
    expect(hold.status).toBe(201);
    await purge(40);
    expect(await isThere(kept)).toBe(true);
    expect((await h.call('POST', `/v1/legal-holds/${hold.body['id']}/lift`)).status).toBe(200);
    await purge(40);
    expect(await isThere(kept)).toBe(false);
  });
});
