/** Removes credentials from headers before they are recorded and shown to approvers. */
import type { HeaderList } from '@hoop/contract';

import { redacted } from '../actions/action.ts';
import { foldKey } from '../rules/fold-key.ts';
import { CONTEXT_SECRET, keyContext } from '../detectors/key-context.ts';

const secretNames = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'authentication-info',
  'proxy-authentication-info',
  'hoop-grant',
  'x-api-key',
  'api-key',
  'apikey',
  'x-auth-token',
  'x-access-token',
  'x-csrf-token',
  'x-xsrf-token',
  'x-amz-security-token',
  'x-vault-token',
  'x-goog-api-key',
  'x-goog-iam-authorization-token',
  'private-token',
  'job-token',
  'x-gitlab-token',
  'x-github-token',
  'x-shopify-access-token',
  'x-functions-key',
  'ocp-apim-subscription-key',
  'x-ms-client-principal',
  'x-forwarded-access-token',
  'dpop',
  'x-session-token',
  'x-hub-signature',
  'x-hub-signature-256',
  'stripe-signature',
  'x-slack-signature',
  'x-twilio-signature',
  'cf-access-jwt-assertion',
  'x-amzn-oidc-data',
  'x-amzn-oidc-accesstoken',
]);

export interface MaskHeadersOptions {
  /** Further header names whose values are secret, lower case. @default [] */
  readonly extraNames?: readonly string[];
}

/** The headers with the values of credentials and cookies replaced; a scheme (`Bearer`) and cookie names stay. */
export function maskHeaders(headers: HeaderList, options: MaskHeadersOptions = {}): HeaderList {
  const { extraNames = none } = options;
  return headers.map((header) => {
    const name = header[0].toLowerCase();
    return isSecretHeader(name) || extraNames.includes(name) ? [header[0], maskValue(name, header[1])] : header;
  });
}

const none: readonly string[] = [];
const judged = new Map<string, boolean>();
const maxJudged = 1024;

/** Each name is judged once and remembered. */
function isSecretHeader(name: string): boolean {
  let isSecret = judged.get(name);
  if (isSecret === undefined) {
    isSecret = secretNames.has(name) || (keyContext(foldKey(name)) & CONTEXT_SECRET) !== 0;
    if (judged.size >= maxJudged) judged.clear();
    judged.set(name, isSecret);
  }
  return isSecret;
}

function maskValue(name: string, value: string): string {
  if (name === 'cookie') return value.split(';').map(maskCookie).join(';');
  if (name === 'set-cookie') {
    const [pair, ...attributes] = value.split(';');
    return [maskCookie(pair!), ...attributes].join(';');
  }
  const scheme =
    /^(Basic|Bearer|Digest|Negotiate|NTLM|DPoP|Token|ApiKey|AWS4-HMAC-SHA256|GNAP|Hawk|HOBA|Mutual|OAuth|SCRAM-SHA-256|SCRAM-SHA-1|vapid)[ \t]/i.exec(
      value,
    );
  return scheme === null ? redacted : `${scheme[1]} ${redacted}`;
}

/** `name=value`: the name stays. */
function maskCookie(cookie: string): string {
  const equals = cookie.indexOf('=');
  return equals < 0 ? redacted : `${cookie.slice(0, equals + 1)}${redacted}`;
}
