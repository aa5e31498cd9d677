import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { collectDefaultMetrics, Registry } from 'prom-client';

export interface MetricsAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface Metrics {
  /** Where metrics of this process are registered; those of Node and of the process itself are there from the start. */
  readonly registry: Registry;
  /**
   * Serves `GET /metrics` in Prometheus' text format; anybody who can connect may read it.
   * @returns the URL; rejects with the error of the operating system where nothing can listen there
   */
  listen(address: MetricsAddress): Promise<string>;
  close(): Promise<void>;
}

/** However often it is asked for, metrics are collected once in so long. */
const freshForMs = 1000;
const maxSockets = 32;

export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  let last: { readonly at: number; readonly text: Promise<string> } | null = null;
  const collected = (): Promise<string> => {
    if (last === null || performance.now() - last.at > freshForMs) last = { at: performance.now(), text: registry.metrics() };
    return last.text;
  };
  let server: Server | null = null;
  return {
    registry,
    async listen({ host, port }) {
      const started = createServer({ requestTimeout: 10_000, headersTimeout: 5000, maxHeaderSize: 8192 }, (request, response) => {
        answer(request, response, collected, registry.contentType).catch(() => response.destroy());
      });
      started.maxConnections = maxSockets;
      await new Promise<void>((resolve, reject) => {
        started.once('error', reject);
        started.listen(port, host, resolve);
      });
      server = started;
      return `http://${host.includes(':') ? `[${host}]` : host}:${(started.address() as AddressInfo).port}/metrics`;
    },
    close: () =>
      new Promise((resolve) => {
        if (server === null) return resolve();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, collected: () => Promise<string>, type: string): Promise<void> {
  if (request.url?.split('?')[0] !== '/metrics') {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('Metrics are at /metrics.\n');
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  let text: string;
  try {
    text = await collected();
  } catch (error) {
    response.writeHead(500, { 'content-type': 'text/plain' }).end(`The metrics could not be collected: ${String(error)}\n`);
    return;
  }
  response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : text);
}
