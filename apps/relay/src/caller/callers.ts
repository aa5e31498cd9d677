/** Who calls: a verified token and the identity that it belongs to, remembered until something that the verification depends on changes. */
import type { CallHead } from '@hoop/contract';
import { LRUCache } from 'lru-cache';

import type { Session } from './sessions.ts';
import type { KnownIdentity } from '../configuration/configuration.ts';

export interface Caller {
  readonly identity: KnownIdentity;
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** Those of the token's claims that `claims` was cut to; null: `claims` is all of them. */
  readonly claimNames: ReadonlySet<string> | null;
  /** Null where a provider's own token was presented. */
  readonly grantId: string | null;
  /** Connections that the grant is good for; null: all that the identity may use. */
  readonly connectionIds: ReadonlySet<string> | null;
  readonly issuedAtSeconds: number;
  /** Unix milliseconds, exclusive. */
  readonly expiresAt: number;
  /** Names the calls' session where the caller gives no name. */
  readonly sessionName: string;
  readonly record: CallHead['subject'];
  /** Of the configuration's keys when the credential was verified. */
  readonly keyGeneration: number;
  /** The revision at which identity and provider were last found to be in order. */
  checkedRevision: number;
  /** Its session under `sessionName`, once that has its key. */
  session: Session | null;
  /** The claims are recorded with the first call only. */
  areClaimsRecorded: boolean;
}

const maxCallers = 10_000;
/** Longer credentials are verified every time, so that the cache's memory is bounded. */
const maxCredentialLength = 8192;

/** By the presented credential itself, word for word. Only verified ones get in. */
export class Callers {
  readonly #byCredential = new LRUCache<string, Caller>({ max: maxCallers });

  get(credential: string): Caller | undefined {
    return this.#byCredential.get(credential);
  }

  remember(credential: string, caller: Caller): void {
    if (credential.length > maxCredentialLength) return;
    this.#byCredential.set(credential, caller);
  }

  forget(credential: string): void {
    this.#byCredential.delete(credential);
  }

  clear(): void {
    this.#byCredential.clear();
  }
}
