import { createSecretKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type { JournalKeys } from '../src/keys.ts';

/** Keys under a number, as the wrapped ones lie under their seal. */
export function testKeys(): JournalKeys {
  const keys: KeyObject[] = [];
  return {
    create: () => {
      const key = createSecretKey(randomBytes(32));
      return Promise.resolve({ key, wrapped: String(keys.push(key) - 1) });
    },
    open: (wrapped) => Promise.resolve(keys[Number(wrapped)]!),
  };
}
