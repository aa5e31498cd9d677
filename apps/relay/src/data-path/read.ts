/** Step 1: the head is read once, in one way, or refused; every later step sees only what came of it. */
import { AppError, headers, parseJson } from '@hoop/contract';
import { headerValue, readRequest } from '@hoop/upstream';
import type { NormalisedRequest, RequestHead } from '@hoop/upstream';

import type { Call } from '../call/call.ts';
import { hostOf, parseAuthority, portOf } from '../call/door.ts';
import type { ProxyDoor } from '../call/door.ts';

const maxContextBytes = 4096;
const contextKey = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
const maxContextEntries = 50;

/** @throws AppError `ambiguous_request`, `invalid_path`, `header_too_large`, `method_not_allowed`, `invalid_context` */
export function read(call: Call): void {
  const { method = '', url = '', rawHeaders, httpVersion } = call.req;
  const { door } = call;
  if (door === null) call.request = readRequest({ method, url, rawHeaders, httpVersion });
  else call.request = readProxied(door, { method, url, rawHeaders, httpVersion });
  const request = call.request;
  const context = headerValue(request.headers, headers.context);
  if (context !== undefined) call.context = readContext(context);
}

/**
 * A request that names its target itself. What the caller tells the target of itself by `Authorization` (a stand-in, as
 * client libraries insist on a key) and what is for the proxy is for nobody else to see.
 * @throws AppError as above
 */
function readProxied({ authority, origin, isInside }: ProxyDoor, head: RequestHead): NormalisedRequest {
  const request = readRequest({ ...head, pathForm: 'target' });
  const scheme = origin.startsWith('https:') ? 'https:' : 'http:';
  const host = parseAuthority(request.host, portOf(scheme));
  if (host === null || hostOf(host, scheme) !== authority) {
    throw new AppError(
      'ambiguous_request',
      `The Host header names another host than the ${isInside ? 'CONNECT request' : 'request line'}: ${authority} was asked for.`,
    );
  }
  // Inside of a CONNECT the request line is a path, or the same URL.
  if (isInside && !head.url.startsWith('/') && !head.url.toLowerCase().startsWith(`${scheme}//`))
    throw new AppError('ambiguous_request', 'The request line names another scheme than the connection that it came on.');
  return { ...request, headers: request.headers.filter(([name]) => name !== 'authorization' && !name.startsWith('proxy-')) };
}

function readContext(text: string): Readonly<Record<string, string>> {
  let value: unknown;
  if (text.length <= maxContextBytes && /^[\x20-\x7e]*$/.test(text)) {
    try {
      value = parseJson(text);
    } catch {
      // said below
    }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`The ${headers.context} header must be a JSON object of strings, in ASCII, of at most ${maxContextBytes} bytes.`);
  }
  const entries = Object.entries(value);
  if (entries.length > maxContextEntries) throw invalid(`The ${headers.context} header has more than ${maxContextEntries} members.`);
  for (const [key, one] of entries) {
    if (!contextKey.test(key))
      throw invalid(`"${key.slice(0, 64)}" cannot be the name of a context value: letters, digits, ".", "_" and "-", and a letter first.`);
    if (typeof one !== 'string') throw invalid(`The context value "${key}" is not a string.`);
  }
  return value as Record<string, string>;
}

const invalid = (detail: string): AppError => new AppError('invalid_context', detail);
