import { findRoute, type Route } from './connection.ts';
import type { KnownConnections, Narrowing } from './exchange.ts';
import { createGrantCache, type Grant, type GrantCache } from './grant-cache.ts';
import { HoopExchangeError } from './hoop-exchange-error.ts';

/** A grant, and how to get another one for the same connections. */
export interface Held {
  readonly grant: Grant;
  /** A grant to use instead, as the relay refused this one. */
  renew(): Promise<Grant>;
}

export type Found =
  | ({ readonly route: Extract<Route, { kind: 'connection' }> } & Held)
  /** `known`: what could be called instead. */
  | { readonly route: Exclude<Route, { kind: 'connection' }>; readonly known: KnownConnections };

export interface Grants {
  /** The grant for a call, narrowed to what the call needs. `mayBeOld`: what is known of other origins need not be the latest. */
  find(url: URL, name: string | undefined, mayBeOld: boolean): Promise<Found>;
  /** Any grant of this identity, for questions to the relay itself. */
  any(): Promise<Held>;
}

export interface GrantsOptions {
  /** Exchanges the token. Tells `onKnown` what the control plane lists, also with a refusal. */
  readonly obtain: (narrowing: Narrowing, onKnown: (known: KnownConnections) => void) => Promise<Grant>;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** How the control plane refuses a choice: there is no such connection, or a grant would be for too many. */
const [unknown, tooMany] = ['connection_unknown', 'too_many_connections'] as const;
type RefusalCode = typeof unknown | typeof tooMany;

/** How long "there is no such connection" holds, milliseconds: briefly for who is refused, longer for who calls directly. */
const missingMs = 10_000;
const oldMs = 225_000;
/** The cache's limit; the least recently used entry is evicted. */
const maxSets = 200;
const maxRefusals = 1_000;

const nothing: KnownConnections = { connections: [], isComplete: false };

export function createGrants({ obtain, now }: GrantsOptions): Grants {
  /** By what was asked for. */
  const sets = new Map<string, GrantCache>();
  /** The control plane's last refusals, with time and code, by requested scope. */
  const refusals = new Map<string, { readonly at: number; readonly code: RefusalCode }>();
  let known = nothing;
  let knownAt = Number.NEGATIVE_INFINITY;
  const onKnown = (latest: KnownConnections): void => {
    known = latest;
    knownAt = now();
  };

  const setOf = (narrowing: Narrowing): GrantCache => {
    const key = JSON.stringify(narrowing);
    const set = sets.get(key) ?? createGrantCache({ obtain: () => obtain(narrowing, onKnown), now });
    remember(sets, maxSets, key, set);
    return set;
  };

  const wasRefused = (narrowing: Narrowing, code: RefusalCode, ms: number): boolean => {
    const refusal = refusals.get(JSON.stringify(narrowing));
    return refusal?.code === code && now() - refusal.at < ms;
  };

  /** A refusal of the choice is an answer. */
  const ask = async (narrowing: Narrowing): Promise<Grant | RefusalCode> => {
    if (wasRefused(narrowing, unknown, missingMs)) return unknown;
    try {
      return await setOf(narrowing).get();
    } catch (error) {
      const code = refusalOf(error);
      if (code === undefined) throw error;
      remember(refusals, maxRefusals, JSON.stringify(narrowing), { at: now(), code });
      return code;
    }
  };

  const found = (route: Route, grant: Grant, set: GrantCache): Found =>
    route.kind === 'connection' ? { route, grant, renew: () => set.replace(grant) } : { route, known };

  const findNamed = async (url: URL, name: string): Promise<Found> => {
    const narrowing = { scope: name };
    const grant = await ask(narrowing);
    if (typeof grant === 'string') return { route: { kind: 'unknown', names: [] }, known };
    return found(findRoute(grant.connections, url, name), grant, setOf(narrowing));
  };

  /** By the list, as no grant is for all connections of this origin. */
  const findListed = async (url: URL): Promise<Found> => {
    const route = findRoute(known.connections, url);
    return route.kind === 'connection' ? findNamed(url, route.name) : { route, known };
  };

  const findAtOrigin = async (url: URL, mayBeOld: boolean): Promise<Found> => {
    const narrowing = { resource: url.origin };
    const none: Found = { route: { kind: 'none' }, known };
    const age = now() - knownAt;
    const isKnown = age < (mayBeOld ? oldMs : missingMs);
    if (isKnown && known.isComplete && !known.connections.some((one) => one.origin === url.origin)) return none;
    if (mayBeOld && wasRefused(narrowing, unknown, oldMs)) return none;
    if (wasRefused(narrowing, tooMany, oldMs)) {
      const listed = await findListed(url);
      if (isKnown || listed.route.kind === 'connection') return listed;
    }
    let grant = await ask(narrowing);
    if (grant === tooMany) return findListed(url);
    if (grant === unknown) return { ...none, known };
    const set = setOf(narrowing);
    let route = findRoute(grant.connections, url);
    if (route.kind === 'none' && !mayBeOld) {
      grant = await set.getNewer(grant);
      route = findRoute(grant.connections, url);
    }
    return found(route, grant, set);
  };

  return {
    async find(url, name, mayBeOld) {
      if (name !== undefined) return findNamed(url, name);
      if (!/^https?:$/.test(url.protocol)) return { route: { kind: 'none' }, known };
      return findAtOrigin(url, mayBeOld);
    },
    async any() {
      let set = [...sets.values()].reverse().find((one) => one.isHeld()) ?? setOf({});
      let grant: Grant;
      try {
        grant = await set.get();
      } catch (error) {
        const [first] = known.connections;
        if (refusalOf(error) !== tooMany || first === undefined) throw error;
        set = setOf({ scope: first.name });
        grant = await set.get();
      }
      return { grant, renew: () => set.replace(grant) };
    },
  };
}

const refusalOf = (error: unknown): RefusalCode | undefined =>
  error instanceof HoopExchangeError && (error.code === unknown || error.code === tooMany) ? error.code : undefined;

/** Puts it last, and lets the first go where there are too many. */
function remember<V>(into: Map<string, V>, max: number, key: string, value: V): void {
  into.delete(key);
  if (into.size >= max) into.delete(into.keys().next().value!);
  into.set(key, value);
}
