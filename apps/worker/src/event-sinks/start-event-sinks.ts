import { eventSinkChannel, logChannel, openSinkLocks, runningSinks } from '@hoop/database';
import type { SinkLocks } from '@hoop/database';

import type { Part, WorkerContext } from '../context.ts';
import { runSink } from './run-sink.ts';

/** How often this worker looks for sinks that nobody sends for: those of a worker that died are among them. */
const lookMs = 1000;

/** Sends the log's events to the sinks. Each sink has one sender at a time, whichever worker that is. */
export function startEventSinks(context: WorkerContext): Part {
  const { db, log } = context;
  const closing = new AbortController();
  const running = new Map<string, Promise<void>>();
  const waiting = new Set<() => void>();
  const unlisten: (() => Promise<void>)[] = [];
  let locks: SinkLocks | null = null;

  const wake = (): void => {
    for (const fn of waiting) fn();
  };
  const news = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (closing.signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      waiting.add(done);
    });

  async function look(): Promise<void> {
    for (const channel of [logChannel, eventSinkChannel].slice(unlisten.length)) unlisten.push(await db.listen(channel, wake));
    const sinks = (await runningSinks(db.prisma)).filter((sink) => !running.has(sink.id));
    if (sinks.length === 0) return;
    if (locks !== null && !locks.isAlive()) {
      await Promise.all(running.values());
      await locks.close();
      locks = null;
    }
    const held = (locks ??= await openSinkLocks(db.pool));
    for (const { id } of sinks) {
      if (closing.signal.aborted || !(await held.tryTake(id))) continue;
      const run = runSink(context, id, { mayGoOn: held.isAlive, news, signal: closing.signal })
        .catch((error: unknown) => log.warn({ event: 'event_sinks_failed', sink: id, error: (error as Error).message }))
        .then(() => held.release(id))
        .finally(() => running.delete(id));
      running.set(id, run);
    }
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await look();
      } catch (error) {
        log.warn({ event: 'event_sinks_failed', error: (error as Error).message });
      }
      await news(lookMs);
    }
  }
  const looking = run();

  return {
    async close() {
      closing.abort();
      wake();
      await looking;
      await Promise.all(running.values());
      await locks?.close();
      await Promise.all(unlisten.map((stop) => stop().catch(() => undefined)));
    },
  };
}
