import net from 'node:net';

import { afterEach, expect, test } from 'vitest';

import { Gauge, openMetrics, type Metrics } from './index.ts';

const open: Metrics[] = [];
const start = (): Metrics => {
  const metrics = openMetrics();
  open.push(metrics);
  return metrics;
};
afterEach(() => Promise.all(open.splice(0).map((metrics) => metrics.close())));

test('serves what is registered, and what the process is, as Prometheus reads it', async () => {
  const metrics = start();
  new Gauge({ name: 'hoop_example', help: 'An example.', registers: [metrics.registry] }).set(7);
  const response = await fetch(await metrics.listen({ host: '127.0.0.1', port: 0 }));
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  const text = await response.text();
  expect(text).toContain('# HELP hoop_example An example.\n# TYPE hoop_example gauge\nhoop_example 7\n');
  expect(text).toMatch(/^process_cpu_seconds_total \d/m);
});

test('collects once for all who ask at the same time', async () => {
  const metrics = start();
  let collected = 0;
  new Gauge({ name: 'hoop_example', help: 'An example.', registers: [metrics.registry], collect: () => void collected++ });
  const url = await metrics.listen({ host: '127.0.0.1', port: 0 });
  await Promise.all(Array.from({ length: 20 }, () => fetch(url).then((response) => response.text())));
  expect(collected).toBeLessThan(20);
});

test.each([
  ['GET', '/', 404],
  ['GET', '/metrics/', 404],
  ['POST', '/metrics', 405],
  ['HEAD', '/metrics', 200],
])('%s %s is answered with %i', async (method, path, status) => {
  const url = await start().listen({ host: '127.0.0.1', port: 0 });
  expect((await fetch(new URL(path, url), { method })).status).toBe(status);
});

test('a metric that cannot be collected is an answer that says so', async () => {
  const metrics = start();
  new Gauge({
    name: 'hoop_example',
    help: 'An example.',
    registers: [metrics.registry],
    collect: () => Promise.reject(new Error('no disk')),
  });
  const response = await fetch(await metrics.listen({ host: '127.0.0.1', port: 0 }));
  expect([response.status, await response.text()]).toEqual([500, 'The metrics could not be collected: Error: no disk\n']);
});

test('a port that is taken is an error of the start, and sockets that stay open do not hold the end', async () => {
  const first = start();
  const { port } = new URL(await first.listen({ host: '127.0.0.1', port: 0 }));
  await expect(start().listen({ host: '127.0.0.1', port: Number(port) })).rejects.toThrow('EADDRINUSE');
  const socket = net.connect(Number(port), '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await first.close();
  await closed;
});
