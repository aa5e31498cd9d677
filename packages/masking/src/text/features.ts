/**
 * One pass over the bytes of a text that finds which shapes occur in it, so that the detectors' expressions run on
 * few texts. It may report a shape that is none; it never misses one.
 */
import { byteClasses, DIGIT, LOWER, UPPER } from './byte-classes.ts';

/** Twelve digits or more, with separators. */
export const F_CARD = 1;
/** Nine digits in three groups. */
export const F_SSN = 2;
export const F_PHONE = 4;
export const F_IPV4 = 8;
/** Colons, dashes or dots as between hexadecimal groups: IPv6, MAC. */
export const F_HEX_GROUPS = 16;
/** A word starts like a known key or token, or dashes like those of PEM. */
export const F_TOKEN = 32;
export const F_EMAIL = 64;
export const F_IBAN = 128;
export const F_DATE = 256;
/** Two "<" as in a machine-readable zone. */
export const F_MRZ = 512;
/** A word starts like one that announces a value: "born", "passport". */
export const F_LABEL = 1024;
/** "=" or ":". */
export const F_ASSIGN = 2048;
/** A number next to a word. */
export const F_STREET = 4096;
/** A word starts like "Mr" or "Dr". */
export const F_TITLE = 8192;
/** Five letters and six digits, as in a British driving licence. */
export const F_LICENCE = 16_384;
export const allFeatures = 32_767;

/** The first two characters of the words that key and token detectors look for. */
const tokenStarts =
  'AK AS AB AC A3 AI GO ya gh gi gl xo xa ho sk rk wh SG np py hf hv do sh ey ew ke da SK sq EA li xk fi nt se pa NR PM AT dp Fl ts sn r8 gs pp sb tf Ac Sh ac si nf ne dd rn rp ic pk kb ob su';
const labelStarts = 'do bi bo ge da ss so ta it pa dr li dl né te ph mo ce fa ca';
const titleStarts = 'Mr Ms Mi Dr Pr He Fr Mm Ma Sr Si';

const starts = new Uint16Array(65_536);
const mark = (words: string, feature: number, anyCase: boolean): void => {
  for (const word of words.split(' ')) {
    for (const one of anyCase ? [word, word.toUpperCase(), word[0]!.toUpperCase() + word[1]!] : [word]) {
      if (one.charCodeAt(1) < 256) starts[(one.charCodeAt(0) << 8) | one.charCodeAt(1)]! |= feature;
    }
  }
};
mark(tokenStarts, F_TOKEN, false);
mark(labelStarts, F_LABEL, true);
mark(titleStarts, F_TITLE, false);

const alphanumeric = DIGIT | UPPER | LOWER;
const letter = UPPER | LOWER;

const isSeparator = Uint8Array.from({ length: 256 }, (_, byte) => (' -./()\u00a0\u00c2'.includes(String.fromCharCode(byte)) ? 1 : 0));

export function textFeatures(bytes: Uint8Array, from: number, to: number): number {
  let features = 0;
  let colons = 0;
  let dashes = 0;
  let dots = 0;
  let dashRun = 0;
  let lessRun = 0;
  let letters = 0;
  let previous = 0x20;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    const kind = byteClasses[byte]!;
    if ((kind & DIGIT) !== 0) {
      const wordBefore = (byteClasses[previous]! & alphanumeric) !== 0;
      if (!wordBefore) features |= starts[(byte << 8) | (bytes[i + 1] ?? 0)]!;
      // a number with its separators
      let digits = 0;
      let group = 0;
      let first = 0;
      let second = 0;
      let third = 0;
      let groups = 0;
      let numberDots = 0;
      let end = i;
      for (let at = i; at < to; at++) {
        const next = bytes[at]!;
        if (next >= 0x30 && next <= 0x39) {
          digits++;
          group++;
          end = at;
          continue;
        }
        if (isSeparator[next] === 0 || at - end > 3) break;
        if (next === 0x2e) numberDots++;
        else if (next === 0x2d) dashes++;
        if (group === 0) continue;
        groups++;
        first = second;
        second = third;
        third = group;
        group = 0;
        features |= shapeOf(first, second, third, groups);
      }
      if (group > 0) {
        groups++;
        features |= shapeOf(second, third, group, groups);
      }
      if (digits >= 12) features |= F_CARD;
      if (digits >= 9) features |= F_SSN;
      if (digits >= 7) features |= F_PHONE;
      if (digits === 8) features |= F_DATE;
      if (numberDots >= 3) features |= F_IPV4;
      if (letters >= 1 && digits >= 6) features |= F_LICENCE;
      if (digits <= 6 && (previous === 0x20 || bytes[end + 1] === 0x20)) features |= F_STREET;
      dots += numberDots;
      previous = bytes[end]!;
      i = end;
      dashRun = lessRun = letters = 0;
      // "12345678:AA…" is a bot's token
      if (digits >= 8 && bytes[end + 1] === 0x3a) features |= F_TOKEN;
      continue;
    }
    if ((kind & letter) !== 0) {
      letters++;
      if ((byteClasses[previous]! & alphanumeric) === 0) {
        const next = bytes[i + 1] ?? 0;
        features |= starts[(byte << 8) | next]!;
        if ((byteClasses[next]! & letter) !== 0 && (byteClasses[bytes[i + 2] ?? 0]! & byteClasses[bytes[i + 3] ?? 0]! & DIGIT) !== 0) features |= F_IBAN;
        if (previous === 0x20 && i - 2 >= from && (byteClasses[bytes[i - 2]!]! & DIGIT) !== 0) features |= F_STREET;
      }
      dashRun = lessRun = 0;
    } else {
      letters = 0;
      if (byte === 0x2d) {
        dashes++;
        if (++dashRun >= 5) features |= F_TOKEN;
      } else dashRun = 0;
      if (byte === 0x3c) {
        if (++lessRun >= 2) features |= F_MRZ;
      } else lessRun = 0;
      if (byte === 0x3a) {
        colons++;
        features |= F_ASSIGN;
        if (previous === 0x3a) features |= F_HEX_GROUPS;
      } else if (byte === 0x3d) features |= F_ASSIGN;
      else if (byte === 0x40) features |= F_EMAIL;
      else if (byte === 0x2e) dots++;
    }
    previous = byte;
  }
  if (colons >= 5 || dashes >= 5 || (dots >= 2 && to - from >= 14)) features |= F_HEX_GROUPS;
  return features;
}

/** The shape that the last three groups of digits have. */
function shapeOf(first: number, second: number, third: number, groups: number): number {
  if (groups < 3 || second > 2) return 0;
  const isDate = (first === 4 && third <= 2) || (first <= 2 && (third === 4 || third === 2));
  return isDate ? F_DATE : 0;
}
