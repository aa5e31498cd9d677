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
 * The first of the four-byte words from `i` on in which there may be a quote, a backslash, a control character or a
 * non-ASCII byte: each is tested for in all four bytes at once.
 */
export function skipPlain(view: DataView, from: number, n: number): number {
  let i = from;
  for (const last = n - 4; i <= last; i += 4) {
    const word = view.getInt32(i, true);
    const quote = word ^ 0x22222222;
    const backslash = word ^ 0x5c5c5c5c;
    if (((word | (word - 0x20202020) | ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash)) & 0x80808080) !== 0) break;
  }
  return i;
}
