/** A pool of sockets for each connection, and the means to cut them. */
import { AppError } from '@hoop/contract';
import type { ConnectionSettings } from '@hoop/contract';
import { Client, Pool } from 'undici';
import type { Dispatcher } from 'undici';

import { createConnector, resolveBySystem } from './dialer.ts';
import type { Resolve, SocketFacts, TlsFacts } from './dialer.ts';
import { parseTarget } from './target.ts';
import type { Target } from './target.ts';

/** Sockets to one target at most; further calls wait for one. */
const maxSockets = 1024;
const maxHeaderBytes = 65_536;

/** Where a call's socket can be asked about; goes into the options of `dispatch` as `peer`. Read it when the response starts. */
export class Peer {
  /** Set by the pool when the call is given to a socket. */
  client: { readonly facts: SocketFacts | null } | null = null;

  get address(): string | null {
    return this.client?.facts?.address ?? null;
  }

  get tls(): TlsFacts | null {
    return this.client?.facts?.tls ?? null;
  }
}

export const createPeer = (): Peer => new Peer();

export type UpstreamDispatchOptions = Dispatcher.DispatchOptions & { readonly peer?: Peer };

/** One socket at a time, and what is known of it. */
class SocketClient extends Client {
  facts: SocketFacts | null = null;

  override dispatch(options: UpstreamDispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (options.peer !== undefined) options.peer.client = this;
    return super.dispatch(options, handler);
  }
}

export interface Route {
  readonly target: Target;
  /** `dispatch({ origin: target.origin, path, method, headers, body, peer }, handler)`; never follows a redirect, never retries. */
  readonly dispatcher: Pick<Dispatcher, 'close' | 'destroy'> & {
    dispatch(options: UpstreamDispatchOptions, handler: Dispatcher.DispatchHandler): boolean;
  };
}

export interface UpstreamOptions {
  readonly tls?: { readonly ca?: string | readonly string[] };
  /** @default the system's resolver */
  readonly resolve?: Resolve;
}

export interface Upstream {
  /**
   * The way to a connection's target; the same object as long as the settings that matter are the same.
   * After a change calls in flight end on the old sockets.
   * @throws AppError `target_refused`
   */
  route(connection: { readonly id: string; readonly settings: ConnectionSettings }): Route;
  /** Cuts every call in flight of the connection with this error and closes its sockets. @default `call_revoked` */
  close(connectionId: string, error?: AppError): void;
  /** Cuts everything. */
  closeAll(): Promise<void>;
}

interface Entry {
  settings: ConnectionSettings;
  readonly route: Route;
}

export function createUpstream({ tls, resolve = resolveBySystem }: UpstreamOptions = {}): Upstream {
  const entries = new Map<string, Entry>();
  /** Replaced pools whose calls have not ended; they must be cut too when the connection is revoked. */
  const retiring = new Map<string, Set<Route>>();

  const retire = (id: string, route: Route): void => {
    const routes = retiring.get(id) ?? new Set();
    retiring.set(id, routes.add(route));
    const forget = (): void => {
      routes.delete(route);
      if (routes.size === 0 && retiring.get(id) === routes) retiring.delete(id);
    };
    route.dispatcher.close().then(forget, forget);
  };

  return {
    route({ id, settings }) {
      const entry = entries.get(id);
      if (entry !== undefined) {
        if (entry.settings === settings) return entry.route;
        if (sameRoute(entry.settings, settings)) {
          entry.settings = settings;
          return entry.route;
        }
      }
      const target = parseTarget(settings);
      const route: Route = { target, dispatcher: createPool(target, settings, resolve, tls?.ca) };
      entries.set(id, { settings, route });
      if (entry !== undefined) retire(id, entry.route);
      return route;
    },
    close(id, error = new AppError('call_revoked', 'The connection was closed while the call was in flight.')) {
      const routes = [entries.get(id)?.route, ...(retiring.get(id) ?? [])];
      entries.delete(id);
      for (const route of routes) void route?.dispatcher.destroy(error);
    },
    async closeAll() {
      const routes = [...[...entries.values()].map((entry) => entry.route), ...[...retiring.values()].flatMap((set) => [...set])];
      entries.clear();
      const error = new AppError('relay_draining', 'The relay is shutting down.');
      await Promise.all(routes.map((route) => route.dispatcher.destroy(error)));
    },
  };
}

function sameRoute(a: ConnectionSettings, b: ConnectionSettings): boolean {
  const key = ({ target, allowedHosts, allowedCidrs, limits }: ConnectionSettings): string =>
    JSON.stringify([target, allowedHosts, allowedCidrs, limits]);
  return key(a) === key(b);
}

function createPool(
  target: Target,
  { limits }: ConnectionSettings,
  resolve: Resolve,
  ca: string | readonly string[] | undefined,
): Route['dispatcher'] {
  return new Pool(target.origin, {
    connections: maxSockets,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: limits.headTimeoutMs,
    bodyTimeout: limits.idleTimeoutMs,
    strictContentLength: true,
    ...(limits.maxResponseBytes > 0 ? { maxResponseSize: limits.maxResponseBytes } : {}),
    factory: (origin, options) => {
      const client: SocketClient = new SocketClient(origin, {
        ...(options as Client.Options),
        connect: createConnector({
          rules: target.addressRules,
          resolve,
          timeoutMs: limits.connectTimeoutMs,
          ca,
          onConnected: (facts) => {
            client.facts = facts;
          },
        }),
      });
      return client;
    },
  });
}
