import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { registerIssuer, startHarness, type Harness } from './harness.ts';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

const grantOf = async (): Promise<{ iat?: number }> => decodeJwt((await h.exchange(await h.issuer.sign())).body['access_token']);
const notBeforeOf = async (id: unknown): Promise<number> => {
  const { body } = await h.call<any>('GET', '/internal/relay/snapshot', { token: h.relayToken });
  return body.identities.find((one: { id: string }) => one.id === id).grantsNotBefore;
};

describe('grants that exist end', () => {
  it('when what they were given for is no longer so: the match, the provider, its trust', async () => {
    const { provider, identity } = await registerIssuer(h);
    const patch = (path: string, body: object) => h.call<any>('PATCH', path, { body, headers: { 'if-match': '*' } });
    const identityPath = `/v1/identities/${identity['id']}`;
    const providerPath = `/v1/identity-providers/${provider['id']}`;

    expect((await patch(identityPath, { owner: 'dev', labels: { a: 'b' } })).body.grantsNotBefore).toBe(0);
    expect((await patch(providerPath, { maxAgeSeconds: 60 })).status).toBe(200);
    expect(await notBeforeOf(identity['id'])).toBe(0);

    const changes: [string, object][] = [
      [identityPath, { match: 'claims.sub.startsWith("mach")' }],
      [providerPath, { audiences: ['hoop', 'other'] }],
      [providerPath, { jwksUri: `${h.issuer.issuer}/jwks` }],
      [providerPath, { jwksUri: null }],
      [providerPath, { disabled: true }],
    ];
    for (const [path, body] of changes) {
      const { iat } = await grantOf();
      const before = await notBeforeOf(identity['id']);
      expect(iat!).toBeGreaterThanOrEqual(before);
      expect((await patch(path, body)).status).toBe(200);
      expect(await notBeforeOf(identity['id'])).toBeGreaterThan(iat!);
      // The next loop's grant must be of a later second than this revocation.
      await expect.poll(() => Math.floor(Date.now() / 1000)).toBeGreaterThanOrEqual(await notBeforeOf(identity['id']));
    }
    expect((await h.call<any>('GET', providerPath)).body).not.toHaveProperty('jwksUri');
  });
});
