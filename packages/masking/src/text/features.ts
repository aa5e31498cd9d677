/**
 * One pass over the bytes of a text that finds which shapes occur in it, so that the detectors' expressions run on
 * few texts. It may report a shape that is none; it never misses one.
 */
import { byteClasses, DIGIT, LOWER, UPPER } from './byte-classes.ts';

export const F_CARD = 1;
export const F_SSN = 2;
export const F_PHONE = 4;
export const F_IPV4 = 8;
/** Colons or dashes between hexadecimal groups: IPv6, MAC. */
export const F_HEX_GROUPS = 16;
/** A word starts like a known key or token, or dashes like those of PEM. */
export const F_TOKEN = 32;
export const F_EMAIL = 64;
export const F_IBAN = 128;
export const F_DATE = 256;
/** Two "<" as in a machine-readable zone. */
export const F_MRZ = 512;
export const allFeatures = 1023;

/** First two characters of the words that the key and token detectors look for. */
export const tokenStarts: readonly string[] = [
  'AK', 'AS', 'AB', 'AC', 'AI', 'GO', 'ya', 'gh', 'gi', 'gl', 'xo', 'xa', 'ho', 'sk', 'rk', 'pk', 'wh', 'SG', 'np', 'py', 'hf', 'hv', 'do', 'sh', 'ey', 'ke', 'da', 'SK', 'sq', 'EA', 'at', 'AT', 'lin', 'EN', 'pa', 'NR',
  'gs', 'ro', 're', 'dp', 'fl', 'fo', '1/', 'b.', 'CF', 'sn', 'si', 'PM', 'tf', 'pu', 'Ac', 'ac', 'Sh', 'De', 'gr', 'pp', 'vc', 'sb', 'su', 'nv', 'xk', 'tv', 'ma', 'in', 'ap', 'se', 'ca', 'cl', 'ro', 'aw',
].map((one) => one.slice(0, 2));

const starts = new Uint8Array(65_536);
for (const one of tokenStarts) starts[(one.charCodeAt(0) << 8) | one.charCodeAt(1)] = 1;

const alphanumeric = DIGIT | UPPER | LOWER;

export function textFeatures(bytes: Uint8Array, from: number, to: number): number {
  let features = 0;
  let hexJoints = 0;
  let dashRun = 0;
  let previous = 0x20;
  let previousIsWord = false;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    const kind = byteClasses[byte]!;
    if ((kind & DIGIT) !== 0) {
      dashRun = 0;
      if (!previousIsWord && previous !== 0x5f) {
        if (starts[(byte << 8) | (bytes[i + 1] ?? 0)] === 1) features |= F_TOKEN;
      }
      // a number with its separators
      let digits = 0;
      let group = 0;
      let one = 0;
      let two = 0;
      let three = 0;
      let groups = 1;
      let dots = 0;
      let dashes = 0;
      let at = i;
      let end = i;
      for (; at < to; at++) {
        const next = bytes[at]!;
        if (next >= 0x30 && next <= 0x39) {
          digits++;
          group++;
          end = at;
        } else if (next === 0x20 || next === 0x2d || next === 0x2e || next === 0x2f || next === 0x28 || next === 0x29 || next === 0xa0 || next === 0xc2) {
          if (group > 0) {
            if (next === 0x2e) dots++;
            if (next === 0x2d) dashes++;
            groups++;
            three = two;
            two = one;
            one = group;
            if (one === 4 && two === 2 && three === 3) features |= F_SSN;
            if ((one <= 2 && two <= 2 && three === 4) || (one === 4 && two <= 2 && three <= 2 && three > 0)) features |= F_DATE;
            group = 0;
          } else if (at - end > 4) break;
        } else break;
      }
      if (group > 0) {
        three = two;
        two = one;
        one = group;
        if (one === 4 && two === 2 && three === 3) features |= F_SSN;
        if ((one <= 2 && two <= 2 && three === 4) || ((one === 4 || one === 2) && two > 0 && two <= 2 && three <= 2 && three > 0)) features |= F_DATE;
      }
      if (digits >= 12) features |= F_CARD;
      if (digits >= 7 && (groups > 1 || previous === 0x2b || digits >= 10)) features |= F_PHONE;
      if (digits >= 9 && groups >= 3) features |= F_SSN;
      if (dots >= 3) features |= F_IPV4;
      if (digits === 8) features |= F_DATE;
      hexJoints += dashes;
      const stop = bytes[end + 1] ?? 0;
      previous = bytes[end]!;
      previousIsWord = true;
      i = end;
      // joints between this group and a hexadecimal one
      if (stop === 0x3a) continue;
      continue;
    }
    if ((kind & alphanumeric) !== 0) {
      dashRun = 0;
      if (!previousIsWord) {
        const second = bytes[i + 1] ?? 0;
        if (starts[(byte << 8) | second] === 1) features |= F_TOKEN;
        const third = bytes[i + 2] ?? 0;
        if (third >= 0x30 && third <= 0x39 && (byteClasses[second]! & (UPPER | LOWER)) !== 0 && to - i >= 15) {
          const fourth = bytes[i + 3] ?? 0;
          if (fourth >= 0x30 && fourth <= 0x39) features |= F_IBAN;
        }
      }
      previousIsWord = true;
    } else {
      previousIsWord = false;
      if (byte === 0x2d) {
        hexJoints++;
        if (++dashRun >= 5) features |= F_TOKEN;
      } else {
        dashRun = 0;
        if (byte === 0x3a) {
          hexJoints++;
          if (previous === 0x3a) features |= F_HEX_GROUPS;
        } else if (byte === 0x40) features |= F_EMAIL;
        else if (byte === 0x2e) hexJoints++;
        else if (byte === 0x3c && previous === 0x3c) features |= F_MRZ;
      }
    }
    previous = byte;
  }
  if (hexJoints >= 2 && hexFeatures(hexJoints)) features |= F_HEX_GROUPS;
  return features;
}

/** MAC addresses have five joints (or two dots), IPv6 without "::" seven; times of day have at most three. */
const hexFeatures = (joints: number): boolean => joints >= 5 || joints === 2;
