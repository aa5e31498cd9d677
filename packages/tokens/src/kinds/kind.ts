/** Defines a kind of identity provider: how its tokens are recognised and verified, and what its settings mean. */
import type { IdentityProviderSettings, ProviderSnapshot } from '@hoop/contract';

export type KindName = IdentityProviderSettings['kind'];
export type SettingsOf<K extends KindName> = Extract<IdentityProviderSettings, { kind: K }>;
export type ProviderOf<K extends KindName> = ProviderSnapshot & { readonly settings: SettingsOf<K> };

/** As `createGuardedFetch` of @hoop/upstream. */
export type ProviderFetch = (url: string) => Promise<{ readonly status: number; readonly body: Uint8Array }>;
export type ProviderFetchFactory = (options: {
  readonly allowedCidrs: readonly string[];
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly retries: number;
}) => ProviderFetch;

export interface VerifierDependencies {
  readonly fetch: ProviderFetchFactory;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** A subject that a token of a provider proves. Whatever the kind, conditions see it as issuer, subject and claims. */
export interface VerifiedSubject {
  readonly provider: ProviderSnapshot;
  readonly issuer: string;
  readonly subject: string;
  /** All claims of the token. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Unix milliseconds. */
  readonly issuedAt: number;
  /** Unix milliseconds; the token is refused from this instant on, but for the tolerance. */
  readonly expiresAt: number;
}

/** @throws AppError `token_*`, `provider_disabled`, `provider_unavailable`, `identity_ambiguous` (two providers fit) */
export type Verify<K extends KindName> = (token: string, providers: readonly ProviderOf<K>[]) => Promise<VerifiedSubject>;

/** An address of a provider, as it stands in its settings. */
export interface Endpoint {
  readonly url: string;
  /** How errors name it. */
  readonly name: string;
}

export interface ProviderKind<K extends KindName> {
  /** Whether a text has the form of this kind's tokens. Nothing in it is believed yet. */
  reads(token: string): boolean;
  /** Made once for each process: it keeps what was fetched of providers. */
  createVerify(dependencies: VerifierDependencies): Verify<K>;
  /** Where keys are fetched from; checked against private addresses when the settings are saved. */
  endpoints(settings: SettingsOf<K>): readonly Endpoint[];
  /** Of the settings, those that decide whose tokens are accepted: a change of them ends the grants of the provider. */
  trust(settings: SettingsOf<K>): Readonly<Record<string, unknown>>;
  /** How one token could fit two providers with the same issuer, as a phrase; null: none can. */
  overlap(one: SettingsOf<K>, other: SettingsOf<K>): string | null;
}
