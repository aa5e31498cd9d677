const percent = 0x25;

/** The value of an ASCII hexadecimal digit; -1 for any other character code. */
export function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/**
 * Decodes percent-encoding (RFC 3986 §2.1) until nothing is left to decode, as a chain of servers that each decode
 * once does; `%uXXXX` of old servers too. Every `%25` that hides a second encoding is therefore undone.
 *
 * @param text ASCII
 * @returns one character per byte, U+0000 to U+00FF; time and memory are linear in the text
 */
export function decodeFully(text: string): string {
  if (!text.includes('%')) return text;
  // Triplets never overlap, so the result does not depend on the order in which they are decoded.
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    bytes.push(text.charCodeAt(i));
    while (decodeLast(bytes));
  }
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 8192) parts.push(String.fromCharCode(...bytes.slice(i, i + 8192)));
  return parts.join('');
}

/** Decodes a triplet that ends the list. The decoded byte may complete an outer triplet. */
function decodeLast(bytes: number[]): boolean {
  const { length } = bytes;
  const low = hexValue(bytes[length - 1]!);
  if (low < 0 || length < 3) return false;
  const high = hexValue(bytes[length - 2]!);
  if (high < 0) return false;
  if (bytes[length - 3] === percent) {
    bytes.length = length - 3;
    bytes.push(high * 16 + low);
    return true;
  }
  if (length < 6 || (bytes[length - 5]! | 0x20) !== 0x75 || bytes[length - 6] !== percent) return false;
  const [first, second] = [hexValue(bytes[length - 4]!), hexValue(bytes[length - 3]!)];
  if (first < 0 || second < 0) return false;
  bytes.length = length - 6;
  bytes.push(...new TextEncoder().encode(String.fromCharCode(first * 4096 + second * 256 + high * 16 + low)));
  return true;
}
