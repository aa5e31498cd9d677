import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Context } from '../context.ts';

/** Bytes that may wait for a client that does not read; then it is cut and starts over. */
const maxWaiting = 1_048_576;
const pingMs = 15_000;

/** A response of server-sent events (WHATWG HTML §9.2). */
export interface EventStream {
  /** Sends the head and what was sent before it. */
  start(): void;
  /** @param id what a client that reconnects sends as `Last-Event-ID` */
  send(event: string, data: unknown, id?: string): void;
  /** Cuts the client off, so that it starts over and misses nothing. */
  fail(error: Error): void;
  end(): void;
  onClose(fn: () => void): void;
}

export function openEventStream(context: Context, request: IncomingMessage, response: ServerResponse): EventStream {
  const waiting: string[] = [];
  let isStarted = false;
  const timer = setInterval(() => isStarted && write('event: ping\ndata: {}\n\n'), pingMs);
  context.streams.add(response);
  response.once('close', () => {
    clearInterval(timer);
    context.streams.delete(response);
  });

  function write(text: string): void {
    if (response.destroyed || response.writableEnded) return;
    if (response.writableLength > maxWaiting) {
      response.destroy();
      return;
    }
    response.write(text);
  }

  return {
    start() {
      if (isStarted || response.destroyed) return;
      isStarted = true;
      request.socket.setNoDelay(true);
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
      response.flushHeaders();
      for (const text of waiting.splice(0)) write(text);
    },
    send(event, data, id) {
      const text = `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
      if (isStarted) write(text);
      else waiting.push(text);
    },
    fail(error) {
      context.log.warn({ err: error }, 'a stream of events was cut');
      response.destroy();
    },
    end() {
      if (!response.destroyed) response.end();
    },
    onClose(fn) {
      response.once('close', fn);
    },
  };
}
