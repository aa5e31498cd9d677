import { timingSafeEqual } from 'node:crypto';

import { AppError, type Audience } from '@hoop/contract';
import { findAdminTokenByHash, noteAdminTokenUse } from '@hoop/database';

import type { Context } from '../context.ts';
import { adminActor, publicActor, relayActor, type Actor } from './actor.ts';
import { hashToken } from './hash-token.ts';

export interface Caller {
  readonly authorization: string | undefined;
  readonly remote: string;
  readonly requestId: string;
}

/** RFC 6750 §3.1: the answer to a request without a token has no error code. */
const challenge = { 'www-authenticate': 'Bearer realm="hoop"' };
const invalidToken = { 'www-authenticate': 'Bearer realm="hoop", error="invalid_token"' };

/** Who calls. Every refusal of a token that was presented is a security event. @throws AppError `unauthenticated` */
export async function authenticate(context: Context, audience: Audience, caller: Caller): Promise<Actor> {
  if (audience === 'public') return publicActor;
  const token = bearerOf(caller.authorization);
  if (token === null) {
    throw new AppError('unauthenticated', 'Send a token: "Authorization: Bearer …".', { headers: challenge });
  }
  return audience === 'relay' ? authenticateRelay(context, token, caller) : authenticateAdmin(context, token, caller);
}

/** Deny by default: a role that the operation does not name may not. */
export function permit(actor: Actor, audience: Audience): void {
  if (audience === 'public') return;
  if (audience === 'relay' ? actor.kind === 'relay' : actor.role !== null && audience.includes(actor.role)) return;
  throw new AppError('forbidden', `The role "${actor.role}" may not do this.`);
}

/** RFC 6750 §2.1. */
function bearerOf(authorization: string | undefined): string | null {
  const match = /^bearer ([A-Za-z0-9._~+/-]{1,4096}=*)$/i.exec(authorization ?? '');
  return match === null ? null : match[1]!;
}

async function authenticateRelay(context: Context, token: string, caller: Caller): Promise<Actor> {
  if (timingSafeEqual(hashToken(token), context.keys.relayTokenHash)) return relayActor;
  await refuse(context, 'relay_authentication', 'unauthenticated', 'This is not the token of a relay.', caller);
  throw new AppError('unauthenticated', 'This is not the token of a relay.', { headers: invalidToken });
}

async function authenticateAdmin(context: Context, token: string, caller: Caller): Promise<Actor> {
  const now = new Date(context.now());
  const found = await findAdminTokenByHash(context.database.prisma, hashToken(token).toString('hex'));
  const fault =
    found === null
      ? 'The token is not known.'
      : found.revokedAt !== null
        ? 'The token was revoked.'
        : found.expiresAt !== null && new Date(found.expiresAt) <= now
          ? 'The token has expired.'
          : null;
  if (found === null || fault !== null) {
    const whose = found === null ? '' : ` It is "${found.name}" (${found.id}).`;
    await refuse(context, 'admin_authentication', 'unauthenticated', `${fault}${whose}`, caller);
    throw new AppError('unauthenticated', fault!, { headers: invalidToken });
  }
  if (found.lastUsedAt === null || now.getTime() - Date.parse(found.lastUsedAt) >= 60_000) {
    await noteAdminTokenUse(context.database.prisma, found.id, now);
  }
  return adminActor(found);
}

async function refuse(
  context: Context,
  kind: 'relay_authentication' | 'admin_authentication',
  code: string,
  detail: string,
  caller: Caller,
): Promise<void> {
  await context.securityLog.record({
    kind,
    code,
    detail,
    verified: false,
    issuer: null,
    subject: null,
    claims: null,
    nearest: null,
    ...pick(caller),
  });
}

const pick = ({ remote, requestId }: Caller): { remote: string; requestId: string } => ({ remote, requestId });
