import { createHash } from 'node:crypto';

import { newId } from '@hoop/contract';
import type { HeaderList, Injection } from '@hoop/contract';
import { Secret } from '@hoop/sealing';

import { createInjector } from './injection.ts';
import type { Injectable } from './injection.ts';

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
  /** What must never come back from the target. */
  readonly secretValues: Secret<string[]>;
  /** Puts the credential in place of whatever is there under its name. */
  inject(request: Injectable): { headers: HeaderList; search: string };
}

/** What a credential source brings. */
export interface Obtained {
  readonly secret: string;
  readonly expiresAt: number;
}

export function createLease(
  input: Obtained & {
    readonly connectionId: string;
    readonly hosts: readonly string[];
    readonly injection: Injection;
    readonly now: number;
  },
): Lease {
  const inject = createInjector(input.injection, input.secret);
  return {
    id: newId('lease', input.now),
    connectionId: input.connectionId,
    hosts: input.hosts,
    expiresAt: input.expiresAt,
    fingerprint: createHash('sha256').update(input.secret).digest('hex').slice(0, 16),
    secretValues: new Secret([input.secret]),
    inject,
  };
}
