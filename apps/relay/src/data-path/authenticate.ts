/** Step 2: the grant, or a provider's own token, becomes an identity. Anything else is a 401 and a security event. */
import { createHash } from 'node:crypto';

import { AppError, grantType, headers } from '@hoop/contract';
import type { GrantClaims } from '@hoop/contract';

import type { Call } from '../call/call.ts';
import { challenge } from '../call/door.ts';
import { identified, mayVerify } from '../caller/admission.ts';
import type { Caller } from '../caller/callers.ts';
import type { DeferredRun } from '../deferred/deferred-run.ts';
import type { Relay } from '../relay.ts';
import type { KnownIdentity } from '../configuration/configuration.ts';

const sessionNameForm = /^[A-Za-z0-9._-]{1,64}$/;

/** Undefined where the caller is known already, so that nothing has to be waited for. @throws AppError `token_*`, `identity_*`, `provider_*`, `caller_overloaded`, `too_many_requests` */
export function authenticate(relay: Relay, call: Call): Promise<void> | undefined {
  if (call.deferred !== null) {
    admit(relay, call, callerOfDeferred(relay, call.deferred.caller), call.deferred.caller.sessionName);
    return undefined;
  }
  let grant: string | undefined;
  let authorization: string | undefined;
  let sessionName: string | undefined;
  for (const [name, value] of call.request!.headers) {
    if (name === headers.grant) grant = value;
    else if (name === 'authorization') authorization = value;
    else if (name === headers.session) sessionName = value;
  }
  const { door } = call;
  if (door !== null) grant = door.token ?? undefined;
  if (door === null && grant === undefined) grant = grantInPlaceOfKey(call, authorization);
  const credential = door === null ? (grant ?? authorization) : grant;
  if (credential === undefined) {
    if (door !== null) throw proxyTokenMissing();
    throw new AppError(
      'token_missing',
      `The request carries no grant: send it as "${headers.grant}: GRANT", as "authorization: Bearer GRANT", or where the target's key would be.`,
    );
  }
  if (sessionName !== undefined && !sessionNameForm.test(sessionName)) {
    throw new AppError('invalid_request', `The ${headers.session} header must be 1 to 64 of A-Z a-z 0-9 . _ -`);
  }
  const { socket } = call;
  const known = socket?.credential === credential ? socket.caller : relay.callers.get(credential);
  if (known && isInOrder(relay, known)) {
    if (socket) {
      socket.credential = credential;
      socket.caller = known;
    }
    admit(relay, call, known, sessionName);
    return undefined;
  }
  return verify(relay, call, credential, grant !== undefined, sessionName);
}

function isInOrder(relay: Relay, caller: Caller): boolean {
  const { configuration } = relay;
  if (relay.now() >= caller.expiresAt || caller.keyGeneration !== configuration.keyGeneration) return false;
  if (caller.checkedRevision === configuration.revision) return true;
  // Where the identity itself was changed, or could match no longer, the token is looked at anew.
  if (caller.grantId === null || configuration.identities.get(caller.identity.snapshot.id) !== caller.identity) return false;
  if (whyRevoked(relay, caller) !== null) return false;
  caller.checkedRevision = configuration.revision;
  return true;
}

const compactJwt = /^[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}$/;

/**
 * A grant where the target's own key would be: as the password of Basic, or in a header of its own (`x-api-key` and its
 * like), so that a client library needs a base URL and a "key". Found by what it is and not by what the connection
 * injects, so that a stranger learns of no connection; whether it is in the right place is seen once it is verified.
 * @throws AppError `ambiguous_request`
 */
function grantInPlaceOfKey(call: Call, authorization: string | undefined): string | undefined {
  if (authorization !== undefined) {
    const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1];
    if (encoded === undefined) return undefined;
    const text = Buffer.from(encoded, 'base64').toString('latin1');
    const password = text.slice(text.indexOf(':') + 1);
    if (!isCertainlyGrant(password)) return undefined;
    return takeFrom(call, 'authorization', password);
  }
  let found: [name: string, grant: string] | undefined;
  for (const [name, value] of call.request!.headers) {
    if (!isCertainlyGrant(value)) continue;
    if (found !== undefined) throw new AppError('ambiguous_request', `There is a grant in the header "${found[0]}" and in "${name}".`);
    found = [name, value];
  }
  return found && takeFrom(call, ...found);
}

/** The header goes no further: neither to the target nor to the record. */
function takeFrom(call: Call, place: string, grant: string): string {
  const request = call.request!;
  call.grantPlace = place;
  call.request = { ...request, headers: request.headers.filter(([name]) => name !== place) };
  return grant;
}

function isCertainlyGrant(text: string): boolean {
  if (!compactJwt.test(text)) return false;
  try {
    const header = JSON.parse(Buffer.from(text.slice(0, text.indexOf('.')), 'base64url').toString()) as { typ?: unknown } | null;
    return header?.typ === grantType;
  } catch {
    return false;
  }
}

const proxyTokenMissing = (): AppError =>
  new AppError(
    'token_missing',
    'The proxy needs a grant or a machine token: set it as the password of the proxy, http://CONNECTION:TOKEN@relay, or send "proxy-authorization: Bearer TOKEN".',
    { isOfProxy: true, headers: challenge },
  );

async function verify(relay: Relay, call: Call, credential: string, isBare: boolean, sessionName: string | undefined): Promise<void> {
  mayVerify(relay, call);
  const token = isBare ? credential : bearerToken(credential);
  relay.callers.forget(credential);
  const caller = await callerOf(relay, token).catch((error: unknown) => {
    throw call.door === null || call.door.isInside ? error : asProxy(error);
  });
  const refused = whyRevoked(relay, caller);
  if (refused) throw call.door === null || call.door.isInside ? refused : asProxy(refused);
  relay.callers.remember(credential, caller);
  admit(relay, call, caller, sessionName);
}

const callerOf = (relay: Relay, token: string): Promise<Caller> =>
  isGrant(token) ? callerOfGrant(relay, token) : callerOfProviderToken(relay, token);

/** The refusal of a token as a proxy gives it (RFC 9110 §11.7.1). */
function asProxy(error: unknown): unknown {
  if (!(error instanceof AppError) || error.status !== 401) return error;
  const { code, detail, extras, headers, cause } = error;
  return new AppError(code, detail, { extras, headers: { ...headers, ...challenge }, cause, isOfProxy: true });
}

function admit(relay: Relay, call: Call, caller: Caller, sessionName: string | undefined): void {
  call.caller = caller;
  if (call.door?.isInside) leaveSoon(relay, call, caller);
  identified(relay, call, caller.identity.share);
  if (sessionName === undefined && caller.session !== null) {
    call.session = caller.session;
    return;
  }
  const session = relay.sessions.of(caller.identity.snapshot.id, sessionName ?? caller.sessionName);
  // A session whose key could not be made is opened anew by the next call.
  if (sessionName === undefined && session.keys !== null) caller.session = session;
  call.session = session;
}

/** The last part of a grant's life in which connections that it opened are ended between two calls. */
const lastMs = 60_000;
const lastShare = 0.2;

/** From here on a connection through the proxy takes no further call, as its grant is about to expire; Unix milliseconds. */
export function lastCallAt({ grantId, issuedAtSeconds, expiresAt }: Caller): number {
  // A provider's token is looked at again and again; what it says of its own end is not known here.
  if (grantId === null) return Number.POSITIVE_INFINITY;
  return expiresAt - Math.min(lastMs, (expiresAt - issuedAtSeconds * 1000) * lastShare);
}

/** The client comes back on a new connection, with a new grant. */
function leaveSoon(relay: Relay, call: Call, caller: Caller): void {
  if (relay.now() >= lastCallAt(caller)) call.res.shouldKeepAlive = false;
}

/** Also asked of every call in flight when the configuration changes. */
export function whyRevoked(relay: Relay, caller: Caller): AppError | null {
  const { configuration } = relay;
  const identity = configuration.identities.get(caller.identity.snapshot.id);
  if (!identity) return new AppError('token_revoked', 'The identity of this token no longer exists.');
  const { name, disabled, grantsNotBefore, providerId } = identity.snapshot;
  if (disabled) return new AppError('identity_disabled', `The identity "${name}" is disabled.`);
  if (configuration.providers.get(providerId)?.disabled !== false) {
    return new AppError('provider_disabled', `The identity provider of the identity "${name}" is disabled.`);
  }
  if (caller.grantId !== null && (configuration.isGrantRevoked(caller.grantId) || caller.issuedAtSeconds < grantsNotBefore)) {
    return new AppError('token_revoked', 'The grant was revoked. Exchange your token for a new one.');
  }
  return null;
}

function bearerToken(authorization: string): string {
  const token = /^bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw new AppError('token_malformed', 'The authorization header must be "Bearer" and a token.');
  return token;
}

/** Decides only how the token is verified; what it says is believed after that. */
function isGrant(token: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString());
    return (header as { typ?: unknown } | null)?.typ === grantType;
  } catch {
    // The grant verifier gives the best error for any other token.
    return true;
  }
}

/** Who deferred the call was verified then; what may have been taken away since is looked at now. */
function callerOfDeferred(relay: Relay, stored: DeferredRun['caller']): Caller {
  const identity = relay.configuration.identities.get(stored.identityId);
  if (!identity) throw new AppError('token_revoked', 'The identity that deferred this call no longer exists.');
  // A grant ends with the match that it was given for (`grantsNotBefore`); a provider's token has nothing like it.
  if (stored.grantId === null && !identity.matches(stored)) {
    throw new AppError('identity_unmatched', 'The identity that deferred this call no longer matches the claims of its token.');
  }
  const caller = newCaller(relay, identity, {
    issuer: stored.issuer,
    subject: stored.subject,
    claims: stored.claims,
    claimNames: stored.claimNames == null ? null : new Set(stored.claimNames),
    grantId: stored.grantId,
    connectionIds: stored.connectionIds === null ? null : new Set(stored.connectionIds),
    issuedAtSeconds: stored.issuedAtSeconds,
    expiresAt: Number.POSITIVE_INFINITY,
    sessionName: stored.sessionName,
  });
  const refused = whyRevoked(relay, caller);
  if (refused) throw refused;
  return caller;
}

async function callerOfGrant(relay: Relay, token: string): Promise<Caller> {
  const { grants } = relay.configuration;
  if (grants === null) throw new AppError('snapshot_stale', 'This relay has not heard from the control plane yet.');
  const claims: GrantClaims = await grants.verify(token, relay.now());
  const identity = relay.configuration.identities.get(claims.sub);
  if (!identity) throw new AppError('token_revoked', 'The identity of this grant no longer exists.');
  return newCaller(relay, identity, {
    issuer: claims.subject.issuer,
    subject: claims.subject.subject,
    claims: claims.subject.claims,
    claimNames: claims.subject.claimNames === undefined ? null : new Set(claims.subject.claimNames),
    grantId: claims.jti,
    connectionIds: new Set(claims.connections),
    issuedAtSeconds: claims.iat,
    expiresAt: claims.exp * 1000,
    sessionName: claims.jti,
  });
}

async function callerOfProviderToken(relay: Relay, token: string): Promise<Caller> {
  const { configuration, now } = relay;
  const verified = await relay.providerTokens.verify(token, [...configuration.providers.values()]);
  const matching = configuration.identitiesOf(verified.provider.id).filter((identity) => identity.matches(verified));
  const [identity, other] = matching;
  if (!identity) throw new AppError('identity_unmatched', 'No identity matches the claims of this token.');
  if (other) throw new AppError('identity_ambiguous', 'More than one identity matches the claims of this token.');
  return newCaller(relay, identity, {
    issuer: verified.issuer,
    subject: verified.subject,
    claims: verified.claims,
    claimNames: null,
    grantId: null,
    connectionIds: null,
    issuedAtSeconds: Math.floor(verified.issuedAt / 1000),
    // Keys of the provider may go, so the token is verified again after a while.
    expiresAt: Math.min(verified.expiresAt, now() + maxProviderCacheMs),
    sessionName: createHash('sha256').update(token).digest('base64url'),
  });
}

const maxProviderCacheMs = 60_000;

type CallerDetails = Omit<Caller, 'identity' | 'record' | 'keyGeneration' | 'checkedRevision' | 'session' | 'areClaimsRecorded'>;

function newCaller(relay: Relay, identity: KnownIdentity, details: CallerDetails): Caller {
  const { id, name } = identity.snapshot;
  return {
    ...details,
    identity,
    record: { identityId: id, identityName: name, issuer: details.issuer, subject: details.subject, grantId: details.grantId },
    keyGeneration: relay.configuration.keyGeneration,
    checkedRevision: relay.configuration.revision,
    session: null,
    areClaimsRecorded: false,
  };
}
