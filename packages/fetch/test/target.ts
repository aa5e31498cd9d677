/** A target that shows what it received and misbehaves on request. */
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

import { answerJson, readBody, serve } from './servers.ts';

export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface TestTarget {
  readonly origin: string;
  /** 'request' when a head has arrived, 'chunk' for each chunk of /slow-upload, 'closed' when a caller went away. */
  readonly events: EventEmitter;
  /** Requests by path, without query. */
  readonly counts: Map<string, number>;
}

export async function startTarget(): Promise<TestTarget> {
  const events = new EventEmitter();
  const counts = new Map<string, number>();
  const origin = await serve((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://target');
    counts.set(url.pathname, (counts.get(url.pathname) ?? 0) + 1);
    response.on('close', () => !response.writableFinished && events.emit('closed', url.pathname));
    request.on('error', () => {});
    events.emit('request', url.pathname);
    switch (url.pathname) {
      case '/echo': {
        const body = (await readBody(request)).toString('latin1');
        return answerJson(response, 200, { method: request.method, url: request.url, headers: request.headers, body } satisfies Record<
          keyof Echo,
          unknown
        >);
      }
      case '/redirect': {
        await readBody(request);
        const to = url.searchParams.get('to');
        const location = to === null ? [] : ['location', Buffer.from(to).toString('latin1')];
        const policy = url.searchParams.get('policy');
        if (policy !== null) location.push('referrer-policy', policy);
        response.writeHead(Number(url.searchParams.get('status')), [...location, 'content-type', 'text/plain', 'content-length', '5']);
        // As bytes: with a text, Node writes the head in the text's encoding.
        return void response.end(Buffer.from('moved'));
      }
      case '/countdown': {
        const left = Number(url.searchParams.get('n'));
        if (left === 0) return answerJson(response, 200, { done: true });
        return void response.writeHead(302, { location: `/countdown?n=${left - 1}` }).end();
      }
      case '/status':
        await readBody(request);
        return void response.writeHead(Number(url.searchParams.get('code')), { 'x-answer': 'yes' }).end();
      case '/reason':
        return void response.writeHead(200, 'All Is Well', { 'x-answer': 'yes' }).end('ok');
      case '/cookies':
        return void response.writeHead(200, ['set-cookie', 'a=1; Path=/', 'set-cookie', 'b=2', 'x-list', 'one', 'x-list', 'two']).end();
      case '/gzip': {
        const body = gzipSync('zipped text');
        return void response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length }).end(body);
      }
      case '/form': {
        const body = await readBody(request);
        return void response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'none' }).end(body);
      }
      case '/large': {
        const body = Buffer.alloc(5_000_000, 'hoop');
        return void response.writeHead(200, { 'content-length': body.length }).end(body);
      }
      case '/hang':
        return;
      case '/reset':
        return void request.socket.destroy();
      case '/begin-then-hang':
        response.writeHead(200, { 'content-type': 'text/plain' });
        return void response.write('begun');
      case '/begin-then-reset':
        response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 100 });
        response.write('begun');
        await once(events, 'go on');
        request.socket.destroy();
        return;
      case '/events': {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: first\n\n');
        await once(events, 'go on');
        return void response.end('data: second\n\n');
      }
      case '/slow-upload': {
        for await (const chunk of request) events.emit('chunk', String(chunk));
        return answerJson(response, 200, { headers: request.headers });
      }
      default:
        answerJson(response, 404, { path: url.pathname });
    }
  }
  return { origin, events, counts };
}
