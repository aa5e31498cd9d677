export { createGrantVerifier, mintGrant } from './grant.ts';
export type { GrantInput, GrantVerifier, GrantVerifierOptions } from './grant.ts';
export { generateGrantKeys, grantAlgorithm, toPublicJwks } from './keys.ts';
export type { GeneratedGrantKeys, JwkSet } from './keys.ts';
export { createProviderVerifier } from './provider-verifier.ts';
export type { ProviderVerifier, VerifiedSubject } from './provider-verifier.ts';
export type { ProviderFetch, ProviderFetchFactory } from './provider-keys.ts';
