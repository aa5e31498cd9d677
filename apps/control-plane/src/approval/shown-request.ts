import { shownRequestSchema, type ShownRequest } from '@hoop/contract';
import { readShown, type Transaction } from '@hoop/database';
import { openBody, openDataKey, type JwkSet } from '@hoop/sealing';

/** Opens what an approver is shown. Null where there is no such approval. Throws where a byte of it was changed. */
export async function openShownRequest(
  tx: Transaction,
  recording: JwkSet,
  approval: { readonly id: string; readonly callId: string },
): Promise<ShownRequest | null> {
  const shown = await readShown(tx, approval.id);
  if (shown === null) return null;
  const key = await openDataKey(recording, shown.wrappedKey);
  const plain = openBody(key, shown.sealed.toString('base64'), `${approval.callId}:approval`);
  return shownRequestSchema.parse(JSON.parse(plain.toString('utf8')));
}
