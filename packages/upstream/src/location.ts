/**
 * URLs in a target's response that clients act upon by themselves. A client that knows Hoop only as a base URL would
 * follow them with its grant: to another host, or to another connection of the relay.
 */
import type { HeaderList } from '@hoop/contract';

import type { Target } from './target.ts';

export interface LocationScope {
  readonly target: Pick<Target, 'origin' | 'basePath'>;
  /** Name of the connection. */
  readonly connection: string;
  /** The target's URL that was asked for: relative URLs are relative to it. */
  readonly url: string;
  /** The relay as its caller reached it, e.g. `https://relay.example`; empty where that is not known. */
  readonly relayOrigin: string;
  /** URLs outside the connection pass, in full, instead of being withheld; those of the relay do not. */
  readonly passesForeign: boolean;
}

/** A URL that the caller does not get: the header that had it, and the URL in ASCII. */
export type WithheldLocation = readonly [header: string, url: string];

export interface Relocated {
  readonly headers: HeaderList;
  readonly withheld: readonly WithheldLocation[];
}

/** Headers of one URL: RFC 9110 §10.2.2 and §8.7, and what Azure's clients poll. */
const urlHeaders = new Set(['location', 'content-location', 'operation-location', 'azure-asyncoperation']);
const locatingHeaders = new Set([...urlHeaders, 'link', 'refresh']);

const maxWithheld = 10;
const maxShown = 2048;
/** URLs of one response that are read; all after them are withheld unread. */
const maxRead = 100;

/**
 * The headers with every URL of the connection as the relay's (`/CONNECTION/…`), and without those that lead anywhere
 * else. Null: nothing in them is a URL.
 */
export function relocate(headers: HeaderList, scope: LocationScope): Relocated | null {
  if (!headers.some(([name]) => locatingHeaders.has(name))) return null;
  const kept: HeaderList = [];
  const withheld: WithheldLocation[] = [];
  const relayHost = scope.relayOrigin.slice(scope.relayOrigin.indexOf('//') + 2).toLowerCase();
  let left = maxRead;
  for (const header of headers) {
    const [name, value] = header;
    if (!locatingHeaders.has(name)) {
      kept.push(header);
      continue;
    }
    const withhold = (url: string): null => {
      if (withheld.length < maxWithheld) withheld.push([name, shown(url, scope.url)]);
      return null;
    };
    const place: Place = (url, before = '') => {
      if (left-- > 0) {
        const found = URL.parse(utf8(url), scope.url);
        const path = found === null ? null : relayPath(found, scope);
        if (path !== null) return before + path;
        // In full, as the caller would read a relative one as the relay's.
        if (found !== null && scope.passesForeign && found.host !== relayHost) return found.href;
      }
      return withhold(url);
    };
    const placed =
      name === 'link'
        ? placeLinks(value, scope.relayOrigin, place, withhold)
        : name === 'refresh'
          ? placeRefresh(value, place)
          : place(value);
    if (placed !== null) kept.push([name, placed]);
  }
  return { headers: kept, withheld };
}

/** The URL as the caller gets it, `before` put before a path of the relay; null: it is withheld. */
type Place = (url: string, before?: string) => string | null;

/** `/CONNECTION/…`, or null where the URL is outside the connection. */
function relayPath(found: URL, { target, connection }: LocationScope): string | null {
  const { protocol, origin, username, password, pathname, search, hash } = found;
  if (!protocol.startsWith('http') || origin !== target.origin || username !== '' || password !== '') return null;
  if (pathname !== target.basePath && !pathname.startsWith(`${target.basePath}/`)) return null;
  // The parser has resolved dot segments, encoded ones too, and backslashes: the first segment is the connection's name.
  return `/${connection}${pathname.slice(target.basePath.length)}${search}${hash}`;
}

/** Header values are Latin-1; a URL outside ASCII is UTF-8, as browsers have it. */
function utf8(value: string): string {
  // oxlint-disable-next-line no-control-regex -- ASCII is what it looks for
  return /^[\x00-\x7f]*$/.test(value) ? value : Buffer.from(value, 'latin1').toString('utf8');
}

/**
 * RFC 8288 §3. The relay's URLs are absolute here: of clients that follow a link (the next page) several take only those.
 * A header that cannot be parsed is withheld whole.
 */
function placeLinks(value: string, relayOrigin: string, place: Place, withhold: (url: string) => null): string | null {
  const links: string[] = [];
  for (let at = 0; at < value.length;) {
    while (at < value.length && (value[at] === ',' || isSpace(value[at]!))) at++;
    if (at === value.length) break;
    const close = value[at] === '<' ? value.indexOf('>', at) : -1;
    if (close < 0) return withhold(value);
    const end = endOfLink(value, close + 1);
    const placed = place(value.slice(at + 1, close), relayOrigin);
    if (placed !== null) links.push(`<${placed}>${value.slice(close + 1, end).trimEnd()}`);
    at = end;
  }
  return links.length === 0 ? null : links.join(', ');
}

const isSpace = (character: string): boolean => character === ' ' || character === '\t';

/** Index of the comma after a link's parameters, or of the end. */
function endOfLink(value: string, from: number): number {
  let isQuoted = false;
  for (let at = from; at < value.length; at++) {
    const character = value[at];
    if (isQuoted && character === '\\') at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === ',' && !isQuoted) return at;
  }
  return value.length;
}

/** WHATWG HTML §4.2.5.3 (shared declarative refresh steps): `5` or `5; url=…`. */
function placeRefresh(value: string, place: Place): string | null {
  const time = /^[\t ]*[0-9.]+/.exec(value)?.[0];
  // No client acts on what has no time.
  if (time === undefined) return null;
  let url = value.slice(time.length).trim();
  if (url.startsWith(';') || url.startsWith(',')) url = url.slice(1).trim();
  url = url.replace(/^url[\t ]*=[\t ]*/i, '');
  const [quote] = url;
  if (quote === '"' || quote === "'") {
    const close = url.indexOf(quote, 1);
    url = url.slice(1, close < 0 ? undefined : close);
  }
  if (url === '') return time.trim();
  const placed = place(url);
  return placed === null ? null : `${time.trim()}; url=${placed}`;
}

/** As it can stand in a header and in a problem document. */
function shown(url: string, base: string): string {
  const parsed = URL.parse(utf8(url), base)?.href ?? url;
  return parsed.slice(0, maxShown).replace(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character.toWellFormed()));
}
