/** `hoop sessions`: finds, shows, plays back and exports what machine identities did. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';

import {
  exportSessionCalls,
  exportSessionHar,
  getSession,
  listCalls,
  listSessions,
  type CallSummary,
  type ExportedLine,
  type SessionResource,
} from '@hoop/contract';

import type { StartIo } from '../start/start.ts';
import { StartError } from '../start-error.ts';
import { apiHelp, apiOptions, openAdminApi, readArguments, readLines, speaking, type AdminApi } from './admin-api.ts';
import { filterHelp, filterOptions, numberOf, readFilters } from './filters.ts';
import { replaySession } from './replay-session.ts';
import { table } from './terminal.ts';

export const sessionsHelp = `Usage: hoop sessions list [options]
       hoop sessions show SESSION
       hoop sessions replay SESSION [--speed N] [--max-body N]
       hoop sessions export SESSION [--format har|ndjson] [--output FILE]

list finds sessions, newest first: by beginning and identity, and with at least one call that all the other filters match.
show gives a session's calls in order. replay plays them back in their order and time, with headers and masked bodies.
export writes HAR 1.2 (for browsers' tools, or as a fixture for replayFetch of @hoop/fetch/testing) or NDJSON.
replay and export read bodies: they need an admin's or auditor's token, and each is an audit event.

${filterHelp}
  --limit N            sessions to list (default 20)
  --speed N            2 plays twice as fast as it was; 0 does not wait (default 1)
  --max-body N         characters of each body that are shown; 0: none (default 2000)
  --format FORMAT      har or ndjson (default har)
  --output FILE        where to write, with mode 0600 (default stdout)
${apiHelp}

Exit codes: 0 done · 1 it could not be done.
`;

const options = {
  ...apiOptions,
  ...filterOptions,
  limit: { type: 'string' },
  speed: { type: 'string' },
  'max-body': { type: 'string' },
  format: { type: 'string' },
  output: { type: 'string' },
} as const;
const own: Readonly<Record<string, readonly string[]>> = {
  list: [...Object.keys(filterOptions), 'limit'],
  show: [],
  replay: ['speed', 'max-body'],
  export: ['format', 'output'],
};

/** Resolves to the exit code. @throws StartError */
export async function runSessions(args: readonly string[], io: StartIo): Promise<number> {
  const { values, positionals } = readArguments(args, options, 'sessions');
  const [verb = '', id, ...more] = positionals;
  const known = own[verb];
  if (known === undefined) throw new StartError('hoop sessions needs one of list, show, replay, export. See hoop help sessions.');
  const foreign = Object.keys(values).find((name) => !known.includes(name) && !Object.hasOwn(apiOptions, name));
  if (foreign !== undefined) throw new StartError(`hoop sessions ${verb} has no --${foreign}. See hoop help sessions.`);
  if ((verb === 'list') !== (id === undefined) || more.length > 0)
    throw new StartError(verb === 'list' ? 'hoop sessions list takes flags only.' : `hoop sessions ${verb} needs the id of one session.`);
  const api = await openAdminApi(values, io.env, io.stop);
  const isJson = values.json === true;
  await speaking(async () => {
    if (verb === 'list') await list(api, io, readFilters(values, Date.now()), numberOf('limit', values.limit, 20, 1), isJson);
    else if (verb === 'show') await show(api, io, id!, isJson);
    else if (verb === 'export') await exportSession(api, io, id!, values.format ?? 'har', values.output);
    else {
      const lines = readLines<ExportedLine>(await api.open(exportSessionCalls, { params: { sessionId: id! } }));
      const speed = numberOf('speed', values.speed, 1, 0);
      await replaySession(lines, { out: io.out, stop: io.stop, speed, maxBody: numberOf('max-body', values['max-body'], 2000, 0), isJson });
    }
  }, io.stop);
  return 0;
}

const maxPage = 200;

async function list(api: AdminApi, io: StartIo, filters: Record<string, string>, limit: number, isJson: boolean): Promise<void> {
  const sessions: SessionResource[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null && sessions.length < limit) {
    const page = await api.call(listSessions, {
      query: { ...filters, limit: Math.min(maxPage, limit - sessions.length), ...(cursor === undefined ? {} : { cursor }) },
    });
    sessions.push(...page.items);
    cursor = page.next;
  }
  if (isJson) {
    for (const session of sessions) io.out(JSON.stringify(session));
    return;
  }
  if (sessions.length === 0) return io.out('No session matches.');
  const rows = sessions.map((one) => [
    one.id,
    one.startedAt,
    one.identity?.name ?? one.subject,
    one.callCount,
    one.refusedCount,
    one.failedCount,
  ]);
  io.out(table(['SESSION', 'BEGAN', 'IDENTITY', 'CALLS', 'REFUSED', 'FAILED'], rows));
  if (cursor !== null) io.say(`There are more; --limit ${limit * 10} shows more of them.`);
}

/** Calls of a session that `show` holds; a longer one is for `export`. */
const maxShown = 10_000;

async function show(api: AdminApi, io: StartIo, sessionId: string, isJson: boolean): Promise<void> {
  const session = await api.call(getSession, { params: { sessionId } });
  const calls: CallSummary[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null && calls.length < maxShown) {
    const page = await api.call(listCalls, { query: { session: sessionId, limit: maxPage, ...(cursor === undefined ? {} : { cursor }) } });
    calls.push(...page.items);
    cursor = page.next;
  }
  calls.reverse();
  if (isJson) {
    io.out(JSON.stringify(session));
    for (const call of calls) io.out(JSON.stringify(call));
    return;
  }
  const start = Date.parse(session.startedAt);
  io.out(
    table(
      ['SESSION', session.id],
      [
        ['began', session.startedAt],
        ['identity', session.identity?.name ?? null],
        ['subject', session.subject],
        ['issuer', session.issuer],
        ['claims', session.claims === null ? null : JSON.stringify(session.claims)],
        ['calls', `${session.callCount}, ${session.refusedCount} refused, ${session.failedCount} failed`],
      ],
      200,
    ),
  );
  io.out('');
  const rows = calls.map((call) => [
    `+${((Date.parse(call.at) - start) / 1000).toFixed(3)}s`,
    call.method,
    call.connection?.name ?? null,
    call.path,
    call.decision === null ? null : `${call.decision.effect}${call.decision.rule === null ? '' : ` (${call.decision.rule})`}`,
    call.status ?? call.state,
    call.error,
    call.durationMs === null ? null : `${Math.round(call.durationMs)} ms`,
    call.id,
  ]);
  io.out(table(['AT', 'METHOD', 'CONNECTION', 'PATH', 'DECISION', 'STATUS', 'ERROR', 'TOOK', 'CALL'], rows));
  if (cursor !== null) io.say(`Only the newest ${calls.length} calls are shown; hoop sessions export has them all.`);
}

async function exportSession(api: AdminApi, io: StartIo, sessionId: string, format: string, output: string | undefined): Promise<void> {
  if (format !== 'har' && format !== 'ndjson') throw new StartError('--format must be har or ndjson.');
  const body = Readable.from(await api.open(format === 'har' ? exportSessionHar : exportSessionCalls, { params: { sessionId } }));
  if (output === undefined) {
    await pipeline(body, process.stdout, { end: false });
    return;
  }
  // A file of this name is whole, or not there.
  const part = `${output}.part`;
  try {
    await pipeline(body, createWriteStream(part, { mode: 0o600, flush: true }));
    await rename(part, output);
  } catch (error) {
    await rm(part, { force: true });
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== undefined) throw new StartError(`${output} cannot be written (${code}).`, { cause: error });
    throw error;
  }
  io.say(`The session is in ${output}.`);
}
