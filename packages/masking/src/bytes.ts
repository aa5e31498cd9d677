/** Bytes and text. The native slices of Node's Buffer are several times faster on short ranges than TextDecoder. */

interface Slices {
  latin1Slice(this: Uint8Array, from: number, to: number): string;
  utf8Slice(this: Uint8Array, from: number, to: number): string;
}
const { latin1Slice, utf8Slice } = Buffer.prototype as unknown as Slices;

/** Bytes as characters U+0000–U+00FF. */
export const latin1Text = (bytes: Uint8Array, from: number, to: number): string => latin1Slice.call(bytes, from, to);

/** UTF-8; what is not valid becomes U+FFFD. */
export const utf8Text = (bytes: Uint8Array, from: number, to: number): string => utf8Slice.call(bytes, from, to);

const encoder = new TextEncoder();
/** Up to so many characters, a loop over ASCII is faster than the encoder. */
const shortText = 48;

export function utf8Bytes(text: string): Uint8Array {
  const { length } = text;
  if (length > shortText) return encoder.encode(text);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return encoder.encode(text);
    bytes[i] = code;
  }
  return bytes;
}

const none = new Uint8Array(0);

/** A growing byte buffer that is used again and again. */
export class Collector {
  bytes: Uint8Array = none;
  length = 0;

  append(source: Uint8Array, from: number, to: number): void {
    const size = to - from;
    this.#reserve(size);
    if (size < 64) {
      for (let i = from, at = this.length; i < to; i++) this.bytes[at++] = source[i]!;
    } else this.bytes.set(source.subarray(from, to), this.length);
    this.length += size;
  }

  push(byte: number): void {
    this.#reserve(1);
    this.bytes[this.length++] = byte;
  }

  /** Forgets the content, and the memory where it is large. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > 65_536) this.bytes = none;
  }

  /** Drops the first `count` bytes. */
  drop(count: number): void {
    this.bytes.copyWithin(0, count, this.length);
    this.length -= count;
  }

  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  text(): string {
    return utf8Text(this.bytes, 0, this.length);
  }

  #reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(256, this.bytes.length * 2, this.length + size));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
