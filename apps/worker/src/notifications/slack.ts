/**
 * A message to Slack. It has buttons only where the whole request fits into it: nobody is asked to approve what they
 * cannot see. A button carries the digest, so that a decision is about what was shown.
 */
import type { ShownRequest } from '@hoop/contract';

type Data = Readonly<Record<string, unknown>>;

/** Slack cuts a text object at 3000 characters. */
const shownCharacters = 2900;

const titles: Record<string, string> = {
  'approval.requested': 'A call waits for your approval',
  'approval.reminder': 'A call still waits for your approval',
  'approval.escalated': 'Nobody has decided: a call waits for your approval',
  'approval.approved': 'Approved',
  'approval.denied': 'Denied',
  'approval.expired': 'Expired without a decision',
  'approval.withdrawn': 'Withdrawn by the function',
  'approval.voided': 'Voided',
  'credential.reflected': ':rotating_light: A target answered with the credential that was injected; it was scrubbed',
  'approval.break_glass': ':rotating_light: The glass was broken',
};

/** Slack's three control characters. */
const plain = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function requestText(request: ShownRequest): string | null {
  if (request.encoding !== 'utf8') return null;
  const head = [`${request.method} ${request.url}`, ...request.headers.map(([name, value]) => `${name}: ${value}`)].join('\n');
  const text = plain(request.body === '' ? head : `${head}\n\n${request.body}`);
  // A fence inside the request would end ours and could hide what follows.
  return text.length <= shownCharacters && !text.includes('```') ? text : null;
}

const button = (action: 'approve' | 'deny', value: string): object => ({
  type: 'button',
  action_id: `hoop_${action}`,
  text: { type: 'plain_text', text: action === 'approve' ? 'Approve' : 'Deny' },
  style: action === 'approve' ? 'primary' : 'danger',
  value,
});

/**
 * The JSON body for an incoming webhook or chat.postMessage.
 *
 * @param request what will be sent, masked; null where it cannot be shown
 */
export function slackMessage(
  event: string,
  data: Data,
  request: ShownRequest | null,
  channel: string | undefined,
): Record<string, unknown> {
  const identity = data['identity'] as { name: string | null; owner?: string } | null | undefined;
  const connection = data['connection'] as { name: string | null } | null | undefined;
  const title = titles[event] ?? event;
  const facts = [
    `*${title}*`,
    `${plain(identity?.name ?? '')}${identity?.owner === undefined ? '' : ` (owner ${plain(identity.owner)})`} → ${plain(connection?.name ?? '')}`,
  ];
  if (event.startsWith('approval.')) {
    facts.push(`Rule: ${plain((data['rules'] as string[] | undefined)?.join(', ') ?? '')}`);
    facts.push(`Digest: \`${textOf(data['digest']).slice(0, 16)}…\`   Expires: ${plain(textOf(data['expiresAt']))}`);
  } else if (data['callId'] !== undefined) facts.push(`Call: \`${plain(textOf(data['callId']))}\``);
  if (data['reason']) facts.push(`Reason: ${plain(textOf(data['reason']))}`);
  const blocks: object[] = [{ type: 'section', text: { type: 'mrkdwn', text: facts.join('\n').slice(0, 3000) } }];
  const asks = event === 'approval.requested' || event === 'approval.reminder' || event === 'approval.escalated';
  const shown = asks && request !== null ? requestText(request) : null;
  if (shown !== null) {
    const value = JSON.stringify({ approvalId: data['approvalId'], digest: data['digest'] });
    blocks.push({ type: 'section', text: { type: 'mrkdwn', text: `\`\`\`${shown}\`\`\`` } });
    blocks.push({ type: 'actions', block_id: 'hoop_review', elements: [button('approve', value), button('deny', value)] });
  } else if (asks) {
    blocks.push({
      type: 'section',
      text: { type: 'mrkdwn', text: `The request does not fit here. Read it whole and decide there: ${plain(textOf(data['link']))}` },
    });
  }
  return { ...(channel === undefined ? {} : { channel }), text: `${title}: ${connection?.name ?? ''}`, blocks };
}

/** A fact of an event that is text or a number; anything else shows nothing. */
const textOf = (fact: unknown): string => (typeof fact === 'string' ? fact : typeof fact === 'number' ? String(fact) : '');
