/**
 * The `Referer` of a request (Referrer Policy §8.3). The platform would derive it from the relay's URL, which is not where the
 * request goes.
 */
export interface Referrer {
  /** The referrer that the request carries; undefined: none, now or after further redirects. */
  readonly url: string | undefined;
  readonly policy: string;
}

const known = /^(?:no-referrer(?:-when-downgrade)?|same-origin|(?:strict-)?origin(?:-when-cross-origin)?|unsafe-url)$/;
const defaultPolicy = 'strict-origin-when-cross-origin';
const maxLength = 4096;

/** As the caller asked; nothing where it named no URL, as a function has none of its own. */
export function readReferrer(request: Request, url: URL): Referrer {
  const source = request.referrer;
  const policy = request.referrerPolicy || defaultPolicy;
  return { url: /^https?:/.test(source ?? '') ? refererOf(new URL(source), policy, url) : undefined, policy };
}

/** After a redirect, whose `Referrer-Policy` may change the policy (§4.1, §8.2): the last policy that is known counts. */
export function redirectReferrer({ url: source, policy: before }: Referrer, header: string | null, url: URL): Referrer {
  const tokens = (header ?? '').split(',').map((token) => token.trim().toLowerCase());
  const policy = tokens.filter((token) => known.test(token)).pop() ?? before;
  return { url: source === undefined ? undefined : refererOf(new URL(source), policy, url), policy };
}

function refererOf(source: URL, policy: string, url: URL): string | undefined {
  source.username = '';
  source.password = '';
  source.hash = '';
  const origin = `${source.origin}/`;
  const whole = source.href.length > maxLength ? origin : source.href;
  const isSameOrigin = source.origin === url.origin;
  if (policy === 'no-referrer' || (policy === 'same-origin' && !isSameOrigin)) return undefined;
  if (/^strict|downgrade$/.test(policy) && isTrustworthy(source) && !isTrustworthy(url)) return undefined;
  const isWhole = /^unsafe|downgrade$/.test(policy) || (isSameOrigin && !/^(?:strict-)?origin$/.test(policy));
  return isWhole ? whole : origin;
}

/** Secure Contexts §3.1. */
const isTrustworthy = ({ protocol, hostname }: URL): boolean => protocol === 'https:' || /^127\.|^\[::1\]|\blocalhost$/.test(hostname);
