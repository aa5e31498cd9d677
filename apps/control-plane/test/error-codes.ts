/** A request of each operation that would succeed, and for each declared error code one that gets it. */
import { jwtTokenType, newId, tokenExchangeGrantType } from '@hoop/contract';
import { decodeJwt, generateKeyPair, SignJWT } from 'jose';

import { startIssuer } from '@hoop/testkit';

import { recordCall } from './recorded-call.ts';
import { registerIssuer, unique, type Harness, type Request } from './harness.ts';

export interface Sample extends Request {
  readonly path: string;
}

type Make = (h: Harness) => Promise<Sample>;

const at = (path: string, rest: Omit<Sample, 'path'> = {}): Sample => ({ path, ...rest });
const match = { headers: { 'if-match': '*' } };
const first = { headers: { 'if-none-match': '*' } };
const rules = [{ name: 'read', effect: 'allow', match: { methods: ['GET'] } }];
const staticSecret = { settings: { type: 'static', injection: { into: 'header' } }, secrets: { secret: 'sk_test_1' } };
const oauthForm = { grant_type: tokenExchangeGrantType, subject_token_type: jwtTokenType };

const provider = async (h: Harness): Promise<string> => (await h.makeProvider())['id'] as string;
const identity = async (h: Harness): Promise<string> => (await h.makeIdentity())['id'] as string;
const connection = async (h: Harness): Promise<string> => (await h.makeConnection())['id'] as string;

const providerInput = () => ({ name: unique('provider'), issuer: `https://${unique('issuer')}.example`, audiences: ['hoop'] });

async function withPolicy(h: Harness): Promise<string> {
  const id = await connection(h);
  await h.call('PUT', `/v1/connections/${id}/policy`, { body: { rules }, ...first });
  return id;
}

async function withCredential(h: Harness): Promise<string> {
  const id = await connection(h);
  await h.call('PUT', `/v1/connections/${id}/credential`, { body: staticSecret, ...first });
  return id;
}

const adminToken = async (h: Harness): Promise<string> =>
  (await h.call('POST', '/v1/admin-tokens', { body: { name: 'x', role: 'auditor' } })).body['id'] as string;

const observation = (connectionId: string, path = '$.email') => ({
  connectionId,
  suggestions: [{ path, detector: 'email', count: 1, firstSeen: 1000, lastSeen: 2000 }],
});
async function suggestion(h: Harness, what: 'accept' | 'dismiss', path?: string): Promise<string> {
  const id = await withPolicy(h);
  await h.call('POST', '/internal/relay/mask-observations', { token: h.relayToken, body: { observations: [observation(id, path)] } });
  const { body } = await h.call<any>('GET', `/v1/connections/${id}/mask-suggestions`);
  return `/v1/connections/${id}/mask-suggestions/${body.items[0].id}/${what}`;
}

/** One that succeeds. A path of an operation without parameters may be left out. */
export const samples: Record<string, Make> = {
  createIdentityProvider: async () => at('/v1/identity-providers', { body: providerInput() }),
  listIdentityProviders: async () => at('/v1/identity-providers'),
  getIdentityProvider: async (h) => at(`/v1/identity-providers/${await provider(h)}`),
  updateIdentityProvider: async (h) => at(`/v1/identity-providers/${await provider(h)}`, { body: { disabled: true }, ...match }),
  deleteIdentityProvider: async (h) => at(`/v1/identity-providers/${await provider(h)}`),
  createIdentity: async (h) =>
    at('/v1/identities', { body: { name: unique('identity'), provider: await provider(h), match: 'true', owner: 'ops' } }),
  listIdentities: async () => at('/v1/identities'),
  getIdentity: async (h) => at(`/v1/identities/${await identity(h)}`),
  updateIdentity: async (h) => at(`/v1/identities/${await identity(h)}`, { body: { owner: 'dev' }, ...match }),
  deleteIdentity: async (h) => at(`/v1/identities/${await identity(h)}`),
  disableIdentity: async (h) => at(`/v1/identities/${await identity(h)}/disable`),
  enableIdentity: async (h) => at(`/v1/identities/${await identity(h)}/enable`),
  revokeIdentityGrants: async (h) => at(`/v1/identities/${await identity(h)}/revoke-grants`),
  createConnection: async () => at('/v1/connections', { body: { name: unique('connection'), target: 'https://api.example' } }),
  listConnections: async () => at('/v1/connections'),
  getConnection: async (h) => at(`/v1/connections/${await connection(h)}`),
  updateConnection: async (h) => at(`/v1/connections/${await connection(h)}`, { body: { disabled: true }, ...match }),
  deleteConnection: async (h) => at(`/v1/connections/${await connection(h)}`),
  disableConnection: async (h) => at(`/v1/connections/${await connection(h)}/disable`),
  enableConnection: async (h) => at(`/v1/connections/${await connection(h)}/enable`),
  putCredentialSource: async (h) => at(`/v1/connections/${await connection(h)}/credential`, { body: staticSecret, ...first }),
  getCredentialSource: async (h) => at(`/v1/connections/${await withCredential(h)}/credential`),
  deleteCredentialSource: async (h) => at(`/v1/connections/${await withCredential(h)}/credential`),
  putPolicy: async (h) => at(`/v1/connections/${await connection(h)}/policy`, { body: { rules }, ...first }),
  getPolicy: async (h) => at(`/v1/connections/${await withPolicy(h)}/policy`),
  listPolicyRevisions: async (h) => at(`/v1/connections/${await withPolicy(h)}/policy/revisions`),
  getPolicyRevision: async (h) => at(`/v1/connections/${await withPolicy(h)}/policy/revisions/1`),
  validatePolicy: async () => at('/v1/policies/validate', { body: { rules } }),
  lintPolicy: async () => at('/v1/policies/lint', { body: { rules } }),
  explainDecision: async (h) =>
    at('/v1/policies/explain', { body: { connection: await withPolicy(h), request: { method: 'GET', path: '/x' } } }),
  listMaskSuggestions: async (h) => at(`/v1/connections/${await connection(h)}/mask-suggestions`),
  acceptMaskSuggestion: async (h) => at(await suggestion(h, 'accept'), { body: {}, ...match }),
  dismissMaskSuggestion: async (h) => at(await suggestion(h, 'dismiss')),
  reportMaskObservations: async (h) =>
    at('/internal/relay/mask-observations', { token: h.relayToken, body: { observations: [observation(await connection(h))] } }),
  tryMasking: async () => at('/v1/masking/try', { body: { rules: [{ key: 'email' }], sample: '{"email":"a@b.example"}' } }),
  listSessions: async () => at('/v1/sessions'),
  getSession: async (h) => at(`/v1/sessions/${(await recordCall(h)).sessionId}`),
  exportSessionHar: async (h) => at(`/v1/sessions/${(await recordCall(h)).sessionId}/har`),
  exportSessionCalls: async (h) => at(`/v1/sessions/${(await recordCall(h)).sessionId}/ndjson`),
  followSession: async (h) => at(`/v1/sessions/${(await recordCall(h)).sessionId}/events`),
  followCalls: async () => at('/v1/calls/events'),
  searchCalls: async () => at('/v1/calls/search', { body: { text: 'x' } }),
  backtestPolicy: async (h) => at('/v1/policies/backtest', { body: { connection: await connection(h), rules } }),
  proposePolicy: async (h) => at('/v1/policies/propose', { body: { connection: await connection(h) } }),
  listCalls: async () => at('/v1/calls'),
  getCall: async (h) => at(`/v1/calls/${(await recordCall(h)).callId}`),
  getCallBodies: async (h) => at(`/v1/calls/${(await recordCall(h)).callId}/bodies`),
  createAdminToken: async () => at('/v1/admin-tokens', { body: { name: 'x', role: 'auditor' } }),
  listAdminTokens: async () => at('/v1/admin-tokens'),
  getCurrentAdminToken: async () => at('/v1/admin-tokens/current'),
  getAdminToken: async (h) => at(`/v1/admin-tokens/${await adminToken(h)}`),
  revokeAdminToken: async (h) => at(`/v1/admin-tokens/${await adminToken(h)}/revoke`),
  listAuditEvents: async () => at('/v1/audit-events'),
  getAuditEvent: async (h) => {
    await provider(h);
    const { body } = await h.call('GET', '/v1/audit-events?limit=1');
    return at(`/v1/audit-events/${body['items'][0].id}`);
  },
  listSecurityEvents: async () => at('/v1/security-events'),
  getSecurityEvent: async (h) => at(`/v1/security-events/${(await h.exchange('nonsense')).body['securityEvent']}`),
  exchangeToken: async (h) =>
    at('/oauth/token', { token: null, form: { ...oauthForm, subject_token: await (await registered(h)).sign() } }),
  revokeToken: async (h) => {
    const { body } = await h.exchange(await (await registered(h)).sign());
    return at('/oauth/revoke', { token: null, form: { token: body['access_token'] as string } });
  },
  getGrant: async (h) => {
    const { body } = await h.exchange(await (await registered(h)).sign());
    return at(`/v1/grants/${decodeJwt(body['access_token'] as string).jti}`);
  },
  revokeGrant: async () => at(`/v1/grants/${newId('grant')}/revoke`),
  getAuthorizationServerMetadata: async () => at('/.well-known/oauth-authorization-server', { token: null }),
  getJwks: async () => at('/.well-known/jwks.json', { token: null }),
  getHealth: async () => at('/healthz', { token: null }),
  getReadiness: async () => at('/readyz', { token: null }),
  getOpenApi: async () => at('/openapi.json', { token: null }),
  getSnapshot: async (h) => at('/internal/relay/snapshot', { token: h.relayToken }),
  followChanges: async (h) => at('/internal/relay/changes', { token: h.relayToken }),
};

/** An issuer of its own whose tokens are accepted for one identity with one connection. */
async function registered(h: Harness, over: Parameters<typeof registerIssuer>[1] = {}) {
  const issuer = await startIssuer();
  const set = await registerIssuer({ ...h, issuer }, over);
  return { ...issuer, ...set };
}

const exchange =
  (make: (h: Harness) => Promise<string>): Make =>
  async (h) =>
    at('/oauth/token', { token: null, form: { ...oauthForm, subject_token: await make(h) } });

const seconds = (): number => Math.floor(Date.now() / 1000);

/** Makes the errors that cannot be derived from an operation's schema. */
export const refusals: Record<string, Record<string, Make>> = {
  createIdentityProvider: {
    name_taken: async (h) => at('/v1/identity-providers', { body: { ...providerInput(), name: (await h.makeProvider())['name'] } }),
    conflict: async (h) => at('/v1/identity-providers', { body: { ...providerInput(), issuer: (await h.makeProvider())['issuer'] } }),
    target_refused: async () => at('/v1/identity-providers', { body: { ...providerInput(), issuer: 'http://169.254.169.254' } }),
  },
  updateIdentityProvider: {
    name_taken: async (h) =>
      at(`/v1/identity-providers/${await provider(h)}`, { body: { name: (await h.makeProvider())['name'] }, ...match }),
    conflict: async (h) =>
      at(`/v1/identity-providers/${await provider(h)}`, { body: { issuer: (await h.makeProvider())['issuer'] }, ...match }),
    target_refused: async (h) =>
      at(`/v1/identity-providers/${await provider(h)}`, { body: { jwksUri: 'https://10.0.0.1/jwks' }, ...match }),
  },
  deleteIdentityProvider: {
    in_use: async (h) => at(`/v1/identity-providers/${(await h.makeIdentity())['provider'].id}`),
  },
  createIdentity: {
    name_taken: async (h) => {
      const taken = await h.makeIdentity();
      return at('/v1/identities', { body: { name: taken['name'], provider: taken['provider'].id, match: 'true', owner: 'ops' } });
    },
    policy_invalid: async (h) =>
      at('/v1/identities', { body: { name: unique('x'), provider: await provider(h), match: 'claims.', owner: 'ops' } }),
    not_found: async () => at('/v1/identities', { body: { name: unique('x'), provider: 'nothing', match: 'true', owner: 'ops' } }),
  },
  updateIdentity: {
    name_taken: async (h) => at(`/v1/identities/${await identity(h)}`, { body: { name: (await h.makeIdentity())['name'] }, ...match }),
    policy_invalid: async (h) => at(`/v1/identities/${await identity(h)}`, { body: { match: '1 + 1' }, ...match }),
  },
  deleteIdentity: {
    in_use: async (h) => {
      const id = await identity(h);
      await h.makeConnection({ identities: [id] });
      return at(`/v1/identities/${id}`);
    },
  },
  createConnection: {
    name_taken: async (h) => at('/v1/connections', { body: { name: (await h.makeConnection())['name'], target: 'https://api.example' } }),
    target_refused: async () => at('/v1/connections', { body: { name: unique('x'), target: 'https://user:pass@api.example' } }),
    not_found: async () => at('/v1/connections', { body: { name: unique('x'), target: 'https://api.example', identities: ['nothing'] } }),
  },
  updateConnection: {
    name_taken: async (h) => at(`/v1/connections/${await connection(h)}`, { body: { name: (await h.makeConnection())['name'] }, ...match }),
    target_refused: async (h) => at(`/v1/connections/${await connection(h)}`, { body: { target: 'http://127.0.0.1' }, ...match }),
    credential_bound_to_hosts: async (h) =>
      at(`/v1/connections/${await withCredential(h)}`, { body: { target: 'https://evil.example' }, ...match }),
  },
  deleteConnection: {
    in_use: async (h) => at(`/v1/connections/${(await h.makeConnection({ identities: [await identity(h)] }))['id']}`),
  },
  putCredentialSource: {
    target_refused: async (h) =>
      at(`/v1/connections/${await connection(h)}/credential`, {
        body: {
          settings: { type: 'oauth2_client_credentials', tokenUrl: 'https://10.0.0.1/token', clientId: 'x' },
          secrets: { clientSecret: 'y' },
        },
        ...first,
      }),
  },
  putPolicy: {
    policy_invalid: async (h) =>
      at(`/v1/connections/${await connection(h)}/policy`, {
        body: { rules: [{ name: 'x', effect: 'allow', when: 'request.nothing' }] },
        ...first,
      }),
  },
  lintPolicy: {
    not_found: async () => at('/v1/policies/lint', { body: { connection: 'nothing' } }),
    policy_invalid: async () => at('/v1/policies/lint', { body: { rules: [{ name: 'x', effect: 'allow', when: '((' }] } }),
  },
  explainDecision: {
    not_found: async () => at('/v1/policies/explain', { body: { connection: 'nothing', request: { method: 'GET', path: '/' } } }),
    policy_invalid: async (h) =>
      at('/v1/policies/explain', {
        body: {
          connection: await connection(h),
          request: { method: 'GET', path: '/' },
          rules: [{ name: 'x', effect: 'allow', when: '((' }],
        },
      }),
  },
  backtestPolicy: {
    not_found: async () => at('/v1/policies/backtest', { body: { connection: 'nothing', rules } }),
    policy_invalid: async (h) =>
      at('/v1/policies/backtest', { body: { connection: await connection(h), rules: [{ name: 'x', effect: 'allow', when: '((' }] } }),
  },
  proposePolicy: {
    not_found: async () => at('/v1/policies/propose', { body: { connection: 'nothing' } }),
    conflict: async (h) => {
      const connectionId = await connection(h);
      for (const path of ['/a', '/a/b', '/a/b/c']) await recordCall(h, { head: { connectionId, path } as never });
      return at('/v1/policies/propose', { body: { connection: connectionId, maxRules: 1 } });
    },
  },
  exportSessionCalls: {
    conflict: async (h) => {
      const { callId, sessionId } = await recordCall(h);
      await h.database.prisma.callBody.updateMany({ where: { callId }, data: { sealed: Buffer.alloc(64) } });
      return at(`/v1/sessions/${sessionId}/ndjson`);
    },
  },
  acceptMaskSuggestion: {
    conflict: async (h) => {
      const path = await suggestion(h, 'accept');
      await h.call('POST', path, { body: {}, ...match });
      return at(path, { body: {}, ...match });
    },
    idempotency_key_reused: async (h) => {
      const path = await suggestion(h, 'accept');
      const headers = { ...match.headers, 'idempotency-key': newId('request') };
      await h.call('POST', path, { body: {}, headers });
      return at(path, { body: { action: 'hash' }, headers });
    },
    policy_invalid: async (h) => at(await suggestion(h, 'accept', '$.nonsense['), { body: {}, ...match }),
  },
  dismissMaskSuggestion: {
    conflict: async (h) => {
      const path = await suggestion(h, 'dismiss');
      await h.call('POST', path);
      return at(path);
    },
  },
  tryMasking: {
    not_found: async () => at('/v1/masking/try', { body: { rules: [], sample: '{}', identity: 'nothing' } }),
    policy_invalid: async () => at('/v1/masking/try', { body: { rules: [{ path: 'nonsense[' }], sample: '{}' } }),
  },
  exportSessionHar: {
    conflict: async (h) => {
      const { callId, sessionId } = await recordCall(h);
      await h.database.prisma.callBody.updateMany({ where: { callId }, data: { sealed: Buffer.alloc(64) } });
      return at(`/v1/sessions/${sessionId}/har`);
    },
  },
  getCallBodies: {
    conflict: async (h) => {
      const { callId } = await recordCall(h);
      await h.database.prisma.callBody.updateMany({ where: { callId }, data: { sealed: Buffer.alloc(64) } });
      return at(`/v1/calls/${callId}/bodies`);
    },
  },
  revokeAdminToken: {
    conflict: async (h) => {
      const { body } = await h.call('GET', '/v1/admin-tokens?limit=200');
      const current = (await h.call('GET', '/v1/admin-tokens/current')).body['id'];
      for (const one of body['items'] as { id: string; role: string; revokedAt: string | null }[]) {
        if (one.role === 'admin' && one.id !== current && one.revokedAt === null) await h.call('POST', `/v1/admin-tokens/${one.id}/revoke`);
      }
      return at(`/v1/admin-tokens/${current}/revoke`);
    },
  },
  exchangeToken: {
    unsupported_grant_type: async () => at('/oauth/token', { token: null, form: { grant_type: 'password' } }),
    token_missing: async () => at('/oauth/token', { token: null, form: oauthForm }),
    token_malformed: exchange(async () => 'nonsense'),
    token_algorithm_refused: exchange(async (h) => {
      const { issuer } = await registered(h);
      return new SignJWT({ iss: issuer, aud: 'hoop', sub: 'machine' }).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32));
    }),
    token_issuer_unknown: exchange((h) => h.issuer.sign({ iss: 'https://nobody.example' })),
    token_audience_mismatch: exchange(async (h) => (await registered(h)).sign({ aud: 'other' })),
    token_expired: exchange(async (h) => (await registered(h)).sign({ iat: seconds() - 600, exp: seconds() - 300 })),
    token_not_yet_valid: exchange(async (h) => (await registered(h)).sign({ nbf: seconds() + 300 })),
    token_too_old: exchange(async (h) => (await registered(h)).sign({ iat: seconds() - 7200 })),
    token_signature_invalid: exchange(async (h) => (await registered(h)).sign({}, { key: (await generateKeyPair('ES256')).privateKey })),
    token_key_unknown: exchange(async (h) => (await registered(h)).sign({}, { header: { kid: 'nobodys' } })),
    token_key_ambiguous: exchange(async (h) => {
      const issuer = await startIssuer();
      issuer.jwks = { keys: [...issuer.jwks.keys, ...issuer.jwks.keys] };
      await registerIssuer({ ...h, issuer });
      return issuer.sign();
    }),
    token_claim_missing: exchange(async (h) => (await registered(h)).sign({ sub: undefined })),
    identity_unmatched: exchange(async (h) => (await registered(h)).sign({ sub: 'nobody' })),
    identity_ambiguous: exchange(async (h) => {
      const issuer = await registered(h);
      await h.makeIdentity({ provider: issuer.provider['id'] });
      return issuer.sign();
    }),
    identity_disabled: exchange(async (h) => (await registered(h, { identity: { disabled: true } })).sign()),
    provider_disabled: exchange(async (h) => (await registered(h, { provider: { disabled: true } })).sign()),
    provider_unavailable: exchange(async (h) => {
      const issuer = await registered(h);
      const token = await issuer.sign();
      await issuer.close();
      return token;
    }),
    too_many_connections: async (h) => {
      const issuer = await registered(h);
      for (let i = 0; i < 101; i++) await h.makeConnection({ identities: [issuer.identity['name']] });
      return at('/oauth/token', { token: null, form: { ...oauthForm, subject_token: await issuer.sign() } });
    },
    connection_unknown: async (h) =>
      at('/oauth/token', { token: null, form: { ...oauthForm, scope: 'nothing', subject_token: await (await registered(h)).sign() } }),
  },
};
