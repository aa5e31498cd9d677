import { AppError } from '@hoop/contract';
import { describe, expect, it } from 'vitest';

import { createRecorder, packBatch } from './recorder.ts';
import type { RecorderOptions, SentBatch } from './recorder.ts';

interface Sent {
  readonly jobId: string;
  readonly batch: SentBatch['head'];
  accept(): void;
  refuse(): void;
}

/** A queue that does what the test says, when it says so. */
function stage(options: Partial<RecorderOptions> = {}) {
  const sent: Sent[] = [];
  const failures: unknown[] = [];
  let wake = (): void => undefined;
  const recorder = createRecorder({
    relayId: 'rly_1',
    timeoutMs: 600_000,
    maxInFlight: 2,
    eagerEntries: 3,
    onFailure: (error) => failures.push(error),
    pack: packBatch,
    send: (jobId, { head }) =>
      new Promise<void>((resolve, reject) => {
        sent.push({ jobId, batch: head, accept: resolve, refuse: () => reject(new Error('no')) });
        wake();
      }),
    ...options,
  });
  const nth = async (n: number): Promise<Sent> => {
    while (sent.length <= n) await new Promise<void>((resolve) => (wake = resolve));
    return sent[n]!;
  };
  return { recorder, sent, failures, nth };
}

const entry = (line = '{}') => ({ line, sealed: [] });
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => (error as AppError).code,
  );

describe('a recorder', () => {
  it('sends what came in one turn as one job, and tells when the queue has it', async () => {
    const { recorder, nth } = stage();
    let isDurable = false;
    const all = Promise.all([recorder.add(entry()), recorder.add(entry()), recorder.add(entry())]).then(() => (isDurable = true));
    const job = await nth(0);
    expect(job.batch).toMatchObject({ version: 3, relayId: 'rly_1', count: 3 });
    expect(isDurable).toBe(false);
    job.accept();
    await all;
    expect(recorder.pending()).toBe(0);
  });

  it('collects while a job is under way, and sends another when it is worth while', async () => {
    const { recorder, sent, nth } = stage();
    void recorder.add(entry());
    const first = await nth(0);
    void recorder.add(entry());
    void recorder.add(entry());
    void recorder.add(entry());
    expect((await nth(1)).batch.count).toBe(3);
    // Two are under way, which is the most.
    for (let i = 0; i < 5; i++) void recorder.add(entry());
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toHaveLength(2);
    first.accept();
    expect((await nth(2)).batch.count).toBe(5);
  });

  it('lets a small batch linger a little, and no longer', async () => {
    const { recorder, nth } = stage({ eagerEntries: 100 });
    void recorder.add(entry());
    await nth(0);
    void recorder.add(entry());
    // The first job never ends, and the second goes nevertheless.
    expect((await nth(1)).batch.count).toBe(1);
  });

  it('says no when the queue does not answer in time, and sends the batch again under the same id', async () => {
    const { recorder, failures, nth } = stage({ timeoutMs: 200 });
    const waiting = recorder.add(entry('{"a":1}'));
    const first = await nth(0);
    expect(await codeOf(waiting)).toBe('recorder_unavailable');
    const second = await nth(1);
    expect(failures).toHaveLength(1);
    expect(second).toMatchObject({ jobId: first.jobId, batch: first.batch });
    second.accept();
    expect(await recorder.close(600_000)).toBe(0);
  });

  it('hides a short failure from its callers', async () => {
    const { recorder, nth } = stage();
    const waiting = recorder.add(entry());
    (await nth(0)).refuse();
    (await nth(1)).accept();
    expect(await codeOf(waiting)).toBe(null);
  });

  it('says no at once when too much is pending', async () => {
    const { recorder } = stage({ maxPending: 2 });
    void recorder.add(entry());
    void recorder.add(entry());
    expect(await codeOf(recorder.add(entry()))).toBe('recorder_unavailable');
    expect(recorder.pending()).toBe(2);
  });

  it('sends what is left when it closes, and takes nothing more', async () => {
    const { recorder, nth } = stage();
    const waiting = recorder.add(entry());
    const closing = recorder.close(600_000);
    (await nth(0)).accept();
    expect(await closing).toBe(0);
    await waiting;
    expect(await codeOf(recorder.add(entry()))).toBe('recorder_unavailable');
  });

  it('tells how much it could not send', async () => {
    const { recorder } = stage();
    recorder.add(entry()).catch(() => undefined);
    recorder.add(entry()).catch(() => undefined);
    expect(await recorder.close(50)).toBe(2);
  });

  it('splits what is too large for one job', async () => {
    const { recorder, sent, nth } = stage();
    for (let i = 0; i < 700; i++) void recorder.add(entry());
    await nth(1);
    expect(sent.map(({ batch }) => batch.count)).toEqual([512, 188]);
  });
});
