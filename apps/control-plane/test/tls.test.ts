import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';

import { createTestAuthority } from '@hoop/testkit';
import { expect, it, onTestFinished } from 'vitest';

import { startHarness } from './harness.ts';

it('with TLS says that it is to be reached so alone (HSTS), and follows its files', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'hoop-control-plane-tls-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const listener = await createTestAuthority();
  const files = { certificateFile: path.join(folder, 'tls.crt'), keyFile: path.join(folder, 'tls.key') };
  const put = async (): Promise<void> => {
    const { cert, key } = await listener.issue(['127.0.0.1']);
    for (const [file, text] of [
      [files.keyFile, key],
      [files.certificateFile, cert],
    ] as const) {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    }
  };
  await put();
  const h = await startHarness({ tls: files });
  onTestFinished(() => h.close());
  expect(h.url).toMatch(/^https:/);
  const ask = (): Promise<{ status: number; hsts: string | undefined; serial: string }> =>
    new Promise((resolve, reject) => {
      https
        .get(`${h.url}/healthz`, { ca: listener.ca, agent: false }, (res) => {
          const { serialNumber } = (res.socket as TLSSocket).getPeerCertificate();
          res
            .resume()
            .on('end', () => resolve({ status: res.statusCode!, hsts: res.headers['strict-transport-security'], serial: serialNumber }));
        })
        .on('error', reject);
    });
  const first = await ask();
  expect(first).toMatchObject({ status: 200, hsts: 'max-age=31536000' });
  await put();
  await expect.poll(async () => (await ask()).serial).not.toBe(first.serial);
});

it('over plain HTTP says nothing of the kind (RFC 6797 §7.2)', async () => {
  const h = await startHarness();
  onTestFinished(() => h.close());
  expect((await fetch(`${h.url}/healthz`)).headers.get('strict-transport-security')).toBeNull();
});
