/** The record becomes durable in the relay's own journal, and is shipped to the queue from there. */
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ConnectionSnapshot } from '@hoop/contract';
import { openBody, openDataKey } from '@hoop/sealing';
import { readBody, startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { RecordedCall } from './world.ts';
import { World } from './world.ts';

let target: TestTarget;
let received = 0;
beforeAll(async () => {
  target = await startTarget(async (req, res) => {
    received++;
    res.setHeader('content-type', 'text/plain').end(`answer to ${(await readBody(req)).toString()}`);
  });
});
afterAll(() => target.close());

let folder: string;
let world: World;
let connection: ConnectionSnapshot;
const maxBytes = 1_000_000;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hoop-relay-journal-'));
  world = await World.start({ journal: { folder, maxBytes } });
  connection = await world.connect({ target: target.url });
});
afterEach(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

const post = (body: string): Promise<Response> => world.call(connection, '/x', { method: 'POST', body });

async function bodiesOf({ outcome }: RecordedCall): Promise<string[]> {
  const key = await openDataKey(world.recordingKeys.privateJwks, outcome!.dataKey!.wrapped);
  return (['request', 'response'] as const).map((half) =>
    openBody(key, outcome![`${half}Body`]!.sealed!, `${outcome!.callId}:${half}`).toString(),
  );
}

const journals = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.startsWith('jrn_'));

it('holds the whole pair, which the recording key opens once it was shipped', async () => {
  const responses = await Promise.all(Array.from({ length: 50 }, (_, i) => post(`question ${i}`)));
  for (const [i, response] of responses.entries()) {
    expect(response.status).toBe(200);
    const call = await world.record(response.headers.get('hoop-call'));
    expect(call.intent).toMatchObject({ method: 'POST', path: '/x' });
    expect(call.outcome).toMatchObject({ state: 'completed', status: 200 });
    expect(await bodiesOf(call)).toEqual([`question ${i}`, `answer to question ${i}`]);
  }
});

it('holds nothing that can be read from the disk', async () => {
  await world.queueGate.cut();
  expect((await post('a question that nobody else may read')).status).toBe(200);
  const [journal] = await journals();
  for (const name of await readdir(path.join(folder, journal!))) {
    const bytes = await readFile(path.join(folder, journal!, name));
    for (const secret of ['a question', 'answer to', 'billing', 'test-secret-value']) expect(bytes.includes(secret)).toBe(false);
  }
  await world.queueGate.restore();
});

describe('while the queue is away', () => {
  it('calls go on, and their records come when it does', async () => {
    await world.queueGate.cut();
    const responses = await Promise.all(Array.from({ length: 20 }, (_, i) => post(`question ${i}`)));
    expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 200));
    expect(world.calls.size).toBe(0);
    await world.queueGate.restore();
    for (const response of responses)
      expect((await world.record(response.headers.get('hoop-call'))).outcome).toMatchObject({ state: 'completed' });
  });

  it('calls are refused, and nothing is sent, once more than the limit waits; and go on once it is shipped', async () => {
    await world.queueGate.cut();
    let response: Response;
    do response = await post('x'.repeat(20_000));
    while (response.status === 200);
    expect([response.status, response.headers.get('hoop-error')]).toEqual([503, 'recorder_unavailable']);
    const before = received;
    expect((await post('x'.repeat(20_000))).status).toBe(503);
    expect(received).toBe(before);
    await world.queueGate.restore();
    do response = await post('again');
    while (response.status === 503);
    expect((await world.record(response.headers.get('hoop-call'))).outcome).toMatchObject({ state: 'completed' });
  });

  it('what a relay leaves behind is shipped by whoever has the volume next, and removed', async () => {
    await world.queueGate.cut();
    const left = (await post('a question')).headers.get('hoop-call');
    await world.relay.close();
    expect(await world.shipper!.close(100)).toBe(false);
    expect(await journals()).toHaveLength(1);
    await world.queueGate.restore();
    world.startShipper(folder);
    expect(await bodiesOf(await world.record(left))).toEqual(['a question', 'answer to a question']);
    expect(await world.shipper!.close(60_000)).toBe(true);
    expect(await journals()).toEqual([]);
  });

  it('a journal that was changed is not shipped beyond the change until somebody has looked', async () => {
    // Before the shipper has read it.
    await world.shipper!.close(0);
    await post('the first');
    const [journal] = await journals();
    const segment = await open(path.join(folder, journal!, 'segment-1'), 'r+');
    await segment.write(Buffer.from('!'), 0, 1, 4096 + 20);
    await segment.close();
    const after = (await post('the second')).headers.get('hoop-call');
    world.startShipper(folder);
    await expect.poll(() => world.log.some((line) => line.includes('journal_damaged'))).toBe(true);
    const damaged = path.join(folder, journal!, 'damaged');
    expect(JSON.parse(await readFile(damaged, 'utf8'))).toMatchObject({ epoch: 1, offset: 4096 });
    expect(world.calls.has(after!)).toBe(false);
    await rm(damaged);
    expect(await bodiesOf(await world.record(after))).toEqual(['the second', 'answer to the second']);
  });
});
