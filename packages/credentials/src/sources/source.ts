/** Defines a kind of credential source: how it obtains a credential, and how it signs a request. */
import type { CredentialSecrets, CredentialSourceSettings, HeaderList } from '@hoop/contract';
import type { Secret } from '@hoop/sealing';
import type { GuardedFetch } from '@hoop/upstream';

export type SourceType = CredentialSourceSettings['type'];
export type SettingsOf<T extends SourceType> = Extract<CredentialSourceSettings, { type: T }>;

export interface ObtainInput<T extends SourceType> {
  readonly settings: SettingsOf<T>;
  readonly secrets: Secret<CredentialSecrets>;
  /** For the connection's addresses, with its time limit. */
  readonly fetch: GuardedFetch;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** The result of obtaining a credential from a source. */
export interface Obtained {
  readonly secret: Secret<string>;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** A request as it will be sent, but for what signing adds. */
export interface SignableRequest {
  readonly method: string;
  /** The target's, with the query as it is before signing. */
  readonly url: string;
  readonly headers: HeaderList;
  /** `` or `?…`. */
  readonly search: string;
  /** The whole body; null where the request has none, or has a stream that was not held. */
  readonly body: Uint8Array | null;
}

export interface Signed {
  readonly headers: HeaderList;
  readonly search: string;
}

export type Sign = (request: SignableRequest) => Signed;

export interface RevokeInput<T extends SourceType> extends ObtainInput<T> {
  /** As it was obtained. */
  readonly secret: Secret<string>;
}

export interface CredentialSource<T extends SourceType> {
  /** @throws AppError `credential_unavailable` with a detail that says what to do; never with anything secret */
  obtain(input: ObtainInput<T>): Promise<Obtained>;
  /**
   * Made once for each lease: what can be computed beforehand is.
   * @throws AppError `credential_unavailable` where the secret cannot stand where it should
   */
  signer(settings: SettingsOf<T>, secret: Secret<string>): Sign;
  /** Whether what was obtained can be revoked under these settings, so that `revoke` has something to do. */
  isRevocable(settings: SettingsOf<T>): boolean;
  /** One attempt to make an obtained credential worthless. False: it may be tried again. Never throws anything secret. */
  revoke(input: RevokeInput<T>): Promise<boolean>;
  /** How logs name it: public settings only. */
  describe(settings: SettingsOf<T>): string;
}
