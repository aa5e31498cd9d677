/** A target that counts every request by the id in its path, and keeps what it answered. Its paths say how it behaves. */
import http from 'node:http';

import { startTarget, type TestTarget } from '@hoop/testkit';

export interface Received {
  /** How often the request came. */
  times: number;
  readonly method: string;
  readonly hadCredential: boolean;
  /** Bytes of its body that came. */
  bodyBytes: number;
  /** Status that was sent; null: none. */
  status: number | null;
  /** The whole answer was handed to the network. */
  isAnswered: boolean;
}

export interface CountingTarget {
  readonly url: string;
  readonly received: ReadonlyMap<string, Received>;
  close(): Promise<void>;
}

export interface TargetSecrets {
  readonly credential: string;
  /** In a field of every response that the connection masks. */
  readonly canary: string;
}

const eventMs = 15;
const events = 6;

type Behaviour = (response: http.ServerResponse, one: Received, content: string) => void;

function answer(response: http.ServerResponse, one: Received, status: number, content: string): void {
  one.status = status;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(content, () => (one.isAnswered = true));
}

const behaviours: Readonly<Record<string, Behaviour>> = {
  plain: (response, one, content) => answer(response, one, 200, content),
  upload: (response, one, content) => answer(response, one, 201, content),
  error: (response, one, content) => answer(response, one, 500, content),
  slow: (response, one, content) => void setTimeout(() => answer(response, one, 200, content), 120),
  reset: (response) => void response.socket!.resetAndDestroy(),
  /** Promises more than it sends. */
  cut: (response, one, content) => {
    one.status = 200;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(content.length + 1000) });
    response.write(content, () => response.socket?.destroy());
  },
  stream: (response, one, content) => {
    one.status = 200;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let sent = 0;
    const timer = setInterval(() => {
      if (response.destroyed) return clearInterval(timer);
      response.write(`data: ${content}\n\n`);
      if (++sent < events) return;
      clearInterval(timer);
      response.end(() => (one.isAnswered = true));
    }, eventMs);
  },
};

export async function startCountingTarget({ credential, canary }: TargetSecrets): Promise<CountingTarget> {
  const received = new Map<string, Received>();
  const target: TestTarget = await startTarget((request, response) => {
    const [, behaviour = '', id = ''] = new URL(request.url!, 'http://target').pathname.split('/');
    const known = received.get(id);
    const one: Received = known ?? {
      times: 0,
      method: request.method!,
      hadCredential: request.headers.authorization === `Bearer ${credential}`,
      bodyBytes: 0,
      status: null,
      isAnswered: false,
    };
    one.times++;
    received.set(id, one);
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => (one.bodyBytes += chunk.length));
    request.on('end', () => {
      if (response.destroyed) return;
      behaviours[behaviour]!(response, one, JSON.stringify({ id, note: 'for everybody', canary, filler: 'x'.repeat(400) }));
    });
  });
  return { url: target.url, received, close: () => target.close() };
}
