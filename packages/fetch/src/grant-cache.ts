import type { IssuedGrant } from './exchange.ts';

export interface Grant extends IssuedGrant {
  /** Without a trailing slash. */
  readonly relayUrl: string;
}

export interface GrantCacheOptions {
  readonly obtain: () => Promise<Grant>;
  /** Unix milliseconds. */
  readonly now: () => number;
}

interface Held {
  readonly grant: Grant;
  readonly askedAt: number;
  readonly refreshAt: number;
  readonly endsAt: number;
}

/** After this part of its life a grant is replaced while it is still being used. */
const refreshAfter = 0.75;
/** No use is made of the last part of a grant's life, so that it does not end on its way. At most 10 seconds. */
const unusedPart = 0.1;
const unusedMaxMs = 10_000;
/** How long after a failed refresh ahead of time the next is tried, milliseconds. */
const retryAfterMs = 5_000;
/** A grant younger than this is not replaced to learn of new connections, milliseconds. */
const newsAfterMs = 10_000;

export interface GrantCache {
  /** Whether it has a grant that is still good. */
  isHeld(): boolean;
  /** A grant that is still good. Callers that come while one is being obtained share it. */
  get(): Promise<Grant>;
  /** A grant to use instead of one that the relay refused. */
  replace(refused: Grant): Promise<Grant>;
  /** A newer grant, which may list more connections; the same one where it is too young for that. */
  getNewer(known: Grant): Promise<Grant>;
}

export function createGrantCache({ obtain, now }: GrantCacheOptions): GrantCache {
  let held: Held | undefined;
  let pending: Promise<Grant> | undefined;
  let quietUntil = 0;

  // Invariant: at most one exchange is under way.
  const refresh = (): Promise<Grant> => {
    pending ??= obtainOne().finally(() => {
      pending = undefined;
    });
    return pending;
  };

  const obtainOne = async (): Promise<Grant> => {
    // The life is counted from before the question, so that a slow answer never makes it longer.
    const askedAt = now();
    try {
      const grant = await obtain();
      const life = grant.lifetimeSeconds * 1000;
      held = {
        grant,
        askedAt,
        refreshAt: askedAt + life * refreshAfter,
        endsAt: askedAt + life - Math.min(unusedMaxMs, life * unusedPart),
      };
      return grant;
    } catch (error) {
      quietUntil = now() + retryAfterMs;
      throw error;
    }
  };

  return {
    isHeld: () => held !== undefined && now() < held.endsAt,
    async get() {
      const at = now();
      if (held === undefined || at >= held.endsAt) return refresh();
      if (at >= held.refreshAt && at >= quietUntil) refresh().catch(() => {});
      return held.grant;
    },
    async replace(refused) {
      if (held?.grant === refused) held = undefined;
      return held?.grant ?? refresh();
    },
    async getNewer(known) {
      if (held !== undefined && held.grant !== known) return held.grant;
      const at = now();
      if (at < quietUntil || (held !== undefined && at - held.askedAt < newsAfterMs)) return known;
      return refresh().catch(() => known);
    },
  };
}
