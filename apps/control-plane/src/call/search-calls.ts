import {
  AppError,
  callSummarySchema,
  searchCalls as operation,
  type CallResource,
  type CallSummary,
  type SearchLine,
} from '@hoop/contract';
import { readBodies, scanCalls, type CallFilter } from '@hoop/database';
import { decodeContent } from '@hoop/recording';

import { mutate } from '../audit/mutate.ts';
import type { Context } from '../context.ts';
import { fromCursor, toCursor } from '../http/cursor.ts';
import { openLineStream } from '../http/line-stream.ts';
import { route, type Call } from '../http/route.ts';
import { asScan, scanLimit } from '../http/scans.ts';
import { callFilterOf } from './call-filter.ts';
import { inGroups } from './in-groups.ts';
import { openReadableBodies } from './open-bodies.ts';
import type { Found, Wanted } from './text-finder.ts';

const callsAtOnce = 100;
/** Milliseconds between two lines of progress. */
const progressMs = 500;
/** Milliseconds of searching after which others have their turn. */
const shareMs = 500;

type Side = 'request' | 'response';
type SearchCall = Call<typeof operation>;

export const searchCalls = route(operation, async (call) => {
  const { context, body } = call;
  const wanted: Wanted = { text: body.text, pattern: body.pattern, ignoreCase: body.ignoreCase };
  // Refuses what is no pattern before anything is audited or sent.
  await context.computations.run(call.actor.id, 'search', { wanted, texts: [], stopAfterMs: 0 });
  const filter = await callFilterOf(context.database.prisma, body.filter);
  const before = fromCursor(body.cursor);
  await asScan(context, async () => {
    // No audit event, no content. What was looked for can be what must not be in a log, so only its kind is.
    await mutate(call, { action: 'call.search', isConfiguration: false }, async () => ({
      reply: {},
      target: { type: 'call', id: body.filter.session ?? 'selection', name: null },
      before: null,
      after: {
        filter: JSON.parse(JSON.stringify(filter)) as Record<string, unknown>,
        by: body.pattern === undefined ? 'text' : 'pattern',
        length: (body.text ?? body.pattern)!.length,
      },
    }));
    await run(call, filter, wanted, before);
  });
  return 'streamed';
});

async function run(call: SearchCall, filter: CallFilter, wanted: Wanted, before: string | undefined): Promise<void> {
  const { context, body, response } = call;
  const { prisma } = context.database;
  const limit = scanLimit(context, response, body.maxSeconds);
  const sides: readonly Side[] = body.side === undefined ? ['request', 'response'] : [body.side];
  const skipped = { purged: 0, notKept: 0, truncated: 0, notOpenable: 0, encoded: 0, tooCostly: 0 };
  const counts = { scanned: 0, searched: 0, matched: 0 };
  let last = before;
  let reached: string | null = null;
  let toldAt = performance.now();
  const lines = openLineStream(response);
  const send = (line: SearchLine): Promise<void> => lines.send(line);
  const state = () => ({ ...counts, skipped: { ...skipped }, reached });
  const reason = (): 'calls' | 'seconds' | 'matches' | null =>
    counts.matched >= body.maxMatches ? 'matches' : counts.scanned >= body.maxCalls ? 'calls' : limit.isUp() ? 'seconds' : null;

  let ended: ReturnType<typeof reason> | 'complete' = null;
  while (ended === null) {
    const pageSize = Math.min(callsAtOnce, body.maxCalls - counts.scanned);
    const page = await scanCalls(prisma, filter, { before: last, limit: pageSize });
    for (const group of inGroups(page, (one) => keptBytes(one, sides))) {
      const opened = await open(context, group, sides);
      const texts = new Map<string, string>();
      for (const one of group)
        for (const side of sides) {
          const text = await textOf(one, side, opened, skipped);
          if (text !== null) texts.set(`${one.id}:${side}`, text);
        }
      const found = await searchTexts(call, wanted, texts, skipped);
      for (const one of group) {
        let hasMatch = false;
        for (const side of sides) {
          const places = found.get(`${one.id}:${side}`);
          if (places === undefined) continue;
          counts.searched++;
          if (places === null) continue;
          hasMatch = true;
          await send({ type: 'match', call: summaryOf(one), side, count: places.count, excerpts: [...places.excerpts] });
        }
        counts.scanned++;
        if (hasMatch) counts.matched++;
        last = one.id;
        reached = one.at;
        if (limit.isAbandoned()) return cut(call);
        ended = reason();
        if (ended !== null) break;
        if (performance.now() - toldAt < progressMs) continue;
        toldAt = performance.now();
        await send({ type: 'progress', ...state() });
      }
      if (ended !== null) break;
    }
    if (ended === null && page.length < pageSize) ended = 'complete';
  }
  await send({ type: 'end', ...state(), reason: ended, next: ended === 'complete' ? null : toCursor(last!) });
  lines.end();
}

/** Searches away from the event loop, a share of the texts at a time. One that takes too long alone is counted, and left out. */
async function searchTexts(
  { context, actor }: SearchCall,
  wanted: Wanted,
  texts: ReadonlyMap<string, string>,
  skipped: Record<'tooCostly', number>,
): Promise<Map<string, Found | null>> {
  const found = new Map<string, Found | null>();
  let rest = [...texts];
  let isAlone = false;
  while (rest.length > 0) {
    const share = isAlone ? rest.slice(0, 1) : rest;
    try {
      const results = await context.computations.run(actor.id, 'search', {
        wanted,
        texts: share.map(([, text]) => text),
        stopAfterMs: shareMs,
      });
      for (const [index, result] of results.entries()) found.set(share[index]![0], result);
      rest = rest.slice(results.length);
      isAlone = false;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'too_costly') throw error;
      if (isAlone) {
        skipped.tooCostly++;
        rest = rest.slice(1);
      }
      isAlone = !isAlone;
    }
  }
  return found;
}

/** A clean end without its last line would pass for the whole. */
function cut({ response }: SearchCall): void {
  response.destroy();
}

const factsOf = (call: CallResource, side: Side): CallResource['requestBody'] =>
  side === 'request' ? call.requestBody : call.responseBody;

const keptBytes = (call: CallResource, sides: readonly Side[]): number =>
  sides.reduce((sum, side) => sum + (factsOf(call, side)?.keptBytes ?? 0), 0);

async function open(context: Context, calls: readonly CallResource[], sides: readonly Side[]): Promise<Map<string, Buffer>> {
  const ids = calls.filter((one) => one.purgedAt === null && keptBytes(one, sides) > 0).map((one) => one.id);
  return ids.length === 0 ? new Map() : openReadableBodies(context, await readBodies(context.database.prisma, ids, context.blobs));
}

/** The text of a body, codings undone; null where there is nothing to search, which is counted. */
async function textOf(
  call: CallResource,
  side: Side,
  opened: ReadonlyMap<string, Buffer>,
  skipped: Record<'purged' | 'notKept' | 'truncated' | 'notOpenable' | 'encoded', number>,
): Promise<string | null> {
  const facts = factsOf(call, side);
  if (facts === null || facts.bytes === 0) return null;
  const bytes = opened.get(`${call.id}:${side}`);
  if (bytes === undefined) {
    skipped[call.purgedAt !== null ? 'purged' : facts.keptBytes === 0 ? 'notKept' : 'notOpenable']++;
    return null;
  }
  if (facts.truncated) skipped.truncated++;
  const content = await decodeContent(bytes, (facts.decoded ? [] : side === 'request' ? call.requestHeaders : call.responseHeaders) ?? []);
  if (content.remaining !== null) {
    skipped.encoded++;
    return null;
  }
  return new TextDecoder().decode(content.bytes);
}

const summaryOf = (call: CallResource): CallSummary => callSummarySchema.parse(call);
