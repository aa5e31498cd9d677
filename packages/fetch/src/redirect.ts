import type { Payload } from './body.ts';
import { redirectReferrer, type Referrer } from './referrer.ts';

/** One request of a chain of redirects. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Payload;
  readonly referrer?: Referrer;
}

/** Redirects that are followed at most (Fetch standard, HTTP-redirect fetch, step 8). */
export const maxRedirects = 20;

const redirectStatuses = [301, 302, 303, 307, 308];
const bodyHeaders = ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length'];
const originHeaders = ['authorization', 'proxy-authorization', 'cookie', 'host'];

export const isRedirect = (status: number): boolean => redirectStatuses.includes(status);

/** The rejection of `fetch` where the standard says "network error". */
export const networkError = (why: string): TypeError => new TypeError('fetch failed', { cause: new Error(why) });

/** Header values arrive as Latin-1; a location outside ASCII is UTF-8. */
function decodeLocation(value: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(value)) return value;
  return new TextDecoder().decode(Uint8Array.from(value, (character) => character.charCodeAt(0)));
}

/**
 * The request that a redirect asks for (Fetch standard, HTTP-redirect fetch). Pure.
 * Throws a TypeError where the standard says "network error".
 */
export function followRedirect(hop: Hop, status: number, location: string, referrerPolicy: string | null = null): Hop {
  let url: URL;
  try {
    url = new URL(decodeLocation(location), hop.url);
  } catch (error) {
    throw new TypeError('fetch failed', { cause: error });
  }
  if (!/^https?:$/.test(url.protocol)) throw networkError('URL scheme must be a HTTP(S) scheme');
  if (url.username + url.password !== '') throw networkError('URL cannot contain credentials');
  if (status !== 303 && !hop.body.isReplayable) throw networkError('a stream cannot be sent again');

  const headers = new Headers(hop.headers);
  if (url.origin !== hop.url.origin) for (const name of originHeaders) headers.delete(name);
  const becomesGet = status === 303 ? hop.method !== 'GET' && hop.method !== 'HEAD' : status <= 302 && hop.method === 'POST';
  const referrer = hop.referrer === undefined ? {} : { referrer: redirectReferrer(hop.referrer, referrerPolicy, url) };
  if (!becomesGet) return { url, method: hop.method, headers, body: hop.body, ...referrer };
  for (const name of bodyHeaders) headers.delete(name);
  return { url, method: 'GET', headers, body: { value: null, isReplayable: true }, ...referrer };
}
