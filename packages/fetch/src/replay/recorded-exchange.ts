/** The part of HAR 1.2 that answers need (http://www.softwareishard.com/blog/har-12-spec/), read from a value of any shape. */
import { networkErrors } from '../constants.ts';
import { HoopReplayError } from './hoop-replay-error.ts';

export interface RecordedExchange {
  readonly method: string;
  /** Without a fragment. */
  readonly url: string;
  /** The body that was sent; null: it is not in the HAR, or only its beginning or what it decodes to is, so any body fits. */
  readonly requestBody: Uint8Array | null;
  /** 0: no response came. */
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array<ArrayBuffer>;
  /** Why a whole body cannot be given; null where it can. */
  readonly missing: string | null;
  /** Why there is no response. */
  readonly error: string | null;
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const invalid = (what: string): HoopReplayError =>
  new HoopReplayError('har_invalid', `This is not a HAR 1.2 that can be replayed: ${what}.`);

/** @throws HoopReplayError `har_invalid` that names the place */
export function readExchanges(har: unknown): RecordedExchange[] {
  const log = isObject(har) ? har['log'] : undefined;
  if (!isObject(log) || !Array.isArray(log['entries'])) throw invalid('log.entries is missing');
  return log['entries'].map((entry: unknown, index) => readEntry(entry, `log.entries[${index}]`));
}

function readEntry(entry: unknown, at: string): RecordedExchange {
  if (!isObject(entry)) throw invalid(`${at} is not an object`);
  const { request, response } = entry;
  if (!isObject(request) || typeof request['method'] !== 'string' || typeof request['url'] !== 'string')
    throw invalid(`${at}.request needs a method and a url`);
  if (!isObject(response) || typeof response['status'] !== 'number') throw invalid(`${at}.response needs a status`);
  let url: string;
  try {
    url = withoutFragment(request['url']);
  } catch {
    throw invalid(`${at}.request.url is not a URL`);
  }
  const content = isObject(response['content']) ? response['content'] : {};
  const hoop = isObject(entry['_hoop']) ? entry['_hoop'] : {};
  const refusal = refusalOf(response['status'], content, hoop);
  const isTruncated = isObject(hoop['responseBody']) && hoop['responseBody']['truncated'] === true;
  const isCut = (hoop['state'] === 'failed' || hoop['state'] === 'aborted') && typeof hoop['targetStatus'] === 'number';
  const hasFailed = typeof hoop['targetStatus'] !== 'number' && networkErrors.includes(String(hoop['error']));
  const size = typeof content['size'] === 'number' ? content['size'] : 0;
  const isMissing = refusal === null && size > 0 && typeof content['text'] !== 'string';
  return {
    method: request['method'].toUpperCase(),
    url,
    requestBody: requestBodyOf(request, hoop, at),
    status: hasFailed ? 0 : response['status'],
    statusText: typeof response['statusText'] === 'string' ? response['statusText'] : '',
    headers: refusal?.headers ?? headersOf(response['headers'], at),
    body: refusal?.body ?? bytesOf(content['text'], content['encoding'], `${at}.response.content`),
    missing: isCut ? 'it was cut off' : isTruncated ? 'only its beginning was recorded' : isMissing ? 'it was not recorded' : null,
    error: typeof hoop['errorDetail'] === 'string' ? hoop['errorDetail'] : null,
  };
}

export function withoutFragment(text: string): string {
  const url = new URL(text);
  url.hash = '';
  return url.href;
}

function requestBodyOf(request: Json, hoop: Json, at: string): Uint8Array | null {
  const { postData, bodySize } = request;
  const facts = isObject(hoop['requestBody']) ? hoop['requestBody'] : {};
  if (facts['truncated'] === true || facts['decoded'] === true) return null;
  if (isObject(postData) && typeof postData['text'] === 'string')
    return bytesOf(postData['text'], postData['_encoding'], `${at}.request.postData`);
  return typeof bodySize === 'number' && bodySize > 0 ? null : new Uint8Array(0);
}

/** Describes the body as it came over the wire; in a HAR it is decoded. */
const wireHeaders = new Set(['content-encoding', 'content-length', 'transfer-encoding', 'connection']);

function headersOf(list: unknown, at: string): [string, string][] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw invalid(`${at}.response.headers is not a list`);
  const headers: [string, string][] = [];
  for (const one of list as unknown[]) {
    if (!isObject(one) || typeof one['name'] !== 'string' || typeof one['value'] !== 'string')
      throw invalid(`${at}.response.headers needs a name and a value in each`);
    // Pseudo-headers of HTTP/2, as browsers write them.
    if (one['name'].startsWith(':') || wireHeaders.has(one['name'].toLowerCase())) continue;
    headers.push([one['name'], one['value']]);
  }
  return headers;
}

function bytesOf(text: unknown, encoding: unknown, at: string): Uint8Array<ArrayBuffer> {
  if (typeof text !== 'string') return new Uint8Array(0);
  if (encoding !== 'base64') return new TextEncoder().encode(text);
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw invalid(`${at}.text is not base64`);
  }
}

/** Answers of Hoop itself are recorded by code; the function saw problem+json (RFC 9457). */
function refusalOf(status: number, content: Json, hoop: Json): Pick<RecordedExchange, 'headers' | 'body'> | null {
  const { error: code, errorDetail: detail, decision, callId, targetStatus } = hoop;
  if (typeof code !== 'string' || status === 0 || typeof targetStatus === 'number' || typeof content['text'] === 'string') return null;
  const message = typeof detail === 'string' ? detail : code;
  const problem = {
    type: `urn:hoop:error:${code}`,
    code,
    title: code,
    status,
    detail: message,
    ...(isObject(decision) ? { rule: decision['rule'] } : {}),
    ...(typeof callId === 'string' ? { callId } : {}),
    message,
    error: { type: code, code, message },
  };
  return {
    headers: [
      ['content-type', 'application/problem+json; charset=utf-8'],
      ['hoop-error', code],
      ...(typeof callId === 'string' ? [['hoop-call', callId] as const] : []),
    ],
    body: new TextEncoder().encode(JSON.stringify(problem)),
  };
}
