/** The checks after the demonstration. Each is a sentence; a failed one says what was seen instead. */
import type { CallResource, SessionResource } from '@hoop/contract';

import { approverComment, approverName, type SeenApproval } from './approver.ts';
import type { Check } from './check.ts';
import type { FunctionRun } from './function.ts';
import { ruleNames } from './set-up.ts';
import { functionName } from './settings.ts';
import type { ReceivedRequest } from './transcript.ts';
import type { UnmodifiedRun } from './unmodified.ts';

export interface Evidence {
  readonly run: FunctionRun;
  readonly received: readonly ReceivedRequest[];
  readonly session: SessionResource | null;
  readonly calls: readonly CallResource[];
  readonly approvals: readonly SeenApproval[];
  /** The whole recorded session as it is exported. */
  readonly har: string;
  readonly paymentsClientSecret: string;
  /** Of the client that knows nothing of Hoop; its call is in no session of the function's. */
  readonly unmodified: UnmodifiedRun;
  readonly unmodifiedCall: CallResource | null;
}

interface Expected {
  readonly step: string;
  readonly status: number;
  readonly code: string | null;
  readonly effect: string;
  readonly rule: string;
  /** Whether the payments API may have seen it. */
  readonly isSent: boolean;
  /** The function's step shows another state of a call than the last: it was deferred, or is collected. */
  readonly isCollected?: true;
}

const expected: readonly Expected[] = [
  { step: 'read the customers', status: 200, code: null, effect: 'allow', rule: ruleNames.read, isSent: true },
  { step: 'read one customer', status: 200, code: null, effect: 'allow', rule: ruleNames.read, isSent: true },
  { step: 'delete a customer', status: 403, code: 'policy_denied', effect: 'deny', rule: ruleNames.delete, isSent: false },
  {
    step: 'refund without a ticket',
    status: 403,
    code: 'context_required',
    effect: 'require_context',
    rule: ruleNames.refund,
    isSent: false,
  },
  { step: 'refund with the ticket', status: 201, code: null, effect: 'allow', rule: ruleNames.refund, isSent: true },
  {
    step: 'large refund, which a person approves',
    status: 201,
    code: null,
    effect: 'require_approval',
    rule: ruleNames.largeRefund,
    isSent: true,
  },
  { step: 'large refund, deferred', status: 202, code: null, effect: 'require_approval', rule: ruleNames.largeRefund, isSent: true },
  {
    step: 'collect the deferred refund',
    status: 201,
    code: null,
    effect: 'require_approval',
    rule: ruleNames.largeRefund,
    isSent: true,
    isCollected: true,
  },
];
/** The calls that answered the function; the first try of the one that had to wait for its approval is another. */
const answered = expected.filter(({ isCollected }) => !isCollected);
export const recordedCalls = answered.length + 1;

const cards = ['4111 1111 1111 1111', '4111111111111111', '5555555555554444', '378282246310005'];
const emails = ['ada@customers.example', 'grace@customers.example', 'linus@customers.example'];
/** How the payments API's secrets begin. */
const secrets = ['pay_at_', 'pay_cs_'];

const foundIn = (text: string, needles: readonly string[]): string => needles.filter((needle) => text.includes(needle)).join(', ');

/** All of them, in the order of the call. */
export function checkDemo(evidence: Evidence): Check[] {
  const parts = [ofSteps, ofAnswers, ofApprovals, ofPaymentsApi, ofRecords, ofSecrets, ofUnmodified];
  return parts.flatMap((part) => [...part(evidence)]);
}

/** @param detail what was seen instead */
const checkOf = (what: string, ok: boolean, detail: unknown): Check => ({
  what,
  ok,
  detail: ok ? '' : typeof detail === 'string' ? detail : JSON.stringify(detail),
});

/** Each step of the function got its answer. */
function* ofSteps({ run }: Evidence): Generator<Check> {
  yield checkOf(
    'the function ran to its end',
    run.exitCode === 0 && run.steps.length === expected.length,
    run.errors.trim() || `${run.steps.length} steps`,
  );
  for (const [index, { step, status, code }] of expected.entries()) {
    const seen = run.steps[index];
    const seenCode = (seen?.body as { code?: string } | null | undefined)?.code ?? null;
    yield checkOf(
      `${step}: the function gets ${status}${code === null ? '' : ` ${code}`}`,
      seen?.step === step && seen.status === status && (code === null || seenCode === code),
      seen,
    );
  }
}

/** The answers say what they should, and hold nothing that is masked. */
function* ofAnswers({ run }: Evidence): Generator<Check> {
  const [list, , denied, lacking, refund, approved, deferred, collected] = run.steps.map(
    ({ body }) => body as Record<string, unknown> | null,
  );
  yield checkOf(
    'the customers come with their names and balances as they are',
    /"Ada Example".*"balance":1250/.test(JSON.stringify(list)),
    list,
  );
  yield checkOf(
    'emails and card numbers are masked',
    foundIn(run.output, [...emails, ...cards]) === '',
    foundIn(run.output, [...emails, ...cards]),
  );
  yield checkOf(
    'the denial says which rule and why',
    denied?.['rule'] === ruleNames.delete && JSON.stringify(denied).includes('closed in the back office'),
    denied,
  );
  yield checkOf(
    'the other refusal says that a ticket is missing',
    /"key":"ticket"/.test(JSON.stringify(lacking?.['missingContext'] ?? null)),
    lacking,
  );
  yield checkOf('the refund went through', refund?.['status'] === 'succeeded' && refund['amount'] === 500, refund);

  yield checkOf(
    'the refund that was approved went through',
    approved?.['status'] === 'succeeded' && approved['amount'] === 25_000,
    approved,
  );
  yield checkOf(
    'the deferred one was accepted with an id, and its response collected by it',
    typeof deferred?.['callId'] === 'string' && collected?.['status'] === 'succeeded' && collected['amount'] === 30_000,
    [deferred, collected],
  );
}

/** The approver saw each request whole, and decided about it once. */
function* ofApprovals({ approvals, paymentsClientSecret }: Evidence): Generator<Check> {
  yield checkOf('two requests waited for the approver', approvals.length === 2, approvals);
  for (const [index, amount] of [25_000, 30_000].entries()) {
    const one = approvals[index];
    const isWhole =
      one?.seen.request.method === 'POST' &&
      one.seen.request.body === JSON.stringify({ customer: 'cus_2', amount }) &&
      one.seen.request.url.endsWith('/v1/refunds');
    const isExplained =
      one?.seen.identity.owner === 'billing-team' &&
      one.seen.claims?.['repository'] === 'acme/billing' &&
      one.seen.requirements[0]?.rule === ruleNames.largeRefund &&
      one.seen.context?.['ticket'] === 'OPS-12';
    yield checkOf(`the approver saw the whole refund of ${amount}, who asks, which rule and the ticket`, isWhole && isExplained, one);
    yield checkOf(
      `the approver approved that one, once`,
      one?.decided.state === 'approved' &&
        one.decided.validity === 'once' &&
        one.decided.reviews[0]?.user === approverName &&
        one.decided.reviews[0].comment === approverComment,
      one?.decided,
    );
  }
  yield checkOf(
    'the second time the approver was shown the earlier decision',
    approvals[1]?.seen.earlier[0]?.id === approvals[0]?.seen.id && approvals.length > 1,
    approvals[1]?.seen.earlier,
  );
  yield checkOf(
    'no credential is in what the approver saw',
    foundIn(JSON.stringify(approvals), [paymentsClientSecret, ...secrets, 'hoop-grant']) === '',
    foundIn(JSON.stringify(approvals), [...secrets, 'hoop-grant']),
  );
}

/** The payments API got what was allowed, with a credential and with nothing of Hoop's. */
function* ofPaymentsApi({ received }: Evidence): Generator<Check> {
  const sent = answered.filter(({ isSent }) => isSent);
  yield checkOf(
    `the payments API received ${sent.length} requests, and no delete`,
    received.length === sent.length && received.every(({ method }) => method !== 'DELETE'),
    received,
  );
  yield checkOf(
    'each carried a live access token',
    received.every(({ isAccepted }) => isAccepted),
    received,
  );
  const refunds = received.filter(({ method }) => method === 'POST').map(({ body }) => body);
  const asked = [500, 25_000, 30_000].map((amount) => ({ customer: 'cus_2', amount }));
  yield checkOf(
    'each refund arrived once, as the function sent it and the approver saw it',
    JSON.stringify(refunds) === JSON.stringify(asked),
    refunds,
  );
  yield checkOf(
    "nothing of Hoop's own reached the payments API",
    received.every(({ headers }) => !Object.keys(headers).some((name) => name.startsWith('hoop-'))),
    received,
  );
}

/** Each call is recorded as it was decided and answered. */
function* ofRecords({ run, session, calls, approvals }: Evidence): Generator<Check> {
  yield checkOf(
    'the session is recorded with every call',
    session !== null && session.callCount === recordedCalls && calls.length === recordedCalls,
    session,
  );
  const waited = calls.filter(({ error }) => error === 'approval_pending');
  yield checkOf(
    'the call that had to wait is recorded as refused until then',
    waited.length === 1 && waited[0]?.state === 'refused' && waited[0].targetStatus === null,
    waited,
  );
  const concluded = calls.filter(({ error }) => error !== 'approval_pending');
  for (const [index, { step, status: shown, effect, rule, isSent }] of answered.entries()) {
    const call = concluded[index];
    // The function was told 202 of the call that it deferred; what came of it is in the record.
    const status = shown === 202 ? 201 : shown;
    const isAsDecided = call?.decision?.effect === effect && call.decision.rule === rule;
    const isAsAnswered =
      call?.status === status && (call.targetStatus !== null) === isSent && call.state === (isSent ? 'completed' : 'refused');
    yield checkOf(
      `${step}: recorded as decided (${effect}, "${rule}") and answered`,
      isAsDecided && isAsAnswered && call.id === run.steps[index]?.call,
      call,
    );
  }
  const under = concluded.filter(({ decision }) => decision?.effect === 'require_approval').map(({ approvalId }) => approvalId);
  yield checkOf(
    'the records name the approval that each large refund went on under',
    JSON.stringify(under) === JSON.stringify(approvals.map(({ seen }) => seen.id)) && under.length === 2,
    under,
  );
}

/** A client that has nothing but variables gets the same, and leaves the same record. */
function* ofUnmodified({ unmodified, unmodifiedCall, paymentsClientSecret }: Evidence): Generator<Check> {
  const { output, errors, exitCode } = unmodified;
  const leaked = foundIn(output, [...emails, ...cards, paymentsClientSecret, ...secrets]);
  yield checkOf(
    'a client that knows nothing of Hoop gets the customers through the proxy, masked',
    exitCode === 0 && /^HTTP\/1\.1 200\b/.test(output) && output.includes('Ada Example') && leaked === '',
    leaked || errors.trim() || output,
  );
  yield checkOf(
    'its call is recorded under the function’s identity, as decided',
    unmodifiedCall?.state === 'completed' &&
      unmodifiedCall.identity?.name === functionName &&
      unmodifiedCall.decision?.rule === ruleNames.read,
    unmodifiedCall,
  );
}

/** The credential is known by its fingerprint alone, and what was masked is nowhere. */
function* ofSecrets({ run, received, calls, har, paymentsClientSecret }: Evidence): Generator<Check> {
  const fingerprints = calls.filter(({ targetStatus }) => targetStatus !== null).map(({ leaseFingerprint }) => leaseFingerprint);
  yield checkOf(
    'the records name the credential that the payments API saw, by its fingerprint',
    fingerprints.length > 0 &&
      JSON.stringify(fingerprints) === JSON.stringify(received.map(({ credentialFingerprint }) => credentialFingerprint)),
    fingerprints,
  );
  const shown = [run.output, run.errors, har, JSON.stringify(calls)].join('\n');
  yield checkOf(
    'no credential of the payments API is in what the function got or what was recorded',
    foundIn(shown, [paymentsClientSecret, ...secrets]) === '',
    foundIn(shown, secrets),
  );
  yield checkOf(
    'the record holds what was masked for the function only as masked',
    foundIn(har, [...emails, ...cards]) === '',
    foundIn(har, [...emails, ...cards]),
  );
}
