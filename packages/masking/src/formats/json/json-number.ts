/** RFC 8259 §6 and §3: is `bytes[from, to)` a number, or one of the three literals? */
export function isBareValue(bytes: Uint8Array, from: number, to: number): boolean {
  const first = bytes[from]!;
  if (first === 0x74) return to - from === 4 && bytes[from + 1] === 0x72 && bytes[from + 2] === 0x75 && bytes[from + 3] === 0x65;
  if (first === 0x6e) return to - from === 4 && bytes[from + 1] === 0x75 && bytes[from + 2] === 0x6c && bytes[from + 3] === 0x6c;
  if (first === 0x66) {
    return to - from === 5 && bytes[from + 1] === 0x61 && bytes[from + 2] === 0x6c && bytes[from + 3] === 0x73 && bytes[from + 4] === 0x65;
  }
  return isNumber(bytes, from, to);
}

function isNumber(bytes: Uint8Array, from: number, to: number): boolean {
  let i = from;
  if (bytes[i] === 0x2d) i++;
  if (i >= to) return false;
  if (bytes[i] === 0x30) i++;
  else {
    const start = i;
    i = digits(bytes, i, to);
    if (i === start) return false;
  }
  if (i < to && bytes[i] === 0x2e) {
    const start = ++i;
    i = digits(bytes, i, to);
    if (i === start) return false;
  }
  if (i < to && (bytes[i] === 0x65 || bytes[i] === 0x45)) {
    i++;
    if (i < to && (bytes[i] === 0x2b || bytes[i] === 0x2d)) i++;
    const start = i;
    i = digits(bytes, i, to);
    if (i === start) return false;
  }
  return i === to;
}

function digits(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while (i < to && bytes[i]! >= 0x30 && bytes[i]! <= 0x39) i++;
  return i;
}
