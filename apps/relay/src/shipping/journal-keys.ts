import type { JournalKeys } from '@hoop/journal';
import { createDataKey, openDataKey, toPublicJwks } from '@hoop/sealing';
import type { JwkSet } from '@hoop/sealing';

/** @param keys the relays' private keys: the first one's public half wraps, any of them opens */
export function journalKeys(keys: JwkSet): JournalKeys {
  const [sealingKey] = toPublicJwks(keys).keys;
  return {
    create: () => createDataKey(sealingKey!),
    open: (wrapped) => openDataKey(keys, wrapped),
  };
}
