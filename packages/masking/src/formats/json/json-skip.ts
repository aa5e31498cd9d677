/** The shortest ways over what most of a document is made of. */

/** After the integer, `true`, `false` or `null` at `start`, where one is whole; else `start`. */
export function skipCommonBare(view: DataView, start: number, n: number): number {
  const first = view.getUint8(start);
  if (first >= 0x31 && first <= 0x39) {
    let i = start + 1;
    while (i < n && (view.getUint8(i) - 0x30) >>> 0 < 10) i++;
    return i;
  }
  if (start + 5 > n) return start;
  const word = view.getInt32(start, true);
  if (word === 0x65757274 || word === 0x6c6c756e) return start + 4;
  return word === 0x736c6166 && view.getUint8(start + 4) === 0x65 ? start + 5 : start;
}

/**
 * The first quote, backslash, control character or non-ASCII byte from `i` on, or what is left of the chunk when no
 * whole word of four bytes is. Each is tested for in all four bytes at once: quotes and control characters, and only
 * they, are less than 0x21 when bit 1 is flipped. Borrows only ever go upwards, so the lowest mark is always a true one.
 */
export function skipPlain(view: DataView, from: number, n: number): number {
  let i = from;
  for (const last = n - 4; i <= last; i += 4) {
    const word = view.getInt32(i, true);
    const marks = (word | ((word ^ 0x02020202) - 0x21212121) | ((word ^ 0x5c5c5c5c) - 0x01010101)) & 0x80808080;
    if (marks !== 0) return i + ((31 - Math.clz32(marks & -marks)) >> 3);
  }
  return i;
}
