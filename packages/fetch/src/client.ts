import { whileNotAborted } from './abort.ts';
import { readEnvironment } from './environment.ts';
import { type ControlPlane, exchangeToken, retryWhenTold } from './exchange.ts';
import type { Grant } from './grant-cache.ts';
import { createGrants, type Grants, type GrantsOptions } from './grants.ts';
import { HoopConfigurationError } from './hoop-configuration-error.ts';
import { HoopTokenError } from './hoop-token-error.ts';
import type { HoopOptions } from './options.ts';
import { platformFetch } from './platform-fetch.ts';
import { detectToken } from './tokens/detect.ts';
import type { TokenRequest, TokenSource } from './tokens/token-source.ts';

/** State shared by all calls of one `createFetch`. */
export interface Client {
  readonly grants: Grants;
  /** Exchanges the token for a grant. */
  readonly obtain: GrantsOptions['obtain'];
  /** The fetch to send with. */
  readonly fetch: () => typeof globalThis.fetch;
  /** The session of calls that name none. */
  readonly session: () => string;
}

/** An http(s) URL without credentials, query and fragment; returned without a trailing slash. Throws a HoopConfigurationError. */
export function parseServiceUrl(value: string, name: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username + url.password + url.search + url.hash !== '')
    throw new HoopConfigurationError(`${name} must be an http(s) URL without user info, query and fragment, e.g. https://hoop.example`);
  return url.href.replace(/\/+$/, '');
}

/** Asks a source for a token, within the time limit. A failure of the source is passed on. */
async function askForToken(source: TokenSource, { audience, signal, fetch }: TokenRequest): Promise<string> {
  let token: unknown;
  try {
    token = await whileNotAborted((async () => source({ audience, signal, fetch }))(), signal);
  } catch (error) {
    throw signal.aborted && error === signal.reason
      ? new HoopTokenError('The token source gave no answer in time.', { cause: error })
      : error;
  }
  if (typeof token !== 'string' || token === '') throw new HoopTokenError('The token source gave no token.');
  return token;
}

type ClientOption = 'url' | 'relayUrl' | 'token' | 'audience' | 'exchangeTimeoutMs' | 'fetch';
export type ClientOptions = { readonly [K in ClientOption]: HoopOptions[K] | undefined };

/** URLs that are given are checked now; the environment is read when a call needs it. */
export function createClient(options: ClientOptions): Client {
  const givenUrl = options.url === undefined ? undefined : parseServiceUrl(options.url, 'url');
  const givenRelayUrl = options.relayUrl === undefined ? undefined : parseServiceUrl(options.relayUrl, 'relayUrl');
  const token = options.token ?? detectToken();
  const fetch = (): typeof globalThis.fetch => options.fetch ?? platformFetch();

  const controlPlaneUrl = (): string => {
    if (givenUrl !== undefined) return givenUrl;
    const url = readEnvironment('HOOP_URL');
    if (url === undefined)
      throw new HoopConfigurationError("HOOP_URL is not set: it is the URL of Hoop's control plane (or give createFetch a `url`)");
    return parseServiceUrl(url, 'HOOP_URL');
  };

  const configuredRelayUrl = (): string | undefined => {
    if (givenRelayUrl !== undefined) return givenRelayUrl;
    const url = readEnvironment('HOOP_RELAY_URL');
    return url === undefined ? undefined : parseServiceUrl(url, 'HOOP_RELAY_URL');
  };

  const chooseRelay = (controlPlane: ControlPlane, named: string | undefined): string => {
    const configured = configuredRelayUrl();
    if (configured !== undefined) return configured;
    if (named === undefined) {
      throw new HoopConfigurationError(
        `${controlPlane.url} does not say where the relay is: set HOOP_RELAY_URL (or give createFetch a \`relayUrl\`)`,
      );
    }
    const relayUrl = parseServiceUrl(named, 'The hoop_relay_url of the control plane');
    if (controlPlane.url.startsWith('https:') && !relayUrl.startsWith('https:')) {
      throw new HoopConfigurationError(`${controlPlane.url} names a relay without TLS (${relayUrl}); a grant is not sent in the clear`);
    }
    return relayUrl;
  };

  const obtainOnce: GrantsOptions['obtain'] = async (narrowing, onKnown): Promise<Grant> => {
    const controlPlane = { url: controlPlaneUrl(), fetch: fetch(), signal: AbortSignal.timeout(options.exchangeTimeoutMs ?? 10_000) };
    const audience = options.audience ?? readEnvironment('HOOP_AUDIENCE') ?? new URL(controlPlane.url).origin;
    const issued = await exchangeToken(controlPlane, await askForToken(token, { ...controlPlane, audience }), narrowing, onKnown);
    return { ...issued, relayUrl: chooseRelay(controlPlane, issued.relayUrl) };
  };

  const now = (): number => Date.now();
  const obtain: GrantsOptions['obtain'] = (...asked) => retryWhenTold(() => obtainOnce(...asked), now);
  let session: string | undefined;
  return {
    grants: createGrants({ obtain, now }),
    obtain,
    fetch,
    session: () => (session ??= readEnvironment('HOOP_SESSION') ?? crypto.randomUUID()),
  };
}
