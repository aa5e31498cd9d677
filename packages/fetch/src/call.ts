import { whileNotAborted } from './abort.ts';
import { sendWhenApproved } from './approval.ts';
import { copyBody, type Payload, readPayload } from './body.ts';
import { describeCall } from './call-headers.ts';
import type { Client } from './client.ts';
import { hoopHeaders, networkErrors } from './constants.ts';
import { readEnvironment } from './environment.ts';
import { HoopConfigurationError } from './hoop-configuration-error.ts';
import { HoopDeniedError } from './hoop-denied-error.ts';
import { HoopRelayError } from './hoop-relay-error.ts';
import type { Call } from './hop.ts';
import type { HoopCallOptions, HoopRequestInit } from './options.ts';
import { readProblem } from './problem.ts';
import { followRedirect, type Hop, isRedirect, maxRedirects, networkError } from './redirect.ts';
import { readReferrer } from './referrer.ts';
import { waitMs } from './relay-request.ts';
import { discardBody, presentResponse } from './response.ts';

/** Members of a Request, or of a Request given as `init`, that say how to send it. */
const carriedOver = ['cache', 'credentials', 'integrity', 'keepalive', 'mode', 'signal'] as const;

/** One `fetch` call: its request, and those that redirects ask for. Rejects as `fetch` does. */
export async function sendCall(
  client: Client,
  options: HoopCallOptions,
  input: string | URL | Request,
  init: HoopRequestInit | undefined,
): Promise<Response> {
  // Up to the first await, everything that the caller could change afterwards is read.
  const given = input instanceof Request ? input : undefined;
  const body = init?.body == null ? undefined : copyBody(init.body);
  const request = makeRequest(input, init, body);
  const url = new URL(request.url);
  const platformInit = readPlatformInit(init, given);
  const { signal } = platformInit;
  if (url.protocol === 'data:' || url.protocol === 'blob:') return client.fetch()(request, { signal: signal ?? null });

  const headers = new Headers(init?.headers ?? given?.headers);
  const reading = readPayload(body ?? init?.body, request);
  try {
    const call: Call = {
      client,
      connection: options.connection,
      unmanaged: options.unmanaged ?? defaultUnmanaged(),
      described: describeCall(options.session ?? client.session(), options.context ?? {}),
      init: platformInit,
      waitUntil: Date.now() + waitMs(options.waitSeconds ?? 60),
      onProgress: options.onProgress,
      defer: options.defer,
    };
    const referrer = readReferrer(given !== undefined && keepsReferrer(init) ? given : request, url);
    let hop: Hop = { url, method: request.method, headers, body: await whileNotAborted(reading, signal), referrer };
    for (let redirects = 0; ; redirects++) {
      const { response, isRelayed } = await sendWhenApproved(call, hop, redirects > 0);
      if (isRelayed) await throwRefusal(request, response, options.onDenied ?? 'return');
      const location = followedLocation(response, request.redirect);
      if (location === null) return presentResponse(response, { url: withoutFragment(hop.url), isRedirected: redirects > 0 });
      void discardBody(response);
      if (redirects === maxRedirects) throw networkError('redirect count exceeded');
      hop = followRedirect(hop, response.status, location, response.headers.get('referrer-policy'));
    }
  } catch (error) {
    // A stream that the platform has not taken over must not be left waiting for a reader.
    reading.then(({ value }) => (value instanceof ReadableStream && !value.locked ? value.cancel(error) : undefined)).catch(() => {});
    throw error;
  }
}

/**
 * Checks the arguments as the platform does. Without the signal: a Request that follows one leaves a listener on it until it
 * is collected, and nothing here looks at the Request's own. The body as it was copied, so that it is read once.
 */
function makeRequest(input: string | URL | Request, init: HoopRequestInit | undefined, body: Payload['value'] | undefined): Request {
  const get = (given: object, name: string): unknown =>
    name === 'signal' ? null : name === 'body' && body !== undefined ? body : Reflect.get(given, name);
  return new Request(input, new Proxy(init ?? {}, { get: get as ProxyHandler<HoopRequestInit>['get'] & object }));
}

/** A Request loses its referrer where it is made anew with any member (Fetch standard, Request constructor, step 20). */
const keepsReferrer = (init: HoopRequestInit | undefined): boolean =>
  Object.entries(init ?? {}).every(([name, value]) => name === 'hoop' || value === undefined);

/** Throws for what the relay itself answered, where that is not to be handed back as a response. */
async function throwRefusal(request: Request, response: Response, onDenied: 'return' | 'throw'): Promise<void> {
  const code = response.headers.get(hoopHeaders.error);
  if (code === null) return;
  const callId = response.headers.get(hoopHeaders.call) ?? undefined;
  if (networkErrors.includes(code))
    throw new TypeError('fetch failed', { cause: new HoopRelayError(await readProblem(response, code), callId) });
  // A body that the policy could not decide about is refused with a status that says what is wrong with it.
  const isDenied = response.status === 403 || code === 'approval_voided' || code.startsWith('body_');
  if (isDenied && onDenied === 'throw') throw new HoopDeniedError(request, await readProblem(response, code), callId);
}

/** Where to go next; null where the response is the answer. */
function followedLocation(response: Response, mode: Request['redirect']): string | null {
  if (!isRedirect(response.status) || mode === 'manual') return null;
  if (mode === 'error') throw networkError('unexpected redirect');
  return response.headers.get('location');
}

/** The caller's `init` as it is (a platform may know more members than we do), but for what is ours or set for each request. */
function readPlatformInit(init: HoopRequestInit | undefined, given: Request | undefined): RequestInit {
  const {
    hoop: _hoop,
    body: _body,
    headers: _headers,
    method: _method,
    referrer: _referrer,
    referrerPolicy: _policy,
    ...rest
  } = init ?? {};
  const carried: Record<string, unknown> = rest;
  for (const name of carriedOver) {
    const value = init?.[name] === undefined ? given?.[name] : init[name];
    if (value !== undefined) carried[name] = value;
  }
  return carried;
}

function defaultUnmanaged(): 'refuse' | 'direct' {
  const value = readEnvironment('HOOP_UNMANAGED') ?? 'refuse';
  if (value === 'refuse' || value === 'direct') return value;
  throw new HoopConfigurationError(`HOOP_UNMANAGED must be refuse or direct, not ${JSON.stringify(value)}`);
}

function withoutFragment(url: URL): string {
  const shown = new URL(url);
  shown.hash = '';
  return shown.href;
}
