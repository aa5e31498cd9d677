import type { IncomingMessage, ServerResponse } from 'node:http';

import {
  callSummarySchema,
  followCalls as followCallsOperation,
  followSession as followSessionOperation,
  type CallSummary,
} from '@hoop/contract';
import { findSession, listCallsById, listCallsChangedSince, listSessionCalls, type CallFilter } from '@hoop/database';

import type { Context } from '../context.ts';
import { openEventStream } from '../http/event-stream.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';
import { callFilterOf } from './call-filter.ts';

/** The most changes that wait to be read; beyond these, the stream reports a gap. */
const maxWaiting = 5000;
const readAtOnce = 500;
/** Milliseconds between two readings, so that a busy record is read in pages and not call by call. */
const pauseMs = 100;
/** The most earlier calls that a stream sends when it resumes or starts with existing calls. */
const maxEarlier = 500;
/** Clocks of relays and the database may differ; what was told twice does no harm. */
const overlapMs = 60_000;

export const followCalls = route(followCallsOperation, async ({ context, query, request, response }) => {
  const filter = await callFilterOf(context.database.prisma, query);
  return follow({ context, request, response, filter });
});

export const followSession = route(followSessionOperation, async ({ context, params, request, response }) => {
  const { prisma } = context.database;
  const session = found(await findSession(prisma, params.sessionId), 'session');
  const beginning = async (): Promise<{ calls: CallSummary[]; isWhole: boolean }> => {
    const calls = await listSessionCalls(prisma, session.id, { limit: maxEarlier + 1 });
    return { calls: calls.slice(0, maxEarlier).map((call) => callSummarySchema.parse(call)), isWhole: calls.length <= maxEarlier };
  };
  return follow({ context, request, response, filter: { sessionId: session.id }, beginning });
});

interface Following {
  readonly context: Context;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly filter: CallFilter;
  /** Loads the calls that are sent first where the stream does not resume after an event. */
  readonly beginning?: () => Promise<{ calls: CallSummary[]; isWhole: boolean }>;
}

async function follow({ context, request, response, filter, beginning }: Following): Promise<'streamed'> {
  const { prisma } = context.database;
  const stream = openEventStream(context, request, response);
  const waiting = new Set<string>();
  let hasGap = false;
  let isReading = true;
  let timer: NodeJS.Timeout | undefined;

  const send = (call: CallSummary): void => stream.send('call', call, eventId(context.now(), call.id));
  const sendGap = (): void => stream.send('gap', {}, eventId(context.now(), 'gap'));

  /** A single reader: a call that changes while the reader runs is reported once, in its state at the next reading. */
  async function tell(): Promise<void> {
    isReading = true;
    try {
      while ((waiting.size > 0 || hasGap) && !response.destroyed) {
        if (hasGap) {
          hasGap = false;
          sendGap();
        }
        const ids = [...waiting].slice(0, readAtOnce);
        for (const id of ids) waiting.delete(id);
        if (ids.length > 0) for (const call of await listCallsById(prisma, filter, ids)) send(call);
      }
    } catch (error) {
      // A client that missed a change must start over.
      stream.fail(error as Error);
    } finally {
      isReading = false;
    }
  }
  function soon(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (isReading) soon();
      else void tell();
    }, pauseMs);
  }

  const unsubscribe = await context.callChanges.subscribe((ids) => {
    if (ids === null || waiting.size + ids.length > maxWaiting) {
      waiting.clear();
      hasGap = true;
    } else for (const id of ids) waiting.add(id);
    soon();
  });
  stream.onClose(() => {
    unsubscribe();
    clearTimeout(timer);
  });
  const since = resumedSince(request);
  const earlier = since === null ? await beginning?.() : await listCallsChangedSince(prisma, filter, since, maxEarlier);
  if (earlier !== undefined && !earlier.isWhole) sendGap();
  for (const call of earlier?.calls ?? []) send(call);
  stream.start();
  isReading = false;
  return 'streamed';
}

const eventId = (now: number, what: string): string => `${now}-${what}`;

/** The instant of the last event that the client got (WHATWG HTML §9.2.4), with room for clocks; null where it begins. */
function resumedSince(request: IncomingMessage): Date | null {
  const ms = /^(\d{13})-/.exec(String(request.headers['last-event-id'] ?? ''))?.[1];
  return ms === undefined ? null : new Date(Number(ms) - overlapMs);
}
