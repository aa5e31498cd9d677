import { AppError } from '@hoop/contract';
import { describe, expect, it } from 'vitest';

import { compileClaimsMatch, compileIdentityCondition, explainClaimsMatch } from './identity-conditions.ts';

const subject = {
  issuer: 'https://token.actions.example',
  subject: 'repo:acme/billing',
  claims: { repository: 'acme/billing', ref: 'refs/heads/dev', groups: ['a', 'b'] },
};
const expression = 'claims.repository == "acme/billing" && claims.ref == "refs/heads/main" && issuer == "https://token.actions.example"';

describe('the match of an identity', () => {
  it('is a condition over claims, issuer and subject', () => {
    expect(
      compileClaimsMatch('claims.repository == "acme/billing" && "b" in claims.groups && subject.startsWith("repo:acme/")')(subject),
    ).toBe(true);
    expect(compileClaimsMatch(expression)(subject)).toBe(false);
  });

  it('is false where it cannot be evaluated', () => {
    expect(compileClaimsMatch('claims.missing == "x"')(subject)).toBe(false);
    expect(compileClaimsMatch('claims.missing != "x"')(subject)).toBe(false);
    expect(compileClaimsMatch('!(claims.missing == "x")')(subject)).toBe(false);
  });

  it.each(['claims.repository', 'identity.name == "x"', 'request.method == "GET"', 'claims.repository ==', ''])(
    'refuses %j as policy_invalid',
    (source) => {
      try {
        compileClaimsMatch(source);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
        expect(error).toMatchObject({ code: 'policy_invalid', extras: { errors: [{ path: 'match' }] } });
      }
    },
  );

  it('is explained by the comparisons that differ', () => {
    const explained = explainClaimsMatch(expression, subject.claims, subject);
    expect(explained).toMatchObject({ matches: false, satisfied: 2, total: 3 });
    expect(explained.differences).toEqual(['claims.ref == "refs/heads/main" (claims.ref is "refs/heads/dev")']);
    expect(explainClaimsMatch('claims.environment == "production"', subject.claims).differences).toEqual([
      'claims.environment == "production" (`claims.environment` does not exist)',
    ]);
    expect(explainClaimsMatch('claims.ref in ["refs/heads/main", "refs/heads/release"]', subject.claims).differences[0]).toContain(
      'claims.ref is "refs/heads/dev"',
    );
    expect(explainClaimsMatch('issuer == "https://a.example"', { ...subject.claims, iss: 'https://a.example' }).matches).toBe(true);
  });
});

describe('a condition on the identity', () => {
  const identity = { name: 'nightly', issuer: 'i', subject: 's', claims: { level: 3 }, labels: { team: 'billing' } };

  it('sees name, labels and claims', () => {
    expect(compileIdentityCondition('identity.labels.team == "billing" && identity.claims.level >= 3')(identity)).toBe(true);
    expect(compileIdentityCondition('identity.name == "other"')(identity)).toBe(false);
  });

  it('exempts nobody where it cannot be evaluated', () => {
    expect(compileIdentityCondition('identity.labels.missing != "x"')(identity)).toBe(false);
  });

  it('is refused where it asks for the request', () => {
    expect(() => compileIdentityCondition('request.method == "GET"')).toThrow(/Unknown variable: request/);
  });
});
