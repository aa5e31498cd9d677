import { whileNotAborted } from '../abort.ts';
import { followRedirect, type Hop, isRedirect, maxRedirects, networkError } from '../redirect.ts';
import { presentResponse } from '../response.ts';
import { HoopReplayError } from './hoop-replay-error.ts';
import { readExchanges, type RecordedExchange, withoutFragment } from './recorded-exchange.ts';

export interface ReplayOptions {
  /**
   * Whether the body of a request must be the recorded one. Recorded bodies are masked, and forms have a random boundary:
   * where that matters, set it to false, and calls are told apart by method and URL alone.
   * @default true
   */
  readonly matchBody?: boolean;
}

export interface ReplayFetch {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Recorded calls that nobody has made yet, in the HAR's order: empty once a test has made them all. */
  unused(): { readonly method: string; readonly url: string }[];
}

/**
 * A `fetch` that answers from a HAR and never goes to a network: a session exported by Hoop, or any HAR 1.2. Calls with the
 * same method, URL and body are answered in their recorded order, each once. A recorded body that was not kept whole fits
 * any. What failed when it was recorded rejects with the `TypeError` that `fetch` would reject with; what Hoop refused is
 * answered with its problem document, as far as it is on record. Redirects are followed as `fetch` does.
 *
 * @param har the parsed JSON of the file
 * @throws HoopReplayError `har_invalid` here, and `not_recorded` from calls that the HAR does not hold
 */
export function replayFetch(har: unknown, options: ReplayOptions = {}): ReplayFetch {
  const { matchBody = true } = options;
  const unused = readExchanges(har);

  function take(hop: Hop, body: Uint8Array): RecordedExchange {
    const url = withoutFragment(hop.url.href);
    const alike = unused.filter((one) => one.method === hop.method && one.url === url);
    const found = matchBody
      ? (alike.find((one) => one.requestBody !== null && isSame(one.requestBody, body)) ?? alike.find((one) => one.requestBody === null))
      : alike[0];
    if (found === undefined) throw new HoopReplayError('not_recorded', explain(hop, url, alike.length, unused));
    unused.splice(unused.indexOf(found), 1);
    return found;
  }

  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const bytes = new Uint8Array(await whileNotAborted(request.clone().arrayBuffer(), request.signal));
    let hop: Hop = {
      url: new URL(request.url),
      method: request.method,
      headers: request.headers,
      body: { value: bytes.byteLength === 0 ? null : bytes, isReplayable: true },
    };
    for (let redirects = 0; ; redirects++) {
      request.signal.throwIfAborted();
      const exchange = take(hop, hop.body.value === null ? new Uint8Array(0) : bytes);
      const response = responseOf(exchange, hop.method);
      const location = isRedirect(exchange.status) && request.redirect !== 'manual' ? response.headers.get('location') : null;
      if (location === null) return presentResponse(response, { url: exchange.url, isRedirected: redirects > 0 });
      if (request.redirect === 'error') throw networkError('unexpected redirect');
      if (redirects === maxRedirects) throw networkError('redirect count exceeded');
      hop = followRedirect(hop, exchange.status, location);
    }
  };
  return Object.assign(fetch, { unused: () => unused.map(({ method, url }) => ({ method, url })) });
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index]);

/** Statuses whose responses have no body (Fetch standard, null body status). */
const withoutBody = [101, 103, 204, 205, 304];

function responseOf(exchange: RecordedExchange, method: string): Response {
  const { status, statusText, headers, body, missing, error } = exchange;
  if (status < 200 || status > 599) throw networkError(error ?? 'no response was recorded');
  const hasBody = method !== 'HEAD' && !withoutBody.includes(status);
  const what = `${method} ${exchange.url}`;
  const failing =
    missing === null
      ? null
      : new HoopReplayError('not_recorded', `The HAR does not hold the whole body of the response to ${what}: ${missing}.`);
  return new Response(hasBody ? (failing === null ? body : brokenBody(failing)) : null, {
    status,
    statusText: /^[\t\x20-\x7e]*$/.test(statusText) ? statusText : '',
    headers: headers.map(([name, value]) => [name, value] as [string, string]),
  });
}

/** Status and headers are on record; only reading the body fails, as it is not. */
const brokenBody = (error: Error): ReadableStream<Uint8Array<ArrayBuffer>> =>
  new ReadableStream({ pull: (controller) => controller.error(error) }, { highWaterMark: 0 });

function explain(hop: Hop, url: string, alike: number, unused: readonly RecordedExchange[]): string {
  const call = `${hop.method} ${url}`;
  if (alike > 0) {
    return `The HAR has ${call}, but with another body. Recorded bodies are masked; to ignore bodies: replayFetch(har, { matchBody: false }).`;
  }
  const rest = unused.slice(0, 5).map((one) => `${one.method} ${one.url}`);
  const listed = rest.length === 0 ? 'nothing: every recorded call was answered' : `${rest.join(', ')}${unused.length > 5 ? ', …' : ''}`;
  return `The HAR has no (further) ${call}. Left in it: ${listed}.`;
}
