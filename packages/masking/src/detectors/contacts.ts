/** How to reach somebody or something: email, phone, IP and MAC addresses. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { CountryCode } from 'libphonenumber-js/max';

import { AT, DIGIT, DOT } from '../text/byte-classes.ts';
import { F_EMAIL, F_HEX_GROUPS, F_IPV4, F_PHONE } from '../text/features.ts';
import type { Detector } from './detector.ts';
import { CONTEXT_PHONE } from './key-context.ts';

const domain = /(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+(?:xn--[a-z0-9-]{2,59}|[\p{L}]{2,63})(?![\p{L}\p{N}])/uy;
const local = /[\p{L}\p{N}!#$%&'*+/=?^_`{|}~.-]{1,64}$/u;
/** Endings of file names such as `icon@2x.png`. */
const fileEndings = /\.(?:png|jpe?g|gif|svg|webp|avif|css|s?css|js|mjs|ts|tsx|json|map|html?)$/i;

export const email: Detector = {
  name: 'email',
  summary: 'Email addresses (RFC 5322 dot-atoms, Unicode included) at a domain with a letters-only last label.',
  needs: AT | DOT,
  minLength: 6,
  features: F_EMAIL,
  contexts: 0,
  find(text, _context, found) {
    for (let at = text.indexOf('@'); at > 0; at = text.indexOf('@', at + 1)) {
      domain.lastIndex = at + 1;
      const host = domain.exec(text);
      if (host === null) continue;
      const before = local.exec(text.slice(Math.max(0, at - 65), at))?.[0].replace(/^[.!#$%&'*/=?^`{|}]+/, '') ?? '';
      if (before === '' || before.endsWith('.') || before.includes('..') || fileEndings.test(host[0])) continue;
      found(at - before.length, at + 1 + host[0].length);
    }
  },
};

/** Where a number without a country code may be from, when a key or a word says that it is a phone number. */
const homes: readonly CountryCode[] = ['US', 'GB', 'DE', 'FR', 'IN', 'BR', 'AU', 'JP', 'ES', 'IT', 'NL', 'CN', 'MX', 'PL', 'SE', 'CH', 'AT', 'BE', 'ZA', 'SG'];
const phoneRun = /(?<![\p{L}\p{N}_.])(?:\+|00)?[([]?[0-9](?:[ ().\-/\u00a0\u2010-\u2013\]]{0,3}[0-9]){6,14}(?![0-9\p{L}]|[.:\-/][0-9])/gu;
const northAmerican = /^(?:1[ .-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}$/;
const phoneLabel = /(?:\b(?:tel|phone|mobile|mob|cell|fax|call|telephone|telefon|handy|whatsapp|sms|text)(?:\s*(?:no|number|nr|me|us|at|to))?|☎|📞)[\s.:#(]{0,4}$/iu;
const dateLike = /^(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4})/;

export const phone: Detector = {
  name: 'phone',
  summary: 'Phone numbers valid in the plan of their country (libphonenumber): international, North American as printed, others where a key or a word says so.',
  needs: DIGIT,
  minLength: 7,
  features: F_PHONE,
  contexts: CONTEXT_PHONE,
  find(text, context, found) {
    const called = (context & CONTEXT_PHONE) !== 0;
    for (const run of text.matchAll(phoneRun)) {
      const start = run.index;
      if (isPhone(run[0], called || phoneLabel.test(text.slice(Math.max(0, start - 24), start)))) found(start, start + run[0].length);
    }
  },
};

function isPhone(run: string, called: boolean): boolean {
  if (run.startsWith('+')) return parsePhoneNumberFromString(run)?.isValid() === true;
  if (called) {
    if (run.startsWith('00') && parsePhoneNumberFromString(`+${run.slice(2)}`)?.isValid() === true) return true;
    return !dateLike.test(run) && homes.some((home) => parsePhoneNumberFromString(run, home)?.isValid() === true);
  }
  return northAmerican.test(run) && parsePhoneNumberFromString(run, 'US')?.isValid() === true;
}

const ipv4 = /(?<![0-9A-Za-z.])(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}(?![0-9A-Za-z]|\.[0-9])/g;
const ipv6 = /(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:[0-9]{1,3}\.){3}[0-9]{1,3})?(?![0-9A-Za-z:])/g;
const versionBefore = /(?:\bv|version|release|build|revision|chrome\/|safari\/|mozilla\/|edg\/|opr\/|assembly|oid)\s*[:=]?\s*$/i;

export const ipAddress: Detector = {
  name: 'ip_address',
  summary: 'IPv4 and IPv6 addresses (RFC 4291 forms), but not version numbers and times of day.',
  needs: DIGIT,
  minLength: 3,
  features: F_IPV4 | F_HEX_GROUPS,
  contexts: 0,
  find(text, _context, found) {
    if (text.includes('.')) {
      for (const match of text.matchAll(ipv4)) if (!versionBefore.test(text.slice(Math.max(0, match.index - 12), match.index))) found(match.index, match.index + match[0].length);
    }
    if (text.includes(':')) for (const match of text.matchAll(ipv6)) if (isIpv6(match[0])) found(match.index, match.index + match[0].length);
  },
};

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (groups.includes('')) return false;
  const last = groups.at(-1) ?? '';
  const count = groups.length + (last.includes('.') ? 1 : 0);
  if (last.includes('.') && last.split('.').some((octet) => Number(octet) > 255)) return false;
  return halves.length === 2 ? count <= 7 && count >= 1 && (count > 1 || text.startsWith('::') || text.endsWith('::')) && /[0-9]/.test(text) : count === 8;
}

const mac = /(?<![0-9A-Fa-f:-])(?:[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})(?![0-9A-Fa-f]|[:-][0-9A-Fa-f])/g;

export const macAddress: Detector = {
  name: 'mac_address',
  summary: 'MAC addresses: six pairs with colons or dashes, or three groups of four with dots.',
  needs: 0,
  minLength: 14,
  features: F_HEX_GROUPS,
  contexts: 0,
  find(text, _context, found) {
    for (const match of text.matchAll(mac)) if (!/^(?:00[:-]){5}00$/.test(match[0])) found(match.index, match.index + match[0].length);
  },
};

