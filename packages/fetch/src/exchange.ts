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
  /** Where the control plane says that the relay is. */
  readonly relayUrl: string | undefined;
}

/** Exchanges an identity token for a grant (RFC 8693). Throws a HoopExchangeError. */
export async function exchangeToken(controlPlane: ControlPlane, subjectToken: string): Promise<IssuedGrant> {
  const answer = await askControlPlane(controlPlane, subjectToken);
  const { access_token: token, expires_in: lifetimeSeconds, hoop_connections: connections, hoop_relay_url: relayUrl } = answer;
  if (typeof token !== 'string' || typeof lifetimeSeconds !== 'number' || !Array.isArray(connections)) {
    throw new HoopExchangeError(`${controlPlane.url}/oauth/token did not answer as Hoop's control plane does; is HOOP_URL right?`);
  }
  return {
    token,
    lifetimeSeconds,
    connections: connections.map(readConnection),
    relayUrl: typeof relayUrl === 'string' ? relayUrl : undefined,
  };
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

async function askControlPlane({ url, fetch, signal }: ControlPlane, subjectToken: string): Promise<Record<string, unknown>> {
  const endpoint = `${url}/oauth/token`;
  const form = { grant_type: tokenExchangeGrantType, subject_token: subjectToken, subject_token_type: jwtTokenType };
  let response: Response;
  let body: unknown;
  try {
    // A redirect would carry the identity token to somewhere else.
    const init = { method: 'POST', body: new URLSearchParams(form), headers: { accept: 'application/json' }, signal } as const;
    response = await fetch(endpoint, { ...init, redirect: 'manual' });
    if (response.ok) body = await response.json();
  } catch (error) {
    throw new HoopExchangeError(`Hoop's control plane did not answer at ${endpoint}`, { cause: error });
  }
  if (!response.ok) {
    const problem = await readProblem(response, 'unavailable');
    const said = problem.detail ?? problem.title;
    throw new HoopExchangeError(`Hoop's control plane answered ${response.status} at ${endpoint}: ${said}`, { problem });
  }
  return (body ?? {}) as Record<string, unknown>;
}
