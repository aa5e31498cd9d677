/** `hoop sessions`: finds, shows, plays back and exports what machine identities did. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';

import type { Client } from '@hoop/client';
import type { CallSummary, ExportedLine, SessionResource } from '@hoop/contract';
import type { Command } from 'commander';

import { addCommand, addVerb, needVerb, type CommandContext } from '../command-line.ts';
import type { StartIo } from '../start/start.ts';
import { StartError } from '../start-error.ts';
import { addApiOptions, openAdminApi, readLines, speaking, type ApiFlags } from './admin-api.ts';
import { addFilterOptions, numberOf, readFilters, type FilterFlags } from './filters.ts';
import { replaySession } from './replay-session.ts';
import { table } from './terminal.ts';

type ListFlags = ApiFlags & FilterFlags & { readonly limit?: string };
type ReplayFlags = ApiFlags & { readonly speed?: string; readonly maxBody?: string };
type ExportFlags = ApiFlags & { readonly format: string; readonly output?: string };

/** Adds `hoop sessions`. */
export function addSessions(program: Command, { io }: CommandContext): void {
  const sessions = addCommand(program, 'sessions', 'find, show, replay and export recorded sessions').description(
    `Finds, shows, plays back and exports what machine identities did. replay and export read bodies: they need an admin's or auditor's token, and each is an audit event.`,
  );
  const list = addVerb(sessions, 'list', 'finds sessions, newest first', 'hoop sessions list takes flags only.').description(
    'Finds sessions, newest first: by beginning and identity, and with at least one call that all the other filters match.',
  );
  addApiOptions(addFilterOptions(list))
    .option('--limit <n>', 'sessions to list (default 20)')
    .action((flags: ListFlags) => listFound(io, flags));
  addSessionVerb(sessions, 'show', "gives a session's calls in order").action((id: string, flags: ApiFlags) =>
    withApi(io, flags, (api) => show(api, io, id, flags.json === true)),
  );
  addSessionVerb(sessions, 'replay', 'plays a session back in its order and time, with headers and masked bodies')
    .option('--speed <n>', '2 plays twice as fast as it was; 0 does not wait (default 1)')
    .option('--max-body <n>', 'characters of each body that are shown; 0: none (default 2000)')
    .action((id: string, flags: ReplayFlags) => withApi(io, flags, (api) => replay(api, io, id, flags)));
  addSessionVerb(sessions, 'export', "writes HAR 1.2 (for browsers' tools, or for replayFetch of @hoop/fetch/testing) or NDJSON")
    .option('--format <format>', 'har or ndjson', 'har')
    .option('--output <file>', 'where to write, with mode 0600 (default stdout)')
    .action((id: string, { format, output, ...flags }: ExportFlags) =>
      withApi(io, flags, (api) => exportSession(api, io, id, format, output)),
    );
  sessions.addHelpText('afterAll', '\nExit codes: 0 done · 1 it could not be done.');
  needVerb(sessions, 'hoop sessions needs one of list, show, replay, export.');
}

function addSessionVerb(sessions: Command, name: string, summary: string): Command {
  const verb = addVerb(sessions, name, summary, `hoop sessions ${name} needs the id of one session.`);
  return addApiOptions(verb.argument('<session>', 'its id'));
}

/** Runs what speaks to the API. @throws StartError */
async function withApi(io: StartIo, flags: ApiFlags, work: (api: Client) => Promise<void>): Promise<void> {
  const api = await openAdminApi(flags, io.env, io.stop);
  await speaking(() => work(api), io.stop);
}

function listFound(io: StartIo, flags: ListFlags): Promise<void> {
  return withApi(io, flags, (api) =>
    list(api, io, readFilters(flags, Date.now()), numberOf('limit', flags.limit, 20, 1), flags.json === true),
  );
}

async function replay(api: Client, io: StartIo, sessionId: string, flags: ReplayFlags): Promise<void> {
  const lines = readLines<ExportedLine>(await api.open('exportSessionCalls', { params: { sessionId } }));
  const speed = numberOf('speed', flags.speed, 1, 0);
  const maxBody = numberOf('max-body', flags.maxBody, 2000, 0);
  await replaySession(lines, { out: io.out, stop: io.stop, speed, maxBody, isJson: flags.json === true });
}

const maxPage = 200;

async function list(api: Client, io: StartIo, filters: Record<string, string>, limit: number, isJson: boolean): Promise<void> {
  const sessions: SessionResource[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null && sessions.length < limit) {
    const page = await api.call('listSessions', {
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

async function show(api: Client, io: StartIo, sessionId: string, isJson: boolean): Promise<void> {
  const session = await api.call('getSession', { params: { sessionId } });
  const calls: CallSummary[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null && calls.length < maxShown) {
    const page = await api.call('listCalls', {
      query: { session: sessionId, limit: maxPage, ...(cursor === undefined ? {} : { cursor }) },
    });
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

async function exportSession(api: Client, io: StartIo, sessionId: string, format: string, output: string | undefined): Promise<void> {
  if (format !== 'har' && format !== 'ndjson') throw new StartError('--format must be har or ndjson.');
  const body = Readable.from(await api.open(format === 'har' ? 'exportSessionHar' : 'exportSessionCalls', { params: { sessionId } }));
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
