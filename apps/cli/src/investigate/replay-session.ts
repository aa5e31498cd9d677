/** Plays a session back: what was sent when it was sent, what came back when it came. */
import { setTimeout as delay } from 'node:timers/promises';

import type { CallResource, ExportedLine } from '@hoop/contract';

import { StartError } from '../start-error.ts';
import { onOneLine, printable, styled, type Style } from './terminal.ts';

type CallLine = Extract<ExportedLine, { type: 'call' }>;

export interface ReplayOptions {
  readonly out: (text: string) => void;
  readonly stop: AbortSignal;
  /** 1: as fast as it was; 0: without waiting. */
  readonly speed: number;
  /** Characters of each body. */
  readonly maxBody: number;
  readonly isJson: boolean;
  /** @default waits */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** A moment of a session: a call begins, or ends. */
interface Moment {
  /** Unix milliseconds. */
  readonly at: number;
  readonly kind: 'request' | 'response';
  readonly line: CallLine;
}

/** Calls may overlap: a response comes when it came, between the requests of other calls. */
export async function* momentsOf(lines: AsyncIterable<ExportedLine>): AsyncGenerator<Moment, void, void> {
  const open: Moment[] = [];
  for await (const line of lines) {
    if (line.type !== 'call') continue;
    const at = Date.parse(line.call.at);
    for (; open.length > 0 && open[0]!.at <= at; open.shift()) yield open[0]!;
    yield { at, kind: 'request', line };
    const ended: Moment = { at: endOf(line.call, at), kind: 'response', line };
    const later = open.findIndex((one) => one.at > ended.at);
    open.splice(later < 0 ? open.length : later, 0, ended);
  }
  yield* open;
}

function endOf(call: CallResource, at: number): number {
  if (call.durationMs !== null) return at + call.durationMs;
  return call.concludedAt === null ? at : Math.max(at, Date.parse(call.concludedAt));
}

export async function replaySession(lines: AsyncIterable<ExportedLine>, options: ReplayOptions): Promise<void> {
  const { out, stop, speed, isJson, wait = (ms, signal) => delay(ms, undefined, { signal }) } = options;
  let begun: number | undefined;
  let now = 0;
  for await (const moment of momentsOf(lines)) {
    begun ??= moment.at;
    now = Math.max(now, begun);
    const pause = speed === 0 ? 0 : (moment.at - now) / speed;
    now = Math.max(now, moment.at);
    if (pause > 0) await wait(pause, stop);
    if (stop.aborted) throw new StartError('Stopped.');
    if (isJson) out(JSON.stringify({ at: new Date(moment.at).toISOString(), kind: moment.kind, ...momentJson(moment) }));
    else out(describe(moment, begun, options.maxBody));
  }
  if (begun === undefined && !isJson) out('The session has no calls.');
}

const momentJson = ({ kind, line }: Moment): Record<string, unknown> => ({
  call: line.call,
  body: kind === 'request' ? line.request : line.response,
});

function describe({ at, kind, line }: Moment, begun: number, maxBody: number): string {
  const { call } = line;
  const when = `+${((at - begun) / 1000).toFixed(3)}s`;
  const target = `${call.method ?? '?'} ${call.url ?? call.path ?? '(removed by retention)'}`;
  if (kind === 'request') {
    const decision =
      call.decision === null ? 'no decision' : `${call.decision.effect}${call.decision.rule === null ? '' : ` by "${call.decision.rule}"`}`;
    return [
      styled('bold', onOneLine(`${when} → ${target}`)),
      styled('dim', onOneLine(`         ${call.id} · ${decision}`)),
      ...headLines(call.requestHeaders),
      ...bodyLines(line.request, call.requestBody, maxBody),
    ].join('\n');
  }
  const result = call.status === null ? call.state : `${call.status}${call.error === null ? '' : ` ${call.error}`}`;
  const took = call.durationMs === null ? '' : ` in ${Math.round(call.durationMs)} ms`;
  return [
    styled(styleOf(call), onOneLine(`${when} ← ${result}${took} · ${target}`)),
    ...(call.errorDetail === null ? [] : [`         ${onOneLine(call.errorDetail)}`]),
    ...headLines(call.responseHeaders),
    ...bodyLines(line.response, call.responseBody, maxBody),
  ].join('\n');
}

const styleOf = (call: CallResource): Style =>
  call.state === 'completed' && (call.status ?? 0) < 400 ? 'green' : call.state === 'refused' ? 'yellow' : 'red';

const headLines = (headers: CallResource['requestHeaders']): string[] =>
  (headers ?? []).map(([name, value]) => `         ${onOneLine(`${name}: ${value}`)}`);

function bodyLines(body: CallLine['request'], facts: CallResource['requestBody'], maxBody: number): string[] {
  if (facts === null || facts.bytes === 0 || maxBody === 0) return [];
  if (body === null)
    return [
      styled('dim', `         (${facts.bytes} bytes, not kept${facts.withheld ? ': the masking rules cannot be applied to them' : ''})`),
    ];
  if (body.encoding === 'base64')
    return [styled('dim', `         (${facts.bytes} bytes of ${onOneLine(body.contentType ?? 'no type')}, not text)`)];
  const shown = printable(body.content.slice(0, maxBody))
    .split('\n')
    .map((text) => `         ${text}`);
  if (body.content.length > maxBody) shown.push(styled('dim', `         … (${body.content.length} characters in all)`));
  if (facts.truncated) shown.push(styled('dim', `         (only ${facts.keptBytes} of ${facts.bytes} bytes were kept)`));
  return shown;
}
