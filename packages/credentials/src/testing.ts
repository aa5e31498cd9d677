/** Shared by the tests of leases: sealed connections and token endpoints. */
import { connectionSettingsSchema, credentialSourceSettingsSchema, newId } from '@hoop/contract';
import type { ConnectionSnapshot, CredentialSecrets } from '@hoop/contract';
import { boundHosts, generateSealingKeys, openSecrets, sealSecrets } from '@hoop/sealing';
import { createGuardedFetch } from '@hoop/upstream';

import { createLeaseCache } from './index.ts';
import type { LeaseCache, LeaseCacheOptions } from './index.ts';
import type { SignableRequest } from './sources/source.ts';

/** To be signed by a lease. */
export const emptyRequest: SignableRequest = { method: 'GET', url: 'https://api.payments.example/', headers: [], search: '', body: null };

export interface Bench {
  readonly seal: (
    source: Record<string, unknown>,
    secrets: CredentialSecrets,
    settings?: Record<string, unknown>,
  ) => Promise<ConnectionSnapshot>;
  readonly cache: LeaseCache;
}

export async function createBench(now: () => number = Date.now, options: Partial<LeaseCacheOptions> = {}): Promise<Bench> {
  const { privateJwks, publicJwks } = await generateSealingKeys();
  return {
    cache: createLeaseCache({
      openSecrets: (sealed, binding) => openSecrets(privateJwks, sealed, binding),
      fetch: createGuardedFetch,
      now,
      random: () => 0.5,
      ...options,
    }),
    seal: async (source, secrets, more = {}) => {
      const id = newId('connection');
      const credentialSourceId = newId('credential_source');
      const settings = connectionSettingsSchema.parse({ target: 'https://api.payments.example', allowedCidrs: ['127.0.0.0/8'], ...more });
      const credential = credentialSourceSettingsSchema.parse(source);
      const sealed = await sealSecrets(publicJwks, {
        connectionId: id,
        credentialSourceId,
        hosts: boundHosts(settings, credential),
        secrets,
      });
      return {
        id,
        name: 'payments',
        disabled: false,
        settings,
        identityIds: [],
        credential: { id: credentialSourceId, revision: 1, settings: credential, sealed },
        policy: null,
      };
    },
  };
}
