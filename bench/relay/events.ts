/** A target that sends its first event at once and its end later, and how long the event takes. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface EventTarget {
  readonly url: string;
  close(): void;
}

export async function startEventTarget(): Promise<EventTarget> {
  const server = http.createServer((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: 1\n\n');
    setTimeout(() => res.end(), 5);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Milliseconds from the beginning of a new connection to the first byte of the body; resolves at the end of the response. */
export function firstByteMs(url: string, headers: http.OutgoingHttpHeaders): Promise<number> {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    let first: number | undefined;
    http
      .get(url, { agent: false, headers }, (response) => {
        response.on('data', () => (first ??= performance.now() - from));
        response.on('end', () => {
          if (response.statusCode === 200 && first !== undefined) resolve(first);
          else reject(new Error(`${url} answered with ${response.statusCode}`));
        });
        response.on('error', reject);
      })
      .on('error', reject);
  });
}
