/**
 * The answer to a press, through the `response_url` that came with it (Slack: "Handling user interaction"): the message
 * says who decided and loses its buttons, or only the person who pressed it learns why nothing changed.
 */
import type { ApprovalRecord } from '@hoop/database';
import { createGuardedFetch, FetchRefused } from '@hoop/upstream';

import type { Context } from '../context.ts';

export const slackHookOrigins: readonly string[] = ['https://hooks.slack.com'];
/** Slack gives an app three seconds for all of it. */
const timeoutMs = 2_000;
const buttonsId = 'hoop_review';

export type Block = Readonly<Record<string, unknown>>;

export interface PressedMessage {
  /** Null where Slack gave none. */
  readonly responseUrl: string | null;
  /** Of the message as it is. */
  readonly blocks: readonly Block[];
}

/** Slack's three control characters. */
const plain = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const section = (text: string): Block => ({ type: 'section', text: { type: 'mrkdwn', text: text.slice(0, 3000) } });

const verbs = { approve: 'approved', deny: 'denied' } as const;

/** Who decided what, and how it stands. */
function standing({ state, reviews, reason }: ApprovalRecord): string {
  const said = reviews.map(
    ({ user, decision, comment, via }) =>
      `${plain(user)} ${verbs[decision]} it${via === 'break_glass' ? ' (broke the glass)' : ''}${comment === null ? '' : ` (“${plain(comment)}”)`}`,
  );
  if (said.length === 0 && reason !== null) said.push(plain(reason));
  const title = state === 'pending' ? 'Waits for further reviews' : state[0]!.toUpperCase() + state.slice(1);
  return `*${title}*${said.length === 0 ? '' : `: ${said.join(', ')}.`}`;
}

/** The message as it is to be from now on: without buttons, unless further reviews are waited for. */
export function decidedMessage(approval: ApprovalRecord, { blocks }: PressedMessage): Record<string, unknown> {
  const isOpen = approval.state === 'pending';
  const kept = blocks.filter(({ block_id: id }) => id !== 'hoop_standing' && (isOpen || id !== buttonsId));
  return {
    replace_original: true,
    text: `Approval ${approval.state}`,
    blocks: [...kept, { ...section(standing(approval)), block_id: 'hoop_standing' }],
  };
}

/** Only the person who pressed sees it, and the message stays as it is. */
export const refusedMessage = (reason: string): Record<string, unknown> => ({
  response_type: 'ephemeral',
  replace_original: false,
  text: plain(reason),
});

/** A failure is logged and changes nothing: the decision is made by then. */
export async function answerPress(context: Context, { responseUrl }: PressedMessage, message: Record<string, unknown>): Promise<void> {
  if (responseUrl === null) return;
  const { origins, allowedCidrs = [] } = context.config.slackHooks ?? { origins: slackHookOrigins };
  const origin = URL.parse(responseUrl)?.origin;
  if (origin === undefined || !origins.includes(origin)) {
    context.log.warn({ event: 'slack_answer', origin }, 'a press named a response_url that is not of Slack; nothing was sent there');
    return;
  }
  try {
    const send = createGuardedFetch({ allowedCidrs, timeoutMs, maxBytes: 65_536, retries: 0 });
    const { status } = await send(responseUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(message),
    });
    if (status >= 300) context.log.warn({ event: 'slack_answer', status }, 'Slack refused the answer to a press');
  } catch (error) {
    if (!(error instanceof FetchRefused)) throw error;
    context.log.warn({ event: 'slack_answer', reason: error.reason }, 'the answer to a press could not be sent');
  }
}
