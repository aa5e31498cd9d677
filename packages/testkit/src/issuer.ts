/** An OIDC issuer that serves discovery and JWKS, and signs any claims of a test. */
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTHeaderParameters } from 'jose';

import { startTarget } from './target.ts';

export interface TestIssuer {
  /** The `iss`, and where discovery is. */
  readonly issuer: string;
  readonly jwksUri: string;
  /** How often each path was asked for. */
  readonly hits: Readonly<Record<string, number>>;
  /** The published keys; a test may change what is served. */
  jwks: { keys: JWK[] };
  /**
   * A signed token. Unless overridden: `iss`, `sub` "machine", `aud` "hoop", `iat` now, `exp` in five minutes, a fresh `jti`.
   * A claim given as undefined is left out.
   */
  sign(
    claims?: Record<string, unknown>,
    options?: { readonly header?: Partial<JWTHeaderParameters>; readonly key?: CryptoKey },
  ): Promise<string>;
  /** A new signing key; the old one stays published unless `forget`. */
  rotate(options?: { readonly forget?: boolean }): Promise<void>;
  close(): Promise<void>;
}

export interface TestIssuerOptions {
  /** @default "ES256" */
  readonly algorithm?: string;
  /** Unix milliseconds. @default Date.now */
  readonly now?: () => number;
}

export async function startIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const { algorithm = 'ES256', now = Date.now } = options;
  let serial = 0;
  const makeKey = async (): Promise<{ privateKey: CryptoKey; jwk: JWK }> => {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
    return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: `key-${++serial}`, alg: algorithm, use: 'sig' } };
  };
  let current = await makeKey();
  const hits: Record<string, number> = {};

  const target = await startTarget((request, response) => {
    const path = request.url ?? '/';
    hits[path] = (hits[path] ?? 0) + 1;
    response.setHeader('content-type', 'application/json');
    if (path === '/.well-known/openid-configuration') {
      response.end(JSON.stringify({ issuer: made.issuer, jwks_uri: made.jwksUri, id_token_signing_alg_values_supported: [algorithm] }));
    } else if (path === '/jwks') {
      response.end(JSON.stringify(made.jwks));
    } else {
      response.statusCode = 404;
      response.end('{}');
    }
  });

  const made: TestIssuer = {
    issuer: target.url,
    jwksUri: `${target.url}/jwks`,
    hits,
    jwks: { keys: [current.jwk] },
    sign: (claims = {}, { header = {}, key = current.privateKey } = {}) => {
      const seconds = Math.floor(now() / 1000);
      const all = { iss: target.url, sub: 'machine', aud: 'hoop', iat: seconds, exp: seconds + 300, jti: crypto.randomUUID(), ...claims };
      const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
      return new SignJWT(given).setProtectedHeader({ alg: algorithm, kid: current.jwk.kid!, typ: 'JWT', ...header }).sign(key);
    },
    rotate: async ({ forget = false } = {}) => {
      current = await makeKey();
      made.jwks = { keys: forget ? [current.jwk] : [...made.jwks.keys, current.jwk] };
    },
    close: () => target.close(),
  };
  return made;
}
