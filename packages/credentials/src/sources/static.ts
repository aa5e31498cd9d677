/** A secret that somebody entered. */
import { AppError } from '@hoop/contract';
import { Secret } from '@hoop/sealing';

import { createInjector } from '../injection.ts';
import type { CredentialSource } from './source.ts';

/** It is opened anew after this. */
const leaseMs = 3_600_000;

export const staticSecret: CredentialSource<'static'> = {
  async obtain({ secrets, now }) {
    const { secret } = secrets.reveal();
    if (secret === undefined) throw new AppError('credential_unavailable', 'The credential source has no secret. Enter it.');
    return { secret: new Secret(secret), expiresAt: now() + leaseMs };
  },
  signer: ({ injection }, secret) => createInjector(injection, secret),
  // Only who entered it can take it back.
  isRevocable: () => false,
  revoke: () => Promise.resolve(true),
  describe: () => 'a static secret',
};
