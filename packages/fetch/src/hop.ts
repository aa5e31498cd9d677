import { whileNotAborted } from './abort.ts';
import { relayHeaders } from './call-headers.ts';
import type { Client } from './client.ts';
import type { Route } from './connection.ts';
import { hoopHeaders } from './constants.ts';
import type { KnownConnections } from './exchange.ts';
import type { Found } from './grants.ts';
import { HoopTargetError } from './hoop-target-error.ts';
import type { HoopCallOptions } from './options.ts';
import type { Hop } from './redirect.ts';
import { isRenewable } from './relay-request.ts';
import { discardBody } from './response.ts';
import { refuseTlsNotice, relayFailure } from './unreachable.ts';

/** The constants of a call, shared by all of its requests. */
export interface Call {
  readonly client: Client;
  /** The connection that the caller named. */
  readonly connection: string | undefined;
  readonly unmanaged: 'refuse' | 'direct';
  /** Session and context, as headers. */
  readonly described: Readonly<Record<string, string>>;
  /** How each request is sent, but for method, headers and body. */
  readonly init: RequestInit;
  /** Until when an approval is waited for, Unix milliseconds. */
  readonly waitUntil: number;
  readonly onProgress: HoopCallOptions['onProgress'];
  readonly defer: HoopCallOptions['defer'];
}

export interface Answer {
  readonly response: Response;
  /** The relay sent it: its Hoop headers can be believed. */
  readonly isRelayed: boolean;
}

/** Sends one request, through Hoop or (where that was chosen, and no connection serves it) directly. Follows no redirect. */
export async function sendHop(call: Call, hop: Hop, isRedirected: boolean): Promise<Answer> {
  const { signal } = call.init;
  for (let isRetry = false; ; isRetry = true) {
    const found = await whileNotAborted(findConnection(call, hop, isRedirected), signal);
    if (found.route.kind === 'none' && call.unmanaged === 'direct') {
      if (call.defer) throw new HoopTargetError(hop.url, 'no connection serves this URL, and only Hoop defers calls.');
      return { response: await send(call, hop.url.href, hop, hop.headers), isRelayed: false };
    }
    if (!('grant' in found)) throw new HoopTargetError(hop.url, explainRoute(found.route, call.connection, found.known));
    const { grant, route } = found;
    const headers = relayHeaders(hop.headers, grant.token, { ...call.described, ...describeWaiting(call, hop) });
    if (call.defer) headers.append('prefer', 'respond-async');
    const url = `${grant.relayUrl}/${route.name}${route.rest}${searchOf(hop.url)}`;
    const response = await send(call, url, hop, headers).catch((error: unknown) => {
      throw signal?.aborted === true ? error : relayFailure(error, grant.relayUrl, !hop.body.isReplayable);
    });
    refuseTlsNotice(response, grant.relayUrl);
    if (!isRenewable(response) || isRetry) return { response, isRelayed: true };
    const renewed = found.renew();
    if (!hop.body.isReplayable) {
      // For the next call.
      renewed.catch(() => {});
      return { response, isRelayed: true };
    }
    void discardBody(response);
    await whileNotAborted(renewed, signal);
  }
}

/** `search` of a URL leaves out a `?` that nothing follows. */
const searchOf = ({ href, origin, pathname }: URL): string => href.slice(origin.length + pathname.length).split('#')[0]!;

/** The relay does not hold a call that can be sent again: the SDK polls the approval, through restarts of relays, and reports it. */
function describeWaiting({ defer, waitUntil }: Call, hop: Hop): Record<string, string> {
  if (defer) return typeof defer === 'object' ? { [hoopHeaders.channel]: defer.channel } : {};
  if (hop.body.isReplayable) return { [hoopHeaders.wait]: '0' };
  const seconds = Math.max(0, Math.ceil((waitUntil - Date.now()) / 1000));
  return { [hoopHeaders.wait]: String(seconds), [hoopHeaders.withdrawOnAbort]: '1' };
}

async function send(call: Call, url: string, hop: Hop, given: Headers): Promise<Response> {
  const headers = new Headers(given);
  if (hop.referrer?.url !== undefined) headers.set('referer', hop.referrer.url);
  const { value: body } = hop.body;
  const init: RequestInit = { ...call.init, method: hop.method, headers, redirect: 'manual', ...(body === null ? {} : { body }) };
  const fetch = call.client.fetch();
  return fetch(url, body instanceof ReadableStream ? Object.assign(init, { duplex: 'half' }) : init);
}

/** Where a request goes, and the grant for it. */
async function findConnection({ client, connection, unmanaged }: Call, hop: Hop, isRedirected: boolean): Promise<Found> {
  const mayBeOld = unmanaged === 'direct';
  const found = await client.grants.find(hop.url, connection, mayBeOld);
  // A redirect may lead out of the connection that was named for the first request.
  return found.route.kind === 'outside' && isRedirected ? client.grants.find(hop.url, undefined, mayBeOld) : found;
}

function explainRoute(
  route: Exclude<Route, { kind: 'connection' }>,
  wanted: string | undefined,
  { connections, isComplete }: KnownConnections,
): string {
  // So many are named at most.
  const listed = connections.slice(0, 20).map((one) => `${one.name} (${one.target})`);
  const isAll = isComplete && listed.length === connections.length;
  const known = (listed.join(', ') || 'none') + (isAll ? '' : ', ...');
  switch (route.kind) {
    case 'none':
      return (
        `no connection that this identity may use serves this URL (there are: ${known}). Register one whose target is the start of the URL, ` +
        `or set unmanaged to 'direct' (HOOP_UNMANAGED=direct) to call it without Hoop.` +
        (isAll ? '' : ' Where not all are listed, name the one to use.')
      );
    case 'unknown':
      return `there is no connection "${wanted!}" that this identity may use (there are: ${known}).`;
    case 'outside':
      return `the URL is not under ${route.target}, the target of the connection "${wanted!}".`;
    case 'ambiguous': {
      const example = `fetch(url, { hoop: { connection: '${route.names[0]}' } })`;
      return `the connections ${route.names.join(', ')} all serve this URL. Name the one to use: ${example}.`;
    }
  }
}
