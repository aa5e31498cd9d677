import {
  AppError,
  accessTokenType,
  exchangeToken as operation,
  grantMaxSeconds,
  jwtTokenType,
  newId,
  subjectTokenTypes,
  tokenExchangeGrantType,
  type IdentitySnapshot,
} from '@hoop/contract';
import { identitiesOfProvider, identityProvidersOfIssuer, insertGrant, usableConnections } from '@hoop/database';
import { mintGrant, type VerifiedSubject } from '@hoop/tokens';

import { route, type Call } from '../http/route.ts';
import { chooseConnections, knownConnections, type UsableConnection } from './choose-connections.ts';
import { cutClaims } from './grant-claims.ts';
import { matchIdentity, nearestIdentity } from './match-identity.ts';
import { hearsayOf, withoutNul } from './subject-token.ts';

type ExchangeCall = Call<typeof operation>;

/** Facts that an exchange has established by the time it is refused. */
interface Progress {
  subject?: VerifiedSubject;
  identities?: readonly IdentitySnapshot[];
}

/** A header of a request must hold the grant. */
const maxGrantLength = 12_288;

export const exchangeToken = route(operation, async (call) => {
  const progress: Progress = {};
  try {
    return await exchange(call, progress);
  } catch (error) {
    if (error instanceof AppError && error.code !== 'unavailable') throw await recorded(call, error, progress);
    throw error;
  }
});

async function exchange(call: ExchangeCall, progress: Progress) {
  const { context } = call;
  const { database, config, keys } = context;

  // 1. authenticate: whose token is it
  const subjectToken = checkRequest(call);
  const now = context.now();
  const issuer = hearsayOf(subjectToken).issuer;
  const providers = issuer === null ? [] : await identityProvidersOfIssuer(database.prisma, issuer);
  const subject = await context.providerVerifier.verify(subjectToken, providers);
  progress.subject = subject;

  // 2. permit: which identity is it, and what may it use
  const identities = await identitiesOfProvider(database.prisma, subject.provider.id);
  progress.identities = identities;
  const identity = matchIdentity(subject, identities, context.compileMatch);
  const { scope, resource, audience } = call.body;
  const targets = [...listOf(resource), ...listOf(audience).filter((one) => one !== config.relayAudience && one !== context.publicUrl())];
  const usable = await usableConnections(database.prisma, identity.id);
  const connections = chooseConnections(identity, usable, { scope, resource: targets });

  // 3. act: never beyond the subject token; never of a second in which grants were revoked
  const seconds = Math.floor(now / 1000);
  const iat = Math.max(seconds, identity.grantsNotBefore);
  const exp = Math.min(seconds + grantMaxSeconds, Math.floor(subject.expiresAt / 1000));
  if (exp <= iat) throw new AppError('token_expired', 'The token expires too soon for a grant. Get a new one.');
  const connectionIds = connections.map(({ id }) => id);
  const jti = newId('grant', now);
  const grant = await mintGrant(
    { key: keys.grant.keys[0]!, now },
    {
      iss: context.publicUrl(),
      aud: config.relayAudience,
      sub: identity.id,
      jti,
      iat,
      exp,
      connections: connectionIds,
      subject: {
        issuer: subject.issuer,
        subject: subject.subject,
        ...cutClaims(subject.claims, await context.claimsRead(connectionIds, now)),
      },
    },
  );
  if (grant.length > maxGrantLength) {
    throw new AppError(
      'invalid_request',
      'The claims that policies read are too large for a grant. Name fewer connections in `scope`, or have the policies read fewer claims.',
    );
  }

  // 4. record: a grant that is used can be looked up
  await insertGrant(database.prisma, {
    id: jti,
    identityId: identity.id,
    issuer: withoutNul(subject.issuer),
    subject: withoutNul(subject.subject),
    claims: withoutNul(subject.claims),
    connectionIds,
    issuedAt: new Date(iat * 1000),
    expiresAt: new Date(exp * 1000),
  });
  const known = targets.length > 0 ? { hoop_known_connections: knownConnections(usable) } : {};
  return { body: { ...responseOf(grant, exp - seconds, connections, config.relayPublicUrl), ...known }, headers: { pragma: 'no-cache' } };
}

/** RFC 8693 §2.1. */
function checkRequest({ body }: ExchangeCall): string {
  if (body.grant_type !== tokenExchangeGrantType) {
    throw new AppError('unsupported_grant_type', `\`grant_type\` must be ${tokenExchangeGrantType}.`);
  }
  if (body.subject_token === undefined || body.subject_token === '') {
    throw new AppError('token_missing', '`subject_token` is missing: the token that the identity provider gave the function.');
  }
  if (body.subject_token_type === undefined || !subjectTokenTypes.includes(body.subject_token_type)) {
    throw new AppError('invalid_request', `\`subject_token_type\` must be one of ${subjectTokenTypes.join(', ')}.`);
  }
  if (
    body.requested_token_type !== undefined &&
    body.requested_token_type !== jwtTokenType &&
    body.requested_token_type !== accessTokenType
  ) {
    throw new AppError('invalid_request', `\`requested_token_type\` must be ${jwtTokenType} or absent.`);
  }
  if (body.actor_token !== undefined)
    throw new AppError('invalid_request', '`actor_token` is not supported: grants are for the subject itself.');
  return body.subject_token;
}

const listOf = (value: string | string[] | undefined): string[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

const responseOf = (grant: string, expiresIn: number, connections: readonly UsableConnection[], relay: string) =>
  ({
    access_token: grant,
    issued_token_type: jwtTokenType,
    token_type: 'Bearer',
    expires_in: expiresIn,
    scope: connections.map(({ name }) => name).join(' '),
    hoop_connections: connections.map(({ name, settings }) => ({ name, target: settings.target })),
    hoop_relay_url: relay,
  }) as const;

/** Writes the refusal down. The caller learns the event's id, so that an operator can look up what differs. */
async function recorded(call: ExchangeCall, error: AppError, { subject, identities }: Progress): Promise<AppError> {
  const said = hearsayOf(call.body.subject_token);
  const cause = error.cause instanceof Error && error.code === 'identity_ambiguous' ? ` ${error.cause.message}` : '';
  const id = await call.context.securityLog.record({
    kind: 'token_exchange',
    code: error.code,
    detail: withoutNul(`${error.detail}${cause}`).slice(0, 2000),
    verified: subject !== undefined,
    ...withoutNul({ issuer: said.issuer, subject: said.subject }),
    claims: said.claims,
    nearest: error.code === 'identity_unmatched' && subject !== undefined ? withoutNul(nearestIdentity(subject, identities ?? [])) : null,
    remote: call.remote,
    requestId: call.requestId,
  });
  return new AppError(error.code, error.detail, {
    cause: error.cause,
    headers: error.headers,
    extras: { ...error.extras, ...(id === null ? {} : { securityEvent: id }) },
  });
}
