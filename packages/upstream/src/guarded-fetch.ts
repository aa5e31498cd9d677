/** Calls of our own (JWKS, discovery, token endpoints, webhooks): checked address, no redirect, bounded size and time. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';

import { AppError } from '@hoop/contract';
import got, { HTTPError, RequestError } from 'got';

import { createAddressRules } from './address.ts';
import { checkedLookup, resolveBySystem } from './dialer.ts';
import type { Resolve } from './dialer.ts';

export interface GuardedFetchOptions {
  /** Private ranges that may be reached. @default [] */
  readonly allowedCidrs?: readonly string[];
  /** The whole call with its retries. @default 5000 */
  readonly timeoutMs?: number;
  /** Largest response body. @default 524288 */
  readonly maxBytes?: number;
  /** Further attempts, made only where the request cannot have had an effect. @default 1 */
  readonly retries?: number;
  /** Certificates (PEM) to trust instead of the platform's. */
  readonly tls?: { readonly ca?: string | readonly string[] };
  /** @default the system's resolver */
  readonly resolve?: Resolve;
}

export interface GuardedRequest {
  /** @default "GET" */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export interface GuardedResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export type GuardedFetch = (url: string, request?: GuardedRequest) => Promise<GuardedResponse>;
export type GuardedFetchFactory = (options: GuardedFetchOptions) => GuardedFetch;

export type FetchRefusalKind = 'url' | 'address' | 'redirect' | 'too_large' | 'timeout' | 'network' | 'aborted';

/** A guarded call that brought no response. `reason` may be shown; nothing of the request is in it or in `cause`. */
export class FetchRefused extends Error {
  override readonly name = 'FetchRefused';
  readonly kind: FetchRefusalKind;
  /** A full sentence. */
  readonly reason: string;

  constructor(kind: FetchRefusalKind, reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.reason = reason;
  }
}

/** Failures before a byte was sent. */
const beforeSending = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];
/** A GET may be repeated after these as well. */
const duringCall = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'];
const busyStatuses = [429, 502, 503, 504];

/** Any status resolves but a redirect; everything else rejects with `FetchRefused`. Plain http goes to listed addresses only. */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const { allowedCidrs = [], timeoutMs = 5000, maxBytes = 524_288, retries = 1, tls, resolve = resolveBySystem } = options;
  let rules: ReturnType<typeof createAddressRules>;
  try {
    rules = createAddressRules(allowedCidrs);
  } catch (error) {
    throw new FetchRefused('address', error instanceof Error ? error.message : 'An allowed range is not valid.');
  }
  // Plain http can be read on the way, so it must not leave the networks that were named.
  const http = new HttpAgent({ keepAlive: false, lookup: checkedLookup(rules, resolve, (verdict) => verdict === 'listed') });
  const https = new HttpsAgent({ keepAlive: false, lookup: checkedLookup(rules, resolve) });

  return async (address, request = {}) => {
    const url = checkedUrl(address, rules);
    const method = request.method ?? 'GET';
    const stop = new AbortController();
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([stop.signal, deadline, ...(request.signal === undefined ? [] : [request.signal])]);
    try {
      const pending = got(url, {
        method,
        headers: { 'user-agent': 'hoop', 'accept-encoding': 'identity', ...request.headers },
        ...(request.body === undefined ? {} : { body: request.body }),
        agent: { http, https },
        https: {
          rejectUnauthorized: true,
          minVersion: 'TLSv1.2',
          ...(tls?.ca === undefined ? {} : { certificateAuthority: [...(typeof tls.ca === 'string' ? [tls.ca] : tls.ca)] }),
        },
        followRedirect: false,
        decompress: false,
        responseType: 'buffer',
        maxHeaderSize: 32_768,
        signal,
        retry: {
          limit: retries,
          methods: ['GET', 'POST', 'PUT', 'DELETE'],
          statusCodes: method === 'GET' ? busyStatuses : [],
          errorCodes: method === 'GET' ? [...beforeSending, ...duringCall] : beforeSending,
          backoffLimit: 1000,
          maxRetryAfter: 2000,
        },
      });
      void pending.on('downloadProgress', ({ transferred, total }) => {
        if (transferred > maxBytes || (total ?? 0) > maxBytes) stop.abort();
      });
      return checkedResponse(url, await pending, maxBytes);
    } catch (error) {
      if (error instanceof HTTPError) return checkedResponse(url, error.response as HttpResponse, maxBytes);
      if (error instanceof FetchRefused) throw error;
      if (stop.signal.aborted) throw new FetchRefused('too_large', `${url.host} sent more than ${maxBytes} bytes, which is the limit.`);
      if (request.signal?.aborted === true) throw new FetchRefused('aborted', 'The call was given up.');
      if (deadline.aborted) throw new FetchRefused('timeout', `${url.host} did not answer within ${timeoutMs} ms.`);
      throw networkRefusal(url, error);
    }
  };
}

interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawBody: Uint8Array;
}

function checkedUrl(address: string, rules: ReturnType<typeof createAddressRules>): URL {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new FetchRefused('url', 'The address is not an absolute URL.');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new FetchRefused('url', `The scheme of the URL is "${url.protocol}"; only https and http are possible.`);
  if (url.username !== '' || url.password !== '') throw new FetchRefused('url', 'The URL has a user name or password in it.');
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  if (isIP(hostname) !== 0) {
    const verdict = rules.check(hostname);
    if (verdict === 'refused') throw addressRefusal(url);
    if (verdict === 'public' && url.protocol === 'http:') throw plainRefusal(url);
  }
  return url;
}

const addressRefusal = (url: URL, cause?: unknown): FetchRefused =>
  url.protocol === 'http:' && cause !== undefined
    ? new FetchRefused(
        'address',
        `${url.host} has no address in the allowed private ranges, which plain http needs. Use https, or list the range in allowedCidrs.`,
        cause,
      )
    : new FetchRefused(
        'address',
        `${url.host} is at a private, local or reserved address. List its range in allowedCidrs if that is meant.`,
        cause,
      );

const plainRefusal = (url: URL): FetchRefused =>
  new FetchRefused('address', `${url.host} is on the internet, where plain http is refused. Use https.`);

function checkedResponse(url: URL, response: HttpResponse, maxBytes: number): GuardedResponse {
  const { statusCode, headers, rawBody } = response;
  if (statusCode >= 300 && statusCode < 400) {
    throw new FetchRefused('redirect', `${url.host} answered with a redirect (${statusCode}), which is not followed. Give the final URL.`);
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new FetchRefused('network', `${url.host} sent a compressed body although none was asked for.`);
  }
  if (rawBody.byteLength > maxBytes)
    throw new FetchRefused('too_large', `${url.host} sent more than ${maxBytes} bytes, which is the limit.`);
  return { status: statusCode, headers, body: Buffer.from(rawBody.buffer, rawBody.byteOffset, rawBody.byteLength) };
}

/** got's errors carry the whole request with its secrets, so only code and address refusals are taken from them. */
function networkRefusal(url: URL, error: unknown): FetchRefused {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof AppError && at.code === 'target_address_refused') return addressRefusal(url, at.cause ?? at);
  }
  const code = error instanceof RequestError ? error.code : undefined;
  return new FetchRefused('network', `${url.host} cannot be reached${code === undefined ? '' : ` (${code})`}.`);
}
