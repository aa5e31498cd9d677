/** A pool of sockets for each connection, and the means to cut them. */
import type { Socket } from 'node:net';

import { AppError } from '@hoop/contract';
import type { ConnectionSettings } from '@hoop/contract';
import { Client, Pool } from 'undici';
import type { Dispatcher } from 'undici';

import { createConnector, resolveBySystem } from './dialer.ts';
import type { Resolve, SocketFacts } from './dialer.ts';
import type { Peer, UpstreamDispatchOptions } from './peer.ts';
import { ResponseStart } from './response-start.ts';
import { SocketShares } from './socket-shares.ts';
import { parseTarget } from './target.ts';
import type { Target } from './target.ts';
import { watchSocket } from './watch-socket.ts';

const maxHeaderBytes = 65_536;

/** One socket at a time, and what is known of it. */
class SocketClient extends Client {
  facts: SocketFacts | null = null;
  readonly start = new ResponseStart();
  /** Calls that were given to the present socket. */
  #calls = 0;

  get isStale(): boolean {
    return this.#calls > 1 && !this.start.hasBegun;
  }

  connected(facts: SocketFacts, socket: Socket): void {
    this.facts = facts;
    this.#calls = 1;
    watchSocket(socket, this.start);
  }

  /** One call at a time (`pipelining: 1`), so no response is under way here. */
  override dispatch(options: UpstreamDispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (options.peer !== undefined) options.peer.client = this;
    this.#calls++;
    this.start.expect();
    return super.dispatch(options, handler);
  }
}

export interface Route {
  readonly target: Target;
  /** `dispatch({ origin: target.origin, path, method, headers, body, peer }, handler)`; never follows a redirect, never retries. */
  readonly dispatcher: Pick<Dispatcher, 'close' | 'destroy'> & {
    dispatch(options: UpstreamDispatchOptions, handler: Dispatcher.DispatchHandler): boolean;
    /** On a socket of its own, which no call had before. */
    dispatchFresh(options: UpstreamDispatchOptions, handler: Dispatcher.DispatchHandler): boolean;
    /** A call with `by` has ended, or is not to be sent any more. May be called again. */
    release(peer: Peer): void;
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
): TargetPool {
  const settings = {
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: limits.headTimeoutMs,
    bodyTimeout: limits.idleTimeoutMs,
    strictContentLength: true,
    ...(limits.maxResponseBytes > 0 ? { maxResponseSize: limits.maxResponseBytes } : {}),
  };
  const open = (origin: string | URL, options: Client.Options): SocketClient => {
    const client: SocketClient = new SocketClient(origin, {
      ...options,
      connect: createConnector({
        rules: target.addressRules,
        resolve,
        timeoutMs: limits.connectTimeoutMs,
        ca,
        onConnected: (facts, socket) => client.connected(facts, socket),
      }),
    });
    return client;
  };
  return new TargetPool(
    target.origin,
    { ...settings, connections: limits.maxSockets, factory: (origin, options) => open(origin, options) },
    limits,
    () => open(target.origin, settings),
  );
}

class TargetPool extends Pool {
  readonly #open: () => SocketClient;
  readonly #fresh = new Set<SocketClient>();

  readonly #shares: SocketShares;

  constructor(origin: string, options: Pool.Options, limits: ConnectionSettings['limits'], open: () => SocketClient) {
    super(origin, options);
    this.#open = open;
    this.#shares = new SocketShares({
      maxSockets: limits.maxSockets,
      waitMs: limits.socketWaitMs,
      start: (request, handler) => super.dispatch(request, handler),
    });
  }

  override dispatch(options: UpstreamDispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.#shares.dispatch(options, handler);
  }

  release(peer: Peer): void {
    this.#shares.release(peer);
  }

  /** Calls that wait for a socket still get one. */
  override close(...given: unknown[]): Promise<void> {
    return this.#shares.settled().then(() => (super.close as (...given: unknown[]) => Promise<void>)(...given));
  }

  dispatchFresh(options: UpstreamDispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const client = this.#open();
    this.#fresh.add(client);
    const isDispatched = client.dispatch(options, handler);
    // Ends when the call has.
    const forget = (): void => void this.#fresh.delete(client);
    client.close().then(forget, forget);
    return isDispatched;
  }

  override destroy(...given: unknown[]): Promise<void> {
    const [error = null] = given;
    if (error instanceof AppError) this.#shares.fail(error);
    for (const client of this.#fresh) void client.destroy(error as Error | null);
    return (super.destroy as (...given: unknown[]) => Promise<void>)(...given);
  }
}
