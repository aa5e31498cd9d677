import { newId } from '@hoop/contract';
import { createGrantVerifier } from '@hoop/tokens';
import { decodeJwt, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { registerIssuer, startHarness, unique, type Harness } from './harness.ts';
import { signAll } from '../../../packages/database/test/row-keys.ts';

let h: Harness;
let set: Awaited<ReturnType<typeof registerIssuer>>;

beforeAll(async () => {
  h = await startHarness();
  set = await registerIssuer(h, { identity: { match: 'claims.sub == "machine" && claims.ref == "refs/heads/main"' } });
});
afterAll(() => h.close());

const main = { ref: 'refs/heads/main' };

async function connectMany(identityId: string, count: number, target: (i: number) => string, prefix = unique('c')): Promise<void> {
  const { prisma } = h.database;
  const at = new Date();
  const rows = Array.from({ length: count }, (_, i) => ({
    id: newId('connection'),
    name: `${prefix}-${i}`,
    settings: { target: target(i) },
  }));
  await prisma.connection.createMany({ data: rows.map((row) => ({ ...row, revision: 1, createdAt: at, updatedAt: at })) });
  await prisma.connectionIdentity.createMany({ data: rows.map((row) => ({ connectionId: row.id, identityId })) });
  await signAll(h.database, ['connection']);
}

describe('a token exchange that is granted', () => {
  it('answers as RFC 8693 §2.2.1 asks, with what the SDK needs', async () => {
    const { status, headers, body } = await h.exchange(await h.issuer.sign(main));
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({
      issued_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      scope: set.connection['name'],
      hoop_connections: [{ name: set.connection['name'], target: 'https://api.payments.example' }],
      hoop_relay_url: 'http://127.0.0.1:7710',
    });
    // The rest of five minutes: a slow machine has used some of them.
    expect(Math.ceil(Number(body['expires_in']) / 100)).toBe(3);
  });

  it('gives a grant that the published keys verify, bound to the identity and its connections', async () => {
    const { body } = await h.exchange(await h.issuer.sign(main));
    const jwks = (await h.call<{ keys: [] }>('GET', '/.well-known/jwks.json', { token: null })).body;
    expect(JSON.stringify(jwks)).not.toContain('"d"');
    const verifier = createGrantVerifier({ keys: jwks, issuer: h.url, audience: 'urn:hoop:relay' });
    const claims = await verifier.verify(body['access_token'], Date.now());
    expect(claims).toMatchObject({
      sub: set.identity['id'],
      connections: [set.connection['id']],
      subject: { issuer: h.issuer.issuer, subject: 'machine', claims: {}, claimNames: [] },
    });
  });

  it('never outlives the subject token', async () => {
    const exp = Math.floor(Date.now() / 1000) + 60;
    const { body } = await h.exchange(await h.issuer.sign({ ...main, exp }));
    expect(decodeJwt(body['access_token']).exp).toBe(exp);
    expect(body['expires_in']).toBeLessThanOrEqual(60);
  });

  it('is narrowed by scope and by resource', async () => {
    const other = await h.makeConnection({ identities: [set.identity['name']], target: 'https://other.example/base' });
    const token = await h.issuer.sign(main);
    expect((await h.exchange(token)).body['hoop_connections']).toHaveLength(2);
    expect((await h.exchange(token, { scope: other['name'] })).body['scope']).toBe(other['name']);
    expect((await h.exchange(token, { resource: 'https://other.example/base/v1/x' })).body['scope']).toBe(other['name']);
    expect((await h.exchange(token, { resource: 'https://other.example/based' })).body['code']).toBe('connection_unknown');
    expect((await h.exchange(token, { resource: 'https://other.example' })).body['scope']).toBe(other['name']);
    await h.call('POST', `/v1/connections/${other['name']}/disable`);
    expect((await h.exchange(token, { scope: other['name'] })).body['code']).toBe('connection_unknown');
    expect((await h.exchange(token)).body['scope']).toBe(set.connection['name']);
  });
});

describe('a token exchange that is refused', () => {
  let before: number;
  beforeEach(async () => {
    before = await h.database.prisma.securityEvent.count();
  });

  const refusals: [what: string, code: string, make: () => Promise<string>][] = [
    ['a token that is none', 'token_malformed', async () => 'nonsense'],
    ['alg none', 'token_algorithm_refused', async () => new UnsecuredJWT({ iss: h.issuer.issuer, aud: 'hoop', sub: 'machine' }).encode()],
    [
      'an HMAC signature',
      'token_algorithm_refused',
      async () =>
        new SignJWT({ iss: h.issuer.issuer, aud: 'hoop', sub: 'machine' }).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32)),
    ],
    ['an unknown issuer', 'token_issuer_unknown', () => h.issuer.sign({ iss: 'https://nobody.example' })],
    ['an issuer of other characters', 'token_issuer_unknown', () => h.issuer.sign({ iss: 'https://nobody.example/"é\\😀' })],
    ['another audience', 'token_audience_mismatch', () => h.issuer.sign({ aud: 'somebody' })],
    ['an expired token', 'token_expired', () => h.issuer.sign({ ...main, iat: seconds() - 600, exp: seconds() - 300 })],
    ['one from the future', 'token_not_yet_valid', () => h.issuer.sign({ ...main, nbf: seconds() + 300 })],
    ['one issued long ago', 'token_too_old', () => h.issuer.sign({ ...main, iat: seconds() - 7200, exp: seconds() + 60 })],
    [
      'a forged signature',
      'token_signature_invalid',
      async () => h.issuer.sign(main, { key: (await generateKeyPair('ES256')).privateKey }),
    ],
    ['an unknown key', 'token_key_unknown', () => h.issuer.sign(main, { header: { kid: 'nobodys' } })],
    ['a missing claim', 'token_claim_missing', () => h.issuer.sign({ ...main, sub: undefined })],
    ['claims of nobody', 'identity_unmatched', () => h.issuer.sign({ ref: 'refs/heads/dev' })],
  ];
  const seconds = (): number => Math.floor(Date.now() / 1000);

  it.each(refusals)('names what failed, and records it: %s', async (_what, code, make) => {
    const { status, body, headers } = await h.exchange(await make());
    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/json');
    expect(body).toMatchObject({ code, error: 'invalid_request', type: `urn:hoop:error:${code}`, status: 400 });
    // RFC 6749 §5.2
    expect(body['error_description']).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(body['error_description']).toHaveLength([...(body['detail'] as string)].length);
    expect(await h.database.prisma.securityEvent.count()).toBe(before + 1);
    const event = await h.call('GET', `/v1/security-events/${body['securityEvent']}`);
    expect(event.body).toMatchObject({
      kind: 'token_exchange',
      code,
      requestId: body['requestId'],
      verified: code === 'identity_unmatched',
    });
  });

  it('shows operators the nearest identity and the claim that differs, and callers neither', async () => {
    await h.makeIdentity({ provider: set.provider['name'], match: 'claims.sub == "another" && claims.ref == "refs/heads/release"' });
    const refused = await h.exchange(await h.issuer.sign({ ref: 'refs/heads/dev' }));
    expect(refused.text).not.toContain(set.identity['name']);
    expect(refused.text).not.toContain('refs/heads/main');
    const { body } = await h.call('GET', `/v1/security-events/${refused.body['securityEvent']}`, { token: await h.tokenOf('operator') });
    expect(body['nearest'].identity).toEqual({ id: set.identity['id'], name: set.identity['name'] });
    expect(body['nearest'].differences).toEqual(['claims.ref == "refs/heads/main" (claims.ref is "refs/heads/dev")']);
    expect(body['claims'].ref).toBe('refs/heads/dev');
  });

  it('refuses two identities that match, naming them to operators only', async () => {
    const twin = await h.makeIdentity({ provider: set.provider['name'], match: 'claims.twin == true' });
    const other = await h.makeIdentity({ provider: set.provider['name'], match: 'claims.twin == true' });
    const refused = await h.exchange(await h.issuer.sign({ twin: true }));
    expect(refused.body['code']).toBe('identity_ambiguous');
    expect(refused.text).not.toContain(twin['name']);
    const { body } = await h.call('GET', `/v1/security-events/${refused.body['securityEvent']}`);
    expect(body['detail']).toContain(twin['name']);
    expect(body['detail']).toContain(other['name']);
  });

  it('refuses a disabled identity, and does not hand its callers to a wider one', async () => {
    const narrow = await h.makeIdentity({ provider: set.provider['name'], match: 'claims.job == "x"' });
    const token = await h.issuer.sign({ job: 'x' });
    await h.call('POST', `/v1/identities/${narrow['name']}/disable`);
    expect((await h.exchange(token)).body['code']).toBe('identity_disabled');
    await h.makeIdentity({ provider: set.provider['name'], match: 'claims.job != ""' });
    expect((await h.exchange(token)).body['code']).toBe('identity_ambiguous');
  });

  it('refuses a key that could be one of two', async () => {
    const twinKeys = { keys: [...h.issuer.jwks.keys, ...h.issuer.jwks.keys] };
    const own = await import('@hoop/testkit').then((kit) => kit.startIssuer());
    own.jwks = { keys: [...own.jwks.keys, ...own.jwks.keys, ...twinKeys.keys] };
    const provider = await h.makeProvider({ issuer: own.issuer, allowedCidrs: ['127.0.0.0/8'] });
    await h.makeIdentity({ provider: provider['name'] });
    expect((await h.exchange(await own.sign())).body['code']).toBe('token_key_ambiguous');
    await own.close();
  });

  it('refuses a disabled provider, and one whose keys cannot be had', async () => {
    const gone = await import('@hoop/testkit').then((kit) => kit.startIssuer());
    const provider = await h.makeProvider({ issuer: gone.issuer, allowedCidrs: ['127.0.0.0/8'] });
    const token = await gone.sign();
    await gone.close();
    const unavailable = await h.exchange(token);
    expect(unavailable.status).toBe(503);
    expect(unavailable.body).toMatchObject({ code: 'provider_unavailable', error: 'temporarily_unavailable' });
    await h.call('PATCH', `/v1/identity-providers/${provider['name']}`, { body: { disabled: true }, headers: { 'if-match': '*' } });
    expect((await h.exchange(token)).body['code']).toBe('provider_disabled');
  });

  it('refuses a provider whose keys would be at a private address that is not listed', async () => {
    const inside = await import('@hoop/testkit').then((kit) => kit.startIssuer());
    const refused = await h.call('POST', '/v1/identity-providers', {
      body: { name: unique('inside'), issuer: inside.issuer, audiences: ['hoop'], algorithms: ['ES256'] },
    });
    expect(refused.body['code']).toBe('target_refused');
    await inside.close();
  });

  it.each([
    [{ grant_type: 'client_credentials' }, 'unsupported_grant_type', 'unsupported_grant_type'],
    [{ subject_token: '' }, 'token_missing', 'invalid_request'],
    [{ subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, 'invalid_request', 'invalid_request'],
    [{ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'invalid_request', 'invalid_request'],
    [{ actor_token: 'x' }, 'invalid_request', 'invalid_request'],
    [{ scope: 'nothing' }, 'connection_unknown', 'invalid_target'],
  ])('refuses the parameters %j', async (over, code, error) => {
    const { body } = await h.exchange(await h.issuer.sign(main), over as never);
    expect(body).toMatchObject({ code, error });
  });

  it('refuses a parameter that comes twice', async () => {
    const form = new URLSearchParams([
      ['grant_type', 'a'],
      ['grant_type', 'b'],
    ]);
    const response = await fetch(`${h.url}/oauth/token`, { method: 'POST', body: form });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_request', error: 'invalid_request' });
  });

  it('asks for a narrower grant where the identity may use more connections than one grant can carry', async () => {
    const identity = await h.makeIdentity({ provider: set.provider['name'], match: 'claims.many == true' });
    await connectMany(identity['id'] as string, 101, () => 'https://many.example', 'many');
    const token = await h.issuer.sign({ many: true });
    for (const narrowing of [{}, { resource: 'https://many.example' }] as Record<string, string>[]) {
      const refused = await h.exchange(token, narrowing);
      expect(refused.body).toMatchObject({
        code: 'too_many_connections',
        error: 'invalid_target',
        detail: expect.stringContaining('101 connections'),
        hoop_known_connections: { isComplete: true },
      });
      expect(refused.body['hoop_known_connections'].connections).toHaveLength(101);
    }
    const { body } = await h.exchange(token, { scope: 'many-7 many-9' });
    expect(body['scope']).toBe('many-7 many-9');
    expect(body).not.toHaveProperty('hoop_known_connections');
  });

  it('lists at most a thousand connections to choose from, and says that there are more', async () => {
    const identity = await h.makeIdentity({ provider: set.provider['name'], match: 'claims.thousands == true' });
    await connectMany(identity['id'] as string, 1001, (i) => `https://t${i}.example`);
    const token = await h.issuer.sign({ thousands: true });
    const known = async (narrowing: Record<string, string>): Promise<any> =>
      (await h.exchange(token, narrowing)).body['hoop_known_connections'];
    expect((await known({})).isComplete).toBe(false);
    expect((await known({ resource: 'https://nobody.example' })).connections).toHaveLength(1000);
    expect((await h.exchange(token, { resource: 'https://t1000.example' })).body['hoop_connections']).toEqual([
      { name: expect.any(String), target: 'https://t1000.example' },
    ]);
  });

  it('keeps tokens out of the log and the database', async () => {
    const token = await h.issuer.sign({ ref: 'refs/heads/dev' });
    await h.exchange(token);
    const signature = token.split('.')[2]!;
    expect(h.logged()).not.toContain(signature);
    const events = JSON.stringify(await h.database.prisma.securityEvent.findMany());
    expect(events).not.toContain(signature);
  });
});

describe('revoking', () => {
  it('lets a holder revoke its grant (RFC 7009), once, and tells relays', async () => {
    const grant = (await h.exchange(await h.issuer.sign(main))).body['access_token'] as string;
    const { jti, exp } = decodeJwt(grant);
    for (let i = 0; i < 2; i++) {
      expect((await h.call('POST', '/oauth/revoke', { token: null, form: { token: grant } })).status).toBe(200);
    }
    const snapshot = await h.call('GET', '/internal/relay/snapshot', { token: h.relayToken });
    expect(snapshot.body['revokedGrants']).toContainEqual({ jti, exp });
    const audit = await h.call('GET', `/v1/audit-events?target=${jti}`);
    expect(audit.body['items']).toHaveLength(1);
    expect(audit.body['items'][0]).toMatchObject({ action: 'grant.revoke', actor: { id: set.identity['id'], name: set.identity['name'] } });
  });

  it('answers 200 to what is no grant, and records a forgery', async () => {
    const forged = await new SignJWT({})
      .setProtectedHeader({ alg: 'EdDSA', typ: 'hoop-grant+jwt', kid: 'x' })
      .sign((await generateKeyPair('EdDSA')).privateKey);
    expect((await h.call('POST', '/oauth/revoke', { token: null, form: { token: forged } })).status).toBe(200);
    const events = await h.call('GET', '/v1/security-events?kind=grant_revocation');
    expect(events.body['items'][0]).toMatchObject({ code: 'token_key_unknown' });
  });

  it('lets an operator revoke a grant by its id', async () => {
    const grant = (await h.exchange(await h.issuer.sign(main))).body['access_token'] as string;
    const { jti, exp } = decodeJwt(grant);
    expect((await h.call('POST', `/v1/grants/${jti}/revoke`)).status).toBe(204);
    const { body } = await h.call('GET', '/internal/relay/snapshot', { token: h.relayToken });
    const revoked = (body['revokedGrants'] as { jti: string; exp: number }[]).find((one) => one.jti === jti);
    expect(revoked!.exp).toBeGreaterThanOrEqual(exp!);
  });

  it('refuses grants of the very second of a revocation, and gives one that holds right after', async () => {
    const grant = decodeJwt((await h.exchange(await h.issuer.sign(main))).body['access_token']);
    const { body } = await h.call('POST', `/v1/identities/${set.identity['name']}/revoke-grants`);
    expect(grant.iat!).toBeLessThan(body['grantsNotBefore']);
    const next = decodeJwt((await h.exchange(await h.issuer.sign(main))).body['access_token']);
    expect(next.iat!).toBeGreaterThanOrEqual(body['grantsNotBefore']);
  });
});

it('describes itself as an authorization server (RFC 8414)', async () => {
  const { body } = await h.call('GET', '/.well-known/oauth-authorization-server', { token: null });
  expect(body).toMatchObject({
    issuer: h.url,
    token_endpoint: `${h.url}/oauth/token`,
    grant_types_supported: ['urn:ietf:params:oauth:grant-type:token-exchange'],
    hoop_relay_url: 'http://127.0.0.1:7710',
  });
});
