/** Approvals as text for a terminal. Functions and targets wrote much of it: none of it may steer the terminal. */
import type { Output } from '@hoop/client';
import type { ApprovalResource } from '@hoop/contract';

import { onOneLine, printable, styled, table } from '../investigate/terminal.ts';

export type ApprovalDetail = Output<'getApproval'>;

export function approvalList(approvals: readonly ApprovalResource[]): string {
  return table(
    ['APPROVAL', 'STATE', 'REQUESTED', 'IDENTITY', 'CONNECTION', 'REQUEST'],
    approvals.map((one) => [one.id, one.state, one.requestedAt, one.identity.name, one.connection.name, `${one.method} ${one.url}`]),
  );
}

/** `ann approved, bob denied: too much`. */
export const reviewsText = (reviews: ApprovalResource['reviews']): string =>
  reviews
    .map(
      ({ user, decision, comment, via }) =>
        `${user} ${via === 'break_glass' ? 'broke the glass' : decision === 'approve' ? 'approved' : 'denied'}${comment === null ? '' : `: ${comment}`}`,
    )
    .join(', ');

/** One line for one state of an approval. */
export function approvalLine(one: ApprovalResource): string {
  const reviews = reviewsText(one.reviews);
  const end = reviews === '' ? (one.reason ?? `until ${one.expiresAt}`) : reviews;
  return onOneLine(`${one.state.padEnd(9)}  ${one.id}  ${one.identity.name} → ${one.connection.name}  ${one.method} ${one.url}  (${end})`);
}

/** The whole of it: who asks, why a person is asked, and every byte that will be sent. */
export function approvalDetail(one: ApprovalDetail): string {
  const { request } = one;
  const facts: [name: string, value: string][] = [
    ['approval', one.id],
    ['state', one.reason === null ? one.state : `${one.state} (${one.reason})`],
    ['identity', `${one.identity.name} (owner ${one.identity.owner})`],
    ['connection', one.connection.name],
    ['rules', one.requirements.map(({ rule, approval }) => `${rule} (${approval.quorum} of ${approval.reviewers.join(', ')})`).join('; ')],
    ['context', one.context === null ? '-' : JSON.stringify(one.context)],
    ['claims', one.claims === null ? '-' : JSON.stringify(one.claims)],
    ['requested', one.requestedAt],
    ['expires', one.expiresAt],
    ['may grant', one.validities.join(', ')],
    ['reviews', reviewsText(one.reviews) || '-'],
    ['earlier', one.earlier.map((each) => `${each.id} ${each.state} (${reviewsText(each.reviews) || '-'})`).join('; ') || '-'],
    ['digest', one.digest],
  ];
  const head = [`${request.method} ${request.url}`, ...request.headers.map(([name, value]) => `${name}: ${value}`)]
    .map(onOneLine)
    .join('\n');
  const body = request.body === '' ? '(no body)' : printable(request.body);
  const note = request.encoding === 'base64' ? ` The body (${one.bodyBytes} bytes) is not text: it is shown in base64.` : '';
  return [
    facts.map(([name, value]) => `${name.padEnd(11)}${onOneLine(value)}`).join('\n'),
    styled('bold', `What will be sent, with secrets masked.${note}`),
    head,
    body,
  ].join('\n\n');
}
