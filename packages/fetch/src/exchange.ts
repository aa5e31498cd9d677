import { pause } from './abort.ts';
import { jwtTokenType, tokenExchangeGrantType } from './constants.ts';
import { type Connection, parseConnection } from './connection.ts';
import { HoopExchangeError } from './hoop-exchange-error.ts';
import { type Problem, readProblem } from './problem.ts';
import { explainFailure } from './unreachable.ts';

/** The means to call the control plane. */
export interface ControlPlane {
  /** Without a trailing slash. */
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
}

/** The scope of an exchange: a connection by name, or those whose targets are at an origin (RFC 8707); else all. */
export interface Narrowing {
  readonly scope?: string;
  readonly resource?: string;
}

/** Connections that the identity may use, including those that the grant does not cover. */
export interface KnownConnections {
  readonly connections: readonly Connection[];
  /** False: there are more than are listed. */
  readonly isComplete: boolean;
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
export async function exchangeToken(
  controlPlane: ControlPlane,
  subjectToken: string,
  narrowing: Narrowing,
  onKnown: (known: KnownConnections) => void,
): Promise<IssuedGrant> {
  const answer = await askControlPlane(controlPlane, { subject_token: subjectToken, ...narrowing }, onKnown);
  const { access_token: token, expires_in: lifetimeSeconds, hoop_connections: connections, hoop_relay_url: relayUrl } = answer;
  if (typeof token !== 'string' || typeof lifetimeSeconds !== 'number' || !Array.isArray(connections)) {
    throw new HoopExchangeError(`${controlPlane.url}/oauth/token does not answer like Hoop's control plane; is HOOP_URL right?`);
  }
  return {
    token,
    lifetimeSeconds,
    connections: connections.map((entry) => {
      const connection = readConnection(entry);
      if (connection !== undefined) return connection;
      throw new HoopExchangeError(`The control plane lists an invalid connection: ${JSON.stringify(entry)}`);
    }),
    relayUrl: typeof relayUrl === 'string' ? relayUrl : undefined,
  };
}

function readConnection(entry: unknown): Connection | undefined {
  const { name, target } = (entry ?? {}) as Record<string, unknown>;
  try {
    if (typeof name === 'string' && typeof target === 'string') return parseConnection(name, target);
  } catch {
    // The target is no URL.
  }
  return undefined;
}

/** The list that goes with a grant for a `resource`, and with refusals of a choice. */
function readKnown(answer: Record<string, unknown> | Problem): KnownConnections | undefined {
  const { connections, isComplete } = (answer['hoop_known_connections'] ?? {}) as Record<string, unknown>;
  if (!Array.isArray(connections)) return undefined;
  return { connections: connections.map(readConnection).filter((one) => one !== undefined), isComplete: isComplete === true };
}

async function askControlPlane(
  { url, fetch, signal }: ControlPlane,
  asked: Record<string, string>,
  onKnown: (known: KnownConnections) => void,
): Promise<Record<string, unknown>> {
  const endpoint = `${url}/oauth/token`;
  const form = { grant_type: tokenExchangeGrantType, subject_token_type: jwtTokenType, ...asked };
  let response: Response;
  let body: unknown;
  try {
    // A redirect would carry the identity token to somewhere else.
    const init = { method: 'POST', body: new URLSearchParams(form), headers: { accept: 'application/json' }, signal } as const;
    response = await fetch(endpoint, { ...init, redirect: 'manual' });
    if (response.ok) body = await response.json();
  } catch (error) {
    throw new HoopExchangeError(`Hoop's control plane gave no answer at ${endpoint}: ${explainFailure(error, url)}`, { cause: error });
  }
  if (!response.ok) {
    const problem = await readProblem(response, 'unavailable');
    const known = readKnown(problem);
    if (known !== undefined) onKnown(known);
    const said = problem.detail ?? problem.title;
    const retryAfterSeconds = readRetryAfter(response);
    throw new HoopExchangeError(`Hoop's control plane answered ${response.status} at ${endpoint}: ${said}`, { problem, retryAfterSeconds });
  }
  const answer = (body ?? {}) as Record<string, unknown>;
  const known = readKnown(answer);
  if (known !== undefined) onKnown(known);
  return answer;
}

/** RFC 9110 §10.2.3, in seconds; the control plane gives no dates. */
function readRetryAfter(response: Response): number | undefined {
  const value = response.headers.get('retry-after') ?? '';
  return response.status === 503 && /^[0-9]{1,4}$/.test(value) ? Math.max(1, Number(value)) : undefined;
}

/** The longest that exchanges are waited for in all, milliseconds. */
const maxWaitMs = 60_000;

/**
 * Exchanges again after a 503 that says when: keys of an identity provider that has just changed them are fetched at most
 * twice in half a minute, and a function that starts in that time should not fail.
 */
export async function retryWhenTold<T>(attempt: () => Promise<T>, now: () => number): Promise<T> {
  const until = now() + maxWaitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const ms = ((error as Partial<HoopExchangeError> | null)?.retryAfterSeconds ?? Infinity) * 1000;
      if (now() + ms > until) throw error;
      await pause(ms, undefined);
    }
  }
}
