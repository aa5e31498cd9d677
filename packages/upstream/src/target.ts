/** The settings of a connection's target, read and checked once. */
import { isIP } from 'node:net';

import { AppError } from '@hoop/contract';
import type { ConnectionSettings } from '@hoop/contract';

import { createAddressRules } from './address.ts';
import type { AddressRules } from './address.ts';

export interface Target {
  /** `https://api.example:8443`, without the scheme's own port. */
  readonly origin: string;
  readonly protocol: 'http:' | 'https:';
  /** Without brackets or port. */
  readonly hostname: string;
  /** As in a Host header. */
  readonly host: string;
  /** Before every path: `` or `/v2`, never with a trailing slash. */
  readonly basePath: string;
  /** Origins that the credential may be sent to; the target's own is the first. */
  readonly origins: readonly string[];
  readonly addressRules: AddressRules;
}

type TargetSettings = Pick<ConnectionSettings, 'target' | 'allowedHosts' | 'allowedCidrs'>;

const refused = (detail: string): AppError => new AppError('target_refused', detail);

const loopbackName = /(?:^|\.)localhost$/;

/**
 * @throws AppError `target_refused`: what is not an absolute http(s) base URL, or a literal private address
 * that `allowedCidrs` does not list. Names are resolved, and their addresses checked, when they are dialled.
 */
export function parseTarget(settings: TargetSettings): Target {
  const addressRules = readRules(settings.allowedCidrs);
  const url = readUrl(settings.target);
  checkHost(url.hostname, addressRules);
  const basePath = url.pathname.replace(/\/$/, '');
  checkBasePath(settings.target, basePath);
  const origins = new Set([url.origin]);
  for (const host of settings.allowedHosts) {
    const other = readAllowedHost(host, url.protocol);
    checkHost(other.hostname, addressRules);
    origins.add(other.origin);
  }
  return {
    origin: url.origin,
    protocol: url.protocol as Target['protocol'],
    hostname: bare(url.hostname),
    host: url.host,
    basePath,
    origins: [...origins],
    addressRules,
  };
}

/**
 * For what our own calls go to (a token endpoint, a key set, a webhook), when it is saved: what a guarded fetch would
 * refuse every address that the name resolves to. Unlike a target it may have a query.
 * @param what names it in the error, e.g. `token URL`
 * @throws AppError `target_refused`
 */
export function checkEndpoint(text: string, allowedCidrs: readonly string[], what: string): void {
  const rules = readRules(allowedCidrs);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refused(`The ${what} is not an absolute URL.`);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refused(`The scheme of the ${what} is "${url.protocol}"; only https and http are possible.`);
  if (url.username !== '' || url.password !== '') throw refused(`The ${what} has a user name or password in it.`);
  if (url.protocol === 'http:' && allowedCidrs.length === 0) {
    throw refused(`The ${what} is plain http, which goes only to addresses in allowedCidrs. Use https.`);
  }
  checkHost(url.hostname, rules);
}

const bare = (hostname: string): string => (hostname.startsWith('[') ? hostname.slice(1, -1) : hostname);

function readRules(allowedCidrs: readonly string[]): AddressRules {
  try {
    return createAddressRules(allowedCidrs);
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error));
  }
}

function readUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refused('The target is not an absolute URL such as https://api.example/v1.');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refused(`The target's scheme is "${url.protocol}"; only http and https are possible.`);
  if (url.username !== '' || url.password !== '')
    throw refused('The target has a user name or password in its URL. Put them into a credential source.');
  // An empty query or fragment counts too, so the text is looked at and not the parsed members.
  if (text.includes('?')) throw refused('The target has a query. Leave it out; the function sends its own.');
  if (text.includes('#')) throw refused('The target has a fragment. Leave it out.');
  if (/[\s\\]/.test(text)) throw refused('The target has white space or a backslash in it.');
  return url;
}

function checkHost(hostname: string, rules: AddressRules): void {
  if (hostname.endsWith('.')) throw refused(`The host "${hostname}" ends with a dot. Leave it out.`);
  const name = bare(hostname);
  if (isIP(name) !== 0) {
    if (rules.check(name) === 'refused') {
      throw refused(`The address ${name} is private, local or reserved. List its range in allowedCidrs if that is meant.`);
    }
    return;
  }
  if (loopbackName.test(name) && rules.check('127.0.0.1') === 'refused' && rules.check('::1') === 'refused') {
    throw refused(`"${name}" is this machine. List 127.0.0.0/8 in allowedCidrs if that is meant.`);
  }
}

function checkBasePath(text: string, basePath: string): void {
  // The URL parser has resolved dot segments by now, so the text as written is checked.
  const written = text.replace(/^[a-z]+:\/\/[^/]*/i, '');
  if (/(?:^|\/)\.{1,2}(?:\/|$)|%2e|%2f|%5c|%00/i.test(written))
    throw refused('The path of the target has dot segments or encoded dots, slashes or NULs.');
  if (basePath.includes('//')) throw refused('The path of the target has empty segments.');
}

function readAllowedHost(host: string, protocol: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(`${protocol}//${host}`);
  } catch {
    // said below
  }
  if (url === undefined || url.pathname !== '/' || /[/?#@\\\s]/.test(host)) {
    throw refused(`The allowed host "${host}" is not of the form host or host:port.`);
  }
  return url;
}
