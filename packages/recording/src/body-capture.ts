/**
 * What a record keeps of a body that streams past: its size, a keyed digest of all of it, and a prefix.
 * The bytes that are digested and the bytes that are kept can differ: a response is digested as the target sent it
 * and kept as the function got it, masked.
 */
import { createHmac } from 'node:crypto';
import type { Hmac, KeyObject } from 'node:crypto';

const firstAllocation = 16 * 1024;

export class BodyCapture {
  /** Bytes that passed. */
  bytes = 0;
  /** Bytes offered for keeping, before the cap. */
  offered = 0;
  readonly #maxBytes: number;
  readonly #digestKey: KeyObject;
  #hmac: Hmac | null = null;
  #first: Uint8Array | null = null;
  #kept: Buffer | null = null;
  #keptBytes = 0;

  /** @param maxBytes of the prefix that is kept; 0 keeps nothing */
  constructor(maxBytes: number, digestKey: KeyObject) {
    this.#maxBytes = maxBytes;
    this.#digestKey = digestKey;
  }

  /** These bytes went over the wire. */
  passed(chunk: Uint8Array): void {
    this.bytes += chunk.byteLength;
    (this.#hmac ??= createHmac('sha256', this.#digestKey)).update(chunk);
  }

  /** These bytes are for the record. They must not change afterwards. */
  keep(chunk: Uint8Array): void {
    this.offered += chunk.byteLength;
    const room = this.#maxBytes - this.#keptBytes;
    if (room <= 0) return;
    const part = chunk.byteLength > room ? chunk.subarray(0, room) : chunk;
    if (this.#keptBytes === 0) {
      // A small body is one chunk: keep it without a copy.
      this.#first = part;
    } else {
      this.#append(part);
    }
    this.#keptBytes += part.byteLength;
  }

  /** Hex of HMAC-SHA-256 over all that passed; null where nothing did. Ends the capture. */
  digest(): string | null {
    return this.#hmac === null ? null : this.#hmac.digest('hex');
  }

  kept(): Uint8Array {
    return this.#kept?.subarray(0, this.#keptBytes) ?? this.#first ?? empty;
  }

  get isTruncated(): boolean {
    return this.offered > this.#keptBytes;
  }

  // Many small chunks must not hold on to the large buffers that they are views of, so they are copied.
  #append(part: Uint8Array): void {
    const needed = this.#keptBytes + part.byteLength;
    if (this.#kept === null || this.#kept.length < needed) {
      const grown = Buffer.allocUnsafe(Math.min(this.#maxBytes, Math.max(firstAllocation, needed * 2)));
      grown.set(this.kept());
      this.#kept = grown;
      this.#first = null;
    }
    this.#kept.set(part, this.#keptBytes);
  }
}

const empty = new Uint8Array(0);
