/**
 * Every kind of credential source. docs/extending.md lists the places that a new one touches; a kind without a line here
 * does not compile.
 */
import type { CredentialSourceSettings } from '@hoop/contract';
import type { Secret } from '@hoop/sealing';

import { clientCredentials } from './client-credentials.ts';
import type { CredentialSource, ObtainInput, Obtained, RevokeInput, Sign, SourceType } from './source.ts';
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
export const isRevocable = (settings: CredentialSourceSettings): boolean => sourceOf(settings).isRevocable(settings);
export const revokeAt = (input: RevokeInput<SourceType>): Promise<boolean> => sourceOf(input.settings).revoke(input);
