/** The transcript of the demonstration: one JSON document, and text for people. */
import type { CallResource, SessionResource } from '@hoop/contract';

import type { SeenApproval } from './approver.ts';
import type { Check } from './check.ts';
import type { FunctionStep } from './function.ts';
import type { SetUpStep } from './set-up.ts';
import type { UnmodifiedRun } from './unmodified.ts';

/** As examples/payments-api shows it. */
export interface ReceivedRequest {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly credentialFingerprint: string | null;
  readonly isAccepted: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface Transcript {
  readonly ok: boolean;
  readonly setUp: readonly SetUpStep[];
  /** The responses that the function received. */
  readonly function: { readonly exitCode: number | null; readonly steps: readonly FunctionStep[] };
  /** The requests that the approver saw, and the decisions, while the function waited. */
  readonly approvals: readonly SeenApproval[];
  /** The requests that the payments API received. */
  readonly paymentsApi: { readonly url: string; readonly received: readonly ReceivedRequest[] };
  /** The recorded session, read back through the API; null where none was found. */
  readonly session: SessionResource | null;
  /** Its calls, oldest first. */
  readonly calls: readonly CallResource[];
  /** A client that knows nothing of Hoop, through the proxy. */
  readonly unmodified: UnmodifiedRun;
  readonly checks: readonly Check[];
}

const indent = (text: string, by: string): string =>
  text
    .split('\n')
    .map((line) => by + line)
    .join('\n');
const short = (value: unknown): string => {
  const text = JSON.stringify(value);
  return text.length <= 2000 ? text : `${text.slice(0, 2000)}…`;
};

function aboutStep({ step, status, body }: FunctionStep): string {
  return `${step}\n  <- ${status} ${short(body)}`;
}

function aboutUnmodified({ command, output }: UnmodifiedRun): string {
  return `${command}\n  <- ${output.split('\n', 1)[0]!.trim()} ${output
    .split(/\r?\n\r?\n/)
    .slice(1)
    .join(' ')
    .trim()}`;
}

function aboutApproval({ seen, decided }: SeenApproval): string {
  const { request, identity, requirements, context, claims, digest, earlier } = seen;
  return [
    `${request.method} ${request.url}`,
    ...request.headers.map(([name, value]) => `  ${name}: ${value}`),
    `  ${request.body}`,
    `asked by ${identity.name} (owner ${identity.owner}), claims ${short(claims)}`,
    `rule "${requirements.map(({ rule }) => rule).join('", "')}", context ${short(context)}, ${earlier.length} earlier decisions on like requests`,
    `digest ${digest}`,
    ...decided.reviews.map(({ user, decision, comment }) => `-> ${user}: ${decision} "${comment ?? ''}", valid ${decided.validity ?? ''}`),
  ].join('\n');
}

function aboutReceived({ method, path, credentialFingerprint, isAccepted, body }: ReceivedRequest): string {
  const credential = credentialFingerprint === null ? 'no credential' : `access token ${credentialFingerprint}…`;
  return `${method} ${path}  with ${credential}${isAccepted ? '' : ' (refused)'}${body === null ? '' : `\n  ${short(body)}`}`;
}

function aboutCall({ method, path, decision, status, targetStatus, state, error, maskedCount, leaseFingerprint }: CallResource): string {
  const rule = decision?.rule === null || decision === null ? 'no rule' : `rule "${decision.rule}"`;
  const facts = [
    `function got ${status ?? 'nothing'}`,
    targetStatus === null ? 'not sent' : `target said ${targetStatus}`,
    ...(error === null ? [] : [error]),
    ...(maskedCount ? [`${maskedCount} values masked`] : []),
    ...(leaseFingerprint === null ? [] : [`credential ${leaseFingerprint}…`]),
  ];
  return `${method} ${path}  ${decision?.effect ?? 'not decided'} by ${rule}: ${state}\n  ${facts.join(', ')}`;
}

export function transcriptText(transcript: Transcript): string {
  const section = (title: string, parts: readonly string[]): string => `${title}\n${parts.map((part) => indent(part, '  ')).join('\n')}\n`;
  const { session } = transcript;
  return [
    section(
      'Set up through the REST API',
      transcript.setUp.map(({ operation, what }) => `${operation}\n  ${what}`),
    ),
    section('What the function received', transcript.function.steps.map(aboutStep)),
    section('What the approver saw, and decided', transcript.approvals.map(aboutApproval)),
    section('What the payments API received', transcript.paymentsApi.received.map(aboutReceived)),
    section(
      session === null
        ? 'No session was recorded'
        : `The recorded session ${session.id} of ${session.identity?.name ?? 'nobody'} (${session.callCount} calls, ${session.refusedCount} refused)`,
      transcript.calls.map(aboutCall),
    ),
    section('A client that knows nothing of Hoop', [aboutUnmodified(transcript.unmodified)]),
    section(
      'Checks',
      transcript.checks.map(({ ok, what, detail }) => `${ok ? 'ok  ' : 'FAIL'} ${what}${ok || detail === '' ? '' : `: ${detail}`}`),
    ),
  ].join('\n');
}
