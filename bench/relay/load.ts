/** A light load generator and target on raw sockets: they share a core with a database and must not be what is measured. */
import net from 'node:net';

import { recordLatencies } from '../measure.ts';
import type { Sample } from '../measure.ts';

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly forMs: number;
  /** Request line and headers of connection `index`, without the host header. */
  readonly head: (index: number) => string;
}

export interface LoadResult extends Sample {
  readonly responses: number;
  /** Responses with another status than 200, or cut. */
  readonly failures: number;
}

const endOfHead = Buffer.from('\r\n\r\n');

/** Each connection sends its request, waits for the whole response, and sends it again, until the time is over. */
export async function load({ url, connections, forMs, head }: LoadOptions): Promise<LoadResult> {
  const { hostname, port, host } = new URL(url);
  const latencies = recordLatencies();
  let failures = 0;
  const start = performance.now();
  const end = start + forMs;
  const lane = (index: number): Promise<void> =>
    new Promise((resolve) => {
      const request = Buffer.from(`${head(index)}\r\nhost: ${host}\r\n\r\n`, 'latin1');
      let sentAt = 0;
      let missing = -1;
      const finish = (): void => {
        socket.destroy();
        resolve();
      };
      const socket = net.connect({
        host: hostname,
        port: Number(port),
        noDelay: true,
        // One buffer for all that arrives: nothing is allocated for a response.
        onread: {
          buffer: Buffer.allocUnsafe(65_536),
          callback: (bytes, buffer) => take(Buffer.from(buffer.buffer, buffer.byteOffset, bytes)),
        },
      });
      const send = (): void => {
        sentAt = performance.now();
        missing = -1;
        socket.write(request);
      };
      const take = (chunk: Buffer): boolean => {
        if (missing < 0) {
          // Heads of these responses are small and arrive whole.
          const at = chunk.indexOf(endOfHead);
          const text = chunk.toString('latin1', 0, at);
          const length = /content-length: (\d+)/i.exec(text);
          if (at < 0 || !length || !text.startsWith('HTTP/1.1 200')) {
            failures++;
            finish();
            return false;
          }
          missing = Number(length[1]) - (chunk.length - at - 4);
        } else {
          missing -= chunk.length;
        }
        if (missing > 0) return true;
        const now = performance.now();
        latencies.add(now - sentAt);
        if (now < end) send();
        else finish();
        return true;
      };
      socket.on('connect', send);
      socket.on('error', () => {
        failures++;
        finish();
      });
      socket.on('end', finish);
    });
  await Promise.all(Array.from({ length: connections }, (_, index) => lane(index)));
  const seconds = (performance.now() - start) / 1000;
  return {
    value: latencies.count / seconds,
    p50Ms: latencies.p50Ms,
    p99Ms: latencies.p99Ms,
    responses: latencies.count,
    failures,
  };
}

export interface CannedTarget {
  readonly url: string;
  /** Requests that arrived. */
  readonly requests: () => number;
  close(): void;
}

/** Answers every request that has no body with the same bytes. */
export function startCannedTarget(contentType: string, body: string): Promise<CannedTarget> {
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\netag: "a1b2c3"\r\ndate: Tue, 24 Nov 2026 08:00:00 GMT\r\n\r\n`;
  const response = Buffer.from(head + body, 'utf8');
  let requests = 0;
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let rest = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      rest = rest === '' ? text : rest + text;
      for (let at = rest.indexOf('\r\n\r\n'); at >= 0; at = rest.indexOf('\r\n\r\n')) {
        requests++;
        rest = rest.slice(at + 4);
        socket.write(response);
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({
        url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
        requests: () => requests,
        close: () => {
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      });
    });
  });
}
