/** `hoop calls search`: finds a text in what was sent and received. */
import { searchCalls, type SearchLine } from '@hoop/contract';

import type { StartIo } from '../start/start.ts';
import { StartError } from '../start-error.ts';
import { apiHelp, apiOptions, openAdminApi, readArguments, readLines, speaking } from './admin-api.ts';
import { filterHelp, filterOptions, numberOf, readFilters } from './filters.ts';
import { onOneLine, styled } from './terminal.ts';

export const callsHelp = `Usage: hoop calls search TEXT [options]

Finds TEXT in the masked bodies of the calls that the filters choose, newest first. Bodies are stored encrypted: they are
opened and read one by one, so choose well. Needs an admin's or auditor's token; each search is an audit event.

  --pattern            TEXT is an RE2 pattern
  --match-case         mind upper and lower case
  --side SIDE          request or response (default both)
  --session ID         of one session
${filterHelp}
  --max-calls N        calls to look at (default 10000)
  --max-seconds N      (default 30, at most 300)
  --max-matches N      calls to find (default 100)
  --cursor CURSOR      go on where an earlier search ended
${apiHelp}

Exit codes: 0 done, whether anything was found or not · 1 it could not be done.
`;

const options = {
  ...apiOptions,
  ...filterOptions,
  session: { type: 'string' },
  pattern: { type: 'boolean' },
  'match-case': { type: 'boolean' },
  side: { type: 'string' },
  'max-calls': { type: 'string' },
  'max-seconds': { type: 'string' },
  'max-matches': { type: 'string' },
  cursor: { type: 'string' },
} as const;

/** Resolves to the exit code. @throws StartError */
export async function runCalls(args: readonly string[], io: StartIo): Promise<number> {
  const { values, positionals } = readArguments(args, options, 'calls');
  const [verb, text, ...more] = positionals;
  if (verb !== 'search' || text === undefined || more.length > 0)
    throw new StartError('Usage: hoop calls search TEXT. See hoop help calls.');
  const api = await openAdminApi(values, io.env, io.stop);
  const { status, ...filter } = readFilters(values, Date.now());
  const body = {
    filter: {
      ...filter,
      ...(status === undefined ? {} : { status: Number(status) }),
      ...(values.session === undefined ? {} : { session: values.session }),
    },
    ...(values.pattern === true ? { pattern: text } : { text }),
    ignoreCase: values['match-case'] !== true,
    maxCalls: numberOf('max-calls', values['max-calls'], 10_000, 1),
    maxSeconds: numberOf('max-seconds', values['max-seconds'], 30, 1),
    maxMatches: numberOf('max-matches', values['max-matches'], 100, 1),
    ...(values.side === undefined ? {} : { side: values.side }),
    ...(values.cursor === undefined ? {} : { cursor: values.cursor }),
  };
  await speaking(async () => {
    let isOver = false;
    for await (const line of readLines<SearchLine>(await api.open(searchCalls, { body }))) {
      isOver = line.type === 'end';
      if (values.json === true) io.out(JSON.stringify(line));
      else show(line, io);
    }
    if (!isOver) throw new StartError('The search was cut off before its end.');
  }, io.stop);
  return 0;
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
