/** Invariants of every approval, call and deferred call once the system is at rest. */
import type { Asked } from './functions.ts';

export interface ApprovalRow {
  readonly id: string;
  readonly state: string;
  readonly path: string;
  readonly consumed_by: string | null;
  readonly decisions: readonly string[] | null;
}
export interface CallRow {
  readonly id: string;
  readonly state: string;
  readonly error: string | null;
  readonly target_status: number | null;
  readonly approval_id: string | null;
  readonly path: string;
}
export interface DeferredRow {
  readonly call_id: string;
  readonly state: string;
  readonly status: number | null;
  readonly approval_id: string | null;
  readonly error: string | null;
}

export interface Evidence {
  readonly approvals: readonly ApprovalRow[];
  readonly calls: readonly CallRow[];
  readonly deferred: readonly DeferredRow[];
  readonly asked: readonly Asked[];
  /** Decisions that the approver was told were accepted. */
  readonly decided: ReadonlyMap<string, 'approve' | 'deny'>;
  /** By the id of the call. */
  readonly received: ReadonlyMap<string, { readonly times: number }>;
}

const idOf = (path: string): string => path.split('/').at(-1)!;
const timesOf = ({ received }: Evidence, id: string): number => received.get(id)?.times ?? 0;

export function findApprovalBreaches(evidence: Evidence): string[] {
  return [...ofDecisions(evidence), ...ofCalls(evidence), ...ofFunctions(evidence), ...ofDeferredCalls(evidence)];
}

/** No decision is lost, and each approval ends in one way that its reviews allow. */
function* ofDecisions({ approvals, decided }: Evidence): Generator<string> {
  const known = new Map(approvals.map((one) => [one.id, one]));
  for (const [id, decision] of decided) {
    if (!known.get(id)?.decisions?.includes(decision)) yield `the decision "${decision}" about ${id} was taken and is lost`;
  }
  for (const { id, state, decisions, consumed_by } of approvals) {
    const isDenied = decisions?.includes('deny') ?? false;
    const isApproved = decisions?.includes('approve') ?? false;
    if ((decisions?.length ?? 0) > 1) yield `${id} has ${decisions!.length} reviews of one person`;
    if (isDenied !== (state === 'denied')) yield `${id} is ${state}, and its reviews are ${String(decisions)}`;
    if ((state === 'consumed' || state === 'approved') && !isApproved) yield `${id} is ${state} and nobody approved it`;
    if ((state === 'consumed') !== (consumed_by !== null)) yield `${id} is ${state} and used by ${String(consumed_by)}`;
  }
}

/** An approved call is sent once or reported as unknown; a call without approval is never sent. */
function* ofCalls(evidence: Evidence): Generator<string> {
  const { approvals, calls } = evidence;
  const records = new Map(calls.map((call) => [call.id, call]));
  const used = approvals.filter((one) => one.consumed_by !== null);
  for (const { id, consumed_by } of used) {
    const record = records.get(consumed_by!);
    if (!record) yield `${id} was used by ${consumed_by}, of which there is no record`;
    else if (record.approval_id !== null && record.approval_id !== id)
      yield `${consumed_by} used ${id} and is recorded with ${record.approval_id}`;
  }
  const byId = Map.groupBy(used, (one) => idOf(one.path));
  for (const id of new Set([...approvals.map((one) => idOf(one.path)), ...evidence.received.keys()])) {
    const states = (byId.get(id) ?? []).map((one) => records.get(one.consumed_by!));
    const least = states.filter((record) => record !== undefined && record.target_status !== null).length;
    const most = states.filter((record) => record !== undefined && record.state !== 'refused').length;
    const times = timesOf(evidence, id);
    if (times < least || times > most)
      yield `${id} reached the target ${times} times; its approvals were used by calls that are ${states.map((record) => `${record?.state} (${record?.error ?? 'no error'})`).join(', ') || 'none'}`;
  }
}

/** A function is told the truth. */
function* ofFunctions(evidence: Evidence): Generator<string> {
  for (const { id, status, error } of evidence.asked) {
    const times = timesOf(evidence, id);
    if (status === 200 && error === null && times === 0) yield `${id} was answered with 200 and never reached the target`;
    if (error === 'approval_denied' && times > 0) yield `${id} was denied and reached the target`;
    if (times > 1) yield `${id} reached the target ${times} times`;
  }
}

function* ofDeferredCalls(evidence: Evidence): Generator<string> {
  const calls = new Map(evidence.calls.map((call) => [call.id, call]));
  const rows = new Map(evidence.deferred.map((row) => [row.call_id, row]));
  for (const { id, callId, status } of evidence.asked) {
    if (callId === null) continue;
    const row = rows.get(callId);
    if (!row) yield `the deferred call ${callId} was accepted and is not there`;
    else if (row.state === 'done' && row.status === 200 && timesOf(evidence, id) !== 1)
      yield `${callId} is done and reached the target ${timesOf(evidence, id)} times`;
    else if (row.state === 'done' && calls.get(callId)?.state !== 'completed')
      yield `${callId} is done and recorded as ${calls.get(callId)?.state ?? 'nothing'}`;
    else if (['refused', 'expired', 'withdrawn'].includes(row.state) && timesOf(evidence, id) > 0)
      yield `${callId} is ${row.state} and reached the target`;
    if (status === 202) yield `the function that deferred ${callId} never learnt that it was ${row?.state ?? 'lost'}`;
  }
}
