/** No record, no call: what the relay does when the queue hangs, breaks and comes back. */
import http from 'node:http';

import type { ConnectionSnapshot } from '@hoop/contract';
import { startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { World } from './world.ts';

const recorderTimeoutMs = 2000;
/** The outage itself lasts until the test ends it. */
const outageMs = 30_000;
let world: World;
/** Its relay waits for the queue for as long as it takes. */
let patient: World;
let target: TestTarget;
let strict: ConnectionSnapshot;
let relaxed: ConnectionSnapshot;
const handlers = new Map<string, Parameters<typeof startTarget>[0]>();
let requests = 0;

beforeAll(async () => {
  world = await World.start({ recorderTimeoutMs });
  patient = await World.start({ recorderTimeoutMs: 600_000 });
  target = await startTarget((req, res) => {
    requests++;
    (handlers.get(req.url!) ?? ((_req, response) => response.end('ok')))(req, res);
  });
  strict = await world.connect({ target: target.url });
  relaxed = await world.connect({ target: target.url, settings: { recording: { durability: 'relaxed' } } });
});
afterAll(async () => {
  await target?.close();
  await world?.close();
  await patient?.close();
});
beforeEach(async () => {
  // The queue works again after the previous test's faults.
  for (let status = 0; status !== 200;) ({ status } = await world.call(strict, '/ready'));
});

async function unavailable(response: Response, code = 'recorder_unavailable'): Promise<void> {
  // 503 invites to send it again, so it is only for what was not sent.
  const status = code === 'recorder_unavailable' ? 503 : 400;
  expect({ status: response.status, code: response.headers.get('hoop-error') }).toEqual({ status, code });
}

describe.each(['freeze', 'cut'] as const)('when the queue is gone (%s)', (how) => {
  it('nothing is sent, the answer comes in time, and the record comes when the queue does', async () => {
    const before = requests;
    await world.queueGate[how]();
    const startedAt = performance.now();
    const response = await world.call(strict, '/gone');
    await unavailable(response);
    expect(performance.now() - startedAt).toBeLessThan(outageMs);
    expect(requests).toBe(before);
    await world.queueGate.restore();
    const { outcome } = await world.record(response.headers.get('hoop-call'));
    expect(outcome).toMatchObject({ state: 'refused', error: 'recorder_unavailable', targetStatus: null });
  });

  it('a response whose outcome is not durable is withheld, and its function is not told that nothing was sent', async () => {
    handlers.set('/strict', async (_req, res) => {
      await world.queueGate[how]();
      res.end('secret of the target');
    });
    const response = await world.call(strict, '/strict');
    await unavailable(response, 'outcome_not_recorded');
    expect(response.headers.get('retry-after')).toBeNull();
    const text = await response.text();
    expect(text).not.toContain('secret of the target');
    expect(text).toContain('The target answered this call');
    await world.queueGate.restore();
    // The target got the call, and the record says what came of it.
    const { outcome } = await world.record(response.headers.get('hoop-call'));
    expect(outcome).toMatchObject({ targetStatus: 200 });
  });

  it('a failed call that may have been carried out says so when its outcome is not durable', async () => {
    handlers.set('/reset', async (_req, res) => {
      await world.queueGate[how]();
      res.socket!.resetAndDestroy();
    });
    const response = await world.call(strict, '/reset');
    await unavailable(response, 'outcome_not_recorded');
    expect(await response.text()).toContain('The target may have carried out this call');
    await world.queueGate.restore();
    expect((await world.record(response.headers.get('hoop-call'))).outcome).toMatchObject({ state: 'failed', error: 'target_reset' });
  });

  it('a stream whose outcome is not durable has no end', async () => {
    handlers.set('/stream', (_req, res) => {
      res.write('one!');
      end.push(() => res.end());
    });
    const end: (() => void)[] = [];
    const response = await world.call(strict, '/stream');
    const reader = response.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('one!');
    await world.queueGate[how]();
    end[0]!();
    await expect(reader.read()).rejects.toThrow();
    await world.queueGate.restore();
  });

  it('a relaxed connection releases its response, and records it later', async () => {
    handlers.set('/relaxed', async (_req, res) => {
      await world.queueGate[how]();
      res.end('released');
    });
    const response = await world.call(relaxed, '/relaxed');
    expect(await response.text()).toBe('released');
    await world.queueGate.restore();
    expect((await world.record(response.headers.get('hoop-call'))).outcome).toMatchObject({ state: 'completed', status: 200 });
  });
});

it('with strict durability the last byte waits for the record, and then comes', async () => {
  const frozen = Promise.withResolvers<void>();
  handlers.set('/late', (_req, res) => {
    patient.queueGate.freeze();
    res.end('whole', () => frozen.resolve());
  });
  let isAnswered = false;
  const connection = await patient.connect({ target: target.url });
  const answer = patient.call(connection, '/late').then((response) => {
    isAnswered = true;
    return response;
  });
  await frozen.promise;
  // A round trip through the same relay later, the response is still withheld.
  await fetch(`${patient.relay.url}/-/healthz`);
  expect(isAnswered).toBe(false);
  await patient.queueGate.restore();
  // The connection to the queue was lost with the freeze; the batch is sent again within the caller's time limit.
  const response = await answer;
  expect(response.status).toBe(200);
  expect(await response.text()).toBe('whole');
});

it('a credential is asked for only when the record of the call is durable', async () => {
  let tokens = 0;
  const issuer = http.createServer((req, res) => {
    req.resume();
    tokens++;
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ access_token: 'at-1', token_type: 'Bearer', expires_in: 60 }));
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  const connection = await world.connect({
    target: target.url,
    credential: {
      settings: {
        type: 'oauth2_client_credentials',
        tokenUrl: `http://127.0.0.1:${(issuer.address() as { port: number }).port}/token`,
        clientId: 'hoop',
        clientAuthentication: 'client_secret_basic',
        injection: { into: 'header', name: 'authorization', template: 'Bearer {secret}' },
      },
      secrets: { clientSecret: 'client-secret-of-the-test' },
    },
  });
  world.queueGate.freeze();
  await unavailable(await world.call(connection, '/x'));
  expect(tokens).toBe(0);
  await world.queueGate.restore();
  for (let status = 0; status !== 200;) ({ status } = await world.call(connection, '/x'));
  expect(tokens).toBe(1);
  issuer.close();
  issuer.closeAllConnections();
});
