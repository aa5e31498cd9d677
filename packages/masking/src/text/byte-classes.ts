/** Which kinds of bytes a text has: one OR per byte tells which detectors need not look at it. */

export const DIGIT = 1;
export const UPPER = 2;
export const LOWER = 4;
export const AT = 8;
export const DOT = 16;
export const COLON = 32;
export const DASH = 64;
export const UNDERSCORE = 128;
export const PLUS = 256;
export const SPACE = 512;
export const SLASH = 1024;
export const LESS = 2048;
/** "=" or ":"; never alone, always with COLON or OTHER. */
export const ASSIGN = 4096;
export const OTHER = 8192;
export const NON_ASCII = 16_384;
export const allClasses = 32_767;
export const classCombinations = 32_768;

/** Set for bytes that a JSON string cannot hold as they are: quote, backslash, controls; and for non-ASCII. */
export const SPECIAL: number = 1 << 30;

const single: Readonly<Record<string, number>> = {
  '@': AT,
  '.': DOT,
  ':': COLON | ASSIGN,
  '=': OTHER | ASSIGN,
  '-': DASH,
  _: UNDERSCORE,
  '+': PLUS,
  ' ': SPACE,
  '/': SLASH,
  '<': LESS,
};

export const byteClasses: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x20 || byte === 0x22 || byte === 0x5c) return OTHER | SPECIAL;
  if (byte >= 0x80) return NON_ASCII | SPECIAL;
  const char = String.fromCharCode(byte);
  if (/[0-9]/.test(char)) return DIGIT;
  if (/[A-Z]/.test(char)) return UPPER;
  if (/[a-z]/.test(char)) return LOWER;
  return single[char] ?? OTHER;
});

/**
 * Digits, dots and colons of a text, counted in one number of three times ten bits. The sum over a text's bytes is right
 * for texts of fewer than `countable` bytes; `manyOfAll` stands for counts that are not known.
 */
export const byteCounts: Int32Array = Int32Array.from({ length: 256 }, (_, byte) =>
  byte === 0x2e ? 1 << 10 : byte === 0x3a ? 1 << 20 : byte >= 0x30 && byte <= 0x39 ? 1 : 0,
);
export const countable = 1024;
export const manyOfAll = 0x3fffffff;

/**
 * Two bytes at once, by both as a little-endian number: the classes of both in the low half, `SPECIAL_PAIR` where one
 * is special; their counts in the high half, in lanes that are wide enough for `pairsInLanes` pairs.
 */
export const SPECIAL_PAIR: number = 1 << 15;
export const pairsInLanes = 15;
export const bytePairs: Int32Array = Int32Array.from({ length: 65_536 }, (_, pair) => {
  const classes = byteClasses[pair & 255]! | byteClasses[pair >> 8]!;
  const counts = byteCounts[pair & 255]! + byteCounts[pair >> 8]!;
  const lanes = (counts & 63) | (((counts >> 10) & 31) << 6) | ((counts >> 20) << 11);
  return (lanes << 16) | ((classes & SPECIAL) === 0 ? 0 : SPECIAL_PAIR) | (classes & allClasses);
});

/** The lanes of at most `pairsInLanes` pairs, as `byteCounts` counts. */
export const countsOfLanes = (lanes: number): number => (lanes & 63) + (((lanes >> 6) & 31) << 10) + ((lanes >> 11) << 20);
