import { decodeJwt } from 'jose';

/** Claims of a token before verification: hearsay, truncated to a size that may be stored. */
export interface Hearsay {
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly claims: Record<string, unknown> | null;
}

const nothing: Hearsay = { issuer: null, subject: null, claims: null };
const maxClaimsLength = 8192;

const short = (value: unknown): string | null => (typeof value === 'string' ? value.slice(0, 500) : null);

export function hearsayOf(token: string | undefined): Hearsay {
  if (token === undefined) return nothing;
  try {
    const claims = decodeJwt(token) as Record<string, unknown>;
    const isSmall = JSON.stringify(claims).length <= maxClaimsLength;
    return { issuer: short(claims['iss']), subject: short(claims['sub']), claims: isSmall ? withoutNul(claims) : null };
  } catch {
    return nothing;
  }
}

/** Postgres keeps no U+0000 in jsonb or text. */
export function withoutNul<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replaceAll('\\u0000', '\\ufffd')) as T;
}
