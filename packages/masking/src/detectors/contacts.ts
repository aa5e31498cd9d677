/** How to reach somebody or something: email, phone, IP and MAC addresses. */
import { getCountryCallingCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { CountryCode } from 'libphonenumber-js/max';

import { latin1Text } from '../bytes.ts';
import { AT, COLON, DASH, DIGIT, DOT } from '../text/byte-classes.ts';
import { F_BEHIND_WORD, F_DOTS, F_HEX_GROUPS, F_IPV4, F_PHONE } from '../text/features.ts';
import type { Detector } from './detector.ts';
import { CONTEXT_PHONE } from './key-context.ts';
import { isInternationalNumber, isNationalNumber, mayBeNational } from './phone-plan.ts';
import type { Work } from '../text/work.ts';

const isLetter = /\p{L}/u;
const isDigitCode = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isLetterCode = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x80 && isLetter.test(String.fromCharCode(code)));
const asciiSet = (expression: RegExp): Uint8Array =>
  Uint8Array.from({ length: 128 }, (_, code) => (expression.test(String.fromCharCode(code)) ? 1 : 0));
/** RFC 5322 atext and the dot. */
const asciiLocal = asciiSet(/[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]/);
const isLocalCode = (code: number): boolean => (code < 0x80 ? asciiLocal[code] === 1 : isLetter.test(String.fromCharCode(code)));
/** Characters that may open a local part without being part of a name: "mailto=", "'", "/". */
const asciiOpening = asciiSet(/[.!#$%&'*/=?^`{|}]/);

/** UTF-16 code units, or ASCII bytes. */
type Units = Uint16Array | Uint8Array;

const unitsOf = (text: string): Uint16Array => {
  const units = new Uint16Array(text.length);
  for (let i = 0; i < units.length; i++) units[i] = text.charCodeAt(i);
  return units;
};
const textOf = (units: Units, from: number, to: number): string => String.fromCharCode(...units.subarray(from, to));

/** Where the domain that starts at `from` ends; -1 where there is none with two labels, the last of letters. */
function domainEnd(units: Units, from: number, to: number): number {
  let end = -1;
  let labels = 0;
  for (let at = from; at < to && labels < 12;) {
    let stop = at;
    let letters = 0;
    for (; stop < to; stop++) {
      const code = units[stop]!;
      if (isLetterCode(code)) letters++;
      else if (!isDigitCode(code) && code !== 0x2d) break;
    }
    const length = stop - at;
    if (length === 0 || length > 63 || units[at] === 0x2d) break;
    labels++;
    if (
      labels > 1 &&
      length > 1 &&
      (letters === length || (units[at + 2] === 0x2d && /^xn--[a-z0-9-]{2,}$/i.test(textOf(units, at, stop))))
    )
      end = stop;
    if (stop === to || units[stop] !== 0x2e) break;
    at = stop + 1;
  }
  return end;
}

/** Where the address in brackets ends that stands for a domain (RFC 5321 §4.1.3); -1 where it is none. */
function literalEnd(units: Units, from: number, to: number): number {
  let at = from;
  while (at < to && at - from < 50 && units[at] !== 0x5d) at++;
  return at < to && units[at] === 0x5d && /^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|IPv6:[0-9a-f:.]{2,45})$/i.test(textOf(units, from, at))
    ? at + 1
    : -1;
}

function hasTwoDots(units: Units, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) if (units[i] === 0x2e && units[i - 1] === 0x2e) return true;
  return false;
}

/** Endings of file names such as `icon@2x.png`. */
const fileEndings = /\.(?:png|jpe?g|gif|svg|webp|avif|css|s?css|js|mjs|ts|tsx|json|map|html?)$/i;
const longestFileEnding = 6;
/** The first two letters of such an ending, in lower case. */
const fileStarts: ReadonlySet<number> = new Set(
  ['pn', 'jp', 'gi', 'sv', 'we', 'av', 'cs', 'sc', 'js', 'mj', 'ts', 'ma', 'ht'].map((two) => (two.charCodeAt(0) << 8) | two.charCodeAt(1)),
);

function isFileEnding(units: Units, from: number, end: number): boolean {
  let dot = end - 1;
  while (dot > from && units[dot] !== 0x2e) dot--;
  return (
    fileStarts.has(((units[dot + 1]! | 0x20) << 8) | units[dot + 2]! | 0x20) &&
    fileEndings.test(textOf(units, Math.max(from, end - longestFileEnding), end))
  );
}

/** Where the quoted local part (RFC 5322 §3.4.1) starts that ends before `at`; -1 where there is none. */
function quotedStart(units: Units, from: number, at: number): number {
  for (let i = at - 2; i >= from && at - i <= 66; i--) {
    const code = units[i]!;
    if (code < 0x20) return -1;
    if (code === 0x22 && (i === from || units[i - 1] !== 0x5c)) return i < at - 2 ? i : -1;
  }
  return -1;
}

function findEmails(units: Units, from: number, to: number, found: (start: number, end: number) => void): void {
  for (let at = from + 1; at < to; at++) {
    if (units[at] !== 0x40) continue;
    let start = at;
    let afterEquals = 0;
    for (let code = 0; start > from && at - start < 64 && isLocalCode((code = units[start - 1]!)); start--)
      if (code === 0x3d && afterEquals === 0) afterEquals = start;
    while (start < at && asciiOpening[units[start]!] === 1) start++;
    // "name=alice@example.com" is a pair
    start = Math.max(start, afterEquals);
    const isQuoted = units[at - 1] === 0x22;
    if (isQuoted) start = quotedStart(units, from, at);
    if (start === at || start < 0 || units[at - 1] === 0x2e) continue;
    const end = units[at + 1] === 0x5b ? literalEnd(units, at + 2, to) : domainEnd(units, at + 1, to);
    if (end < 0 || (!isQuoted && hasTwoDots(units, start, at)) || isFileEnding(units, from, end)) continue;
    found(start - from, end - from);
  }
}

export const email: Detector = {
  name: 'email',
  summary:
    'Email addresses (RFC 5322 dot-atoms, Unicode included, and quoted names) at a domain with a letters-only last label, or at an IP address in brackets.',
  needs: AT | DOT,
  needsOneOf: 0,
  minLength: 6,
  minDigits: 0,
  minWord: 0,
  features: 0,
  contexts: 0,
  find(text, _context, found) {
    if (text.includes('@')) findEmails(unitsOf(text), 0, text.length, found);
  },
  findIn: (bytes, from, to, _context, found) => findEmails(bytes, from, to, found),
};

/** Where a number without a country code may be from, when a key or a word says that it is a phone number. */
const homes: readonly (readonly [country: CountryCode, code: string])[] = (
  ['US', 'GB', 'DE', 'FR', 'IN', 'BR', 'AU', 'JP', 'ES', 'IT', 'NL', 'CN', 'MX', 'PL', 'SE', 'CH', 'AT', 'BE', 'ZA', 'SG'] as const
).map((country) => [country, getCountryCallingCode(country)]);
const phoneRun = /(?<![\p{L}\p{N}_.])(?:\+|00)?[([]?[0-9](?:[ ().\-/\u00a0\u2010-\u2013\]]{0,3}[0-9]){6,14}(?![0-9\p{L}]|[.:\-/][0-9])/gu;
const northAmerican = /^(?:1[ .-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}$/;
const phoneLabel =
  /(?:\b(?:tel|phone|mobile|mob|cell|fax|call|telephone|telefon|handy|whatsapp|sms|text)(?:\s{0,3}(?:no|number|nr|me|us|at|to))?(?:\.?\s{1,3}(?:is|was|ist|lautet))?|☎|📞)[\s.:#(]{0,4}$/iu;
const dateLike = /^(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4})/;

export const phone: Detector = {
  name: 'phone',
  summary:
    'Phone numbers valid in the plan of their country (libphonenumber): international, North American as printed, others where a key or a word says so.',
  needs: DIGIT,
  needsOneOf: 0,
  minLength: 7,
  minDigits: 7,
  minWord: 0,
  features: F_PHONE | F_BEHIND_WORD,
  contexts: CONTEXT_PHONE,
  goesOverLines: true,
  find(text, context, found, work) {
    if (text.charCodeAt(0) === 0x2b && isWholeNumber(unitsOf(text), 0, text.length)) return found(0, text.length);
    const called = (context & CONTEXT_PHONE) !== 0;
    for (const run of text.matchAll(phoneRun)) {
      const start = run.index;
      const isLabelled = called || (!run[0].startsWith('+') && start > 2 && phoneLabel.test(text.slice(Math.max(0, start - 32), start)));
      if (isPhone(run[0], isLabelled, work)) found(start, start + run[0].length);
    }
  },
  findIn(bytes, from, to, context, found, work) {
    if (bytes[from] === 0x2b && isWholeNumber(bytes, from, to)) found(0, to - from);
    else this.find(latin1Text(bytes, from, to), context, found, work);
  },
};

const longestWholeNumber = 24;
const digitScratch = new Uint8Array(longestWholeNumber);

/** The usual case, without an expression: nothing but an international number. */
function isWholeNumber(units: Units, from: number, to: number): boolean {
  if (to - from > longestWholeNumber || !isDigitCode(units[to - 1]!)) return false;
  let digits = 0;
  for (let i = from + 1; i < to; i++) {
    const code = units[i]!;
    if (isDigitCode(code)) digitScratch[digits++] = code;
    else if (code !== 0x20 && code !== 0x2d && code !== 0x2e && (code !== 0x28 || units[i + 1] === 0x30) && code !== 0x29) return false;
  }
  return digits > 6 && isInternationalNumber(latin1Text(digitScratch, 0, digits));
}

/** Steps of the library's parser, and of a look whether a country has such a number. */
const parseSteps = 2500;
const planSteps = 80;

function isPhone(run: string, called: boolean, work: Work): boolean {
  work.spend(planSteps);
  const digits = run.replaceAll(/[^0-9]/g, '');
  if (run.startsWith('+')) {
    if (isInternationalNumber(digits)) return true;
    // "+44 (0)20 …" has the trunk prefix in it, which the library knows how to drop
    if (!run.includes('(0')) return false;
    work.spend(parseSteps);
    return parsePhoneNumberFromString(run)?.isValid() === true;
  }
  if (called) {
    if (run.startsWith('00') && isInternationalNumber(digits.slice(2))) return true;
    return !dateLike.test(run) && homes.some(([home, code]) => isHomeNumber(run, digits, home, code, work));
  }
  return northAmerican.test(run) && isInternationalNumber(digits.length === 10 ? `1${digits}` : digits);
}

function isHomeNumber(run: string, digits: string, home: CountryCode, code: string, work: Work): boolean {
  work.spend(planSteps);
  if (isNationalNumber(code, digits)) return true;
  if (!mayBeNational(code, digits)) return false;
  work.spend(parseSteps);
  return parsePhoneNumberFromString(run, home)?.isValid() === true;
}

const ipv4 =
  /(?<![0-9A-Za-z.])(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}(?![0-9A-Za-z]|\.[0-9])/g;
const ipv6 = /(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:[0-9]{1,3}\.){3}[0-9]{1,3})?(?![0-9A-Za-z:])/g;
const versionBefore = /(?:\bv|version|release|build|revision|chrome\/|safari\/|mozilla\/|edg\/|opr\/|assembly|oid)\s*[:=]?\s*$/i;

const ipPart = { name: 'ip_address', summary: '', needsOneOf: 0, minWord: 0, contexts: 0 };

const ipv4Address: Detector = {
  ...ipPart,
  needs: DIGIT | DOT,
  minLength: 7,
  minDigits: 4,
  minDots: 3,
  features: F_IPV4,
  find(text, _context, found) {
    for (const match of text.matchAll(ipv4))
      if (!versionBefore.test(text.slice(Math.max(0, match.index - 12), match.index))) found(match.index, match.index + match[0].length);
  },
};

const ipv6Address: Detector = {
  ...ipPart,
  needs: DIGIT | COLON,
  minLength: 3,
  minDigits: 1,
  minColons: 2,
  features: F_HEX_GROUPS,
  find(text, _context, found) {
    for (const match of text.matchAll(ipv6)) if (isIpv6(match[0])) found(match.index, match.index + match[0].length);
  },
};

export const ipAddress: Detector = {
  ...ipv6Address,
  summary: 'IPv4 and IPv6 addresses (RFC 4291 forms), but not version numbers and times of day.',
  parts: [ipv4Address, ipv6Address],
};

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (groups.includes('')) return false;
  const last = groups.at(-1) ?? '';
  const count = groups.length + (last.includes('.') ? 1 : 0);
  if (last.includes('.') && last.split('.').some((octet) => Number(octet) > 255)) return false;
  return halves.length === 2
    ? count <= 7 && count >= 1 && (count > 1 || text.startsWith('::') || text.endsWith('::')) && /[0-9]/.test(text)
    : count === 8;
}

const mac =
  /(?<![0-9A-Fa-f:.-])(?:[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})(?![0-9A-Fa-f]|[:.-][0-9A-Fa-f])/g;

export const macAddress: Detector = {
  name: 'mac_address',
  summary: 'MAC addresses: six pairs with colons or dashes, or three groups of four with dots.',
  needs: 0,
  needsOneOf: COLON | DASH | DOT,
  minLength: 14,
  minDigits: 0,
  minWord: 14,
  features: F_HEX_GROUPS | F_DOTS,
  contexts: 0,
  find(text, _context, found) {
    for (const match of text.matchAll(mac)) if (!/^(?:00[:-]){5}00$/.test(match[0])) found(match.index, match.index + match[0].length);
  },
};
