import { AppError, revokeAdminToken as operation } from '@hoop/contract';
import { countOtherAdministrators, findAdminToken, lockAdminTokens, revokeAdminToken as writeRevocation } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const revokeAdminToken = route(operation, async (call) =>
  mutate(call, { action: 'admin_token.revoke', isConfiguration: false }, async ({ tx, at }) => {
    await lockAdminTokens(tx);
    const before = found(await findAdminToken(tx, call.params.tokenId), 'admin token');
    if (before.role === 'admin' && before.revokedAt === null && (await countOtherAdministrators(tx, before.id, at)) === 0) {
      throw new AppError('conflict', 'This is the last token that can administer. Make another one with the role admin first.');
    }
    const after = before.revokedAt === null ? await writeRevocation(tx, before.id, at) : before;
    return { reply: { body: after }, target: { type: 'admin_token', id: after.id, name: after.name }, before, after };
  }),
);
