import { deleteSlackUser as deleteOperation, listSlackUsers as listOperation, putSlackUser as putOperation } from '@hoop/contract';
import {
  deleteSlackUser as remove,
  listSlackUsers as readPage,
  putSlackUser as write,
  readSlackUser,
  type SlackUserRecord,
} from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

const toResource = ({ slackUserId, userName, groups, createdAt }: SlackUserRecord) => ({
  slackUserId,
  user: userName,
  groups,
  createdAt: createdAt.toISOString(),
});

export const putSlackUser = route(putOperation, async (call) => {
  const { slackUserId } = call.params;
  return mutate(call, { action: 'slack_user.put', isConfiguration: false }, async ({ tx, at }) => {
    const before = await readSlackUser(tx, slackUserId);
    const after = toResource(await write(tx, { slackUserId, userName: call.body.user, groups: call.body.groups }, at));
    return {
      reply: { body: after },
      target: { type: 'slack_user', id: slackUserId, name: after.user },
      before: before === null ? null : toResource(before),
      after,
    };
  });
});

export const listSlackUsers = route(listOperation, async ({ context, query }) => {
  const after = query.cursor === undefined ? undefined : Buffer.from(query.cursor, 'base64url').toString('latin1');
  const rows = await readPage(context.database.prisma, { limit: query.limit + 1, ...(after === undefined ? {} : { after }) });
  const items = rows.slice(0, query.limit);
  const next = rows.length > query.limit ? Buffer.from(items.at(-1)!.slackUserId, 'latin1').toString('base64url') : null;
  return { body: { items: items.map(toResource), next } };
});

export const deleteSlackUser = route(deleteOperation, async (call) => {
  const { slackUserId } = call.params;
  return mutate(call, { action: 'slack_user.delete', isConfiguration: false }, async ({ tx }) => {
    const before = found(await readSlackUser(tx, slackUserId), 'Slack user');
    await remove(tx, slackUserId);
    return { reply: {}, target: { type: 'slack_user', id: slackUserId, name: before.userName }, before: toResource(before), after: null };
  });
});
