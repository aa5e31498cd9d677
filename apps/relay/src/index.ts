/** A relay in this process. The product starts it through main.ts, which adds processes and signals. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { RelayConfig } from './config.ts';
import { openRelay } from './context.ts';
import type { RelayParts } from './context.ts';
import type { Relay } from './relay.ts';
import { createRelayServer } from './server.ts';

export type { RelayConfig } from './config.ts';
export { readConfig } from './config.ts';
export type { RelayParts } from './context.ts';

export interface RunningRelay {
  readonly id: string;
  readonly url: string;
  /** Of the snapshot that it works with. */
  readonly revision: () => number;
  /** Takes no new calls, waits for those under way within the drain limit, flushes the record. */
  close(): Promise<void>;
}

const drainMs = 25_000;

/** Resolves when the relay listens and has its first snapshot. */
export async function startRelay(config: RelayConfig, parts: RelayParts = {}): Promise<RunningRelay> {
  const opened = openRelay(config, parts);
  const server = createRelayServer(opened.relay);
  try {
    await opened.ready();
    await listen(server, config);
  } catch (error) {
    await opened.close();
    throw error;
  }
  const { address, port, family } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    id: opened.relay.id,
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    revision: () => opened.relay.configuration.revision,
    close: () =>
      (closing ??= (async () => {
        await drain(opened.relay, server, config.drainTimeoutMs ?? drainMs);
        await opened.close();
        server.closeAllConnections();
      })()),
  };
}

function listen(server: Server, { host, port }: RelayConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 4096 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function drain(relay: Relay, server: Server, timeoutMs: number): Promise<void> {
  relay.isDraining = true;
  server.close();
  const deadline = performance.now() + timeoutMs;
  while (relay.calls.size > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
}
