/** A light load generator and target on raw sockets: they share a core with a database and must not be what is measured. */
import net from 'node:net';

import { recordLatencies } from '../measure.ts';
import type { Sample } from '../measure.ts';

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly forMs: number;
  /**
   * Requests are sent at this rate, each connection at its time; where the response before it is late, a request counts from
   * when it was due. @default as soon as the response before it is there
   */
  readonly callsPerSecond?: number | undefined;
  /** Latencies of so long at the beginning do not count: connections are made, and callers verified. @default 0 */
  readonly warmUpMs?: number;
  /** Request line and headers of connection `index`, without the host header. */
  readonly head: (index: number) => string;
  /** Sent with every request. @default none */
  readonly body?: Uint8Array;
}

export interface LoadResult extends Sample {
  readonly responses: number;
  /** Responses with another status than 200, or cut. */
  readonly failures: number;
}

const endOfHead = Buffer.from('\r\n\r\n');
const lastChunk = '0\r\n\r\n';

/** Tells where a body ends (RFC 9112 §6): after so many bytes or, of chunks, after the last. Heads of these responses arrive whole. */
class BodyEnd {
  #missing = 0;
  #isChunked = false;
  #tail = '';

  /** Of a response that begins so: its status, and whether it is whole. Null where it has no length. */
  begin(chunk: Buffer): { status: string; isWhole: boolean } | null {
    const at = chunk.indexOf(endOfHead);
    const text = chunk.toString('latin1', 0, Math.max(at, 0));
    const length = /content-length: (\d+)/i.exec(text);
    this.#isChunked = length === null && /transfer-encoding: chunked/i.test(text);
    if (at < 0 || (length === null && !this.#isChunked)) return null;
    this.#missing = Number(length?.[1] ?? 0);
    this.#tail = '';
    return { status: text.slice(9, 12), isWhole: this.take(chunk.subarray(at + 4)) };
  }

  take(chunk: Buffer): boolean {
    this.#missing -= chunk.length;
    if (!this.#isChunked) return this.#missing <= 0;
    this.#tail = (this.#tail + chunk.toString('latin1', Math.max(0, chunk.length - lastChunk.length))).slice(-lastChunk.length);
    return this.#tail === lastChunk;
  }
}

/** Each connection sends its request, waits for the whole response, and sends it again, until the time is over. */
export async function load({
  url,
  connections,
  forMs,
  callsPerSecond,
  warmUpMs = 0,
  head,
  body = new Uint8Array(0),
}: LoadOptions): Promise<LoadResult> {
  const { hostname, port, host } = new URL(url);
  const latencies = recordLatencies();
  let [responses, failures] = [0, 0];
  const start = performance.now();
  const until = start + forMs;
  const everyMs = callsPerSecond === undefined ? 0 : (connections * 1000) / callsPerSecond;
  const lane = (index: number): Promise<void> =>
    new Promise((resolve) => {
      const length = body.length === 0 ? '' : `content-length: ${body.length}\r\n`;
      const request = Buffer.concat([Buffer.from(`${head(index)}\r\nhost: ${host}\r\n${length}\r\n`, 'latin1'), body]);
      let sentAt = 0;
      let isBegun = false;
      let isLate = false;
      const end = new BodyEnd();
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
      let due = start + (everyMs * index) / connections;
      const send = (): void => {
        const now = performance.now();
        if (due > now) {
          setTimeout(send, due - now);
          return;
        }
        // A timer's own delay is not the relay's.
        sentAt = everyMs > 0 && isLate ? due : now;
        due += everyMs;
        isBegun = false;
        socket.write(request);
      };
      const take = (chunk: Buffer): boolean => {
        let isWhole: boolean;
        if (isBegun) {
          isWhole = end.take(chunk);
        } else {
          const begun = end.begin(chunk);
          if (begun?.status !== '200') {
            failures++;
            finish();
            return false;
          }
          isBegun = true;
          isWhole = begun.isWhole;
        }
        if (!isWhole) return true;
        const now = performance.now();
        responses++;
        if (now >= start + warmUpMs) latencies.add(now - sentAt);
        isLate = due < now;
        if (now < until) send();
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
    value: responses / seconds,
    p50Ms: latencies.p50Ms,
    p99Ms: latencies.p99Ms,
    responses,
    failures,
  };
}

export interface CannedTarget {
  readonly url: string;
  /** Requests that arrived. */
  readonly requests: () => number;
  close(): void;
}

/** Answers every request with the same bytes, once its body is there. Bodies have a length. */
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
