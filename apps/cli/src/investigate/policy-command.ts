/** `hoop policy`: holds a candidate against what was recorded, and proposes one from it. */
import { readFile } from 'node:fs/promises';
import { json as readJson } from 'node:stream/consumers';

import { backtestPolicy, backtestSchema, proposalSchema, proposePolicy, type BacktestReport } from '@hoop/contract';
import { parseAllDocuments, stringify } from 'yaml';

import type { StartIo } from '../start/start.ts';
import { StartError } from '../start-error.ts';
import { apiHelp, apiOptions, openAdminApi, readArguments, speaking } from './admin-api.ts';
import { instantOf, numberOf } from './filters.ts';
import { onOneLine, printable, styled, table } from './terminal.ts';

export const policyHelp = `Usage: hoop policy backtest FILE --connection NAME [options]
       hoop policy propose --connection NAME [options]

backtest says what the policy in FILE (YAML or JSON with rules, or a connection with its policy) would have changed about
the recorded calls of the connection. propose writes a least-privilege policy from them, as YAML on stdout; a draft.

  --since, --until TIME    RFC 3339, or how long ago: 30m, 12h, 30d (default the last 30 days)
  --identity NAME          only calls of this identity
  --fail-on KINDS          what makes the exit code 2, separated by commas: newly-denied, newly-allowed,
                           newly-needing-approval, newly-needing-context, unknown, incomplete, none
                           (default newly-denied,newly-allowed,incomplete)
  --max-calls N            calls to look at (default 100000)
  --max-seconds N          (default 60, at most 300)
  --examples N             of each kind of change (default 10)
  --max-rules N            of a proposal (default 200)
${apiHelp}

Exit codes: 0 nothing that --fail-on names · 2 something that it names · 1 it could not be done.
`;

const options = {
  ...apiOptions,
  connection: { type: 'string' },
  identity: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  'fail-on': { type: 'string' },
  'max-calls': { type: 'string' },
  'max-seconds': { type: 'string' },
  'max-rules': { type: 'string' },
  examples: { type: 'string' },
} as const;

const kinds = {
  'newly-denied': 'newlyDenied',
  'newly-allowed': 'newlyAllowed',
  'newly-needing-approval': 'newlyNeedingApproval',
  'newly-needing-context': 'newlyNeedingContext',
  unknown: 'unknown',
} as const satisfies Record<string, keyof BacktestReport['changes']>;
type Kind = keyof typeof kinds;
type FailOn = Kind | 'incomplete';
const defaultFailOn = 'newly-denied,newly-allowed,incomplete';

/** Resolves to the exit code. @throws StartError */
export async function runPolicy(args: readonly string[], io: StartIo): Promise<number> {
  const { values, positionals } = readArguments(args, options, 'policy');
  const [verb, file, ...more] = positionals;
  const isBacktest = verb === 'backtest';
  if ((!isBacktest && verb !== 'propose') || isBacktest !== (file !== undefined) || more.length > 0)
    throw new StartError('Usage: hoop policy backtest FILE, or hoop policy propose. See hoop help policy.');
  const { connection } = values;
  if (connection === undefined) throw new StartError(`hoop policy ${verb} needs --connection. See hoop help policy.`);
  const now = Date.now();
  const selection = {
    connection,
    ...(values.identity === undefined ? {} : { identity: values.identity }),
    ...(values.since === undefined ? {} : { since: instantOf('since', values.since, now) }),
    ...(values.until === undefined ? {} : { until: instantOf('until', values.until, now) }),
    maxCalls: numberOf('max-calls', values['max-calls'], 100_000, 1),
    maxSeconds: numberOf('max-seconds', values['max-seconds'], 60, 1),
  };
  const isJson = values.json === true;
  if (!isBacktest) {
    const api = await openAdminApi(values, io.env, io.stop);
    const body = { ...selection, maxRules: numberOf('max-rules', values['max-rules'], 200, 1) };
    const proposal = await speaking(async () => proposalSchema.parse(await readJson(await api.open(proposePolicy, { body }))), io.stop);
    if (isJson) io.out(JSON.stringify(proposal));
    else showProposal(proposal, io);
    return 0;
  }
  const failOn = readFailOn(values['fail-on'] ?? defaultFailOn);
  const policy = await readPolicyFile(file!, connection);
  const api = await openAdminApi(values, io.env, io.stop);
  const body = { ...selection, ...policy, maxExamples: numberOf('examples', values.examples, 10, 0) };
  const report = await speaking(async () => backtestSchema.parse(await readJson(await api.open(backtestPolicy, { body }))), io.stop);
  const failed = failuresOf(report, failOn);
  if (isJson) io.out(JSON.stringify({ ...report, failed }));
  else showReport(report, io);
  if (failed.length > 0) io.say(`Failed on ${failed.join(', ')}.`);
  return failed.length > 0 ? 2 : 0;
}

function readFailOn(text: string): ReadonlySet<FailOn> {
  const named = text.split(',').map((name) => name.trim());
  if (named.length === 1 && named[0] === 'none') return new Set();
  for (const name of named) {
    if (name !== 'incomplete' && !Object.hasOwn(kinds, name))
      throw new StartError(`--fail-on has no "${name}": use ${Object.keys(kinds).join(', ')}, incomplete, or none alone.`);
  }
  return new Set(named as FailOn[]);
}

export function failuresOf(report: BacktestReport, failOn: ReadonlySet<FailOn>): FailOn[] {
  const failed: FailOn[] = (Object.keys(kinds) as Kind[]).filter((kind) => failOn.has(kind) && report.changes[kinds[kind]].count > 0);
  if (failOn.has('incomplete') && !report.isComplete) failed.push('incomplete');
  return failed;
}

/** The rules of a file: a policy, or the connection of that name with its policy. @throws StartError */
export async function readPolicyFile(file: string, connection: string): Promise<{ rules: never[]; mask?: never[] }> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new StartError(`The policy ${file} cannot be read (${error.code}).`, { cause: error });
  });
  const documents = parseAllDocuments(text);
  const list = Array.isArray(documents) ? documents : [];
  const broken = list.flatMap((one) => one.errors)[0];
  if (broken !== undefined) throw new StartError(`The policy ${file} is not YAML: ${broken.message.split('\n')[0]}`);
  for (const document of list) {
    const value = document.toJS({ maxAliasCount: 100 }) as Record<string, unknown> | null;
    if (typeof value !== 'object' || value === null) continue;
    const policy =
      (value['connection'] === undefined || value['connection'] === connection) && value['policy'] !== undefined
        ? value['policy']
        : value['connection'] === undefined
          ? value
          : null;
    if (typeof policy !== 'object' || policy === null || !Array.isArray((policy as Record<string, unknown>)['rules'])) continue;
    const { rules, mask } = policy as { rules: never[]; mask?: never[] };
    return { rules, ...(mask === undefined ? {} : { mask }) };
  }
  throw new StartError(`The file ${file} has no rules: it needs a policy (rules: […]), or the connection "${connection}" with its policy.`);
}

const titles: Readonly<Record<Kind, string>> = {
  'newly-denied': 'newly denied',
  'newly-allowed': 'newly allowed',
  'newly-needing-approval': 'newly needing an approval',
  'newly-needing-context': 'newly needing context',
  unknown: 'cannot be told',
};

function showReport(report: BacktestReport, io: StartIo): void {
  const { connection, since, until, scanned, total, unchanged, changes, skipped } = report;
  io.out(
    `${connection.name}, ${since} to ${until}: ${scanned} calls looked at, ${total} decided by the candidate, ${unchanged} as before.`,
  );
  for (const kind of Object.keys(kinds) as Kind[]) {
    const { count, examples } = changes[kinds[kind]];
    if (count === 0) continue;
    io.out('');
    io.out(styled('bold', `${count} ${titles[kind]}`));
    io.out(
      table(
        ['CALL', 'METHOD', 'PATH', 'BEFORE', 'AFTER', 'BECAUSE'],
        examples.map((one) => [one.callId, one.method, one.path, one.before, one.after.join(' or '), one.reason]),
        80,
      ).replaceAll(/^/gm, '  '),
    );
  }
  const left = [
    skipped.purged > 0 ? `${skipped.purged} removed by retention` : '',
    skipped.undecided > 0 ? `${skipped.undecided} refused before any policy` : '',
  ].filter(Boolean);
  if (left.length > 0) io.out(`\nNot held against it: ${left.join(', ')}.`);
  if (!report.isComplete) io.out(`\nNot complete: calls before ${report.reached ?? until} were not looked at.`);
  for (const caveat of report.caveats) io.say(onOneLine(caveat));
}

function showProposal(proposal: Awaited<ReturnType<typeof proposalSchema.parse>>, io: StartIo): void {
  const { total, skipped, rules, evidence } = proposal;
  // A line of a comment, whatever is in it.
  for (const { rule, calls, examples } of evidence)
    io.out(`# ${onOneLine(rule)}: ${calls} calls, e.g. ${examples.map(onOneLine).join(', ')}`);
  io.out(printable(stringify({ rules }, { lineWidth: 0 })).trimEnd());
  io.say(
    `From ${total} calls; left out: ${skipped.refused} refused, ${skipped.approved} under an approval, ${skipped.unanswered} unanswered, ${skipped.purged} removed by retention.`,
  );
  if (!proposal.isComplete) io.say(`Not complete: calls before ${proposal.reached ?? proposal.until} were not looked at.`);
  for (const caveat of proposal.caveats) io.say(onOneLine(caveat));
}
