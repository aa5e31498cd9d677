/** Step 3: the connection, at one revision of a snapshot that is fresh enough to be trusted. */
import { AppError } from '@hoop/contract';
import { encodedSlashRefused } from '@hoop/upstream';

import type { Call } from '../call/call.ts';
import { countOnConnection } from '../caller/admission.ts';
import type { Caller } from '../caller/callers.ts';
import type { Relay } from '../relay.ts';
import type { KnownConnection } from '../configuration/configuration.ts';

/** @throws AppError `snapshot_stale`, `connection_unknown`, `invalid_path`, `grant_outdated`, `payload_too_large`, `connection_overloaded`, `unavailable` */
export function resolve(relay: Relay, call: Call): void {
  const ageMs = relay.snapshots.ageMs();
  if (ageMs > relay.snapshotMaxAgeMs) {
    throw new AppError(
      'snapshot_stale',
      "The relay's configuration is stale: it has not heard from the control plane. Nothing was sent; send the request again shortly.",
      {
        headers: { 'retry-after': '2' },
      },
    );
  }
  const name = call.request!.connection;
  const connection = relay.configuration.connectionNamed(name);
  // One answer for what does not exist, is disabled, or is not for this identity: a name gives nothing away.
  if (connection === undefined || !isUsable(connection, call.caller!)) {
    throw new AppError('connection_unknown', `This identity has no connection "${name}".`);
  }
  call.connection = connection;
  countOnConnection(relay, call);
  const { paths, limits } = connection.snapshot.settings;
  if (call.request!.hasEncodedSlash && paths.encodedSlash !== 'data') throw encodedSlashRefused(name);
  call.revision = relay.configuration.revision;
  call.compiled = connection.compiled();
  requireClaims(call);
  call.route = relay.upstream.route(connection.snapshot);
  call.url = targetUrl(call);
  const { maxRequestBytes } = limits;
  if ((call.request!.contentLength ?? 0) > maxRequestBytes) {
    throw new AppError('payload_too_large', `The body is larger than the ${maxRequestBytes} bytes that this connection takes.`);
  }
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

/** The path under the target's own: `/connection` alone means the target itself, without a slash after its path. */
export function targetPath({ req, request, route }: Call): string {
  const { path, connection } = request!;
  if (path !== '/' || route!.target.basePath === '') return path;
  const url = req.url ?? '';
  const next = url[connection.length + 1];
  return (next === undefined || next === '?') && url.startsWith(`/${connection}`) ? '' : path;
}

function targetUrl(call: Call): string {
  const { origin, basePath } = call.route!.target;
  return origin + basePath + targetPath(call) + call.request!.search;
}
