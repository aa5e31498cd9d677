import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** A response of NDJSON: a JSON value a line. */
export interface LineStream {
  /** Resolves when there is room for the next one. */
  send(value: unknown): Promise<void>;
  end(): void;
  /** The client has gone. */
  readonly isClosed: boolean;
}

/** Sends the head at once. Nothing that is an error can become a status after this. */
export function openLineStream(response: ServerResponse, headers: Record<string, string> = {}): LineStream {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store', 'x-accel-buffering': 'no', ...headers });
  response.flushHeaders();
  return {
    get isClosed() {
      return response.destroyed || response.writableEnded;
    },
    async send(value) {
      if (response.destroyed || response.write(`${JSON.stringify(value)}\n`)) return;
      const done = new AbortController();
      await Promise.race([once(response, 'drain', { signal: done.signal }), once(response, 'close', { signal: done.signal })]).finally(() =>
        done.abort(),
      );
    },
    end() {
      response.end();
    },
  };
}
