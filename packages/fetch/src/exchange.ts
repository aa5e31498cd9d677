import { jwtTokenType, tokenExchangeGrantType } from './constants.ts';
import { type Connection, parseConnection } from './connection.ts';
import { HoopExchangeError } from './hoop-exchange-error.ts';
import { readProblem } from './problem.ts';

/** What the control plane is asked with. */
export interface ControlPlane {
  /** Without a trailing slash. */
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
}

/** A grant as the token endpoint issues it. */
export interface IssuedGrant {
  readonly token: string;
  readonly lifetimeSeconds: number;
  readonly connections: readonly Connection[];
}

/** Exchanges an identity token for a grant (RFC 8693). Throws a HoopExchangeError. */
export async function exchangeToken(controlPlane: ControlPlane, subjectToken: string): Promise<IssuedGrant> {
  const answer = await askControlPlane(controlPlane, '/oauth/token', {
    method: 'POST',
    body: new URLSearchParams({ grant_type: tokenExchangeGrantType, subject_token: subjectToken, subject_token_type: jwtTokenType }),
  });
  const { access_token: token, expires_in: lifetimeSeconds, hoop_connections: connections } = answer;
  if (typeof token !== 'string' || typeof lifetimeSeconds !== 'number' || !Array.isArray(connections)) {
    throw new HoopExchangeError(`${controlPlane.url}/oauth/token did not answer as Hoop's control plane does; is HOOP_URL right?`);
  }
  return { token, lifetimeSeconds, connections: connections.map(readConnection) };
}

function readConnection(entry: unknown): Connection {
  const { name, target } = (entry ?? {}) as Record<string, unknown>;
  try {
    if (typeof name === 'string' && typeof target === 'string') return parseConnection(name, target);
  } catch {
    // Said below.
  }
  throw new HoopExchangeError(`The control plane lists a connection that cannot be read: ${JSON.stringify(entry)}`);
}

/** The relay's URL, from the control plane's authorization server metadata (RFC 8414). Throws a HoopExchangeError. */
export async function discoverRelay(controlPlane: ControlPlane): Promise<string> {
  const metadata = await askControlPlane(controlPlane, '/.well-known/oauth-authorization-server', {});
  const relayUrl = metadata['hoop_relay_url'];
  if (typeof relayUrl !== 'string') {
    throw new HoopExchangeError(`The metadata of ${controlPlane.url} has no hoop_relay_url; is HOOP_URL right? HOOP_RELAY_URL can be set instead.`);
  }
  return relayUrl;
}

async function askControlPlane(controlPlane: ControlPlane, path: string, init: RequestInit): Promise<Record<string, unknown>> {
  const url = controlPlane.url + path;
  let response: Response;
  let body: unknown;
  try {
    const { fetch } = controlPlane;
    // A redirect would carry the identity token to somewhere else.
    response = await fetch(url, { ...init, headers: { accept: 'application/json' }, redirect: 'manual', signal: controlPlane.signal });
    if (response.ok) body = await response.json();
  } catch (error) {
    throw new HoopExchangeError(`Hoop's control plane did not answer at ${url}`, { cause: error });
  }
  if (!response.ok) {
    const problem = await readProblem(response, 'unavailable');
    throw new HoopExchangeError(`Hoop's control plane answered ${response.status} at ${url}: ${problem.detail ?? problem.title}`, { problem });
  }
  return (body ?? {}) as Record<string, unknown>;
}
