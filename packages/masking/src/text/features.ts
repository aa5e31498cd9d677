/**
 * Passes over the bytes of a text that find which shapes occur in it, so that the detectors' expressions run on few
 * texts. They may report a shape that is not there; they never miss one.
 */
import { countrySpecs } from 'ibantools';

import { byteClasses, DIGIT, LOWER, NON_ASCII, UPPER } from './byte-classes.ts';

// shapes of numbers
/** Twelve digits or more, with separators. */
export const F_CARD = 1;
/** Three groups of 3, 2 and 4 digits. */
export const F_SSN = 2;
/** Seven digits or more behind "+", or in groups of 3, 3 and 4. */
export const F_PHONE = 4;
export const F_IPV4 = 8;
export const F_DATE = 16;
/** A number next to a word. */
export const F_STREET = 32;
/** Six digits behind a letter, as in a British driving licence. */
export const F_LICENCE = 64;
/** A number behind a word and a separator. */
export const F_BEHIND_WORD = 128;
/** The letters of a country that has IBANs at the start of a word, and two digits. */
export const F_IBAN = 512;
const ofNumbers = 255 | F_IBAN;

// shapes of words
/** A word starts like a known key or token, or dashes like those of PEM. */
export const F_TOKEN = 256;
/** Two "<" as in a machine-readable zone. */
export const F_MRZ = 2048;
/** A word starts like one that announces a document: "passport", "driver's". */
export const F_LABEL = 4096;
/** "=" or ":". */
export const F_ASSIGN = 8192;
/** A word starts like "Mr", "Dr", "Dear" or "Regards". */
export const F_TITLE = 16_384;
/** Colons or dashes as between hexadecimal groups: IPv6, MAC. */
export const F_HEX_GROUPS = 32_768;
/** Two dots. */
export const F_DOTS = 65_536;
const ofJoints = F_HEX_GROUPS | F_DOTS;
const ofWords = ~(ofNumbers | ofJoints);

/** The first two characters of the words that key and token detectors look for. */
const tokenStarts =
  'AK AS AB AC A3 AI AW GO GR ya gh gi gl xo xa ho sk rk wh SG np py hf hv do sh ey ew ke da SK sq EA li xk fi nt se Se pa NR PM AT dp ts sn r8 gs pp sb Ac Sh si re aw';
const labelStarts = 'pa re dr';
const titleStarts = 'Mr Ms Mi Mx Dr Pr He Fr Mm Ml Ma Se Si De Re Ki Be Wa Yo';

const starts = new Uint16Array(65_536);
const mark = (words: string, feature: number, anyCase: boolean): void => {
  for (const word of words.split(' ')) {
    for (const one of anyCase ? [word, word.toUpperCase(), word[0]!.toUpperCase() + word[1]!] : [word])
      starts[(one.charCodeAt(0) << 8) | one.charCodeAt(1)]! |= feature;
  }
};
mark(tokenStarts, F_TOKEN, false);
mark(labelStarts, F_LABEL, true);
mark(titleStarts, F_TITLE, false);

/** Set for two letters, in any case, of a country whose accounts have IBANs. */
const ibanCountries = new Uint8Array(65_536);
for (const [country, { chars }] of Object.entries(countrySpecs)) {
  if (typeof chars !== 'number') continue;
  for (const first of [country[0]!, country[0]!.toLowerCase()]) {
    for (const second of [country[1]!, country[1]!.toLowerCase()]) ibanCountries[(first.charCodeAt(0) << 8) | second.charCodeAt(0)] = 1;
  }
}

const alphanumeric = DIGIT | UPPER | LOWER;
const letter = UPPER | LOWER;

/** Where in a timestamp there is something else than a digit. */
const timestampMarks: readonly boolean[] = Array.from({ length: 30 }, (_, at) => [4, 7, 10, 13, 16, 19].includes(at));

const isSeparator = Uint8Array.from({ length: 256 }, (_, byte) =>
  ' -./()[]\u00a0\u00c2\u00e2\u0080'.includes(String.fromCharCode(byte)) || (byte >= 0x90 && byte <= 0x93) ? 1 : 0,
);

/** The shapes of `wanted` that occur, and perhaps others. */
export function textFeatures(bytes: Uint8Array, from: number, to: number, wanted: number): number {
  if (isTimestamp(bytes, from, to)) return F_DATE | F_ASSIGN;
  let features = 0;
  if ((wanted & ofNumbers) !== 0) features |= numberFeatures(bytes, from, to, wanted);
  if ((wanted & ofWords) !== 0) features |= wordFeatures(bytes, from, to);
  if ((wanted & ofJoints) !== 0) features |= jointFeatures(bytes, from, to);
  return features;
}

const isDigit = (byte: number): boolean => (byte - 0x30) >>> 0 <= 9;

/**
 * A time as `2026-11-24T09:00:00.000Z`, with up to nine digits of a second or without: no other shapes are in it than
 * those of a date and of an assignment.
 */
function isTimestamp(bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from;
  if (
    length < 20 ||
    length > 30 ||
    bytes[to - 1] !== 0x5a ||
    bytes[from + 4] !== 0x2d ||
    bytes[from + 7] !== 0x2d ||
    bytes[from + 10] !== 0x54
  )
    return false;
  if (bytes[from + 13] !== 0x3a || bytes[from + 16] !== 0x3a || (length > 20 && bytes[from + 19] !== 0x2e)) return false;
  for (let i = from; i < to - 1; i++) {
    if (!isDigit(bytes[i]!) && !timestampMarks[i - from]) return false;
  }
  return true;
}

function jointFeatures(bytes: Uint8Array, from: number, to: number): number {
  let colons = 0;
  let dashes = 0;
  let dots = 0;
  let isDouble = false;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if (byte === 0x3a) {
      colons++;
      if (i + 1 < to && bytes[i + 1] === 0x3a) isDouble = true;
    } else if (byte === 0x2d) dashes++;
    else if (byte === 0x2e) dots++;
  }
  return (colons >= 5 || dashes >= 5 || isDouble ? F_HEX_GROUPS : 0) | (dots >= 2 ? F_DOTS : 0);
}

/** Only shapes of `wanted` need be found. Numbers of one short group, of which ids and times are full, are over soon. */
function numberFeatures(bytes: Uint8Array, from: number, to: number, wanted: number): number {
  const wantsDates = (wanted & F_DATE) !== 0;
  /** Fewest digits that mean something on their own. */
  const leastAlone = (wanted & (F_DATE | F_STREET | F_LICENCE)) !== 0 ? 1 : 7;
  let features = 0;
  for (let i = from; i < to; i++) {
    if ((bytes[i]! - 0x30) >>> 0 > 9) continue;
    let at = i + 1;
    while (at < to && (bytes[at]! - 0x30) >>> 0 <= 9) at++;
    let digits = at - i;
    if (digits > 1 && (wanted & ~features & F_IBAN) !== 0 && i >= from + 2 && isIbanStart(bytes, from, i)) features |= F_IBAN;
    let end = at - 1;
    if (at < to && isSeparator[bytes[at]!] === 1) {
      // a number with its separators
      let group = digits;
      let first = 0;
      let second = 0;
      let third = 0;
      let groups = 0;
      let dots = 0;
      for (; at < to; at++) {
        const next = bytes[at]!;
        if ((next - 0x30) >>> 0 <= 9) {
          digits++;
          group++;
          end = at;
          continue;
        }
        if (isSeparator[next] === 0 || at - end > 3) break;
        if (next === 0x2e) dots++;
        if (group === 0) continue;
        groups++;
        first = second;
        second = third;
        third = group;
        group = 0;
        features |= shapeOf(first, second, third, groups);
      }
      if (group > 0) features |= shapeOf(second, third, group, ++groups);
      if (dots >= 3) features |= F_IPV4;
    } else if (digits < leastAlone) {
      i = end;
      continue;
    }
    const previous = i > from ? bytes[i - 1]! : 0x20;
    if (digits >= 12) features |= F_CARD;
    if (digits >= 7 && previous === 0x2b) features |= F_PHONE;
    if (digits === 8) features |= F_DATE;
    if (digits >= 6 && (byteClasses[previous]! & letter) !== 0) features |= F_LICENCE;
    if (digits <= 6 && ((previous === 0x20 && i > from) || bytes[end + 1] === 0x20)) features |= F_STREET;
    if ((wantsDates || digits >= 7) && (wanted & ~features & F_BEHIND_WORD) !== 0 && isBehindWord(bytes, from, i))
      features |= F_BEHIND_WORD;
    i = end;
  }
  return features;
}

/** The shape that three groups of digits have. */
function shapeOf(first: number, second: number, third: number, groups: number): number {
  if (first === 3 && second === 3 && third === 4) return F_PHONE;
  if (groups < 3 || second > 2) return 0;
  if (first === 3 && second === 2 && third === 4) return F_SSN;
  const isDate = (first === 4 && third <= 2) || (first <= 2 && (third === 4 || third === 2));
  return isDate ? F_DATE : 0;
}

function isIbanStart(bytes: Uint8Array, from: number, at: number): boolean {
  if (ibanCountries[(bytes[at - 2]! << 8) | bytes[at - 1]!] === 0) return false;
  return at - 3 < from || (byteClasses[bytes[at - 3]!]! & alphanumeric) === 0;
}

/** Separators, and before them two letters. */
function isBehindWord(bytes: Uint8Array, from: number, at: number): boolean {
  let i = at - 1;
  while (i >= from && at - i < 28 && (byteClasses[bytes[i]!]! & alphanumeric) === 0) i--;
  if (i === at - 1 || i <= from) return false;
  return (byteClasses[bytes[i]!]! & letter) !== 0 && (byteClasses[bytes[i - 1]!]! & (letter | NON_ASCII)) !== 0;
}

function wordFeatures(bytes: Uint8Array, from: number, to: number): number {
  let features = 0;
  let dashRun = 0;
  let previous = 0x20;
  let isInWord = false;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if ((byteClasses[byte]! & alphanumeric) !== 0) {
      if (!isInWord) {
        const next = i + 1 < to ? bytes[i + 1]! : 0;
        features |= starts[(byte << 8) | next]!;
        isInWord = true;
      }
    } else {
      isInWord = false;
      if (byte === 0x2d) {
        if (previous === 0x2d && ++dashRun >= 4) features |= F_TOKEN;
      } else {
        dashRun = 0;
        if (byte === 0x3a) {
          features |= F_ASSIGN;
          // "12345678:AA…" is a bot's token
          if ((byteClasses[previous]! & DIGIT) !== 0 && i + 1 < to && bytes[i + 1] === 0x41) features |= F_TOKEN;
        } else if (byte === 0x3d) features |= F_ASSIGN;
        else if (byte === 0x3c && previous === 0x3c) features |= F_MRZ;
      }
    }
    previous = byte;
  }
  return features;
}

/** Whether some word (anything without a space) has at least `length` bytes. Looks at few bytes of prose. */
export function hasLongWord(bytes: Uint8Array, from: number, to: number, length: number): boolean {
  let start = from;
  while (start + length <= to) {
    let at = start + length - 1;
    while (at >= start && bytes[at]! !== 0x20) at--;
    if (at < start) return true;
    start = at + 1;
  }
  return false;
}
