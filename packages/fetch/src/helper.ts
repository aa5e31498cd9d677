/** For programs that bring grants to clients of their own, such as the helper of `hoop exec`: grants by destination. */
import { createClient } from './client.ts';
import type { KnownConnections, Narrowing } from './exchange.ts';
import { createGrantCache, type Grant, type GrantCache } from './grant-cache.ts';
import { HoopExchangeError } from './hoop-exchange-error.ts';
import type { TokenSource } from './tokens/token-source.ts';

export type { Grant } from './grant-cache.ts';
export type { TokenSource } from './tokens/token-source.ts';

export interface DestinationGrantsOptions {
  /** The control plane. */
  readonly url: string;
  /** @default as the SDK finds it: HOOP_TOKEN, HOOP_TOKEN_FILE, the platform */
  readonly token?: TokenSource | undefined;
}

export interface HeldGrant {
  readonly grant: Grant;
  /** A grant to use instead, as the relay refused this one. */
  renew(): Promise<Grant>;
}

export interface DestinationGrants {
  /**
   * A grant for what is at an origin (empty: any at all): for all connections of the identity where one grant can be for all, else for those
   * at the origin, else for the named one. It may be for others alone where there are none: the relay says so.
   * @param connection the name that the caller chose; empty: none
   */
  at(origin: string, connection: string): Promise<HeldGrant>;
}

/** Of the identity's connections more than a grant can be for. */
const tooMany = 'too_many_connections';
const unknown = 'connection_unknown';
/** The least recently used goes. */
const maxCaches = 200;
/** For how long one grant for everything is not asked for again, milliseconds. */
const tooManyMs = 600_000;

/** @throws HoopConfigurationError where a given URL is none; `at` rejects with a HoopTokenError or a HoopExchangeError */
export function createDestinationGrants({ url, token }: DestinationGrantsOptions): DestinationGrants {
  const { obtain } = createClient({
    url,
    token,
    relayUrl: undefined,
    audience: undefined,
    exchangeTimeoutMs: undefined,
    fetch: undefined,
  });
  const now = (): number => Date.now();
  const caches = new Map<string, GrantCache>();
  let narrowUntil = 0;
  let known: KnownConnections = { connections: [], isComplete: false };

  const cacheOf = (narrowing: Narrowing): GrantCache => {
    const key = JSON.stringify(narrowing);
    const cache = caches.get(key) ?? createGrantCache({ obtain: () => obtain(narrowing, (latest) => (known = latest)), now });
    caches.delete(key);
    if (caches.size >= maxCaches) caches.delete(caches.keys().next().value!);
    caches.set(key, cache);
    return cache;
  };

  const held = async (narrowing: Narrowing): Promise<HeldGrant> => {
    const cache = cacheOf(narrowing);
    const grant = await cache.get();
    return { grant, renew: () => cache.replace(grant) };
  };

  return {
    async at(origin, connection) {
      if (now() >= narrowUntil) {
        try {
          return await held({});
        } catch (error) {
          if (codeOf(error) !== tooMany) throw error;
          narrowUntil = now() + tooManyMs;
        }
      }
      if (origin === '') return held({ scope: known.connections[0]?.name ?? '' });
      try {
        return await held({ resource: origin });
      } catch (error) {
        const code = codeOf(error);
        if (code === tooMany && connection !== '') return held({ scope: connection });
        const [first] = known.connections;
        if (code !== unknown || first === undefined) throw error;
        return held({ scope: first.name });
      }
    },
  };
}

const codeOf = (error: unknown): string | undefined => (error instanceof HoopExchangeError ? error.code : undefined);
