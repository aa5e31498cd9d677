/** Who may call: grants and providers' own tokens, and every way in which they are refused. */
import type { ConnectionSnapshot } from '@hoop/contract';
import { newId } from '@hoop/contract';
import { startIssuer, startTarget } from '@hoop/testkit';
import type { TestIssuer, TestTarget } from '@hoop/testkit';
import { generateGrantKeys } from '@hoop/tokens';
import { SignJWT, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { World, grantAudience, grantIssuer } from './world.ts';

let world: World;
let target: TestTarget;
let issuer: TestIssuer;
let connection: ConnectionSnapshot;
let requests = 0;
/** The relay's clock. */
let skewMs = 0;

beforeAll(async () => {
  world = await World.start({}, { now: () => Date.now() + skewMs });
  target = await startTarget((_req, res) => {
    requests++;
    res.end('ok');
  });
  issuer = await startIssuer();
  await world.publish((snapshot) => {
    snapshot.providers[0]!.settings = { ...snapshot.providers[0]!.settings, issuer: issuer.issuer, allowedCidrs: ['127.0.0.0/8'] };
  });
  connection = await world.connect({ target: target.url });
});
afterAll(async () => {
  await issuer?.close();
  await target?.close();
  await world?.close();
});

async function refusal(headers: Record<string, string>, code: string, status: number): Promise<void> {
  const before = requests;
  const response = await fetch(`${world.relay.url}/${connection.name}/x`, { headers });
  expect({ status: response.status, code: response.headers.get('hoop-error') }).toEqual({ status, code });
  // RFC 6750 §3.1: no error where no token was sent
  if (status === 401)
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="hoop"${code === 'token_missing' ? '' : ', error="invalid_token"'}`,
    );
  const { head, outcome } = await world.record(response.headers.get('hoop-call'));
  expect(outcome).toMatchObject({ state: 'refused', error: code });
  expect(JSON.stringify(head)).not.toContain(Object.values(headers)[0]!.slice(-40));
  expect(requests).toBe(before);
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('a grant in place of the key that a client library insists on', () => {
  const keyIn = (name: string, template = '{secret}') =>
    ({
      settings: { type: 'static', injection: { into: 'header', name, template } },
      secrets: { secret: 'sk_of_the_target_1234567890' },
    }) as const;
  const basicCredential = {
    settings: { type: 'static', injection: { into: 'basic', username: 'svc' } },
    secrets: { secret: 'sk_of_the_target_1234567890' },
  } as const;
  const asBasic = (grant: string) => ({ authorization: `Basic ${Buffer.from(`anything:${grant}`).toString('base64')}` });
  const ask = (to: ConnectionSnapshot, headers: Record<string, string>): Promise<Response> =>
    fetch(`${world.relay.url}/${to.name}/x`, { headers });

  it('is taken from the header that the connection injects into, and from the password of Basic', async () => {
    const byKey = await world.connect({ target: target.url, credential: keyIn('x-api-key') });
    const byOwn = await world.connect({ target: target.url, credential: keyIn('DD-API-KEY') });
    const byBasic = await world.connect({ target: target.url, credential: basicCredential });
    for (const [to, headersOf] of [
      [byKey, (grant: string) => ({ 'x-api-key': grant })],
      [byOwn, (grant: string) => ({ 'dd-api-key': grant })],
      [byBasic, asBasic],
      // The credential of this one is a bearer.
      [connection, asBasic],
    ] as const) {
      const grant = await world.grant([to]);
      const response = await ask(to, headersOf(grant));
      expect(response.status).toBe(200);
      const { head } = await world.record(response.headers.get('hoop-call'));
      expect(JSON.stringify(head)).not.toContain(grant.split('.')[2]);
    }
  });

  it('is refused where the connection has no key, and no grant is no token', async () => {
    const byKey = await world.connect({ target: target.url, credential: keyIn('x-api-key') });
    const grant = await world.grant([byKey]);
    const elsewhere = await ask(byKey, { 'x-other-key': grant });
    expect([elsewhere.status, elsewhere.headers.get('hoop-error')]).toEqual([401, 'token_missing']);
    const inBasic = await ask(byKey, asBasic(grant));
    expect([inBasic.status, inBasic.headers.get('hoop-error')]).toEqual([401, 'token_missing']);
    const twice = await ask(byKey, { 'x-api-key': grant, 'x-other-key': grant });
    expect([twice.status, twice.headers.get('hoop-error')]).toEqual([400, 'ambiguous_request']);
    // A stranger gets one answer, whether there is such a connection or not.
    const shape = async (response: Response): Promise<unknown> => {
      const { requestId: _, callId: __, ...rest } = (await response.json()) as Record<string, unknown>;
      return [response.status, rest];
    };
    const forged = `${grant.slice(0, -8)}AAAAAAAA`;
    const nowhere = await fetch(`${world.relay.url}/no-such-connection/x`, { headers: { 'x-api-key': forged } });
    expect(await shape(await ask(byKey, { 'x-api-key': forged }))).toEqual(await shape(nowhere));
    const key = await ask(byKey, { 'x-api-key': 'sk_live_what_it_had_before' });
    expect(await shape(key)).toEqual(
      await shape(await fetch(`${world.relay.url}/no-such-connection/x`, { headers: { 'x-api-key': 'sk_live_what_it_had_before' } })),
    );
  });

  it('never is in a URL', async () => {
    const inQuery = await world.connect({
      target: target.url,
      credential: {
        settings: { type: 'static', injection: { into: 'query', name: 'key', template: '{secret}' } },
        secrets: { secret: 'sk_1234567890123' },
      },
    });
    const response = await fetch(`${world.relay.url}/${inQuery.name}/x?key=${await world.grant([inQuery])}`);
    expect([response.status, response.headers.get('hoop-error')]).toEqual([401, 'token_missing']);
  });
});

describe('a grant', () => {
  it('is taken from hoop-grant, and from authorization', async () => {
    const grant = await world.grant([connection]);
    for (const headers of [{ 'hoop-grant': grant }, bearer(grant)]) {
      expect((await fetch(`${world.relay.url}/${connection.name}/x`, { headers })).status).toBe(200);
    }
  });

  it('is refused when there is none', () => refusal({ accept: '*/*'.padEnd(50) }, 'token_missing', 401));
  it('is refused when it is no token', () => refusal(bearer('abc'), 'token_malformed', 401));
  it('is refused under another scheme', () =>
    refusal({ authorization: 'Basic dXNlcjpwYXNzd29yZC1vZi10aGUtdGVzdA==' }, 'token_malformed', 401));
  it('is refused when it was signed by another key', async () => {
    const other = (await generateGrantKeys()).privateJwks.keys[0]!;
    await refusal({ 'hoop-grant': await world.grant([connection], {}, other) }, 'token_key_unknown', 401);
    await refusal(
      { 'hoop-grant': await world.grant([connection], {}, { ...other, kid: world.grantKeys.privateJwks.keys[0]!.kid! }) },
      'token_signature_invalid',
      401,
    );
  });
  it('is refused for another audience or from another issuer', async () => {
    await refusal({ 'hoop-grant': await world.grant([connection], { aud: 'urn:other' }) }, 'token_audience_mismatch', 401);
    await refusal({ 'hoop-grant': await world.grant([connection], { iss: 'http://other' }) }, 'token_issuer_unknown', 401);
  });
  it('is refused when it is not signed, or with a shared secret', async () => {
    const payload = Buffer.from(JSON.stringify({ iss: grantIssuer, aud: grantAudience, sub: world.identity.id })).toString('base64url');
    const header = (alg: string): string =>
      Buffer.from(JSON.stringify({ alg, typ: 'hoop-grant+jwt', kid: world.grantKeys.privateJwks.keys[0]!.kid })).toString('base64url');
    await refusal({ 'hoop-grant': `${header('none')}.${payload}.` }, 'token_algorithm_refused', 401);
    const publicKey = new TextEncoder().encode(JSON.stringify(world.grantKeys.publicJwks.keys[0]));
    const hmac = await new SignJWT({ sub: world.identity.id })
      .setProtectedHeader({ alg: 'HS256', typ: 'hoop-grant+jwt', kid: world.grantKeys.privateJwks.keys[0]!.kid! })
      .sign(publicKey);
    await refusal({ 'hoop-grant': hmac }, 'token_algorithm_refused', 401);
  });
  it('is refused from its expiry on, also when it was good before', async () => {
    const grant = await world.grant([connection]);
    expect((await world.call(connection, '/x', { headers: { 'hoop-grant': grant } })).status).toBe(200);
    skewMs = 301_000;
    await refusal({ 'hoop-grant': grant }, 'token_expired', 401);
    skewMs = 0;
  });
  it('is refused before it was issued', async () => {
    const iat = Math.floor(Date.now() / 1000) + 120;
    await refusal({ 'hoop-grant': await world.grant([connection], { iat, exp: iat + 60 }) }, 'token_not_yet_valid', 401);
  });
  it('lets in no token of a provider that calls itself a grant', async () => {
    const token = await new SignJWT({ sub: world.identity.id, iss: issuer.issuer, aud: grantAudience })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'hoop-grant+jwt', kid: 'x' })
      .setExpirationTime('5m')
      .sign(await importJWK((await generateGrantKeys()).privateJwks.keys[0]!, 'EdDSA'));
    await refusal({ 'hoop-grant': token }, 'token_key_unknown', 401);
  });
});

describe('a grant that carries some of the claims', () => {
  const subject = (claims: Record<string, unknown>, claimNames: string[]) => ({
    subject: { issuer: 'https://issuer.test', subject: 'repo:acme/billing', claims, claimNames },
  });
  const byRef = (when: string) => [{ name: 'main only', effect: 'allow' as const, when }];

  it('decides as all of them would, also where a claim is read that the token does not have', async () => {
    const main = await world.connect({ target: target.url, rules: byRef('identity.claims.ref == "main"') });
    const absent = await world.connect({ target: target.url, rules: byRef('!has(identity.claims.ref)') });
    const status = async (to: ConnectionSnapshot, claims: Record<string, unknown>): Promise<number> => {
      const grant = await world.grant([to], subject(claims, ['ref']));
      return (await fetch(`${world.relay.url}/${to.name}/x`, { headers: { 'hoop-grant': grant } })).status;
    };
    expect(await status(main, { ref: 'main' })).toBe(200);
    expect(await status(main, { ref: 'dev' })).toBe(403);
    expect(await status(absent, { ref: 'main' })).toBe(403);
    expect(await status(absent, {})).toBe(200);
  });

  it.each([
    ['a condition that reads another claim', true, { rules: byRef('identity.claims.team == "billing"') }],
    ['a condition that may read any', false, { rules: byRef('identity.claims[request.method] == "x"') }],
    ['an exemption from masking', true, { mask: [{ key: 'pin', action: 'redact' as const, unless: 'identity.claims.team == "audit"' }] }],
    [
      'an exemption from the masking of a rule',
      true,
      {
        rules: [
          { name: 'r', effect: 'allow' as const, mask: [{ key: 'pin', action: 'redact' as const, unless: 'identity.claims.team == "x"' }] },
        ],
      },
    ],
  ])('is to be exchanged again when the policy begins to read more: %s', async (_what, isNamed, content) => {
    const one = await world.connect({ target: target.url });
    const headers = { 'hoop-grant': await world.grant([one], subject({ ref: 'main' }, ['ref'])) };
    expect((await fetch(`${world.relay.url}/${one.name}/x`, { headers })).status).toBe(200);
    await world.publish((snapshot) => {
      const { policy } = snapshot.connections.find(({ id }) => id === one.id)!;
      Object.assign(policy!, { revision: 2 }, content);
    });
    const before = requests;
    const response = await fetch(`${world.relay.url}/${one.name}/x`, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await response.json()).toMatchObject({
      code: 'grant_outdated',
      detail: expect.stringContaining('Exchange your token for a new grant'),
    });
    expect((await world.record(response.headers.get('hoop-call'))).outcome).toMatchObject({ state: 'refused', error: 'grant_outdated' });
    expect(requests).toBe(before);
    const renewed = await world.grant([one], subject({ ref: 'main', team: 'billing' }, ['ref', 'team']));
    for (const grant of [await world.grant([one]), ...(isNamed ? [renewed] : [])]) {
      const again = await fetch(`${world.relay.url}/${one.name}/x`, { headers: { 'hoop-grant': grant } });
      expect(again.headers.get('hoop-error')).not.toBe('grant_outdated');
    }
  });
});

describe("a provider's own token", () => {
  it('is taken for the identity that its claims match, and verified once', async () => {
    const token = await issuer.sign({ repository: 'acme/billing' });
    const first = await fetch(`${world.relay.url}/${connection.name}/x`, { headers: bearer(token) });
    expect(first.status).toBe(200);
    expect((await fetch(`${world.relay.url}/${connection.name}/x`, { headers: bearer(token) })).status).toBe(200);
    const { intent } = await world.record(first.headers.get('hoop-call'), (call) => call.intent !== null);
    expect(intent!.subject).toMatchObject({ identityName: world.identity.name, issuer: issuer.issuer, subject: 'machine', grantId: null });
    expect(intent!.claims).toMatchObject({ repository: 'acme/billing' });
  });

  it('is refused when no identity matches', async () =>
    refusal(bearer(await issuer.sign({ repository: 'acme/other' })), 'identity_unmatched', 403));
  it('is refused when two identities match', async () => {
    const twin = { ...world.identity, id: newId('identity'), name: 'twin', match: 'claims.twin == true' };
    await world.publish((snapshot) => snapshot.identities.push(twin));
    await refusal(bearer(await issuer.sign({ repository: 'acme/billing', twin: true })), 'identity_ambiguous', 403);
    await world.publish((snapshot) => void (snapshot.identities = snapshot.identities.filter(({ id }) => id !== twin.id)));
  });
  it('is refused when it has expired, is for others, or nobody knows its issuer', async () => {
    const now = Math.floor(Date.now() / 1000);
    await refusal(bearer(await issuer.sign({ exp: now - 60, iat: now - 120 })), 'token_expired', 401);
    await refusal(bearer(await issuer.sign({ aud: 'others' })), 'token_audience_mismatch', 401);
    await refusal(bearer(await issuer.sign({ iss: 'https://nobody.test' })), 'token_issuer_unknown', 401);
  });
  it('is refused while its keys cannot be had', async () => {
    const gone = await startIssuer();
    await world.publish((snapshot) => {
      snapshot.providers.push({
        ...snapshot.providers[0]!,
        id: newId('identity_provider'),
        name: 'gone',
        settings: { ...snapshot.providers[0]!.settings, issuer: gone.issuer },
      });
    });
    const token = await gone.sign();
    await gone.close();
    await refusal(bearer(token), 'provider_unavailable', 503);
  });
  it('stops being good when the match of the identity changes', async () => {
    const token = await issuer.sign({ repository: 'acme/billing', jti: 'changing' });
    expect((await fetch(`${world.relay.url}/${connection.name}/x`, { headers: bearer(token) })).status).toBe(200);
    await world.publish((snapshot) => void (snapshot.identities[0]!.match = 'claims.repository == "acme/renamed"'));
    await refusal(bearer(token), 'identity_unmatched', 403);
    await world.publish((snapshot) => void (snapshot.identities[0]!.match = world.identity.match));
  });
});

describe('a session', () => {
  const sessionOf = async (headers: Record<string, string>): Promise<string> => {
    const response = await fetch(`${world.relay.url}/${connection.name}/x`, { headers });
    return (await world.record(response.headers.get('hoop-call'))).outcome!.sessionId;
  };

  it('is named by the caller, else by the grant', async () => {
    const [a, b] = [await world.grant([connection]), await world.grant([connection])];
    expect(await sessionOf({ 'hoop-grant': a })).toBe(await sessionOf({ 'hoop-grant': a }));
    expect(await sessionOf({ 'hoop-grant': a })).not.toBe(await sessionOf({ 'hoop-grant': b }));
    expect(await sessionOf({ 'hoop-grant': a, 'hoop-session': 'run-1' })).toBe(
      await sessionOf({ 'hoop-grant': b, 'hoop-session': 'run-1' }),
    );
  });

  it('of the same name is another one for another identity', async () => {
    const other = { ...world.identity, id: newId('identity'), name: 'other' };
    await world.publish((snapshot) => {
      snapshot.identities.push(other);
      snapshot.connections.find(({ id }) => id === connection.id)!.identityIds.push(other.id);
    });
    const mine = await sessionOf({ 'hoop-grant': await world.grant([connection]), 'hoop-session': 'run-2' });
    const theirs = await sessionOf({ 'hoop-grant': await world.grant([connection], { sub: other.id }), 'hoop-session': 'run-2' });
    expect(mine).toMatch(/^ses_[0-9a-hjkmnp-tv-z]{26}$/);
    expect(theirs).not.toBe(mine);
  });
});
