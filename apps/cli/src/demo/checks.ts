/** What must be so after the demonstration. Each is a sentence; a failed one says what was seen instead. */
import type { CallResource, SessionResource } from '@hoop/contract';

import type { FunctionRun } from './function.ts';
import { ruleNames } from './set-up.ts';
import type { ReceivedRequest } from './transcript.ts';

export interface Check {
  readonly what: string;
  readonly ok: boolean;
  /** What was seen. */
  readonly detail: string;
}

export interface Evidence {
  readonly run: FunctionRun;
  readonly received: readonly ReceivedRequest[];
  readonly session: SessionResource | null;
  readonly calls: readonly CallResource[];
  /** The whole recorded session as it is exported. */
  readonly har: string;
  readonly paymentsClientSecret: string;
}

interface Expected {
  readonly step: string;
  readonly status: number;
  readonly code: string | null;
  readonly effect: string;
  readonly rule: string;
  /** Whether the payments API may have seen it. */
  readonly isSent: boolean;
}

const expected: readonly Expected[] = [
  { step: 'read the customers', status: 200, code: null, effect: 'allow', rule: ruleNames.read, isSent: true },
  { step: 'read one customer', status: 200, code: null, effect: 'allow', rule: ruleNames.read, isSent: true },
  { step: 'delete a customer', status: 403, code: 'policy_denied', effect: 'deny', rule: ruleNames.delete, isSent: false },
  { step: 'refund without a ticket', status: 403, code: 'context_required', effect: 'require_context', rule: ruleNames.refund, isSent: false },
  { step: 'refund with the ticket', status: 201, code: null, effect: 'allow', rule: ruleNames.refund, isSent: true },
];

const cards = ['4111 1111 1111 1111', '4111111111111111', '5555555555554444', '378282246310005'];
const emails = ['ada@customers.example', 'grace@customers.example', 'linus@customers.example'];
/** How the payments API's secrets begin. */
const secrets = ['pay_at_', 'pay_cs_'];

const foundIn = (text: string, needles: readonly string[]): string => needles.filter((needle) => text.includes(needle)).join(', ');

export function checkDemo({ run, received, session, calls, har, paymentsClientSecret }: Evidence): Check[] {
  const checks: Check[] = [];
  const check = (what: string, ok: boolean, detail: unknown): void => {
    checks.push({ what, ok, detail: ok ? '' : typeof detail === 'string' ? detail : JSON.stringify(detail) });
  };

  check('the function ran to its end', run.exitCode === 0 && run.steps.length === expected.length, run.errors.trim() || `${run.steps.length} steps`);
  for (const [index, { step, status, code }] of expected.entries()) {
    const seen = run.steps[index];
    const seenCode = (seen?.body as { code?: string } | null | undefined)?.code ?? null;
    check(`${step}: the function gets ${status}${code === null ? '' : ` ${code}`}`, seen?.step === step && seen.status === status && (code === null || seenCode === code), seen);
  }
  const [list, , denied, lacking, refund] = run.steps.map(({ body }) => body as Record<string, unknown> | null);
  check('the customers come with their names and balances as they are', /"Ada Example".*"balance":1250/.test(JSON.stringify(list)), list);
  check('emails and card numbers are masked', foundIn(run.output, [...emails, ...cards]) === '', foundIn(run.output, [...emails, ...cards]));
  check('the denial says which rule and why', denied?.['rule'] === ruleNames.delete && JSON.stringify(denied).includes('closed in the back office'), denied);
  check('the other refusal says that a ticket is missing', /"key":"ticket"/.test(JSON.stringify(lacking?.['missingContext'] ?? null)), lacking);
  check('the refund went through', refund?.['status'] === 'succeeded' && refund['amount'] === 500, refund);

  const sent = expected.filter(({ isSent }) => isSent);
  check(`the payments API received ${sent.length} requests, and no delete`, received.length === sent.length && received.every(({ method }) => method !== 'DELETE'), received);
  check('each carried a live access token', received.every(({ isAccepted }) => isAccepted), received);
  check('the refund arrived as the function sent it', JSON.stringify(received.at(-1)?.body) === '{"customer":"cus_2","amount":500}', received.at(-1)?.body);
  check("nothing of Hoop's own reached the payments API", received.every(({ headers }) => !Object.keys(headers).some((name) => name.startsWith('hoop-'))), received);

  check('the session is recorded with every call', session !== null && session.callCount === expected.length && calls.length === expected.length, session);
  for (const [index, { step, status, effect, rule, isSent }] of expected.entries()) {
    const call = calls[index];
    const isAsDecided = call?.decision?.effect === effect && call.decision.rule === rule;
    const isAsAnswered = call?.status === status && (call.targetStatus !== null) === isSent && call.state === (isSent ? 'completed' : 'refused');
    check(`${step}: recorded as decided (${effect}, "${rule}") and answered`, isAsDecided && isAsAnswered && call.id === run.steps[index]?.call, call);
  }
  const fingerprints = calls.filter(({ targetStatus }) => targetStatus !== null).map(({ leaseFingerprint }) => leaseFingerprint);
  check(
    'the records name the credential that the payments API saw, by its fingerprint',
    fingerprints.length > 0 && JSON.stringify(fingerprints) === JSON.stringify(received.map(({ credentialFingerprint }) => credentialFingerprint)),
    fingerprints,
  );
  const shown = [run.output, run.errors, har, JSON.stringify(calls)].join('\n');
  check('no credential of the payments API is in what the function got or what was recorded', foundIn(shown, [paymentsClientSecret, ...secrets]) === '', foundIn(shown, secrets));
  check('the record holds what was masked for the function only as masked', foundIn(har, [...emails, ...cards]) === '', foundIn(har, [...emails, ...cards]));
  return checks;
}
