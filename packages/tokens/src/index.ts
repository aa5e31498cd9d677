export { createGrantVerifier, mintGrant } from './grant.ts';
export type { GrantInput, GrantVerifier, GrantVerifierOptions } from './grant.ts';
export { generateGrantKeys, grantAlgorithm, toPublicJwks } from './keys.ts';
export type { GeneratedGrantKeys, JwkSet } from './keys.ts';
export { createProviderVerifier } from './provider-verifier.ts';
export type { ProviderVerifier } from './provider-verifier.ts';
export { kinds as providerKinds, providerEndpoints, providerOverlap, providerTrust } from './kinds/registry.ts';
export type { ProviderFetch, ProviderFetchFactory, VerifiedSubject } from './kinds/kind.ts';
