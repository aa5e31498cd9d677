import { createAdminToken as operation, newId } from '@hoop/contract';
import { insertAdminToken } from '@hoop/database';

import { hashToken } from '../access/hash-token.ts';
import { mutate } from '../audit/mutate.ts';
import { route } from '../http/route.ts';
import { newAdminToken } from './token.ts';

export const createAdminToken = route(operation, async (call) => {
  const { name, role, user, groups, expiresInSeconds } = call.body;
  const token = newAdminToken();

  return mutate(call, { action: 'admin_token.create', isConfiguration: false }, async ({ tx, at }) => {
    const id = newId('admin_token', at.getTime());
    const created = await insertAdminToken(tx, {
      id,
      name,
      role,
      hash: hashToken(token).toString('hex'),
      userName: user ?? null,
      groups,
      createdBy: call.actor.name,
      at,
      expiresAt: new Date(at.getTime() + expiresInSeconds * 1000),
    });
    return {
      reply: { body: { ...created, token }, headers: { location: `/v1/admin-tokens/${id}` } },
      kept: { ...created, token: null },
      target: { type: 'admin_token', id, name },
      before: null,
      after: created,
    };
  });
});
