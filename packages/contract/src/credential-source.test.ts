import { describe, expect, it } from 'vitest';

import { credentialSourceSettingsSchema, findSecretProblems, injectionSchema } from './credential-source.ts';
import type { CredentialSecrets } from './credential-source.ts';
import { identityProviderSettingsSchema } from './identity-provider.ts';

const staticHeader = credentialSourceSettingsSchema.parse({ type: 'static', injection: { into: 'header' } });
const staticQuery = credentialSourceSettingsSchema.parse({ type: 'static', injection: { into: 'query', name: 'key' } });
const oauth = credentialSourceSettingsSchema.parse({
  type: 'oauth2_client_credentials',
  tokenUrl: 'https://auth.example/token',
  clientId: 'hoop',
});
const assertion = credentialSourceSettingsSchema.parse({ ...oauth, clientAuthentication: 'private_key_jwt' });
const key = { kty: 'EC', crv: 'P-256', alg: 'ES256', d: 'x', x: 'y', y: 'z' };

const paths = (...args: Parameters<typeof findSecretProblems>): string[] =>
  findSecretProblems(...args).map(({ path, message }) => `${path} ${message}`);

describe('secrets of a credential source', () => {
  it('fit', () => {
    for (const [settings, secrets] of [
      [staticHeader, { secret: 'abc' }],
      [staticQuery, { secret: 'ä ' }],
      [oauth, { clientSecret: 'a\nb' }],
      [assertion, { privateKey: key }],
    ] as const) {
      expect(findSecretProblems(settings, secrets)).toEqual([]);
    }
  });

  it('are refused where one is missing or is of another source', () => {
    expect(paths(staticHeader, {})).toEqual(['secret is needed for this credential source']);
    expect(paths(oauth, { secret: 'abc' })).toEqual([
      'secret is not used by this credential source',
      'clientSecret is needed for this credential source',
    ]);
    expect(paths(assertion, { clientSecret: 'abc', privateKey: key })).toEqual(['clientSecret is not used by this credential source']);
  });

  it('are refused where they cannot be injected or used, without being quoted', () => {
    const canary = 'canary';
    for (const secret of [`${canary}\r\nx: y`, `${canary}\0`, ` ${canary}`, `${canary}é`]) {
      const problems = paths(staticHeader, { secret });
      expect(problems).toHaveLength(1);
      expect(problems[0]).not.toContain(canary);
    }
    expect(paths(staticQuery, { secret: `${canary}\n` })).toEqual(['secret must not have line ends or NULs in it']);
    for (const bad of [
      { ...key, d: undefined },
      { ...key, alg: undefined },
      { ...key, alg: 'HS256' },
      { kty: 'oct', k: canary, alg: 'HS256' },
    ]) {
      const problems = paths(assertion, { privateKey: bad } as CredentialSecrets);
      expect(problems).toEqual([expect.stringContaining('must be a private JWK')]);
    }
  });
});

describe('a token URL', () => {
  it('has no user info or fragment, and is http or https', () => {
    const parse = (tokenUrl: string): boolean => credentialSourceSettingsSchema.safeParse({ ...oauth, tokenUrl }).success;
    expect(parse('https://auth.example/token?tenant=a@b')).toBe(true);
    for (const url of ['https://user:pass@auth.example/token', 'https://auth.example/token#x', 'ftp://auth.example', '/token'])
      expect(parse(url)).toBe(false);
  });
});

describe('an injection', () => {
  it('cannot be into a header that frames or routes the request, or is ours', () => {
    for (const name of ['Host', 'content-length', 'Transfer-Encoding', 'connection', 'hoop-grant', 'proxy-authorization', 'a b', '']) {
      expect(injectionSchema.safeParse({ into: 'header', name }).success).toBe(false);
    }
    expect(injectionSchema.safeParse({ into: 'header', name: 'X-Api-Key' }).success).toBe(true);
  });

  it('cannot have a template without the secret or with line ends', () => {
    for (const template of ['Bearer', 'Bearer {secret}\r\nx: y', '{secret}\0'])
      expect(injectionSchema.safeParse({ into: 'header', template }).success).toBe(false);
  });

  it('cannot have a user name with a colon', () => {
    expect(injectionSchema.safeParse({ into: 'basic', username: 'a:b' }).success).toBe(false);
  });
});

describe('an identity provider', () => {
  const parse = (more: object): boolean =>
    identityProviderSettingsSchema.safeParse({ issuer: 'https://idp.example', audiences: ['hoop'], ...more }).success;

  it('has an issuer without user info, query or fragment, and asymmetric algorithms only', () => {
    expect(parse({})).toBe(true);
    for (const issuer of ['https://a@idp.example', 'https://idp.example?x', 'https://idp.example#x', 'ftp://idp.example', 'idp.example'])
      expect(parse({ issuer })).toBe(false);
    for (const algorithm of ['none', 'HS256', 'RS1']) expect(parse({ algorithms: [algorithm] })).toBe(false);
    expect(parse({ algorithms: [] })).toBe(false);
    expect(parse({ audiences: [] })).toBe(false);
  });
});
