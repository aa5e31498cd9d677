import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { startDemoFirst } from './first-start.ts';
import { makeDemoSettings } from './settings.ts';

let folder: string;
let holder: net.Server;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'hoop-demo-'));
  holder = net.createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
});
afterEach(async () => {
  holder.close();
  await rm(folder, { recursive: true, force: true });
});

const port = (): number => (holder.address() as net.AddressInfo).port;
const start = (make: typeof makeDemoSettings): ReturnType<typeof startDemoFirst> =>
  startDemoFirst({ folder, controlPlaneUrl: 'http://127.0.0.1:1', logs: folder, say: () => {}, make });
/** Settings whose port of the payments API was taken after it had been looked at. */
const overtaken: typeof makeDemoSettings = async (...args) => {
  const { settings, paymentsClientSecret } = await makeDemoSettings(...args);
  return { settings: { ...settings, payments: { ...settings.payments, port: port() } }, paymentsClientSecret };
};

test('a port that another process took in the meantime is replaced by a free one', async () => {
  let made = 0;
  const { services, settings } = await start((...args) => (++made === 1 ? overtaken(...args) : makeDemoSettings(...args)));
  try {
    expect(made).toBe(2);
    // Kept for the next start.
    expect(settings.payments.port).toBe(Number(new URL(services.paymentsUrl).port));
    expect(settings.payments.port).not.toBe(port());
    expect((await fetch(`${services.paymentsUrl}/received`)).status).toBe(200);
  } finally {
    await services.stop();
  }
});

test('settings with which nothing could be started are not taken for those of an earlier start', async () => {
  await expect(start(overtaken)).rejects.toThrow(/EADDRINUSE/);
  expect((await readdir(folder)).filter((name) => name.endsWith('.json'))).toEqual([]);
});
