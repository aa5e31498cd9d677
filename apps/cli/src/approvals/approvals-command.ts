/** `hoop approvals`: finds, reads and decides about the calls that wait for a person. */
import type { Client } from '@hoop/client';
import type { ApprovalResource } from '@hoop/contract';
import type { Command } from 'commander';

import { addCommand, addVerb, needVerb, type CommandContext } from '../command-line.ts';
import { addApiOptions, openAdminApi, speaking, type ApiFlags } from '../investigate/admin-api.ts';
import { numberOf } from '../investigate/filters.ts';
import type { StartIo } from '../start/start.ts';
import { StartError } from '../start-error.ts';
import { approvalDetail, approvalList } from './approval-text.ts';
import { watchApprovals } from './watch-approvals.ts';

const description = `list finds requests for approval, newest first. show prints everything that will be sent, and the digest of it. approve and deny print the same, ask, and decide about exactly what they printed; with --digest they decide, without printing, about what show printed with that digest. watch prints every request that waits, and every change, until it is stopped. The token is an approver's: it says who you are, and the rule has to name you or a group of yours. Each reading is an audit event.`;

const usage = 'Usage: hoop approvals list | show ID | approve ID | deny ID | watch.';

type ListFlags = ApiFlags & { readonly state: string; readonly mine?: true; readonly limit?: string };
type Decision = 'approve' | 'deny';
interface DecisionFlags extends ApiFlags {
  readonly for?: string;
  readonly comment?: string;
  readonly yes?: true;
  readonly digest?: string;
}

/** Adds `hoop approvals`. */
export function addApprovals(program: Command, context: CommandContext): void {
  const { io } = context;
  const approvals = addCommand(program, 'approvals', 'find, read and decide about calls that wait for a person').description(description);
  const add = (name: string, summary: string): Command => addApiOptions(addVerb(approvals, name, summary, usage));
  /** Runs what speaks to the API; its result is the exit code. */
  async function withApi(flags: ApiFlags, work: (api: Client) => Promise<number>): Promise<void> {
    const api = await openAdminApi(flags, io.env, io.stop);
    context.exitCode = await speaking(() => work(api), io.stop);
  }
  add('list', 'finds requests for approval, newest first')
    .option('--state <state>', 'pending, approved, denied, consumed, expired, withdrawn, voided or all', 'pending')
    .option('--mine', 'only those that name you or a group of yours')
    .option('--limit <n>', 'requests to list (default 20, at most 200)')
    .action((flags: ListFlags) => withApi(flags, (api) => list(api, flags, io)));
  add('show', 'prints everything that will be sent, and the digest of it')
    .argument('<approval>', 'its id')
    .action((id: string, flags: ApiFlags) => withApi(flags, (api) => show(api, id, flags, io)));
  for (const decision of ['approve', 'deny'] as const) {
    add(decision, `prints the request, asks, and decides to ${decision} exactly what was printed`)
      .argument('<approval>', 'its id')
      .option('--for <validity>', 'what to grant: once, or one of the durations that the rule offers (default once)')
      .option('--comment <text>', 'kept with the decision')
      .option('--yes', 'do not ask')
      .option('--digest <digest>', 'decide about what you were shown with this digest')
      .action((id: string, flags: DecisionFlags) => {
        refuseBoth(flags);
        return withApi(flags, (api) => decide(api, id, decision, flags, io));
      });
  }
  add('watch', 'prints every request that waits, and every change, until it is stopped').action(async (flags: ApiFlags) => {
    const api = await openAdminApi(flags, io.env, io.stop);
    context.exitCode = await watchApprovals(api, io, flags.json === true);
  });
  approvals.addHelpText('afterAll', '\nExit codes: 0 done · 1 it could not be done, or was not confirmed.');
  needVerb(approvals, usage);
}

/** @throws StartError */
function refuseBoth({ yes, digest }: DecisionFlags): void {
  if (yes === true && digest !== undefined)
    throw new StartError(
      '--yes and --digest exclude each other: the one decides about what is printed now, the other about what was shown.',
    );
}

async function list(api: Client, values: ListFlags, io: StartIo): Promise<number> {
  const { state } = values;
  const { items } = await api.call('listApprovals', {
    query: {
      limit: numberOf('limit', values.limit, 20, 1),
      ...(state === 'all' ? {} : { state: state as ApprovalResource['state'] }),
      ...(values.mine === true ? { mine: 'true' } : {}),
    },
  });
  if (values.json === true) for (const one of items) io.out(JSON.stringify(one));
  else io.out(items.length === 0 ? 'No request for approval matches.' : approvalList(items));
  return 0;
}

async function show(api: Client, id: string, values: ApiFlags, io: StartIo): Promise<number> {
  const approval = await api.call('getApproval', { params: { approvalId: id } });
  io.out(values.json === true ? JSON.stringify(approval) : approvalDetail(approval));
  if (approval.state === 'pending')
    io.say(`To decide about exactly this: hoop approvals approve ${approval.id} --digest ${approval.digest}`);
  return 0;
}

async function decide(api: Client, id: string, decision: Decision, values: DecisionFlags, io: StartIo): Promise<number> {
  if (values.for !== undefined && decision === 'deny') throw new StartError('--for is for an approval.');
  const digest = values.digest ?? (await confirmed(api, id, decision, values, io));
  if (digest === null) {
    io.say('Nothing was decided.');
    return 1;
  }
  const after = await api.call('reviewApproval', {
    params: { approvalId: id },
    body: {
      decision,
      digest,
      ...(values.comment === undefined ? {} : { comment: values.comment }),
      ...(values.for === undefined ? {} : { validity: values.for }),
    },
  });
  if (values.json === true) io.out(JSON.stringify(after));
  else io.out(outcomeOf(after, decision));
  return 0;
}

/** The digest of the request that was printed; null where the person said no. */
async function confirmed(api: Client, id: string, decision: Decision, values: DecisionFlags, io: StartIo): Promise<string | null> {
  const approval = await api.call('getApproval', { params: { approvalId: id } });
  // Beside the result of --json.
  (values.json === true ? io.say : io.out)(approvalDetail(approval));
  if (values.yes === true) return approval.digest;
  if (io.ask === undefined)
    throw new StartError(`There is no terminal to ask at: read the request, then add --digest ${approval.digest}, or --yes.`);
  const answer = await io.ask(`${decision === 'approve' ? 'Approve' : 'Deny'} this request? [y/N] `);
  return /^y(?:es)?$/i.test(answer.trim()) ? approval.digest : null;
}

function outcomeOf({ state, validity, usableUntil, requirements, reviews }: ApprovalResource, decision: Decision): string {
  if (decision === 'deny') return 'Denied.';
  if (state !== 'pending')
    return `Approved${validity === null || validity === 'once' ? ', for one call' : `, for ${validity}`}${usableUntil === null ? '' : ` until ${usableUntil}`}.`;
  const quorum = Math.max(...requirements.map(({ approval }) => approval.quorum));
  return `Your approval is taken (${reviews.length} of ${quorum}): further reviews are needed.`;
}
