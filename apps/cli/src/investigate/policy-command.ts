/** `hoop policy`: holds a candidate against what was recorded, and proposes one from it. */
import { readFile } from 'node:fs/promises';
import { json as readJson } from 'node:stream/consumers';

import { backtestSchema, proposalSchema, type BacktestReport } from '@hoop/contract';
import type { Command } from 'commander';
import { parseAllDocuments, stringify } from 'yaml';

import { addCommand, addVerb, needVerb, type CommandContext } from '../command-line.ts';
import type { StartIo } from '../start/start.ts';
import { StartError } from '../start-error.ts';
import { addApiOptions, openAdminApi, speaking, type ApiFlags } from './admin-api.ts';
import { instantOf, numberOf } from './filters.ts';
import { onOneLine, printable, styled, table } from './terminal.ts';

interface SelectionFlags extends ApiFlags {
  readonly connection?: string;
  readonly identity?: string;
  readonly since?: string;
  readonly until?: string;
  readonly maxCalls?: string;
  readonly maxSeconds?: string;
}
interface BacktestFlags extends SelectionFlags {
  readonly failOn: string;
  readonly examples?: string;
}
interface ProposeFlags extends SelectionFlags {
  readonly maxRules?: string;
}

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

/** Adds `hoop policy`. */
export function addPolicy(program: Command, context: CommandContext): void {
  const usage = 'Usage: hoop policy backtest FILE, or hoop policy propose.';
  const exitCodes = '\nExit codes: 0 nothing that --fail-on names · 2 something that it names · 1 it could not be done.';
  const policy = addCommand(program, 'policy', 'backtest a policy against recorded calls, or propose one').addHelpText(
    'afterAll',
    exitCodes,
  );
  const backtest = addVerb(policy, 'backtest', 'says what a policy would have changed about recorded calls', usage)
    .description('Says what a candidate policy would have changed about the recorded calls of the connection.')
    .argument('<file>', 'YAML or JSON with rules, or a connection with its policy')
    .option(
      '--fail-on <kinds>',
      'what makes the exit code 2, separated by commas: newly-denied, newly-allowed, newly-needing-approval, newly-needing-context, unknown, incomplete, none',
      defaultFailOn,
    )
    .option('--examples <n>', 'of each kind of change (default 10)');
  addSelectionOptions(backtest).action(async (file: string, flags: BacktestFlags) => {
    context.exitCode = await runBacktest(file, flags, context.io);
  });
  const propose = addVerb(policy, 'propose', 'writes a least-privilege policy from recorded calls, as YAML on stdout; a draft', usage);
  addSelectionOptions(propose)
    .option('--max-rules <n>', 'of a proposal (default 200)')
    .action((flags: ProposeFlags) => runPropose(flags, context.io));
  needVerb(policy, usage);
}

function addSelectionOptions(command: Command): Command {
  return addApiOptions(
    command
      .option('--connection <name>', 'of which the calls are; needed')
      .option('--identity <name>', 'only calls of this identity')
      .option('--since <time>', 'RFC 3339, or how long ago: 30m, 12h, 30d (default the last 30 days)')
      .option('--until <time>', 'the same')
      .option('--max-calls <n>', 'calls to look at (default 100000)')
      .option('--max-seconds <n>', 'how long to look (default 60, at most 300)'),
  );
}

/** The calls that the flags choose. @throws StartError */
function selectionOf(verb: string, flags: SelectionFlags) {
  const { connection, identity, since, until } = flags;
  if (connection === undefined) throw new StartError(`hoop policy ${verb} needs --connection. See hoop help policy ${verb}.`);
  const now = Date.now();
  return {
    connection,
    ...(identity === undefined ? {} : { identity }),
    ...(since === undefined ? {} : { since: instantOf('since', since, now) }),
    ...(until === undefined ? {} : { until: instantOf('until', until, now) }),
    maxCalls: numberOf('max-calls', flags.maxCalls, 100_000, 1),
    maxSeconds: numberOf('max-seconds', flags.maxSeconds, 60, 1),
  };
}

async function runPropose(flags: ProposeFlags, io: StartIo): Promise<void> {
  const selection = selectionOf('propose', flags);
  const api = await openAdminApi(flags, io.env, io.stop);
  const body = { ...selection, maxRules: numberOf('max-rules', flags.maxRules, 200, 1) };
  const proposal = await speaking(async () => proposalSchema.parse(await readJson(await api.open('proposePolicy', { body }))), io.stop);
  if (flags.json === true) io.out(JSON.stringify(proposal));
  else showProposal(proposal, io);
}

/** Resolves to the exit code. @throws StartError */
async function runBacktest(file: string, flags: BacktestFlags, io: StartIo): Promise<number> {
  const selection = selectionOf('backtest', flags);
  const failOn = readFailOn(flags.failOn);
  const policy = await readPolicyFile(file, selection.connection);
  const api = await openAdminApi(flags, io.env, io.stop);
  const body = { ...selection, ...policy, maxExamples: numberOf('examples', flags.examples, 10, 0) };
  const report = await speaking(async () => backtestSchema.parse(await readJson(await api.open('backtestPolicy', { body }))), io.stop);
  const failed = failuresOf(report, failOn);
  if (flags.json === true) io.out(JSON.stringify({ ...report, failed }));
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
