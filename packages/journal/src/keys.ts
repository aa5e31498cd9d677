import type { KeyObject } from 'node:crypto';

/** Makes the keys of segments. What is wrapped lies beside the groups; only the relays' own key opens it. */
export interface JournalKeys {
  create(): Promise<{ readonly key: KeyObject; readonly wrapped: string }>;
  /** Rejects where no key of this relay fits. */
  open(wrapped: string): Promise<KeyObject>;
}
