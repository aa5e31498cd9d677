import { AppError, grantMaxSeconds, revokeGrant as adminOperation, revokeToken as holderOperation, type GrantClaims } from '@hoop/contract';
import { findIdentity, insertRevokedGrant, isGrantRevoked } from '@hoop/database';

import type { Actor } from '../access/actor.ts';
import { mutate } from '../audit/mutate.ts';
import { route } from '../http/route.ts';

/** By an operator, who knows the id only: the grant is over by then at the latest. */
export const revokeGrant = route(adminOperation, async (call) => {
  const { grantId } = call.params;
  return mutate(call, { action: 'grant.revoke', isConfiguration: true }, async ({ tx, at, revision }) => {
    const exp = Math.ceil(at.getTime() / 1000) + grantMaxSeconds + 60;
    await insertRevokedGrant(tx, { jti: grantId, identityId: null, exp, revision, revokedBy: call.actor.name, at });
    return { reply: {}, target: { type: 'grant', id: grantId, name: null }, before: null, after: { revoked: true } };
  });
});

/** Revokes a grant on behalf of its holder (RFC 7009). */
export const revokeToken = route(holderOperation, async (call) => {
  const { context } = call;
  let claims: GrantClaims;
  try {
    claims = await context.grantVerifier().verify(call.body.token, context.now());
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // RFC 7009 §2.2: a token that is not valid is as good as revoked. One that is over is no attack.
    if (error.code !== 'token_expired') await recordRefusal(error);
    return {};
  }
  const { prisma } = context.database;
  if (await isGrantRevoked(prisma, claims.jti)) return {};
  const identity = await findIdentity(prisma, claims.sub);
  const actor: Actor = { kind: 'public', id: claims.sub, name: identity?.name ?? claims.sub, role: null, token: null };
  return mutate({ ...call, actor }, { action: 'grant.revoke', isConfiguration: true }, async ({ tx, at, revision }) => {
    await insertRevokedGrant(tx, { jti: claims.jti, identityId: claims.sub, exp: claims.exp, revision, revokedBy: actor.name, at });
    return { reply: {}, target: { type: 'grant', id: claims.jti, name: null }, before: null, after: { revoked: true } };
  });

  async function recordRefusal(error: AppError): Promise<void> {
    const { code, detail } = error;
    const { remote, requestId } = call;
    await context.securityLog.record({
      kind: 'grant_revocation',
      code,
      detail,
      verified: false,
      issuer: null,
      subject: null,
      claims: null,
      nearest: null,
      remote,
      requestId,
    });
  }
});
