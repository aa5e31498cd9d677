/** `hoop calls search`: finds a text in what was sent and received. */
import type { SearchLine } from '@hoop/contract';
import type { Command } from 'commander';

import { addCommand, addVerb, needVerb, type CommandContext } from '../command-line.ts';
import type { StartIo } from '../start/start.ts';
import { StartError } from '../start-error.ts';
import { addApiOptions, openAdminApi, readLines, speaking, type ApiFlags } from './admin-api.ts';
import { addFilterOptions, numberOf, readFilters, type FilterFlags } from './filters.ts';
import { onOneLine, styled } from './terminal.ts';

interface SearchFlags extends ApiFlags, FilterFlags {
  readonly session?: string;
  readonly pattern?: true;
  readonly matchCase?: true;
  readonly side?: string;
  readonly maxCalls?: string;
  readonly maxSeconds?: string;
  readonly maxMatches?: string;
  readonly cursor?: string;
}

/** Adds `hoop calls`. */
export function addCalls(program: Command, { io }: CommandContext): void {
  const usage = 'Usage: hoop calls search TEXT.';
  const calls = addCommand(program, 'calls', 'search recorded bodies for a text');
  const search = addVerb(calls, 'search', 'finds a text in what was sent and received', usage)
    .description(
      `Finds TEXT in the masked bodies of the calls that the filters choose, newest first. Bodies are stored encrypted: they are opened and read one by one, so choose well. Needs an admin's or auditor's token; each search is an audit event.`,
    )
    .argument('<text>', 'the text')
    .option('--pattern', 'the text is an RE2 pattern')
    .option('--match-case', 'mind upper and lower case')
    .option('--side <side>', 'request or response (default both)')
    .option('--session <id>', 'of one session');
  addFilterOptions(search)
    .option('--max-calls <n>', 'calls to look at (default 10000)')
    .option('--max-seconds <n>', 'how long to look (default 30, at most 300)')
    .option('--max-matches <n>', 'calls to find (default 100)')
    .option('--cursor <cursor>', 'go on where an earlier search ended');
  addApiOptions(search).action((text: string, flags: SearchFlags) => runSearch(text, flags, io));
  calls.addHelpText('afterAll', '\nExit codes: 0 done, whether anything was found or not · 1 it could not be done.');
  needVerb(calls, usage);
}

async function runSearch(text: string, values: SearchFlags, io: StartIo): Promise<void> {
  const api = await openAdminApi(values, io.env, io.stop);
  const { status, ...filter } = readFilters(values, Date.now());
  const body = {
    filter: {
      ...filter,
      ...(status === undefined ? {} : { status: Number(status) }),
      ...(values.session === undefined ? {} : { session: values.session }),
    },
    ...(values.pattern === true ? { pattern: text } : { text }),
    ignoreCase: values.matchCase !== true,
    maxCalls: numberOf('max-calls', values.maxCalls, 10_000, 1),
    maxSeconds: numberOf('max-seconds', values.maxSeconds, 30, 1),
    maxMatches: numberOf('max-matches', values.maxMatches, 100, 1),
    ...(values.side === undefined ? {} : { side: values.side as 'request' | 'response' }),
    ...(values.cursor === undefined ? {} : { cursor: values.cursor }),
  };
  await speaking(async () => {
    let isOver = false;
    for await (const line of readLines<SearchLine>(await api.open('searchCalls', { body }))) {
      isOver = line.type === 'end';
      if (values.json === true) io.out(JSON.stringify(line));
      else show(line, io);
    }
    if (!isOver) throw new StartError('The search was cut off before its end.');
  }, io.stop);
}

function show(line: SearchLine, io: StartIo): void {
  if (line.type === 'match') {
    const { call, side, count, excerpts } = line;
    io.out(
      styled(
        'bold',
        onOneLine(
          `${call.id}  ${call.at}  ${call.identity?.name ?? '-'}  ${call.method} ${call.url ?? call.path ?? ''}  ${call.status ?? call.state}`,
        ),
      ),
    );
    for (const { before, text, after } of excerpts)
      io.out(`  ${side}: ${onOneLine(before)}${styled('inverse', onOneLine(text))}${onOneLine(after)}`);
    if (count > excerpts.length) io.out(`  ${side}: and ${count - excerpts.length} more`);
    return;
  }
  const { scanned, searched, matched, skipped } = line;
  const missing = Object.entries(skipped).filter(([, number]) => number > 0);
  const notes = missing.map(([why, number]) => `${number} ${skipNames[why] ?? why}`).join(', ');
  io.say(`${scanned} calls looked at, ${searched} bodies read, ${matched} calls found${notes === '' ? '' : `; ${notes}`}.`);
  if (line.type === 'end' && line.next !== null) io.say(`It ended at its limit of ${line.reason}; go on with --cursor ${line.next}`);
}

const skipNames: Readonly<Record<string, string>> = {
  purged: 'removed by retention',
  notKept: 'not kept',
  truncated: 'kept only in part',
  notOpenable: 'that cannot be opened',
  encoded: 'in an unknown coding',
};
