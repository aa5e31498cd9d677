/**
 * Watches the first bytes of each response on a socket. It knows whether anything came back at all, and it hides from
 * undici that a target sent `100 Continue` unasked: a client must be able to take that (RFC 9110 §15.2), and undici
 * closes the socket over it. A 102 in its place means as little, and undici passes over it.
 */

const statusAt = 'HTTP/1.1 '.length;
const headLength = statusAt + 3;
const cr = 0x0d;
const lf = 0x0a;

export class ResponseStart {
  /** Bytes of the response have come. */
  hasBegun = false;
  #isReading: 'status' | 'interim' | 'rest' = 'rest';
  /** The beginning of a head that came in pieces. */
  #held: Buffer | null = null;
  #isLineEmpty = false;

  /** A request is about to be sent. */
  expect(): void {
    this.hasBegun = false;
    this.#isReading = 'status';
    this.#held = null;
  }

  /** The same bytes, in the place of which undici is to get what this returns; null: nothing yet. */
  pass(chunk: Buffer): Buffer | null {
    this.hasBegun = true;
    if (this.#isReading === 'rest') return chunk;
    let bytes = chunk;
    if (this.#held !== null) {
      bytes = Buffer.concat([this.#held, chunk]);
      this.#held = null;
    }
    for (let at = 0; ;) {
      if (this.#isReading === 'interim') {
        at = this.#endOfHead(bytes, at);
        if (at < 0) return bytes;
      }
      if (bytes.length - at < headLength) {
        if (!isBeginning(bytes, at)) break;
        this.#held = bytes.subarray(at);
        return at === 0 ? null : bytes.subarray(0, at);
      }
      if (!isBeginning(bytes, at) || bytes[at + statusAt] !== 0x31) break;
      if (bytes[at + statusAt + 1] === 0x30 && bytes[at + statusAt + 2] === 0x30) bytes[at + statusAt + 2] = 0x32;
      this.#isReading = 'interim';
      this.#isLineEmpty = false;
    }
    this.#isReading = 'rest';
    return bytes;
  }

  /** Index after the empty line that ends an interim response, or -1. */
  #endOfHead(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === lf) {
        if (this.#isLineEmpty) {
          this.#isReading = 'status';
          return at + 1;
        }
        this.#isLineEmpty = true;
      } else if (byte !== cr) this.#isLineEmpty = false;
    }
    return -1;
  }
}

const beginning = Buffer.from('HTTP/1.1 ');

/** `HTTP/1.0` counts as well. */
function isBeginning(bytes: Buffer, from: number): boolean {
  const length = Math.min(bytes.length - from, statusAt);
  for (let i = 0; i < length; i++) {
    const byte = bytes[from + i];
    if (byte !== beginning[i] && !(i === 7 && byte === 0x30)) return false;
  }
  return true;
}
