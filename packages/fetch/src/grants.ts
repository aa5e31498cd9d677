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

/** How long "there is no such connection" holds, milliseconds: briefly for who is refused, longer for who calls directly. */
const missingMs = 10_000;
const oldMs = 225_000;
/** What is remembered at most; the one that was used longest ago goes. */
const maxSets = 200;
const maxMissing = 1_000;

const nothing: KnownConnections = { connections: [], isComplete: false };

export function createGrants({ obtain, now }: GrantsOptions): Grants {
  /** By what was asked for. */
  const sets = new Map<string, GrantCache>();
  /** When the control plane said that there is no such connection, by what was asked for. */
  const missing = new Map<string, number>();
  /** Origins with more connections than one grant is good for. */
  const crowded = new Set<string>();
  let known = nothing;
  let knownAt = Number.NEGATIVE_INFINITY;
  const onKnown = (latest: KnownConnections): void => {
    known = latest;
    knownAt = now();
  };

  const setOf = (narrowing: Narrowing): GrantCache => {
    const key = JSON.stringify(narrowing);
    const set = sets.get(key) ?? createGrantCache({ obtain: () => obtain(narrowing, onKnown), now });
    sets.delete(key);
    remember(sets, maxSets, key, set);
    return set;
  };

  const isMissing = (narrowing: Narrowing, ms: number): boolean => {
    const at = missing.get(JSON.stringify(narrowing));
    return at !== undefined && now() - at < ms;
  };

  /** Undefined where there is no such connection. */
  const getGrant = async (narrowing: Narrowing): Promise<Grant | undefined> => {
    if (isMissing(narrowing, missingMs)) return undefined;
    try {
      return await setOf(narrowing).get();
    } catch (error) {
      if (codeOf(error) !== 'connection_unknown') throw error;
      remember(missing, maxMissing, JSON.stringify(narrowing), now());
      return undefined;
    }
  };

  const found = (route: Route, grant: Grant, set: GrantCache): Found =>
    route.kind === 'connection'
      ? { route, grant, renew: () => set.replace(grant) }
      : { route, known: known === nothing ? { connections: grant.connections, isComplete: false } : known };

  const findNamed = async (url: URL, name: string): Promise<Found> => {
    const narrowing = { scope: name };
    const grant = await getGrant(narrowing);
    if (grant === undefined) return { route: { kind: 'unknown', names: [] }, known };
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
    if (mayBeOld && isMissing(narrowing, oldMs)) return none;
    if (age < oldMs && crowded.has(url.origin)) {
      const listed = await findListed(url);
      if (isKnown || listed.route.kind === 'connection') return listed;
    }
    let grant: Grant | undefined;
    try {
      grant = await getGrant(narrowing);
      crowded.delete(url.origin);
    } catch (error) {
      if (codeOf(error) !== 'too_many_connections') throw error;
      remember(crowded, maxMissing, url.origin);
      return findListed(url);
    }
    if (grant === undefined) return { ...none, known };
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
        if (codeOf(error) !== 'too_many_connections' || first === undefined) throw error;
        set = setOf({ scope: first.name });
        grant = await set.get();
      }
      return { grant, renew: () => set.replace(grant) };
    },
  };
}

const codeOf = (error: unknown): string | undefined => (error instanceof HoopExchangeError ? error.code : undefined);

/** Puts it last, and lets the first go where there are too many. */
function remember<V>(into: Map<string, V>, max: number, key: string, value: V): void;
function remember(into: Set<string>, max: number, key: string): void;
function remember(into: Map<string, unknown> | Set<string>, max: number, key: string, value?: unknown): void {
  into.delete(key);
  if (into.size >= max) into.delete(into.keys().next().value!);
  if (into instanceof Set) into.add(key);
  else into.set(key, value);
}
