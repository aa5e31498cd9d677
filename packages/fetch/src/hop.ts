import { whileNotAborted } from './abort.ts';
import { relayHeaders } from './call-headers.ts';
import type { Client } from './client.ts';
import { findRoute, type Route } from './connection.ts';
import { hoopHeaders } from './constants.ts';
import type { Grant } from './grants.ts';
import { HoopTargetError } from './hoop-target-error.ts';
import type { HoopCallOptions } from './options.ts';
import type { Hop } from './redirect.ts';
import { isRenewable } from './relay-request.ts';
import { discardBody } from './response.ts';

/** What stays the same for every request of a call. */
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

type Decided = { readonly grant: Grant; readonly relayPath: string } | 'direct';

/** Sends one request, through Hoop or (where that was chosen, and no connection serves it) directly. Follows no redirect. */
export async function sendHop(call: Call, hop: Hop, isRedirected: boolean): Promise<Answer> {
  const { signal } = call.init;
  let grant = await whileNotAborted(call.client.grants.get(), signal);
  for (let isRetry = false; ; isRetry = true) {
    const decided = await whileNotAborted(decideRoute(call, hop, grant, isRedirected), signal);
    if (decided === 'direct') {
      if (call.defer) throw new HoopTargetError(hop.url, 'no connection serves this URL, and without Hoop a call cannot be deferred.');
      return { response: await send(call, hop.url.href, hop, hop.headers), isRelayed: false };
    }
    grant = decided.grant;
    const headers = relayHeaders(hop.headers, grant.token, { ...call.described, ...describeWaiting(call, hop) });
    if (call.defer) headers.append('prefer', 'respond-async');
    const response = await send(call, grant.relayUrl + decided.relayPath, hop, headers);
    if (!isRenewable(response) || isRetry) return { response, isRelayed: true };
    const replacement = call.client.grants.replace(grant);
    if (!hop.body.isReplayable) {
      // For the next call.
      replacement.catch(() => {});
      return { response, isRelayed: true };
    }
    void discardBody(response);
    grant = await whileNotAborted(replacement, signal);
  }
}

/** What can be sent again is not held by the relay: we follow its approval, through restarts of relays, and tell of it. */
function describeWaiting({ defer, waitUntil }: Call, hop: Hop): Record<string, string> {
  if (defer) return typeof defer === 'object' ? { [hoopHeaders.channel]: defer.channel } : {};
  if (hop.body.isReplayable) return { [hoopHeaders.wait]: '0' };
  const seconds = Math.max(0, Math.ceil((waitUntil - Date.now()) / 1000));
  return { [hoopHeaders.wait]: String(seconds), [hoopHeaders.withdrawOnAbort]: '1' };
}

async function send(call: Call, url: string, hop: Hop, headers: Headers): Promise<Response> {
  const { value: body } = hop.body;
  const init: RequestInit = { ...call.init, method: hop.method, headers, redirect: 'manual', ...(body === null ? {} : { body }) };
  const fetch = call.client.fetch();
  return fetch(url, body instanceof ReadableStream ? Object.assign(init, { duplex: 'half' }) : init);
}

/** Where a request goes. Asks once for a newer grant before saying that no connection serves it. */
async function decideRoute(call: Call, hop: Hop, grant: Grant, isRedirected: boolean): Promise<Decided> {
  const find = (one: Grant): Route => {
    const route = findRoute(one.connections, hop.url, call.connection);
    // A redirect may lead out of the connection that was named for the first request.
    return route.kind === 'outside' && isRedirected ? findRoute(one.connections, hop.url) : route;
  };
  let used = grant;
  let route = find(used);
  if (route.kind === 'none' && call.unmanaged === 'direct') return 'direct';
  if (route.kind === 'none' || route.kind === 'unknown') {
    used = await call.client.grants.getNewer(used);
    route = find(used);
  }
  if (route.kind === 'connection') return { grant: used, relayPath: `/${route.name}${route.rest}${hop.url.search}` };
  throw new HoopTargetError(hop.url, explainRoute(route, call.connection, used));
}

function explainRoute(route: Exclude<Route, { kind: 'connection' }>, wanted: string | undefined, grant: Grant): string {
  const known = grant.connections.map((one) => `${one.name} (${one.target})`).join(', ') || 'none';
  switch (route.kind) {
    case 'none':
      return (
        `no connection that this identity may use serves this URL (there are: ${known}). Register a connection whose target is the ` +
        `start of the URL and let the identity use it, or set unmanaged to 'direct' (HOOP_UNMANAGED=direct) to call such URLs without Hoop.`
      );
    case 'unknown':
      return `there is no connection ${JSON.stringify(wanted)} that this identity may use (there are: ${known}).`;
    case 'outside':
      return `the URL is not under ${route.target}, the target of the connection ${JSON.stringify(wanted)}.`;
    case 'ambiguous': {
      const example = `fetch(url, { hoop: { connection: '${route.names[0]}' } })`;
      return `the connections ${route.names.join(', ')} all serve this URL. Name the one to use: ${example}.`;
    }
  }
}
