/** A Hoop for clients of other makers: three connections that differ in what becomes of a call, and both ways to come in. */
import { createFetch, type HoopFetch } from '@hoop/fetch';
import type { MaskRule, Rule } from '@hoop/contract';

import { type RealHoop, type RealHoopOptions, startRealHoop } from '../../packages/fetch/test/real-hoop.ts';

/** How the rule of `denied` says why. A client shows it to the person in front of it. */
export const reason = 'Refunds are made by people.';

export interface PeerHoop extends RealHoop {
  readonly fetch: HoopFetch;
  /** A grant as clients without the SDK get it. */
  grant(connections: readonly string[]): Promise<string>;
  /** A connection whose policy masks, and whose settings are not the defaults. */
  connectMasked(name: string, target: string, rules: Rule[], mask: MaskRule[], settings?: object): Promise<void>;
}

export const allowAll: Rule[] = [{ name: 'all', effect: 'allow', match: {} }];

export async function startPeerHoop(options: RealHoopOptions = {}): Promise<PeerHoop> {
  const hoop = await startRealHoop(options);
  return {
    ...hoop,
    fetch: createFetch({ url: hoop.url, token: () => hoop.identityToken() }),
    async grant(connections) {
      const response = await fetch(`${hoop.url}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
          subject_token: await hoop.identityToken(),
          scope: connections.join(' '),
        }),
      });
      if (!response.ok) throw new Error(`no grant: ${response.status} ${await response.text()}`);
      return ((await response.json()) as { access_token: string }).access_token;
    },
    async connectMasked(name, target, rules, mask, settings = {}) {
      const first = { 'if-none-match': '*' };
      await hoop.change('POST', '/v1/connections', { name, target, allowedCidrs: ['127.0.0.0/8'], identities: ['nightly'], ...settings });
      const credential = { settings: { type: 'static', injection: { into: 'header' } }, secrets: { secret: `${name}-secret` } };
      await hoop.change('PUT', `/v1/connections/${name}/credential`, credential, first);
      await hoop.change('PUT', `/v1/connections/${name}/policy`, { rules, mask }, first);
    },
  };
}
