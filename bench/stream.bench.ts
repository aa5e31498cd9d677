/**
 * Large bodies: memory that a response and an upload of 1 GiB cost the relay, and the time to the first byte over a bare
 * proxy's. Strict durability, everything recorded, as by default.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import path from 'node:path';

import { relayNodeFlags } from '@hoop/relay/node-flags';

import { median, openBench, pinSelf, recordLatencies, startProcess } from './measure.ts';
import { startStage } from './relay/stage.ts';

const gib = 1024 ** 3;
const mib = 1024 ** 2;

const bench = openBench('stream');
pinSelf();
const chunk = Buffer.alloc(256 * 1024, 'the quick brown fox ');
let uploaded = 0;
const target = http.createServer((req, res) => {
  if (req.method === 'POST') {
    req.on('data', (part: Buffer) => (uploaded += part.length));
    req.on('end', () => res.end('ok'));
    return;
  }
  if (req.url!.endsWith('/first')) {
    // The head and the first byte at once, the end later: what is measured is the way, not the target.
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: 1\n\n');
    setTimeout(() => res.end(), 20);
    return;
  }
  const length = Number(new URL(req.url!, 'http://x').searchParams.get('bytes'));
  res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': length });
  let left = length;
  const more = (): void => {
    while (left > 0) {
      const part = left >= chunk.length ? chunk : chunk.subarray(0, left);
      left -= part.length;
      if (!res.write(part)) {
        res.once('drain', more);
        return;
      }
    }
    res.end();
  };
  more();
});
await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
const targetUrl = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
const stage = await startStage([{ name: 'files', target: targetUrl }]);
const grant = await stage.grant();

/** Bytes of the body that arrived, and seconds. */
function download(bytes: number): Promise<{ bytes: number; seconds: number }> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    http
      .get(`${stage.relayUrl}/files/v1/files/a?bytes=${bytes}`, { headers: { 'hoop-grant': grant }, agent: false }, (res) => {
        let received = 0;
        if (res.statusCode !== 200) reject(new Error(`status ${res.statusCode}`));
        res.on('data', (part: Buffer) => (received += part.length));
        res.on('end', () => resolve({ bytes: received, seconds: (performance.now() - startedAt) / 1000 }));
        res.on('error', reject);
      })
      .on('error', reject);
  });
}

function upload(bytes: number): Promise<{ bytes: number; seconds: number }> {
  const startedAt = performance.now();
  const before = uploaded;
  return new Promise((resolve, reject) => {
    const req = http.request(
      `${stage.relayUrl}/files/v1/files/a`,
      {
        method: 'POST',
        headers: { 'hoop-grant': grant, 'content-length': bytes, 'content-type': 'application/octet-stream' },
        agent: false,
      },
      (res) => {
        res.resume();
        res.on('end', () => {
          if (res.statusCode === 200) resolve({ bytes: uploaded - before, seconds: (performance.now() - startedAt) / 1000 });
          else reject(new Error(`status ${res.statusCode}`));
        });
      },
    );
    req.on('error', reject);
    let left = bytes;
    const more = (): void => {
      while (left > 0) {
        const part = left >= chunk.length ? chunk : chunk.subarray(0, left);
        left -= part.length;
        if (!req.write(part)) {
          req.once('drain', more);
          return;
        }
      }
      req.end();
    };
    more();
  });
}

for (const [what, move] of [
  ['1 GiB response', download],
  ['1 GiB upload', upload],
] as const) {
  // Warms up: code, pools and the kept prefix are allocated before the measurement.
  await move(32 * mib);
  await move(32 * mib);
  stage.relay.resetPeak();
  const before = stage.relay.rssBytes();
  const { bytes, seconds } = await move(gib);
  const grown = stage.relay.peakRssBytes() - before;
  bench.report({
    case: `${what}: memory grows by`,
    value: grown / mib,
    unit: 'MiB',
    ratio: grown / (64 * mib),
    goal: 1,
    lowerIsBetter: true,
    rssBeforeMiB: before / mib,
    complete: bytes === gib,
    mibPerSecond: bytes / mib / seconds,
  });
}

const proxy = startProcess(path.join(import.meta.dirname, 'relay/bare-proxy.ts'), {
  args: [targetUrl],
  execArgv: ['--conditions=@hoop/source', ...relayNodeFlags],
});
const proxyUrl = await proxy.listening();

/** Milliseconds from the request to the first byte of the body, one call at a time on one connection. */
async function firstBytes(url: string, requestPath: string, times: number): Promise<number> {
  const { hostname, port } = new URL(url);
  const latencies = recordLatencies();
  const socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
  let fail = (_error: Error): void => undefined;
  socket.on('close', () => fail(new Error('the connection was closed')));
  await new Promise((resolve) => socket.once('connect', resolve));
  for (let i = 0; i < times; i++) {
    await new Promise<void>((resolve, reject) => {
      let text = '';
      const startedAt = performance.now();
      let isFirst = true;
      const onData = (part: Buffer): void => {
        text += part.toString('latin1');
        if (isFirst && text.includes('data: 1')) {
          isFirst = false;
          latencies.add(performance.now() - startedAt);
        }
        // Where the whole response came in one turn, the relay sends it with its length.
        if (!text.endsWith('0\r\n\r\n') && !(text.includes('content-length') && text.endsWith('data: 1\n\n'))) return;
        socket.off('data', onData);
        if (text.startsWith('HTTP/1.1 200')) resolve();
        else reject(new Error(text.slice(0, 200)));
      };
      fail = reject;
      socket.on('data', onData);
      socket.write(`GET ${requestPath} HTTP/1.1\r\nhost: x\r\nhoop-grant: ${grant}\r\n\r\n`);
    });
  }
  socket.destroy();
  return latencies.p50Ms;
}

const differences: number[] = [];
const ours: number[] = [];
for (let pair = 0; pair < 7; pair++) {
  const relay = await firstBytes(stage.relayUrl, '/files/v1/files/first', 40);
  const bare = await firstBytes(proxyUrl, '/v1/files/first', 40);
  if (pair === 0) continue;
  ours.push(relay);
  differences.push(relay - bare);
}
bench.report({
  case: 'time to first byte, over the bare proxy',
  value: median(differences),
  unit: 'ms',
  ratio: median(differences) / 2,
  goal: 1,
  lowerIsBetter: true,
  relayMs: median(ours),
  allowedMs: 2,
});
await proxy.close();
await stage.close();
target.close();
target.closeAllConnections();
