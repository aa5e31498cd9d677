/** Step 1 of the data path: a request head is read once, in one way, or refused. */
import { AppError } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';

import { connectionOptions, headerKind, isFieldValue } from './header-rules.ts';
import { normalisePath, parseQuery } from './path.ts';
import type { PathForm } from './path.ts';

export interface RequestHead {
  readonly method: string;
  /** The request target as it stands in the request line. */
  readonly url: string;
  /** `[name, value, name, value, …]` as `node:http` gives them. */
  readonly rawHeaders: readonly string[];
  /** @default "1.1" */
  readonly httpVersion?: string;
  /** Whose path the request line has. @default "relay" */
  readonly pathForm?: PathForm;
}

/** The one reading of a request: policy, digest, recording and forwarding all see it. */
export interface NormalisedRequest {
  readonly method: string;
  /** Name of the connection: the first segment of the relay's path. Empty where the request line has the target's own path. */
  readonly connection: string;
  /** The target's path, starts with `/`. */
  readonly path: string;
  /** `` or `?…`. */
  readonly search: string;
  /** The path has a `%2F`: to be refused unless the connection takes it. */
  readonly hasEncodedSlash: boolean;
  /** Decoded names and values; no prototype. */
  readonly query: Record<string, string[]>;
  /** Lower-case names in wire order; without what `Connection` names. */
  readonly headers: HeaderList;
  readonly host: string;
  /** Bytes, or null where the body is chunked or absent. */
  readonly contentLength: number | null;
  readonly chunked: boolean;
  readonly hasBody: boolean;
}

const maxHeaders = 200;
const maxHeaderCharacters = 65_536;

const ambiguous = (detail: string): AppError => new AppError('ambiguous_request', detail);

/**
 * @throws AppError `ambiguous_request` (smuggling), `invalid_path`, `header_too_large`, `method_not_allowed`, `upgrade_unsupported`
 */
export function readRequest(head: RequestHead): NormalisedRequest {
  const { method, rawHeaders } = head;
  const { httpVersion = '1.1' } = head;
  // A parser takes a request line without a version for HTTP/0.9, which has no headers that could be told from a body.
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    throw ambiguous('The request line names no version of HTTP that is spoken here: 1.0 or 1.1.');
  if (!/^[A-Z]{1,20}$/.test(method) || method === 'CONNECT' || method === 'TRACE') {
    throw new AppError('method_not_allowed', `The method ${JSON.stringify(method.slice(0, 30))} is not forwarded.`);
  }
  if (rawHeaders.length > maxHeaders * 2) throw new AppError('header_too_large', `The request has more than ${maxHeaders} headers.`);

  const headers: HeaderList = [];
  let host: string | undefined;
  let contentLength: number | null = null;
  let chunked = false;
  let characters = 0;
  let seen: Set<string> | undefined;
  let options: string[] | undefined;
  let upgrade: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const kind = headerKind(rawHeaders[i]!);
    const value = rawHeaders[i + 1]!;
    if (!kind.valid) throw ambiguous('The request has a header whose name is not valid.');
    if (!kind.token && !isFieldValue(value)) throw ambiguous(`The value of the header "${kind.name}" has control characters in it.`);
    characters += kind.name.length + value.length;
    if (kind.overriding) {
      throw ambiguous(
        `The header "${kind.name}" is refused: a target could take it for another method, path or length than the policy sees.`,
      );
    }
    if (kind.single) {
      seen ??= new Set();
      if (seen.has(kind.name)) throw ambiguous(`The request has more than one "${kind.name}" header.`);
      seen.add(kind.name);
      if (kind.name === 'host') host = value;
      else if (kind.name === 'content-length') contentLength = readLength(value);
      else if (kind.name === 'transfer-encoding') chunked = readCoding(value, head.httpVersion);
    } else if (kind.name === 'connection') {
      const named = connectionOptions(value);
      if (named.length > 0) (options ??= []).push(...named);
    } else if (kind.name === 'upgrade') {
      upgrade = upgrade === undefined ? value : `${upgrade}, ${value}`;
    }
    headers.push([kind.name, value]);
  }
  if (characters > maxHeaderCharacters)
    throw new AppError('header_too_large', `The headers are longer than ${maxHeaderCharacters} characters.`);
  if (chunked && contentLength !== null) throw ambiguous('The request has both Content-Length and Transfer-Encoding.');
  if (host === undefined || host === '') throw ambiguous('The request has no Host header.');

  if (upgrade !== undefined && options?.includes('upgrade') === true) refuseUpgrade(upgrade);

  const { connection, path, search, hasEncodedSlash } = normalisePath(originForm(head.url, host), head.pathForm);
  return {
    method,
    connection,
    path,
    search,
    hasEncodedSlash,
    query: parseQuery(search),
    headers: options === undefined ? headers : withoutNamed(headers, options),
    host,
    contentLength,
    chunked,
    hasBody: chunked || (contentLength ?? 0) > 0,
  };
}

/** A caller that offers HTTP/2 in the clear gets HTTP/1.1 (RFC 9110 §7.8 lets us); any other protocol would be none that we could follow. */
function refuseUpgrade(protocols: string): void {
  const wanted = protocols
    .split(',')
    .map((one) => one.trim().toLowerCase())
    .find((one) => one !== '' && one !== 'h2c');
  if (wanted === undefined) return;
  const shown = JSON.stringify(wanted.slice(0, 30));
  throw new AppError('upgrade_unsupported', `The connection cannot change to the protocol ${shown}: only HTTP requests go through Hoop.`);
}

function readLength(value: string): number {
  if (!/^[0-9]{1,15}$/.test(value)) throw ambiguous('The Content-Length is not one decimal number.');
  return Number(value);
}

function readCoding(value: string, httpVersion: string | undefined): boolean {
  if (value.toLowerCase() !== 'chunked') throw ambiguous('The Transfer-Encoding is not "chunked" alone.');
  if (httpVersion === '1.0') throw ambiguous('An HTTP/1.0 request cannot have a Transfer-Encoding.');
  return true;
}

/** Headers that belong to this hop alone are gone for everybody, not only for the target. */
function withoutNamed(headers: HeaderList, options: readonly string[]): HeaderList {
  const named = new Set(options);
  for (const name of named) {
    if (headerKind(name).fixed) throw ambiguous(`The Connection header names "${name}", which is not of this hop alone.`);
  }
  return headers.filter(([name]) => !named.has(name));
}

/** The absolute form (RFC 9112 §3.2.2) is taken only where its authority is the Host header's. */
function originForm(url: string, host: string): string {
  if (url.charCodeAt(0) === 0x2f) return url;
  const absolute = /^https?:\/\/([^/?#\\@]+)(\/.*)?$/is.exec(url);
  if (absolute === null) throw new AppError('invalid_path', 'The request target must be a path, or an absolute URL of this relay.');
  if (absolute[1]!.toLowerCase() !== host.toLowerCase()) throw ambiguous('The request line names another host than the Host header.');
  return absolute[2] ?? '/';
}
