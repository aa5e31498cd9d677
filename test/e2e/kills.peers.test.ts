/** Relay, worker and control plane are killed while calls run: what reached the target has its record. */
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { createFetch } from '@hoop/fetch';
import { progressUntil, signalIfPresent, stuckAfterMs } from '@hoop/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { searchDatabase, searchFiles } from './canary.ts';
import { descendants, endAll, hoopStart } from './hoop.ts';

/** Between two kills. */
const goodCalls = 30;
const callsAtOnce = 8;
const kills = [
  'apps/relay/src/main.ts',
  'apps/worker/src/main.ts',
  'bin/postgres -D',
  'apps/control-plane/src/main.ts',
  'apps/relay/src/main.ts',
  'apps/worker/src/main.ts',
];

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-kills-'));
  await chmod(scratch, 0o755);
});
afterEach(endAll);
afterAll(() => rm(scratch, { recursive: true, force: true }));

interface Call {
  readonly url: string;
  readonly state: string;
  readonly targetStatus: number | null;
}

test('kill -9 of any process in the middle of the load loses no record of what reached the target', async () => {
  const folder = path.join(scratch, 'data');
  const hoop = hoopStart(folder);
  await hoop.heard(/Ready\./);
  expect(hoop.stderr()).toMatch(/All \d+ checks hold\./);
  const [, controlPlane] = await hoop.heard(/Control plane\s+(\S+)/);
  const [adminToken] = await hoop.heard(/hoop_admin_[\w-]+/);
  const settings = async (name: string): Promise<Record<string, never>> =>
    JSON.parse(await readFile(path.join(folder, 'demo', name), 'utf8')) as Record<string, never>;
  const { port } = await settings('payments-api.json');
  const provider = await settings('identity-provider.json');
  const { clientId, clientSecret } = provider['machines']![0] as { clientId: string; clientSecret: string };
  const payments = `http://127.0.0.1:${port}`;

  const token = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${provider['port']}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'machine' }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  };
  const throughHoop = createFetch({ url: controlPlane!, token, session: 'load' });

  const statuses = new Map<string, number>();
  const good = (): number => statuses.get('200') ?? 0;
  let lastGoodAt = performance.now();
  let sent = 0;
  let killed = 0;
  const worker = async (): Promise<void> => {
    while (good() < goodCalls * (kills.length + 1) && performance.now() - lastGoodAt < stuckAfterMs) {
      const n = sent++;
      if (killed < kills.length && good() >= goodCalls * (killed + 1)) {
        // Some end with their parent before their turn comes.
        for (const pid of await descendants(hoop.child.pid!, kills[killed++]!)) signalIfPresent(pid, 'SIGKILL');
      }
      const outcome = await throughHoop(`${payments}/v1/customers?n=${n}`, { signal: AbortSignal.timeout(120_000) })
        .then(async (response) => {
          await response.arrayBuffer();
          return String(response.status);
        })
        // The relay may be killed before the head, or between it and the end of the body.
        .catch(() => 'failed');
      statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1);
      // While something is down the calls would all fail at once.
      if (outcome === '200') lastGoodAt = performance.now();
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await Promise.all(Array.from({ length: callsAtOnce }, worker));
  expect(killed).toBe(kills.length);
  expect(good(), JSON.stringify([...statuses])).toBeGreaterThanOrEqual(goodCalls * (kills.length + 1));

  for (const part of ['control plane', 'relay', 'worker', 'Postgres']) await hoop.heard(new RegExp(`${part} is back`));
  const { requests } = (await (await fetch(`${payments}/received`)).json()) as { requests: { path: string }[] };
  const reached = requests.map(({ path: seen }) => /\?n=(\d+)$/.exec(seen)?.[1]).filter((n) => n !== undefined);
  expect(reached.length).toBeGreaterThanOrEqual(good());

  // Everything that reached the target, once its record has come through the queue.
  const recorded = async (): Promise<Map<string, Call>> => {
    const found = new Map<string, Call>();
    for (let cursor: string | null = ''; cursor !== null;) {
      const query = new URLSearchParams({ path: '/v1/customers', limit: '200', ...(cursor === '' ? {} : { cursor }) });
      const response = await fetch(`${controlPlane}/v1/calls?${query}`, { headers: { authorization: `Bearer ${adminToken}` } });
      const page = (await response.json()) as { items: Call[]; next: string | null };
      for (const call of page.items) {
        const n = /\?n=(\d+)$/.exec(call.url)?.[1];
        if (n === undefined) continue;
        expect(found.has(n), `call ${n} is recorded once`).toBe(false);
        found.set(n, call);
      }
      cursor = page.next;
    }
    return found;
  };
  let calls = new Map<string, Call>();
  const missing = async (): Promise<string[]> => {
    calls = await recorded();
    return reached.filter((n) => !calls.has(n));
  };
  await progressUntil('calls without a record', missing, (left) => left.length === 0, { everyMs: 200 });
  // None claims an answer of the target that it never gave: what completed was received.
  const received = new Set(reached);
  for (const [n, { state, targetStatus }] of calls)
    if (state === 'completed' || targetStatus !== null) expect(received, `call ${n} ${state}`).toContain(n);

  const [, postgresPort] = await hoop.heard(/Postgres\s+127\.0\.0\.1:(\d+)/);
  const password = (await readFile(path.join(folder, 'keys', 'postgres-password'), 'utf8')).trim();
  expect((await searchDatabase(`postgresql://hoop:${password}@127.0.0.1:${postgresPort}/hoop`, ['pay_cs_', 'pay_at_'])).seen).toEqual([]);
  hoop.child.kill('SIGTERM');
  expect(await hoop.ended).toBe(0);
  expect(await searchFiles(folder, ['pay_cs_', 'pay_at_'])).toEqual([]);
});
