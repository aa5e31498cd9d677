/** One sink: reads the log from its cursor on and sends, one after the other, for as long as it may. */
import { advanceSink, findSink, noteSinkFailure, readLeaves } from '@hoop/database';
import type { EventSinkRecord } from '@hoop/database';
import { openBody, openDataKey } from '@hoop/sealing';
import { createGuardedFetch } from '@hoop/upstream';

import type { WorkerContext } from '../context.ts';
import { eventsOf } from './log-events.ts';
import type { LogEvent } from './log-events.ts';
import { postEvents } from './post-webhook.ts';
import type { WebhookTarget } from './post-webhook.ts';
import { writeEvents } from './write-file.ts';

export interface SinkRun {
  /** False once another worker may send for it. */
  readonly mayGoOn: () => boolean;
  /** Resolves when there may be something new, or after this many milliseconds. */
  readonly news: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Leaves read at once. */
const readAtOnce = 500;
const idleMs = 5000;
const timeoutMs = 30_000;

type Deliver = (events: readonly LogEvent[]) => Promise<void>;

/** Resolves when the sink is paused or gone, or may not go on. Rejects where the database does not answer. */
export async function runSink(context: WorkerContext, sinkId: string, run: SinkRun): Promise<void> {
  const { config, db, now } = context;
  const source = `${config.publicUrl ?? 'http://127.0.0.1:7700'}/v1/log`;
  const mayGoOn = (): boolean => run.mayGoOn() && !run.signal.aborted;
  let known: { version: number; deliver: Deliver } | undefined;

  while (mayGoOn()) {
    const sink = await findSink(db.prisma, sinkId);
    if (sink === null || sink.paused) return;
    const waitMs = (sink.nextAttemptAt?.getTime() ?? 0) - now();
    if (waitMs > 0) {
      await run.news(Math.min(waitMs, idleMs));
      continue;
    }
    const leaves = await readLeaves(db.prisma, sink.cursor, sink.cursor + Math.max(readAtOnce, sink.maxBatch));
    const last = leaves.at(-1);
    if (last === undefined) {
      await run.news(idleMs);
      continue;
    }
    const events = await eventsOf(db, leaves, sink.types, source);
    let cursor = sink.cursor;
    let isOurs = true;
    const moveTo = async (to: number, hasDelivered: boolean): Promise<void> => {
      isOurs = await advanceSink(db.prisma, sinkId, cursor, to, new Date(now()), hasDelivered);
      cursor = to;
    };
    try {
      if (known?.version !== sink.version) known = { version: sink.version, deliver: await deliveryOf(context, sink, run.signal) };
      for (let at = 0; at < events.length && isOurs && mayGoOn(); at += sink.maxBatch) {
        const batch = events.slice(at, at + sink.maxBatch);
        await known.deliver(batch);
        await moveTo(Number(batch.at(-1)!.id) + 1, true);
        // Paused, changed or deleted meanwhile: no further event is sent by what held before.
        if (at + sink.maxBatch < events.length && (await findSink(db.prisma, sinkId))?.version !== sink.version) isOurs = false;
      }
      if (isOurs && mayGoOn() && cursor <= last.index) await moveTo(last.index + 1, false);
    } catch (error) {
      if (run.signal.aborted) return;
      known = undefined;
      const { failures } = (await findSink(db.prisma, sinkId)) ?? sink;
      const [firstMs, mostMs] = config.eventSinkRetryMs ?? [1000, 300_000];
      const delayMs = Math.min(firstMs * 2 ** failures, mostMs) * (1 + Math.random() / 10);
      await noteSinkFailure(db.prisma, sinkId, (error as Error).message.slice(0, 1000), new Date(now()), new Date(now() + delayMs));
      context.log.warn({ event: 'event_sink_failed', sink: sinkId, cursor, failures: failures + 1, error: (error as Error).message });
    }
  }
}

async function deliveryOf({ config, now }: WorkerContext, sink: EventSinkRecord, signal: AbortSignal): Promise<Deliver> {
  if (sink.kind === 'file') return (events) => writeEvents(config.eventFilesFolder, sink.file ?? '', events);
  if (config.notificationKeys === undefined)
    throw new Error('HOOP_NOTIFICATION_KEY_FILE is not set for the worker: the signing secret cannot be opened.');
  const [wrapped = '', sealed = ''] = sink.sealed.split('~');
  const secret = openBody(await openDataKey(config.notificationKeys, wrapped), sealed, `${sink.id}:secret`).toString('utf8');
  const send = createGuardedFetch({ allowedCidrs: sink.allowedCidrs, timeoutMs, maxBytes: 65_536, retries: 0 });
  const target: WebhookTarget = { sinkId: sink.id, url: sink.url ?? '', send, secret, isBatched: sink.maxBatch > 1 };
  return (events) => postEvents(target, events, now(), signal);
}
