/** Keys and tokens with a form of their own: cloud and SaaS providers', JWTs, private keys. */
import { ASSIGN, DASH, DOT, LOWER, SPACE, UNDERSCORE, UPPER } from '../text/byte-classes.ts';
import { F_TOKEN } from '../text/features.ts';
import type { Detector } from './detector.ts';

const before = '(?<![A-Za-z0-9])';
const after = '(?![A-Za-z0-9])';

/**
 * A name in code that begins like a key, such as `hf_requiredCharacteristicTypesForDisplayMetadata`: letters alone, few of
 * them capitals. Random letters are capitals every other time.
 */
function isIdentifier(key: string): boolean {
  const body = key.slice(key.search(/[_.-]/) + 1);
  if (!/^[A-Za-z_]+$/.test(body)) return false;
  const capitals = body.replaceAll(/[^A-Z]/g, '').length;
  return capitals < body.length / 4;
}

/** `group 1`, where there is one, is the secret part. */
function byForms(
  name: string,
  summary: string,
  minLength: number,
  needs: number,
  forms: readonly string[],
  accepts: (found: string) => boolean = () => true,
): Detector {
  const pattern = new RegExp(forms.map((form) => `${before}(?:${form})`).join('|'), 'gd');
  return {
    name,
    summary,
    needs,
    needsOneOf: 0,
    minLength,
    minDigits: 0,
    minWord: 16,
    features: F_TOKEN,
    contexts: 0,
    find(text, _context, found) {
      for (const match of text.matchAll(pattern)) {
        const group = match.indices!.slice(1).find((one) => one !== undefined) ?? match.indices![0]!;
        if (accepts(match[0])) found(group[0], group[1]);
      }
    },
  };
}

const tokenDetectors: readonly Detector[] = [
  byForms('aws_key', 'AWS access key ids of every kind; secret access keys and session tokens after their names.', 16, UPPER, [
    `(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}${after}`,
    `(?:aws_?)?(?:secret_?access_?key|secretAccessKey|SecretAccessKey|session_?token|sessionToken)["']?\\s{0,3}[:=]\\s{0,3}["']?([A-Za-z0-9/+=]{40,})`,
    `AWS_SECRET_ACCESS_KEY["']?\\s{0,3}[:=]\\s{0,3}["']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])`,
  ]),
  byForms('gcp_key', 'Google Cloud API keys, OAuth access and refresh tokens, client secrets.', 20, UPPER, [
    `AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])`,
    `ya29\\.[0-9A-Za-z_-]{20,}`,
    `GOCSPX-[0-9A-Za-z_-]{28}(?![0-9A-Za-z_-])`,
  ]),
  byForms('azure_key', 'Azure storage and shared access keys, signatures of shared access URLs.', 20, ASSIGN, [
    `AccountKey=([A-Za-z0-9+/]{86}==)`,
    `SharedAccessKey=([A-Za-z0-9+/]{42,86}={0,2})`,
    `sig=([A-Za-z0-9%+/]{40,}(?:=|%3[dD])?)`,
  ]),
  byForms('github_token', 'GitHub tokens of every kind.', 40, UNDERSCORE | LOWER, [
    `gh[pousr]_[A-Za-z0-9]{36,255}${after}`,
    `github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}${after}`,
  ]),
  byForms('gitlab_token', 'GitLab tokens of every kind.', 25, 0, [
    `gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[0-9A-Za-z_-]{20,}(?:\\.[0-9a-z]{2}\\.[0-9a-z]{7,9})?`,
    `GR1348941[0-9A-Za-z_-]{20}`,
  ]),
  byForms('slack_token', 'Slack tokens and incoming webhook addresses.', 20, 0, [
    `xox[abceoprs](?:\\.xox[abps])?-[0-9][0-9A-Za-z-]{9,}`,
    `xapp-[0-9]-[0-9A-Za-z-]{20,}`,
    `hooks\\.slack\\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{40,60})`,
  ]),
  byForms('stripe_key', 'Stripe secret and restricted keys, webhook secrets.', 24, UNDERSCORE | LOWER, [
    `(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}`,
    `whsec_[A-Za-z0-9+/]{24,}={0,2}`,
  ]),
  byForms('openai_key', 'OpenAI keys of every kind.', 40, DASH | LOWER, [
    `sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}`,
    `sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}${after}`,
    `sk-[A-Za-z0-9]{48}${after}`,
  ]),
  byForms('anthropic_key', 'Anthropic keys.', 30, DASH | LOWER, [`sk-ant-[a-z]{2,6}[0-9]{2}-[A-Za-z0-9_-]{20,}`]),
  byForms(
    'saas_key',
    'Keys of further providers that mark theirs by a prefix: SendGrid, npm, PyPI, Hugging Face, Vault, DigitalOcean, Shopify, Databricks, Twilio, Square, Linear, Atlassian and others.',
    20,
    0,
    [
      `SG\\.[A-Za-z0-9_-]{16,32}\\.[A-Za-z0-9_-]{32,64}`,
      `npm_[A-Za-z0-9]{36}${after}`,
      `pypi-AgE[A-Za-z0-9_-]{50,}`,
      `hf_[A-Za-z0-9]{34,}${after}`,
      `hv[sbr]\\.[A-Za-z0-9_-]{24,}`,
      `do[opr]_v1_[0-9a-f]{64}${after}`,
      `shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}${after}`,
      `dapi[0-9a-f]{32}(?:-[0-9])?${after}`,
      `key-[0-9a-f]{32}${after}`,
      `(?:SK|AC)[0-9a-f]{32}${after}`,
      `sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,43}`,
      `EAAA[A-Za-z0-9_-]{56,60}${after}`,
      `li(?:n_api)_[A-Za-z0-9]{40}${after}`,
      `xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}`,
      `fig[dou]r?_[A-Za-z0-9_-]{40,}`,
      `ntn_[A-Za-z0-9]{40,}`,
      `secret_[A-Za-z0-9]{43}${after}`,
      `pat-(?:na|eu)[0-9]-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`,
      `NRAK-[A-Z0-9]{27}${after}`,
      `PMAK-[0-9a-f]{24}-[0-9a-f]{34}${after}`,
      `ATATT3[A-Za-z0-9_=-]{50,}`,
      `dp\\.(?:pt|st|ct|sa|scim|audit)\\.(?:[a-z0-9_-]{2,35}\\.)?[A-Za-z0-9]{40,44}`,
      `tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{10,}-[A-Za-z0-9]{20,}`,
      `sntry[su]_[A-Za-z0-9+/=_]{40,}`,
      `gl(?:sa)_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}${after}`,
      `r8_[A-Za-z0-9]{37}${after}`,
      `gsk_[A-Za-z0-9]{52}${after}`,
      `xai-[A-Za-z0-9]{80}${after}`,
      `pplx-[A-Za-z0-9]{48}${after}`,
      `sbp_[0-9a-f]{40}${after}`,
      `(?:re)_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}${after}`,
      `[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])`,
    ],
    (found) => !isIdentifier(found),
  ),
];

const jwtPattern =
  /(?<![A-Za-z0-9_-])(e[wy][A-Za-z0-9_-]{10,8192})\.([A-Za-z0-9_-]{0,65536})\.([A-Za-z0-9_-]{0,16384})(?:\.([A-Za-z0-9_-]{0,65536})\.([A-Za-z0-9_-]{0,1024}))?(?![A-Za-z0-9_-])/g;

const jwt: Detector = {
  name: 'jwt',
  summary: 'JSON Web Tokens, signed or encrypted (RFC 7519): three or five parts, the first of which decodes to a JOSE header.',
  needs: DOT | LOWER | UPPER,
  needsOneOf: 0,
  minLength: 24,
  minDots: 2,
  minDigits: 0,
  minWord: 16,
  features: F_TOKEN,
  contexts: 0,
  find(text, _context, found) {
    for (const match of text.matchAll(jwtPattern)) if (isJoseHeader(match[1]!)) found(match.index, match.index + match[0].length);
  },
};

function isJoseHeader(part: string): boolean {
  try {
    const header: unknown = JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/')));
    return typeof header === 'object' && header !== null && ('alg' in header || 'enc' in header || 'typ' in header);
  } catch {
    return false;
  }
}

const pem = /-----BEGIN ((?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?)-----[\s\S]*?(?:-----END \1-----|$)/g;

const privateKey: Detector = {
  name: 'private_key',
  summary: 'Private keys in PEM or OpenPGP armour (RFC 7468, RFC 9580), cut off or not.',
  needs: DASH | UPPER | SPACE,
  needsOneOf: 0,
  minLength: 27,
  minDigits: 0,
  minWord: 0,
  features: F_TOKEN,
  contexts: 0,
  find(text, _context, found) {
    for (const match of text.matchAll(pem)) found(match.index, match.index + match[0].length);
  },
};

export const tokens: readonly Detector[] = [...tokenDetectors, jwt, privateKey];
