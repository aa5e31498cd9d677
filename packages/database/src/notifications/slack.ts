/** Which approver a Slack user is, and which of Slack's requests were accepted already. */
import type { Transaction } from '../database.ts';

export interface SlackUserRecord {
  readonly slackUserId: string;
  readonly userName: string;
  readonly groups: string[];
  readonly createdAt: Date;
}

export async function putSlackUser(tx: Transaction, user: Omit<SlackUserRecord, 'createdAt'>, now: Date): Promise<SlackUserRecord> {
  const { slackUserId, userName, groups } = user;
  return tx.slackUser.upsert({
    where: { slackUserId },
    create: { slackUserId, userName, groups, createdAt: now },
    update: { userName, groups },
  });
}

export const readSlackUser = (tx: Transaction, slackUserId: string): Promise<SlackUserRecord | null> =>
  tx.slackUser.findUnique({ where: { slackUserId } });

/** False where there is none. */
export async function deleteSlackUser(tx: Transaction, slackUserId: string): Promise<boolean> {
  return (await tx.slackUser.deleteMany({ where: { slackUserId } })).count > 0;
}

export async function listSlackUsers(
  tx: Transaction,
  page: { readonly after?: string; readonly limit: number },
): Promise<SlackUserRecord[]> {
  const where = page.after === undefined ? {} : { slackUserId: { gt: page.after } };
  return tx.slackUser.findMany({ where, orderBy: { slackUserId: 'asc' }, take: page.limit });
}

/** Accepts a signature once. False: it was accepted before, so this is a replay. Forgets those older than `keepMs`. */
export async function acceptSlackSignature(tx: Transaction, signature: string, now: Date, keepMs: number): Promise<boolean> {
  await tx.slackRequest.deleteMany({ where: { at: { lt: new Date(now.getTime() - keepMs) } } });
  const { count } = await tx.slackRequest.createMany({ data: [{ signature, at: now }], skipDuplicates: true });
  return count > 0;
}
