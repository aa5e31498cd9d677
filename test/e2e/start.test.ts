import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { notations, searchDatabase, searchFiles } from './canary.ts';
import { descendants, endAll, hoop, hoopStart, isRunning, run } from './hoop.ts';

interface Transcript {
  readonly ok: boolean;
  readonly checks: readonly { readonly what: string; readonly ok: boolean; readonly detail: string }[];
  readonly calls: readonly { readonly id: string; readonly leaseFingerprint: string | null }[];
  readonly session: { readonly id: string };
  readonly paymentsApi: { readonly received: readonly { readonly credentialFingerprint: string }[] };
}

const paymentSecrets = ['pay_cs_', 'pay_at_'];

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-e2e-'));
  await chmod(scratch, 0o755);
});
afterEach(endAll);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const lastLine = (text: string): string => text.trim().split('\n').at(-1)!;

describe('npm start -- --once --json, and a second start on the same data', () => {
  let folder: string;
  let transcript: Transcript;
  let adminToken: string;
  let exitCode: number | null;

  beforeAll(async () => {
    folder = path.join(scratch, 'data');
    const first = run('npm', [
      'start',
      '--',
      '--once',
      '--json',
      '--data-dir',
      folder,
      '--port',
      '0',
      '--relay-port',
      '0',
      '--proxy-port',
      '0',
      '--postgres-port',
      '0',
    ]);
    exitCode = await first.ended;
    transcript = JSON.parse(lastLine(first.stdout())) as Transcript;
    adminToken = /hoop_admin_[\w-]+/.exec(first.stderr())![0];
  });

  test('run the demonstration, of which every check holds', () => {
    expect(transcript.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(transcript.checks.length).toBeGreaterThan(35);
    expect(transcript.ok).toBe(true);
    expect(exitCode).toBe(0);
  });

  test('leave every key in a file of mode 0600, and the admin token in none', async () => {
    for (const name of await readdir(path.join(folder, 'keys')))
      expect((await stat(path.join(folder, 'keys', name))).mode & 0o777, name).toBe(0o600);
    expect(await searchFiles(folder, [adminToken])).toEqual([]);
  });

  test('find the sessions, the audit events and the admin token again, and stop everything on SIGTERM', async () => {
    const second = hoopStart(folder, ['--workers', '2']);
    await second.heard(/Ready\./);
    const [, url] = await second.heard(/Control plane\s+(\S+)/);
    const get = async (what: string): Promise<unknown> => {
      const response = await fetch(url + what, { headers: { authorization: `Bearer ${adminToken}` } });
      expect(response.status).toBe(200);
      return response.json();
    };
    expect(await get('/v1/sessions')).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ id: transcript.session.id, callCount: 8 })]),
    });
    expect(await get(`/v1/calls?session=${transcript.session.id}`)).toMatchObject({
      items: transcript.calls.map(({ id }) => ({ id })).toReversed(),
    });
    expect(second.stdout()).not.toContain('hoop_admin_');

    const children = await descendants(second.child.pid!, '');
    // Postgres and its watcher, control plane, worker, the demonstration's two services, the relay and its two processes.
    expect(children.length).toBeGreaterThanOrEqual(9);
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
  });

  test('keep the credentials of the payments API out of every file, table, job and log', async () => {
    const running = hoopStart(folder);
    await running.heard(/Ready\./);
    const [, port] = await running.heard(/Postgres\s+127\.0\.0\.1:(\d+)/);
    const password = (await readFile(path.join(folder, 'keys', 'postgres-password'), 'utf8')).trim();
    const { seen, rows } = await searchDatabase(`postgresql://hoop:${password}@127.0.0.1:${port}/hoop`, paymentSecrets);
    expect(seen).toEqual([]);
    expect(rows).toBeGreaterThan(20);
    running.child.kill('SIGTERM');
    await running.ended;
    expect(await searchFiles(folder, paymentSecrets)).toEqual([]);
    // The search does find what is there.
    const planted = path.join(folder, 'logs', 'relay.log');
    await appendFile(planted, Buffer.from('xxpay_at_planted').toString('base64'));
    expect((await searchFiles(folder, paymentSecrets)).length).toBeGreaterThan(0);
    expect(notations('pay_at_').size).toBe(5);
  });

  test('show the credential only as a fingerprint that both sides agree on', () => {
    const seen = new Set(transcript.paymentsApi.received.map(({ credentialFingerprint }) => credentialFingerprint));
    expect([...seen]).toEqual([...new Set(transcript.calls.flatMap(({ leaseFingerprint }) => leaseFingerprint ?? []))]);
    for (const fingerprint of seen) expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(seen).not.toContain(createHash('sha256').update('').digest('hex').slice(0, 16));
  });
});

describe('hoop start', () => {
  const sentenceOf = async (process: { ended: Promise<number | null>; stderr: () => string }): Promise<string> => {
    expect(await process.ended).toBe(1);
    return lastLine(process.stderr());
  };

  test('says in one sentence that a port is taken, and starts nothing', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as net.AddressInfo;
    const folder = path.join(scratch, 'taken');
    for (const [flag, others] of [
      ['--port', ['--relay-port', '--proxy-port', '--postgres-port']],
      ['--proxy-port', ['--port', '--relay-port', '--postgres-port']],
      ['--postgres-port', ['--port', '--relay-port', '--proxy-port']],
    ] as const) {
      const start = hoop(['start', '--data-dir', folder, flag, String(port), ...others.flatMap((other) => [other, '0'])]);
      expect(await sentenceOf(start)).toBe(
        `hoop: Port ${port} on 127.0.0.1 is already in use: stop what listens there, or choose another with ${flag}.`,
      );
    }
    holder.close();
    expect(await readdir(folder)).not.toContain('postgres');
  });

  test('says in one sentence that the data folder cannot be written', async () => {
    const file = path.join(scratch, 'a-file');
    await writeFile(file, '');
    expect(await sentenceOf(hoopStart(path.join(file, 'data')))).toMatch(
      /^hoop: The data folder .* cannot be written \(ENOTDIR\): choose another with --data-dir\.$/,
    );
  });

  test('says in one sentence what it does not understand', async () => {
    expect(await sentenceOf(hoop(['start', '--prot', '1']))).toBe("hoop: Unknown option '--prot'. See hoop help start.");
    expect(await sentenceOf(hoop(['stat']))).toBe('hoop: There is no command "stat". See hoop help.');
  });

  test('refuses a second instance, survives its own kill without orphans, and starts again on the same data', async () => {
    const folder = path.join(scratch, 'killed');
    const first = hoopStart(folder, ['--no-demo']);
    await first.heard(/Ready\./);
    expect(await sentenceOf(hoopStart(folder))).toMatch(/^hoop: Another Hoop is running on the data folder /);

    const children = await descendants(first.child.pid!, '');
    expect(children.length).toBeGreaterThanOrEqual(4);
    first.child.kill('SIGKILL');
    await first.ended;
    const second = hoopStart(folder, ['--no-demo']);
    await second.heard(/Ready\./);
    await expect.poll(() => children.filter(isRunning)).toEqual([]);
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(0);
  });
});
