/** OAuth 2.0 client credentials (RFC 6749 §4.4), and the revocation of their access tokens (RFC 7009). */
import { AppError, parseJson } from '@hoop/contract';
import { Secret } from '@hoop/sealing';
import { FetchRefused } from '@hoop/upstream';
import type { GuardedResponse } from '@hoop/upstream';
import { SignJWT, importJWK } from 'jose';
import type { JWK } from 'jose';

import { createInjector } from '../injection.ts';
import type { CredentialSource, ObtainInput, Obtained, RevokeInput, SettingsOf } from './source.ts';

type Settings = SettingsOf<'oauth2_client_credentials'>;
type Input = ObtainInput<'oauth2_client_credentials'>;

/** Where the answer does not say (RFC 6749 §5.1 only recommends it). */
const defaultLifetimeSeconds = 300;
const maxLifetimeSeconds = 86_400;
const assertionLifetimeSeconds = 60;

/** RFC 6749 §5.2, RFC 8707 §2. Only these words are passed on: anything else of the answer could repeat the secret. */
const advice: Readonly<Record<string, string>> = {
  invalid_request: 'Check audience, resource and scope in the settings.',
  invalid_client: 'Check the client id, the client secret or key, and how the client authenticates.',
  invalid_grant: 'Check the client.',
  unauthorized_client: 'The client may not use the client credentials grant.',
  unsupported_grant_type: 'The server does not offer the client credentials grant.',
  invalid_scope: 'Check the scope in the settings.',
  invalid_target: 'Check the resource or audience in the settings.',
  server_error: 'The server has a fault.',
  temporarily_unavailable: 'Try again later.',
};

export const clientCredentials: CredentialSource<'oauth2_client_credentials'> = {
  obtain,
  signer: ({ injection }, secret) => createInjector(injection, secret),
  isRevocable: ({ revocationUrl }) => revocationUrl !== undefined,
  revoke,
  describe: ({ tokenUrl, clientId }) => `OAuth client credentials of ${JSON.stringify(clientId)} at ${new URL(tokenUrl).host}`,
};

async function obtain({ settings, secrets, fetch, now, signal }: Input): Promise<Obtained> {
  const host = new URL(settings.tokenUrl).host;
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  for (const name of ['scope', 'audience', 'resource'] as const) {
    const value = settings[name];
    if (value !== undefined) form.set(name, value);
  }
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  await authenticate({ settings, secrets, now, form, headers });
  // The lifetime counts from here: the server's clock started no earlier than the request.
  const askedAt = now();
  let response: GuardedResponse;
  try {
    response = await fetch(settings.tokenUrl, { method: 'POST', headers, body: form.toString(), signal });
  } catch (error) {
    throw unavailable(`The token endpoint could not be asked: ${error instanceof FetchRefused ? error.reason : 'an unexpected fault.'}`);
  }
  if (response.status !== 200 && response.status !== 201) throw refusalOf(response, host);
  return readToken(response, host, askedAt);
}

/** RFC 7009 §2: 200 also where the server does not know the token any more. */
async function revoke({ settings, secrets, secret, fetch, now, signal }: RevokeInput<'oauth2_client_credentials'>): Promise<boolean> {
  const form = new URLSearchParams({ token: secret.reveal(), token_type_hint: 'access_token' });
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  await authenticate({ settings, secrets, now, form, headers });
  const { status } = await fetch(settings.revocationUrl!, { method: 'POST', headers, body: form.toString(), signal });
  return status >= 200 && status < 300;
}

function unavailable(detail: string, retryAfterSeconds?: number): AppError {
  return new AppError(
    'credential_unavailable',
    detail,
    retryAfterSeconds === undefined ? {} : { headers: { 'retry-after': String(retryAfterSeconds) } },
  );
}

interface Authentication extends Pick<Input, 'settings' | 'secrets' | 'now'> {
  readonly form: URLSearchParams;
  readonly headers: Record<string, string>;
}

async function authenticate({ settings, secrets, now, form, headers }: Authentication): Promise<void> {
  const { clientId } = settings;
  if (settings.clientAuthentication === 'private_key_jwt') {
    form.set('client_id', clientId);
    form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    form.set('client_assertion', await signAssertion(settings, secrets.reveal().privateKey, now()));
    return;
  }
  const { clientSecret } = secrets.reveal();
  if (clientSecret === undefined) throw unavailable('The credential source has no client secret. Enter it.');
  if (settings.clientAuthentication === 'client_secret_post') {
    form.set('client_id', clientId);
    form.set('client_secret', clientSecret);
  } else {
    headers['authorization'] = `Basic ${Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret)}`).toString('base64')}`;
  }
}

/** RFC 6749 §2.3.1 and appendix B: both halves are form-encoded before they are joined. */
const formEncode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);

/** RFC 7523 §2.2 and §3. */
async function signAssertion(settings: Settings, privateKey: Record<string, unknown> | undefined, now: number): Promise<string> {
  if (privateKey === undefined) throw unavailable('The credential source has no private key. Enter it.');
  const seconds = Math.floor(now / 1000);
  try {
    const jwk = privateKey as JWK;
    const alg = jwk.alg ?? '';
    return await new SignJWT({
      iss: settings.clientId,
      sub: settings.clientId,
      aud: settings.assertionAudience ?? settings.tokenUrl,
      jti: crypto.randomUUID(),
      iat: seconds,
      exp: seconds + assertionLifetimeSeconds,
    })
      .setProtectedHeader({ alg, typ: 'JWT', ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) })
      .sign(await importJWK(jwk, alg));
  } catch {
    // The library's message could describe the key.
    throw unavailable('The private key cannot sign. Enter a private JWK whose "alg" fits its type.');
  }
}

function readJson(response: GuardedResponse): Record<string, unknown> {
  try {
    const value: unknown = parseJson(response.body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // not JSON: the caller says so without quoting it
  }
  return {};
}

function refusalOf(response: GuardedResponse, host: string): AppError {
  const error = readJson(response)['error'];
  const known = typeof error === 'string' && Object.hasOwn(advice, error) ? error : undefined;
  const said = known === undefined ? '' : ` "${known}"`;
  const hint = known === undefined ? 'See its log for the reason.' : advice[known];
  const wait = Number(response.headers['retry-after']);
  return unavailable(
    `The token endpoint at ${host} answered ${response.status}${said}. ${hint}`,
    wait >= 1 && wait <= 3600 ? Math.ceil(wait) : undefined,
  );
}

/** b64token (RFC 6750 §2.1) and a little more: visible ASCII, as it goes into a header. */
const accessToken = /^[\x21-\x7e]{1,16384}$/;

function readToken(response: GuardedResponse, host: string, askedAt: number): Obtained {
  const answer = readJson(response);
  const token = answer['access_token'];
  const type = answer['token_type'];
  if (typeof token !== 'string' || !accessToken.test(token))
    throw unavailable(`The token endpoint at ${host} answered without a usable access token.`);
  // RFC 6749 §5.1 requires it; servers that leave it out issue bearer tokens.
  if (type !== undefined && type !== null && (typeof type !== 'string' || type.toLowerCase() !== 'bearer')) {
    throw unavailable(
      `The token endpoint at ${host} gave a token that is not of the type Bearer, which is the only one that can be injected.`,
    );
  }
  const lifetime = answer['expires_in'] == null ? defaultLifetimeSeconds : Number(answer['expires_in']);
  if (!Number.isFinite(lifetime) || lifetime <= 0)
    throw unavailable(`The token endpoint at ${host} gave a token that has already expired.`);
  return { secret: new Secret(token), expiresAt: askedAt + Math.min(lifetime, maxLifetimeSeconds) * 1000 };
}
