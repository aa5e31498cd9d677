import { createHash } from 'node:crypto';

import { newId } from '@hoop/contract';
import type { CredentialSourceSettings } from '@hoop/contract';
import { Secret } from '@hoop/sealing';

import { signerOf } from './sources/registry.ts';
import type { Obtained, Sign } from './sources/source.ts';

/** One obtained credential, in memory only. Nothing that prints it shows the secret. */
export interface Lease {
  readonly id: string;
  readonly connectionId: string;
  /** Origins that it may be sent to. */
  readonly hosts: readonly string[];
  /** Unix milliseconds; it is not handed out for the last moments before. */
  readonly expiresAt: number;
  /** SHA-256 of the secret, first 16 hexadecimal digits. */
  readonly fingerprint: string;
  /** As its source gave it. */
  readonly credential: Secret<string>;
  /** Values that must never come back from the target. */
  readonly secretValues: Secret<string[]>;
  /** The request with the credential in it, or signed with it. */
  readonly sign: Sign;
}

export function createLease(
  input: Obtained & {
    readonly connectionId: string;
    readonly hosts: readonly string[];
    readonly source: CredentialSourceSettings;
    readonly now: number;
  },
): Lease {
  const sign = signerOf(input.source, input.secret);
  const secret = input.secret.reveal();
  return {
    id: newId('lease', input.now),
    connectionId: input.connectionId,
    hosts: input.hosts,
    expiresAt: input.expiresAt,
    fingerprint: createHash('sha256').update(secret).digest('hex').slice(0, 16),
    credential: input.secret,
    secretValues: new Secret([secret]),
    sign,
  };
}
