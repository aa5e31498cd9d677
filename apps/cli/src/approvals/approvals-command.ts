/** `hoop approvals`: finds, reads and decides about the calls that wait for a person. */
import { getApproval, listApprovals, reviewApproval, type ApprovalResource } from '@hoop/contract';

import { apiHelp, apiOptions, openAdminApi, readArguments, speaking, type AdminApi } from '../investigate/admin-api.ts';
import { numberOf } from '../investigate/filters.ts';
import type { StartIo } from '../start/start.ts';
import { StartError } from '../start-error.ts';
import { approvalDetail, approvalList } from './approval-text.ts';
import { watchApprovals } from './watch-approvals.ts';

export const approvalsHelp = `Usage: hoop approvals list [--state STATE] [--mine] [--limit N]
       hoop approvals show APPROVAL
       hoop approvals approve APPROVAL [--for once|DURATION] [--comment TEXT] [--yes | --digest DIGEST]
       hoop approvals deny APPROVAL [--comment TEXT] [--yes | --digest DIGEST]
       hoop approvals watch

list finds requests for approval, newest first. show prints everything that will be sent, and the digest of it. approve and
deny print the same, ask, and decide about exactly what they printed; with --digest they decide, without printing, about what
show printed with that digest. watch prints every request that waits, and every change, until it is stopped. The token is an
approver's: it says who you are, and the rule has to name you or a group of yours. Each reading is an audit event.

  --state STATE        pending, approved, denied, consumed, expired, withdrawn, voided or all (default pending)
  --mine               only those that name you or a group of yours
  --limit N            requests to list (default 20, at most 200)
  --for VALIDITY       what to grant: once, or one of the durations that the rule offers (default once)
  --comment TEXT       kept with the decision
  --yes                do not ask
  --digest DIGEST      decide about what you were shown with this digest
${apiHelp}

Exit codes: 0 done · 1 it could not be done, or was not confirmed.
`;

const options = {
  ...apiOptions,
  state: { type: 'string' },
  mine: { type: 'boolean' },
  limit: { type: 'string' },
  for: { type: 'string' },
  comment: { type: 'string' },
  yes: { type: 'boolean' },
  digest: { type: 'string' },
} as const;
type Values = ReturnType<typeof readArguments<typeof options>>['values'];

/** Resolves to the exit code. @throws StartError */
export async function runApprovals(args: readonly string[], io: StartIo): Promise<number> {
  const { values, positionals } = readArguments(args, options, 'approvals');
  const [verb, id, ...more] = positionals;
  const needsId = verb === 'show' || verb === 'approve' || verb === 'deny';
  if ((!needsId && verb !== 'list' && verb !== 'watch') || needsId !== (id !== undefined) || more.length > 0)
    throw new StartError('Usage: hoop approvals list | show ID | approve ID | deny ID | watch. See hoop help approvals.');
  if (values.yes === true && values.digest !== undefined)
    throw new StartError(
      '--yes and --digest exclude each other: the one decides about what is printed now, the other about what was shown.',
    );
  const api = await openAdminApi(values, io.env, io.stop);
  if (verb === 'watch') return watchApprovals(api, io, values.json === true);
  return speaking(async () => {
    if (verb === 'list') return list(api, values, io);
    if (verb === 'show') return show(api, id!, values, io);
    return decide(api, id!, verb === 'approve' ? 'approve' : 'deny', values, io);
  }, io.stop);
}

async function list(api: AdminApi, values: Values, io: StartIo): Promise<number> {
  const state = values.state ?? 'pending';
  const { items } = await api.call(listApprovals, {
    query: {
      limit: String(numberOf('limit', values.limit, 20, 1)),
      ...(state === 'all' ? {} : { state }),
      ...(values.mine === true ? { mine: 'true' } : {}),
    },
  });
  if (values.json === true) for (const one of items) io.out(JSON.stringify(one));
  else io.out(items.length === 0 ? 'No request for approval matches.' : approvalList(items));
  return 0;
}

async function show(api: AdminApi, id: string, values: Values, io: StartIo): Promise<number> {
  const approval = await api.call(getApproval, { params: { approvalId: id } });
  io.out(values.json === true ? JSON.stringify(approval) : approvalDetail(approval));
  if (approval.state === 'pending')
    io.say(`To decide about exactly this: hoop approvals approve ${approval.id} --digest ${approval.digest}`);
  return 0;
}

async function decide(api: AdminApi, id: string, decision: 'approve' | 'deny', values: Values, io: StartIo): Promise<number> {
  if (values.for !== undefined && decision === 'deny') throw new StartError('--for is for an approval.');
  const digest = values.digest ?? (await confirmed(api, id, decision, values, io));
  if (digest === null) {
    io.say('Nothing was decided.');
    return 1;
  }
  const after = await api.call(reviewApproval, {
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
async function confirmed(api: AdminApi, id: string, decision: 'approve' | 'deny', values: Values, io: StartIo): Promise<string | null> {
  const approval = await api.call(getApproval, { params: { approvalId: id } });
  // Beside the result of --json.
  (values.json === true ? io.say : io.out)(approvalDetail(approval));
  if (values.yes === true) return approval.digest;
  if (io.ask === undefined)
    throw new StartError(`There is no terminal to ask at: read the request, then add --digest ${approval.digest}, or --yes.`);
  const answer = await io.ask(`${decision === 'approve' ? 'Approve' : 'Deny'} this request? [y/N] `);
  return /^y(?:es)?$/i.test(answer.trim()) ? approval.digest : null;
}

function outcomeOf({ state, validity, usableUntil, requirements, reviews }: ApprovalResource, decision: 'approve' | 'deny'): string {
  if (decision === 'deny') return 'Denied.';
  if (state !== 'pending')
    return `Approved${validity === null || validity === 'once' ? ', for one call' : `, for ${validity}`}${usableUntil === null ? '' : ` until ${usableUntil}`}.`;
  const quorum = Math.max(...requirements.map(({ approval }) => approval.quorum));
  return `Your approval is taken (${reviews.length} of ${quorum}): further reviews are needed.`;
}
