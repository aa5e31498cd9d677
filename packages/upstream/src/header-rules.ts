/** Which headers reach a target, and which come back. */
import { AppError, hoopHeaderPrefix, headers as hoopHeaders } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';

import { isProxyHeader } from './proxy-headers.ts';

/** How a header of this name is treated; each name is judged once and remembered. */
export interface HeaderKind {
  /** Lower case. */
  readonly name: string;
  /** False for what is not a token (RFC 9110 §5.6.2). */
  readonly valid: boolean;
  /** Meant for one connection only (RFC 9110 §7.6.1), or for the relay itself. */
  readonly toTarget: boolean;
  /** Trusted by targets as a statement of the proxy before them; the name with `-` for `_`, or null. */
  readonly fromProxy: string | null;
  readonly toCaller: boolean;
  /** May be there once only. */
  readonly single: boolean;
  /** Would have the target do something else than what the policy sees. */
  readonly overriding: boolean;
  /** May not be named in `Connection`: it would be a way to hide it from one side. */
  readonly fixed: boolean;
  /** Holds the caller's token, which ends at the relay and is read by a parser with an alphabet of its own. */
  readonly token: boolean;
}

const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings'];
/** `proxy-*` and `hoop-*` are dropped by prefix. */
const notToTarget = new Set([...hopByHop, 'authorization', 'cookie', 'cookie2', 'expect', 'host', 'via', 'max-forwards']);
/** A session cookie would be a credential in the function's hands; `alt-svc` and HSTS speak for the target's origin, not the relay's. */
const notToCaller = new Set([
  ...hopByHop,
  'set-cookie',
  'set-cookie2',
  'alt-svc',
  'strict-transport-security',
  'clear-site-data',
  'public-key-pins',
]);
const single = new Set(['host', 'content-length', 'transfer-encoding', 'content-type', 'content-encoding', 'authorization', 'expect']);
const overriding = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
  'x-original-method',
  'x-override-url',
]);
const fixed = new Set(['host', 'content-length', 'transfer-encoding', 'content-type', 'content-encoding', 'authorization', 'cookie']);

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
/** All but visible ASCII, space, tab and obs-text (RFC 9110 §5.5): CR, LF and NUL above all. */
// oxlint-disable-next-line no-control-regex -- they are what it looks for
const notFieldValue = /[\0-\x08\x0a-\x1f\x7f\u0100-\uffff]/;

const known = new Map<string, HeaderKind>();
const maxKnown = 2048;

export function headerKind(name: string): HeaderKind {
  const found = known.get(name);
  if (found !== undefined) return found;
  const kind = judge(name);
  if (known.size < maxKnown) known.set(name, kind);
  return kind;
}

function judge(raw: string): HeaderKind {
  const name = raw.toLowerCase();
  // CGI, WSGI and their like cannot tell `x_y` from `x-y`, so neither do the rules.
  const folded = name.replaceAll('_', '-');
  const isHoop = folded.startsWith(hoopHeaderPrefix);
  return {
    name,
    valid: token.test(raw),
    toTarget: !(isHoop || notToTarget.has(folded) || folded.startsWith('proxy-')),
    fromProxy: isProxyHeader(folded) ? folded : null,
    toCaller: !(isHoop || notToCaller.has(folded) || folded.startsWith('proxy-')),
    single: isHoop || single.has(name),
    overriding: overriding.has(folded) || (folded !== name && (single.has(folded) || hopByHop.includes(folded))),
    fixed: isHoop || fixed.has(folded),
    token: name === 'authorization' || name === hoopHeaders.grant,
  };
}

export const isFieldValue = (value: string): boolean => !notFieldValue.test(value);

/** Names that a `Connection` header lists, lower case; `close` and `keep-alive` are left out (RFC 9110 §7.6.1). */
export function connectionOptions(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((option) => option.trim())
    .filter((option) => option !== '' && option !== 'close' && option !== 'keep-alive');
}

/** Removes every header that a `Connection` header of the list names; gives back the same list where there is none. */
export function withoutConnectionOptions(headers: HeaderList): HeaderList {
  let listed: Set<string> | undefined;
  for (const [name, value] of headers) {
    if (name !== 'connection') continue;
    for (const option of connectionOptions(value)) (listed ??= new Set()).add(option);
  }
  return listed === undefined ? headers : headers.filter(([name]) => !listed.has(name));
}

const nonePassed: readonly string[] = [];

/**
 * The headers that go to a target. Dropped: hop-by-hop headers and those that `Connection` names, `hoop-*`, `authorization`,
 * `proxy-*`, cookies, `host`, `expect`, `via`, and headers that targets trust from a proxy (see proxy-headers.ts).
 * The credential is injected afterwards.
 * @param headers lower-case names
 * @param passed headers of a proxy that pass all the same, lower case
 * @throws AppError `ambiguous_request` where a value could end its line
 */
export function forwardHeaders(headers: HeaderList, passed: readonly string[] = nonePassed): HeaderList {
  const kept: HeaderList = [];
  for (const header of withoutConnectionOptions(headers)) {
    const { toTarget, fromProxy } = headerKind(header[0]);
    if (!toTarget || (fromProxy !== null && !passed.includes(fromProxy))) continue;
    if (notFieldValue.test(header[1]))
      throw new AppError('ambiguous_request', `The value of the header "${header[0]}" has control characters in it.`);
    kept.push(header);
  }
  return kept;
}

/**
 * The headers that go back to the function. Dropped: hop-by-hop headers and those that `Connection` names, look-alikes of
 * `hoop-*`, `proxy-*`, cookies, and statements about the target's origin (`alt-svc`, HSTS).
 * @throws AppError `target_invalid_response` where a value could end its line
 */
export function returnHeaders(headers: HeaderList): HeaderList {
  const kept: HeaderList = [];
  for (const header of withoutConnectionOptions(headers)) {
    const kind = headerKind(header[0]);
    if (!kind.toCaller) continue;
    if (!kind.valid || notFieldValue.test(header[1]))
      throw new AppError('target_invalid_response', 'The target sent a header that is not valid.');
    kept.push(header);
  }
  return kept;
}

/** Framing, and what is needed to read the body, is no trailer (RFC 9110 §6.5.1). */
const notTrailers = new Set(['content-length', 'content-type', 'content-encoding', 'content-range', 'host', 'location']);

/**
 * The trailers that go back to the function: as headers do, without those that speak of the body's framing.
 * @throws AppError `target_invalid_response` where a value could end its line
 */
export const returnTrailers = (raw: readonly (Buffer | string)[] | null | undefined): HeaderList =>
  returnHeaders(responseHeaders(raw)).filter(([name]) => !notTrailers.has(name));

type ParsedHeaders = Readonly<Record<string, string | string[] | undefined>>;

/**
 * A header list from what undici gives a handler: the parsed headers (quicker, as they are made anyway; values of one
 * name come together), or `controller.rawHeaders` in wire order. Names become lower case, values are Latin-1.
 */
export function responseHeaders(given: ParsedHeaders | readonly (Buffer | string)[] | null | undefined): HeaderList {
  const list: HeaderList = [];
  if (given === null || given === undefined) return list;
  if (isRaw(given)) {
    for (let i = 0; i + 1 < given.length; i += 2) list.push([headerKind(latin1(given[i]!)).name, latin1(given[i + 1]!)]);
    return list;
  }
  for (const name of Object.keys(given)) {
    const value = given[name];
    if (typeof value === 'string') list.push([name, value]);
    else for (const one of value ?? []) list.push([name, one]);
  }
  return list;
}

const isRaw = (given: ParsedHeaders | readonly (Buffer | string)[]): given is readonly (Buffer | string)[] => Array.isArray(given);
const latin1 = (text: Buffer | string): string => (typeof text === 'string' ? text : text.toString('latin1'));

/** `[name, value, name, value, …]`, as undici and `node:http` take them. */
export function flattenHeaders(headers: HeaderList): string[] {
  const flat: string[] = [];
  for (const [name, value] of headers) flat.push(name, value);
  return flat;
}

/** The first value of a header, by its lower-case name. */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  for (const header of headers) if (header[0] === name) return header[1];
  return undefined;
}
