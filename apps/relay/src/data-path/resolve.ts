/** Step 3: the connection, at one revision of a snapshot that is fresh enough to be trusted. */
import { AppError } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';
import { replacesHeader } from '@hoop/credentials';
import { encodedSlashRefused } from '@hoop/upstream';
import type { NormalisedRequest } from '@hoop/upstream';

import type { Call } from '../call/call.ts';
import type { ProxyDoor } from '../call/door.ts';
import { countOnConnection } from '../caller/admission.ts';
import type { Caller } from '../caller/callers.ts';
import type { Relay } from '../relay.ts';
import type { KnownConnection } from '../configuration/configuration.ts';
import type { Destination } from '../configuration/destinations.ts';

/** @throws AppError `snapshot_stale`, `connection_unknown`, `destination_unknown`, `connection_ambiguous`, `token_missing`, `invalid_path`, `grant_outdated`, `payload_too_large`, `connection_overloaded`, `unavailable` */
export function resolve(relay: Relay, call: Call): void {
  requireFresh(relay);
  const connection = call.door === null ? connectionOfPath(relay, call) : connectionOfDestination(relay, call, call.door);
  call.connection = connection;
  if (call.grantPlace !== null) requirePlace(connection, call.grantPlace);
  countOnConnection(relay, call);
  const { name, settings } = connection.snapshot;
  const { paths, limits } = settings;
  if (call.request!.hasEncodedSlash && paths.encodedSlash !== 'data') throw encodedSlashRefused(name);
  call.revision = relay.configuration.revision;
  call.compiled = connection.compiled();
  requireClaims(call);
  call.route = relay.upstream.route(connection.snapshot);
  if (call.door === null) call.targetPath = pathUnderTarget(call);
  const { origin, basePath } = call.route.target;
  call.url = origin + basePath + call.targetPath + call.request!.search;
  const { maxRequestBytes } = limits;
  if ((call.request!.contentLength ?? 0) > maxRequestBytes) {
    throw new AppError('payload_too_large', `The body is larger than the ${maxRequestBytes} bytes that this connection takes.`);
  }
}

/** @throws AppError `snapshot_stale` */
export function requireFresh({ snapshots, snapshotMaxAgeMs }: Relay): void {
  if (snapshots.ageMs() <= snapshotMaxAgeMs) return;
  throw new AppError(
    'snapshot_stale',
    "The relay's configuration is stale: it has not heard from the control plane. Nothing was sent; send the request again shortly.",
    { headers: { 'retry-after': '2' } },
  );
}

function connectionOfPath({ configuration }: Relay, { request, caller }: Call): KnownConnection {
  const name = request!.connection;
  const connection = configuration.connectionNamed(name);
  // One answer for what does not exist, is disabled, or is not for this identity: a name gives nothing away.
  if (connection === undefined || !isUsable(connection, caller!)) {
    throw new AppError('connection_unknown', `This identity has no connection "${name}".`);
  }
  return connection;
}

/** A grant in place of the target's key is taken for the connection whose key would be there, as no other client sends one there. */
function requirePlace({ snapshot: { name, credential } }: KnownConnection, place: string): void {
  if (credential !== null && replacesHeader(credential.settings.injection, place)) return;
  throw new AppError(
    'token_missing',
    `The grant came in the header "${place}", where the connection "${name}" has no key: send it as "authorization: Bearer GRANT".`,
  );
}

/**
 * By where the request goes: of the identity's connections the one with the longest base path, or the one that the
 * caller chose. From here on the request's path is the one under its target.
 * @throws AppError `destination_unknown`, `connection_ambiguous`
 */
function connectionOfDestination({ configuration }: Relay, call: Call, { origin, chosen }: ProxyDoor): KnownConnection {
  const request = call.request!;
  let found: [KnownConnection, Destination] | null = null;
  const fitting: string[] = [];
  for (const destination of configuration.destinations.covering(origin, request.path)) {
    const connection = configuration.connections.get(destination.id);
    if (connection === undefined || !isUsable(connection, call.caller!)) continue;
    const { name } = connection.snapshot;
    if (name === chosen) {
      found = [connection, destination];
      fitting.length = 0;
      break;
    }
    if (found !== null && destination.basePath !== found[1].basePath) continue;
    fitting.push(name);
    found ??= [connection, destination];
  }
  if (found === null) {
    throw new AppError(
      'destination_unknown',
      `This identity has no connection whose target covers ${origin}${request.path}. Register a connection with that target for it, or do not send these requests through Hoop (NO_PROXY).`,
      { extras: { destination: origin } },
    );
  }
  if (fitting.length > 1) {
    throw new AppError(
      'connection_ambiguous',
      `Several connections of this identity are for ${origin}: ${fitting.join(', ')}. Choose one by the user name of the proxy: http://CONNECTION:TOKEN@relay.`,
      { extras: { destination: origin, connections: fitting } },
    );
  }
  const [connection, { rest }] = found;
  call.targetPath = rest;
  call.request = {
    ...request,
    connection: connection.snapshot.name,
    path: rest === '' ? '/' : rest,
    headers: withoutStandIn(connection, request),
  };
  return connection;
}

/** Client libraries insist on a key of their own; what stands in for it is gone before anything is recorded. */
function withoutStandIn({ snapshot: { credential } }: KnownConnection, { headers }: NormalisedRequest): HeaderList {
  return credential === null ? headers : headers.filter(([name]) => !replacesHeader(credential.settings.injection, name));
}

/**
 * The policy may have begun to read a claim after the grant was issued. An exchange now gives a grant that carries the
 * claim, so this is an error of its own: decided without the claim, the call could be denied for a reason that is not true.
 */
function requireClaims({ caller, compiled }: Call): void {
  const { claimNames } = caller!;
  const { claims } = compiled!;
  if (claimNames === null) return;
  if (claims !== 'all') {
    let missing: string | undefined;
    for (const name of claims) if (!claimNames.has(name)) missing ??= name;
    if (missing === undefined) return;
    throw outdated(`the claim ${JSON.stringify(missing)}`);
  }
  throw outdated('claims');
}

const outdated = (read: string): AppError =>
  new AppError(
    'grant_outdated',
    `The policy of this connection reads ${read} since this grant was issued without it. Exchange your token for a new grant; nothing was sent.`,
  );

/** Also asked of every call in flight when the configuration changes. */
export function isUsable({ snapshot, identityIds }: KnownConnection, { identity, connectionIds }: Caller): boolean {
  return !snapshot.disabled && identityIds.has(identity.snapshot.id) && (connectionIds === null || connectionIds.has(snapshot.id));
}

/** `/connection` alone means the target itself, without a slash after its path. */
function pathUnderTarget({ req, request, route }: Call): string {
  const { path, connection } = request!;
  if (path !== '/' || route!.target.basePath === '') return path;
  const url = req.url ?? '';
  const next = url[connection.length + 1];
  return (next === undefined || next === '?') && url.startsWith(`/${connection}`) ? '' : path;
}
