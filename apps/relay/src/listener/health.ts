/** `GET /-/healthz`: the process answers. `GET /-/readyz`: it can carry calls. No connection's name starts with "-". */
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Relay } from '../relay.ts';

/** False where the path is none of ours. Says nothing about what the relay knows. */
export function answerHealth(relay: Relay, req: IncomingMessage, res: ServerResponse): boolean {
  if (req.method !== 'GET' && req.method !== 'HEAD') return false;
  if (req.url === '/-/healthz') send(res, 200, 'ok');
  else if (req.url === '/-/readyz') send(res, isReady(relay) ? 200 : 503, isReady(relay) ? 'ready' : 'not ready');
  else return false;
  return true;
}

/** `GET /-/ca.pem`: what clients of the proxy are to trust. */
export function answerAuthority(trusted: string, req: IncomingMessage, res: ServerResponse): boolean {
  if ((req.method !== 'GET' && req.method !== 'HEAD') || req.url !== '/-/ca.pem') return false;
  res.writeHead(200, ['content-type', 'application/x-pem-file', 'content-length', String(trusted.length), 'cache-control', 'no-store']);
  res.end(trusted);
  return true;
}

const isReady = (relay: Relay): boolean => !relay.isDraining && relay.snapshots.ageMs() <= relay.snapshotMaxAgeMs;

function send(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, ['content-type', 'text/plain', 'content-length', String(text.length), 'cache-control', 'no-store']);
  res.end(text);
}
