/** Reading a compact JWS (RFC 7515 §7.1) before anything in it is trusted. */
import { AppError, parseJson, tokenAlgorithms } from '@hoop/contract';

/** Longest token that is looked at, characters. */
export const maxTokenLength = 16_384;

export interface DecodedToken {
  readonly header: { readonly alg: string; readonly kid?: string; readonly typ?: string };
  readonly claims: Record<string, unknown>;
}

const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
const asymmetric: ReadonlySet<string> = new Set(tokenAlgorithms);
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodePart(part: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(utf8.decode(Buffer.from(part, 'base64url')));
  } catch {
    throw new AppError('token_malformed', `The ${what} of the token is not JSON. Send the token exactly as the issuer gave it.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AppError('token_malformed', `The ${what} of the token is not a JSON object.`);
  }
  return value as Record<string, unknown>;
}

/**
 * Header and claims, not verified.
 * @throws AppError `token_missing`, `token_malformed`, `token_algorithm_refused`
 */
export function decodeToken(token: string): DecodedToken {
  if (token === '') throw new AppError('token_missing', 'No token was sent.');
  if (token.length > maxTokenLength) {
    throw new AppError('token_malformed', `The token is longer than ${maxTokenLength} characters, which is the limit.`);
  }
  if (!compactForm.test(token)) {
    throw new AppError('token_malformed', 'The token is not a signed JWT: three base64url parts with dots between them are expected.');
  }
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  const header = decodePart(token.slice(0, first), 'header');
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || !asymmetric.has(alg)) {
    throw new AppError(
      'token_algorithm_refused',
      `The token says that it is signed with ${JSON.stringify(alg ?? null)}; only asymmetric signatures are accepted (${tokenAlgorithms.join(', ')}).`,
    );
  }
  // No extension is understood here, so none that is critical may be present (RFC 7515 §4.1.11).
  if (header['crit'] !== undefined)
    throw new AppError('token_malformed', 'The token has critical header extensions ("crit"), which are not supported.');
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > 1024)) {
    throw new AppError('token_malformed', 'The "kid" of the token header is not a non-empty string.');
  }
  if (typ !== undefined && typeof typ !== 'string') throw new AppError('token_malformed', 'The "typ" of the token header is not a string.');
  const claims = decodePart(token.slice(first + 1, second), 'payload');
  return { header: { alg, ...(kid === undefined ? {} : { kid }), ...(typ === undefined ? {} : { typ }) }, claims };
}

/** A NumericDate (RFC 7519 §2) in milliseconds. */
export function claimInstant(claims: Record<string, unknown>, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > 1e11) {
    throw new AppError('token_malformed', `The claim "${name}" of the token is not a time in seconds.`);
  }
  return value * 1000;
}

/** As `claimInstant`, for a claim that must be there. */
export function requiredInstant(claims: Record<string, unknown>, name: string): number {
  const instant = claimInstant(claims, name);
  if (instant === undefined) throw new AppError('token_claim_missing', `The token has no "${name}" claim.`, { extras: { claim: name } });
  return instant;
}

export const isoInstant = (milliseconds: number): string => new Date(milliseconds).toISOString();
