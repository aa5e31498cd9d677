/**
 * Every kind of credential source. A new one is: its settings and secrets in contract/credential-source.ts, a file beside
 * this one, and a line here; a kind without a line does not compile.
 */
import type { CredentialSourceSettings } from '@hoop/contract';
import type { Secret } from '@hoop/sealing';

import { clientCredentials } from './client-credentials.ts';
import type { CredentialSource, ObtainInput, Obtained, Sign, SourceType } from './source.ts';
import { staticSecret } from './static.ts';

const sources: { readonly [T in SourceType]: CredentialSource<T> } = {
  static: staticSecret,
  oauth2_client_credentials: clientCredentials,
};

const sourceOf = (settings: CredentialSourceSettings): CredentialSource<SourceType> =>
  sources[settings.type] as unknown as CredentialSource<SourceType>;

export const obtainFrom = (input: ObtainInput<SourceType>): Promise<Obtained> => sourceOf(input.settings).obtain(input);
export const signerOf = (settings: CredentialSourceSettings, secret: Secret<string>): Sign => sourceOf(settings).signer(settings, secret);
export const describeSource = (settings: CredentialSourceSettings): string => sourceOf(settings).describe(settings);
