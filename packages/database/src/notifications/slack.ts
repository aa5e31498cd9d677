/** Which approver a Slack user is, and which of Slack's requests were accepted already. */
import type { Transaction } from '../database.ts';
import { guardOf } from '../row-signatures/guard.ts';

export interface SlackUserRecord {
  readonly slackUserId: string;
  readonly userName: string;
  readonly groups: string[];
  readonly createdAt: Date;
}

export async function putSlackUser(tx: Transaction, user: Omit<SlackUserRecord, 'createdAt'>, now: Date): Promise<SlackUserRecord> {
  const { slackUserId, userName, groups } = user;
  const guard = guardOf(tx);
  const before = await tx.slackUser.findUnique({ where: { slackUserId } });
  const createdAt = before !== null && guard.isAuthentic('slack_user', before) ? before.createdAt : now;
  const data = { slackUserId, userName, groups, createdAt };
  const signed = { ...data, signature: guard.sign('slack_user', data) };
  return toSlackUser(await tx.slackUser.upsert({ where: { slackUserId }, create: signed, update: signed }));
}

const toSlackUser = ({ slackUserId, userName, groups, createdAt }: SlackUserRecord): SlackUserRecord => ({
  slackUserId,
  userName,
  groups,
  createdAt,
});

/** Null also for one whose row cannot be trusted: who that is, nobody has said. */
export async function readSlackUser(tx: Transaction, slackUserId: string): Promise<SlackUserRecord | null> {
  const row = await tx.slackUser.findUnique({ where: { slackUserId } });
  return row === null || !guardOf(tx).isAuthentic('slack_user', row) ? null : toSlackUser(row);
}

/** False where there is none. */
export async function deleteSlackUser(tx: Transaction, slackUserId: string): Promise<boolean> {
  const isGone = (await tx.slackUser.deleteMany({ where: { slackUserId } })).count > 0;
  if (isGone) guardOf(tx).remove('slack_user', slackUserId);
  return isGone;
}

export async function listSlackUsers(
  tx: Transaction,
  page: { readonly after?: string; readonly limit: number },
): Promise<SlackUserRecord[]> {
  const where = page.after === undefined ? {} : { slackUserId: { gt: page.after } };
  const rows = await tx.slackUser.findMany({ where, orderBy: { slackUserId: 'asc' }, take: page.limit });
  return (await guardOf(tx).authentic('slack_user', rows)).map(toSlackUser);
}

/** Accepts a signature once. False: it was accepted before, so this is a replay. Forgets those older than `keepMs`. */
export async function acceptSlackSignature(tx: Transaction, signature: string, now: Date, keepMs: number): Promise<boolean> {
  await tx.slackRequest.deleteMany({ where: { at: { lt: new Date(now.getTime() - keepMs) } } });
  const { count } = await tx.slackRequest.createMany({ data: [{ signature, at: now }], skipDuplicates: true });
  return count > 0;
}
