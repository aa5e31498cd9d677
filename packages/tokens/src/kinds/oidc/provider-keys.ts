/** Keys of one identity provider: discovered, kept, fetched anew with care. */
import { AppError, parseJson } from '@hoop/contract';
import type { JWK } from 'jose';

import type { ProviderFetch, ProviderOf, VerifierDependencies } from '../kind.ts';

/** Keys are used so long without asking again. */
export const freshMs = 600_000;
/** While the provider cannot be reached, known keys are used so long after they were fetched. */
export const staleMs = 3_600_000;
/** Between two fetches because of an unknown kid; one more may be made in that time (the reserve). */
export const coolDownMs = 30_000;
/** Between two attempts after a failure. */
export const failureCoolDownMs = 5_000;

const maxKeys = 200;
const maxBytes = 262_144;
const timeoutMs = 5_000;

export interface ProviderKeys {
  /** How many fetches have begun. */
  fetches(): number;
  /** The published keys. @throws AppError `provider_unavailable` */
  current(): Promise<readonly JWK[]>;
  /**
   * For a kid that is not among the known keys: these as of a fetch that began after the first `since` ones.
   * @throws AppError `provider_unavailable`, with the seconds until one may be made (`retry-after`)
   */
  refreshed(since: number): Promise<readonly JWK[]>;
}

interface Known {
  readonly keys: readonly JWK[];
  readonly fetchedAt: number;
}

export function createProviderKeys(provider: ProviderOf<'oidc'>, dependencies: VerifierDependencies): ProviderKeys {
  const { now } = dependencies;
  const { settings } = provider;
  let known: Known | undefined;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let fetches = 0;
  /** When the present cool-down began, and whether its reserve is used up. */
  let coolingSince = Number.NEGATIVE_INFINITY;
  let isReserveUsed = false;
  let failure: AppError | undefined;
  let running: Promise<readonly JWK[]> | undefined;

  const unavailable = (why: string, cause?: unknown, retryAfterMs = failureCoolDownMs): AppError =>
    new AppError('provider_unavailable', `The keys of the identity provider "${provider.name}" cannot be obtained: ${why}`, {
      headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) },
      cause,
    });

  const load = async (): Promise<readonly JWK[]> => {
    const get = dependencies.fetch({ allowedCidrs: settings.allowedCidrs, timeoutMs, maxBytes, retries: 1 });
    const uri = settings.jwksUri ?? readDiscovery(await getJson(get, discoveryUrl(settings.issuer)), settings.issuer);
    return readKeySet(await getJson(get, uri));
  };

  /** One fetch at a time, shared by all callers; rejects only with an AppError. */
  const refresh = (): Promise<readonly JWK[]> => {
    running ??= (async () => {
      attemptedAt = now();
      fetches++;
      if (attemptedAt - coolingSince >= coolDownMs) {
        coolingSince = attemptedAt;
        isReserveUsed = false;
      }
      try {
        const keys = await load();
        known = { keys, fetchedAt: now() };
        failure = undefined;
        return keys;
      } catch (error) {
        failure = unavailable(reasonOf(error), error);
        throw failure;
      } finally {
        running = undefined;
      }
    })();
    return running;
  };

  const usable = (): readonly JWK[] | undefined => (known !== undefined && now() - known.fetchedAt < staleMs ? known.keys : undefined);

  return {
    fetches: () => fetches,
    async current() {
      if (known !== undefined && now() - known.fetchedAt < freshMs) return known.keys;
      if (running === undefined && failure !== undefined && now() - attemptedAt < failureCoolDownMs) {
        const stale = usable();
        if (stale !== undefined) return stale;
        throw failure;
      }
      try {
        return await refresh();
      } catch (error) {
        const stale = usable();
        if (stale !== undefined) return stale;
        throw error;
      }
    },
    async refreshed(since) {
      // One that was under way before may have been answered before the key was published.
      while (running !== undefined) await running;
      if (fetches > since && failure === undefined) return usable() ?? [];
      const at = now();
      if (failure !== undefined) {
        if (at - attemptedAt >= failureCoolDownMs) return refresh();
        // A key that cannot be looked for is not one that does not exist.
        throw failure;
      }
      const leftMs = coolingSince + coolDownMs - at;
      if (leftMs <= 0) return refresh();
      if (isReserveUsed) throw unavailable('they were fetched twice in short order, and the key was not among them.', undefined, leftMs);
      isReserveUsed = true;
      return refresh();
    },
  };
}

/** OpenID Connect Discovery 1.0 §4. */
const discoveryUrl = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

class Unusable extends Error {}

/** Public reason: that of a guarded fetch, or of what was wrong with the document. */
function reasonOf(error: unknown): string {
  const reason: unknown = (error as { reason?: unknown } | null)?.reason;
  if (typeof reason === 'string') return reason;
  return error instanceof Unusable ? error.message : 'its answer could not be read.';
}

async function getJson(get: ProviderFetch, url: string): Promise<Record<string, unknown>> {
  const { status, body } = await get(url);
  if (status !== 200) throw new Unusable(`${url} answered with status ${status}.`);
  let value: unknown;
  try {
    value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new Unusable(`${url} did not answer with JSON.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unusable(`${url} did not answer with a JSON object.`);
  return value as Record<string, unknown>;
}

function readDiscovery(document: Record<string, unknown>, issuer: string): string {
  if (document['issuer'] !== issuer) {
    throw new Unusable(
      `its discovery document is that of the issuer ${JSON.stringify(document['issuer'] ?? null)}, not of ${JSON.stringify(issuer)}.`,
    );
  }
  const uri = document['jwks_uri'];
  if (typeof uri !== 'string' || !URL.canParse(uri)) throw new Unusable('its discovery document has no jwks_uri.');
  if (issuer.startsWith('https:') && !uri.startsWith('https:'))
    throw new Unusable('its discovery document has a jwks_uri that is not https.');
  return uri;
}

function readKeySet(document: Record<string, unknown>): readonly JWK[] {
  const keys = document['keys'];
  if (!Array.isArray(keys)) throw new Unusable('its key set has no "keys".');
  if (keys.length > maxKeys) throw new Unusable(`its key set has more than ${maxKeys} keys.`);
  // RFC 7517 §5: keys that are not understood are ignored.
  return keys.filter((key): key is JWK => typeof key === 'object' && key !== null && typeof (key as JWK).kty === 'string');
}
