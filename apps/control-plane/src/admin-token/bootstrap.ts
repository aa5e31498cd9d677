import { newId } from '@hoop/contract';
import { countAdminTokens, insertAdminToken, insertAuditEvent, lockAdminTokens, type Database } from '@hoop/database';

import { hashToken } from '../access/hash-token.ts';

/** Stores the first admin token, from a file of the installer's, only while no token exists. @returns whether it was stored */
export async function bootstrapAdminToken(database: Database, token: string, now: number): Promise<boolean> {
  return database.inTransaction(async (tx) => {
    await lockAdminTokens(tx);
    if ((await countAdminTokens(tx)) > 0) return false;
    const at = new Date(now);
    const hash = hashToken(token).toString('hex');
    const after = await insertAdminToken(tx, {
      id: newId('admin_token', now),
      name: 'bootstrap',
      role: 'admin',
      hash,
      userName: null,
      groups: [],
      createdBy: 'bootstrap',
      at,
      expiresAt: null,
    });
    await insertAuditEvent(tx, {
      id: newId('audit_event', now),
      at,
      actor: { id: 'bootstrap', name: 'bootstrap', role: 'system' },
      action: 'admin_token.create',
      target: { type: 'admin_token', id: after.id, name: after.name },
      change: { after: { ...after } },
      requestId: newId('request', now),
      remote: '',
    });
    return true;
  });
}
