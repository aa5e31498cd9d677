/** OIDC issuers, and others that publish keys for their JWTs (OpenID Connect Core §3.1.3.7, RFC 8725). */
import { AppError } from '@hoop/contract';
import { compactVerify, importJWK } from 'jose';
import type { JWK } from 'jose';

import { claimInstant, decodeToken, isoInstant, requiredInstant } from '../../decode.ts';
import type { DecodedToken } from '../../decode.ts';
import type { ProviderKind, ProviderOf, SettingsOf, VerifiedSubject, VerifierDependencies, Verify } from '../kind.ts';
import { createProviderKeys } from './provider-keys.ts';
import type { ProviderKeys } from './provider-keys.ts';
import { selectKey } from './select-key.ts';

/** Explicit typing (RFC 8725 §3.11): a logout or security event token of the same issuer is no proof of identity. */
const acceptedTypes = new Set(['jwt', 'at+jwt', 'application/at+jwt', 'application/jwt', 'jose', 'id_token', 'wit+jwt']);

type Settings = SettingsOf<'oidc'>;
type Provider = ProviderOf<'oidc'>;

export const oidc: ProviderKind<'oidc'> = {
  // JWS Compact Serialization (RFC 7515 §7.1).
  reads: (token) => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token),
  createVerify,
  endpoints: ({ issuer, jwksUri }) => [jwksUri === undefined ? { url: issuer, name: 'issuer' } : { url: jwksUri, name: 'JWKS URI' }],
  trust: ({ issuer, jwksUri, audiences, algorithms }: Settings) => ({ issuer, jwksUri, audiences, algorithms }),
  overlap(one, other) {
    const shared = one.audiences.find((audience) => other.audiences.includes(audience));
    return shared === undefined ? null : `the audience "${shared}"`;
  },
};

function createVerify(dependencies: VerifierDependencies): Verify<'oidc'> {
  const { now } = dependencies;
  const keysOf = new Map<string, { readonly fingerprint: string; readonly keys: ProviderKeys }>();

  const providerKeys = (provider: Provider, providers: readonly Provider[]): ProviderKeys => {
    const { issuer, jwksUri, allowedCidrs } = provider.settings;
    const fingerprint = JSON.stringify([provider.name, issuer, jwksUri, allowedCidrs]);
    const found = keysOf.get(provider.id);
    if (found?.fingerprint === fingerprint) return found.keys;
    if (keysOf.size > 2 * providers.length + 100) {
      const present = new Set<string>(providers.map(({ id }) => id));
      for (const id of keysOf.keys()) if (!present.has(id)) keysOf.delete(id);
    }
    const keys = createProviderKeys(provider, dependencies);
    keysOf.set(provider.id, { fingerprint, keys });
    return keys;
  };

  return async (token, providers) => {
    const decoded = decodeToken(token);
    const { header, claims } = decoded;
    if (header.typ !== undefined && !acceptedTypes.has(header.typ.toLowerCase())) {
      throw new AppError(
        'token_malformed',
        `A token of the type ${JSON.stringify(header.typ)} does not prove an identity. Send an ID token or an access token.`,
      );
    }
    const provider = findProvider(claims, providers);
    if (!provider.settings.algorithms.some((algorithm) => algorithm === header.alg)) {
      throw new AppError(
        'token_algorithm_refused',
        `The token is signed with ${header.alg}; the identity provider "${provider.name}" may sign with ${provider.settings.algorithms.join(', ')}.`,
      );
    }
    const key = await findKey(providerKeys(provider, providers), provider, header);
    await checkSignature(token, key, header.alg);
    return checkClaims(decoded, provider, now());
  };
}

function audiencesOf(claims: Record<string, unknown>): string[] {
  const { aud } = claims;
  const list = Array.isArray(aud) ? aud : [aud];
  const audiences = list.filter((one): one is string => typeof one === 'string');
  if (audiences.length === 0) throw new AppError('token_claim_missing', 'The token has no "aud" claim.', { extras: { claim: 'aud' } });
  return audiences;
}

function findProvider(claims: Record<string, unknown>, providers: readonly Provider[]): Provider {
  const { iss } = claims;
  if (typeof iss !== 'string' || iss === '')
    throw new AppError('token_claim_missing', 'The token has no "iss" claim.', { extras: { claim: 'iss' } });
  const ofIssuer = providers.filter(({ settings }) => settings.issuer === iss);
  if (ofIssuer.length === 0) {
    throw new AppError('token_issuer_unknown', `No identity provider is registered for the issuer ${JSON.stringify(iss.slice(0, 200))}.`, {
      extras: { issuer: iss.slice(0, 200) },
    });
  }
  const enabled = ofIssuer.filter(({ disabled }) => !disabled);
  if (enabled.length === 0) throw new AppError('provider_disabled', `The identity provider "${ofIssuer[0]!.name}" is disabled.`);
  const audiences = audiencesOf(claims);
  const fitting = enabled.filter(({ settings }) => settings.audiences.some((audience) => audiences.includes(audience)));
  const [provider] = fitting;
  if (provider === undefined) {
    const accepted = [...new Set(enabled.flatMap(({ settings }) => settings.audiences))];
    throw new AppError(
      'token_audience_mismatch',
      `The token is for ${JSON.stringify(audiences.slice(0, 5))}; accepted is ${accepted.map((one) => JSON.stringify(one)).join(' or ')}.`,
    );
  }
  if (fitting.length > 1) {
    throw new AppError(
      'identity_ambiguous',
      `The identity providers ${fitting.map(({ name }) => `"${name}"`).join(' and ')} accept the same issuer and audience.`,
    );
  }
  return provider;
}

async function findKey(keys: ProviderKeys, provider: Provider, header: DecodedToken['header']): Promise<JWK> {
  const since = keys.fetches();
  let choice = selectKey(await keys.current(), header);
  if ('none' in choice) choice = selectKey(await keys.refreshed(since), header);
  if ('key' in choice) return choice.key;
  const named = header.kid === undefined ? 'names no key' : `names the key ${JSON.stringify(header.kid.slice(0, 100))}`;
  if ('none' in choice) {
    const why = choice.weakness === null ? '' : ` A key that it does publish is not accepted: ${choice.weakness}.`;
    throw new AppError(
      'token_key_unknown',
      `The token ${named}, and "${provider.name}" publishes no key for it that can verify ${header.alg}.${why}`,
    );
  }
  throw new AppError('token_key_ambiguous', `The token ${named}, and ${choice.ambiguous} keys of "${provider.name}" come into question.`);
}

async function checkSignature(token: string, jwk: JWK, alg: string): Promise<void> {
  try {
    // Public members only: the keys of an issuer are used to verify, and for nothing else.
    const { kty, crv, x, y, n, e } = jwk;
    const key = await importJWK({ kty, crv, x, y, n, e } as JWK, alg);
    await compactVerify(token, key, { algorithms: [alg] });
  } catch (cause) {
    throw new AppError('token_signature_invalid', 'The signature of the token does not fit the key that it names.', { cause });
  }
}

/** All intervals are half-open: a token that expires at t is refused at t. */
function checkClaims({ claims }: DecodedToken, provider: Provider, now: number): VerifiedSubject {
  const { clockToleranceSeconds, maxAgeSeconds, issuer } = provider.settings;
  const tolerance = clockToleranceSeconds * 1000;
  const { sub } = claims;
  if (typeof sub !== 'string' || sub === '')
    throw new AppError('token_claim_missing', 'The token has no "sub" claim.', { extras: { claim: 'sub' } });
  const expiresAt = requiredInstant(claims, 'exp');
  const issuedAt = requiredInstant(claims, 'iat');
  const notBefore = claimInstant(claims, 'nbf');
  if (now >= expiresAt + tolerance) throw new AppError('token_expired', `The token expired at ${isoInstant(expiresAt)}. Get a new one.`);
  const validFrom = Math.max(issuedAt, notBefore ?? 0);
  if (now < validFrom - tolerance) {
    throw new AppError(
      'token_not_yet_valid',
      `The token is valid from ${isoInstant(validFrom)}, which is in the future. Check the clocks.`,
    );
  }
  if (now >= issuedAt + maxAgeSeconds * 1000 + tolerance) {
    throw new AppError(
      'token_too_old',
      `The token was issued at ${isoInstant(issuedAt)}; at most ${maxAgeSeconds} seconds are accepted. Get a new one.`,
    );
  }
  return { provider, issuer, subject: sub, claims, issuedAt, expiresAt };
}
