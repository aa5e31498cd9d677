/** A relay in this process. The product starts it through main.ts, which adds processes and signals. */
import cluster from 'node:cluster';
import type { Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { createLeafIssuer, readAuthority } from '@hoop/certificates';
import { queueNames } from '@hoop/contract';
import { openQueueWorker, requireDurableQueue } from '@hoop/queue';

import type { ProxyConfig, RelayConfig } from './config.ts';
import { openRelay } from './context.ts';
import type { RelayParts } from './context.ts';
import { createDataPath } from './data-path/data-path.ts';
import type { Relay } from './relay.ts';
import { runDeferred } from './deferred/run-deferred.ts';
import { createLoopbackServer, createProxyServer, createRelayServer } from './listener/server.ts';
import type { ProxyTrust } from './listener/server.ts';

export type { RelayConfig } from './config.ts';
export { readConfig } from './config.ts';
export type { RelayParts } from './context.ts';
export { relayNodeFlags } from './process/node-flags.ts';

export interface RunningRelay {
  readonly id: string;
  readonly url: string;
  /** Of the forward proxy; null: there is none. */
  readonly proxyUrl: string | null;
  /** Of the snapshot that it works with. */
  readonly revision: () => number;
  /** Takes no new calls, waits for those under way within the drain limit, flushes the record. */
  close(): Promise<void>;
}

const drainMs = 25_000;
/** Deferred calls that this process sends at a time. */
const deferredAtOnce = 16;

/** Resolves when the relay listens and has its first snapshot. */
export async function startRelay(config: RelayConfig, parts: RelayParts = {}): Promise<RunningRelay> {
  const trust = config.proxy === undefined ? null : await proxyTrust(config.proxy, parts.now ?? Date.now);
  const opened = await openRelay(config, parts);
  const { relay } = opened;
  const carry = createDataPath(relay);
  const server = createRelayServer(relay, carry, config.tls);
  const loopback = createLoopbackServer(relay, carry);
  const proxy = trust === null ? null : createProxyServer(relay, carry, trust, config.tls);
  try {
    await Promise.all([
      opened.ready(),
      requireDurableQueue(config.queue, ({ setting, value, isLossy, sentence }) =>
        relay.log[isLossy ? 'error' : 'warn']({ event: 'weak_queue', setting, value }, sentence),
      ),
    ]);
    await listenOnLoopback(loopback);
    relay.loopbackPort = (loopback.address() as AddressInfo).port;
    await listen(server, config);
    if (proxy !== null) await listen(proxy, config.proxy!);
  } catch (error) {
    loopback.close();
    server.close();
    await opened.close();
    throw error;
  }
  const deferred = openQueueWorker<{ callId?: unknown }>(
    queueNames.relay,
    config.queue,
    ({ payload }) => runDeferred(relay, String(payload.callId)),
    {
      concurrency: deferredAtOnce,
      onError: (error) => relay.log.warn({ event: 'relay_queue_trouble', error: error.message }),
    },
  );
  let closing: Promise<void> | undefined;
  return {
    id: opened.relay.id,
    url: urlOf(server),
    proxyUrl: proxy === null ? null : urlOf(proxy),
    revision: () => opened.relay.configuration.revision,
    close: () =>
      (closing ??= (async () => {
        // Deferred calls that run are calls in flight like any other; new ones are left to other relays.
        relay.isDraining = true;
        // Those that wait for a decision need not: the same request is taken by another relay.
        relay.subjects.allMayHaveChanged();
        const idle = deferred.close(config.drainTimeoutMs ?? drainMs);
        server.close();
        proxy?.close();
        await idle;
        await drain(relay, server, config.drainTimeoutMs ?? drainMs);
        loopback.close();
        loopback.closeAllConnections();
        await opened.close();
        server.closeAllConnections();
        proxy?.closeAllConnections();
      })()),
  };
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `${server instanceof SecureServer ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** @throws Error with a sentence where the authority cannot sign */
async function proxyTrust({ certificates, key }: ProxyConfig, now: () => number): Promise<ProxyTrust> {
  const authority = await readAuthority(certificates, key, now());
  return { leafs: createLeafIssuer({ authority, now }), trusted: authority.trusted };
}

/** Of this process alone, also where several share the public port. */
function listenOnLoopback(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * Where the kernel can, each process of several has a listening socket of its own on the same port: connections are
 * spread evenly, and none is lost in a hand-over to a process that is killed at that moment.
 */
const sharesPort = cluster.isWorker && process.platform === 'linux';

function listen(server: Server, { host, port }: Pick<RelayConfig, 'host' | 'port'>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 4096, ...(sharesPort ? { reusePort: true } : {}) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function drain(relay: Relay, server: Server, timeoutMs: number): Promise<void> {
  relay.isDraining = true;
  if (server.listening) server.close();
  const deadline = performance.now() + timeoutMs;
  while (relay.calls.size > 0 && performance.now() < deadline) await delay(20);
}
