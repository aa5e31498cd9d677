/**
 * Captures a streaming body for the record: its size, a keyed digest of all of it, and a prefix.
 * The bytes that are digested and the bytes that are kept can differ: a response is digested as the target sent it
 * and kept as the function got it, masked.
 */
import { createHmac, createSecretKey, hash } from 'node:crypto';
import type { Hmac, KeyObject } from 'node:crypto';

/** Chunks from here on are kept as they are, where they are most of the buffer that they are a view of; others are copied together. */
const wholeChunkBytes = 16 * 1024;
const firstBlockBytes = 16 * 1024;
const mostBlockBytes = 256 * 1024;
const blockBytes = 64;
const hashBytes = 32;
/** Up to here a body of one chunk is digested without a Hmac object, which costs more than the hashing itself. */
const shortBytes = 16 * 1024;

/** A key for the digests of bodies, in the forms in which it is needed. */
export interface DigestKey {
  readonly key: KeyObject;
  /** RFC 2104 §2: the key, padded to a block, XOR ipad and XOR opad. */
  readonly inner: Uint8Array;
  readonly outer: Uint8Array;
}

/** @param bytes at most 64 */
export function createDigestKey(bytes: Uint8Array): DigestKey {
  if (bytes.length > blockBytes) throw new RangeError('a digest key has at most 64 bytes');
  const pad = (value: number): Uint8Array => Uint8Array.from({ length: blockBytes }, (_, i) => (bytes[i] ?? 0) ^ value);
  return { key: createSecretKey(bytes), inner: pad(0x36), outer: pad(0x5c) };
}

const innerMessage = Buffer.alloc(blockBytes + shortBytes);
const outerMessage = Buffer.alloc(blockBytes + hashBytes);

/** HMAC-SHA-256 in hex. What was hashed is overwritten by the next. */
function shortDigest({ inner, outer }: DigestKey, bytes: Uint8Array): string {
  innerMessage.set(inner);
  innerMessage.set(bytes, blockBytes);
  outerMessage.set(outer);
  // As a string, since a Buffer of its own costs more than its 32 bytes.
  outerMessage.write(hash('sha256', innerMessage.subarray(0, blockBytes + bytes.length), 'latin1'), blockBytes, 'latin1');
  return hash('sha256', outerMessage, 'hex');
}

/** Bytes that are kept of the bodies of one caller at a time. */
export interface KeptBytes {
  keptBytes: number;
}

export class BodyCapture {
  /** Bytes that passed. */
  bytes = 0;
  /** Bytes offered for keeping, before the cap. */
  offered = 0;
  #maxBytes: number;
  readonly #account: KeptBytes | null;
  readonly #maxAccount: number;
  readonly #digestKey: DigestKey;
  #only: Uint8Array | null = null;
  #hmac: Hmac | null = null;
  readonly #parts: Uint8Array[] = [];
  /** What small chunks are copied into; the part behind `#parts`. */
  #block: Buffer | null = null;
  #blockEnd = 0;
  #blockBytes = firstBlockBytes;
  #keptBytes = 0;

  /**
   * @param maxBytes of the prefix that is kept; 0 keeps nothing
   * @param account counts what is kept, until `release`
   * @param maxAccount of it: the prefix ends where it is reached
   */
  constructor(maxBytes: number, digestKey: DigestKey, account: KeptBytes | null = null, maxAccount = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes;
    this.#account = account;
    this.#maxAccount = maxAccount;
    this.#digestKey = digestKey;
  }

  /** Whether anything of the body is kept at all. */
  get keepsContent(): boolean {
    return this.#maxBytes > 0;
  }

  /** These bytes went over the wire. They must not change afterwards. */
  passed(chunk: Uint8Array): void {
    const isFirst = this.bytes === 0;
    this.bytes += chunk.byteLength;
    if (isFirst && chunk.byteLength <= shortBytes) {
      this.#only = chunk;
      return;
    }
    this.#hmac ??= createHmac('sha256', this.#digestKey.key);
    if (this.#only !== null) this.#hmac.update(this.#only);
    this.#only = null;
    this.#hmac.update(chunk);
  }

  /** Bytes kept so far. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** These bytes are for the record. They must not change afterwards. */
  keep(chunk: Uint8Array): void {
    this.offered += chunk.byteLength;
    const room = this.#maxBytes - this.#keptBytes;
    if (room <= 0) return;
    const part = chunk.byteLength > room ? chunk.subarray(0, room) : chunk;
    if (this.#account !== null) {
      if (this.#account.keptBytes + part.byteLength > this.#maxAccount) {
        this.#maxBytes = this.#keptBytes;
        return;
      }
      this.#account.keptBytes += part.byteLength;
    }
    if (this.#keptBytes === 0) {
      // A small body is one chunk: keep it without a copy.
      this.#parts.push(part);
    } else {
      if (this.#parts.length === 1 && this.#block === null) this.#append(this.#parts.pop()!);
      this.#append(part);
    }
    this.#keptBytes += part.byteLength;
  }

  /** Hex of HMAC-SHA-256 over all that passed; null where nothing did. Ends the capture. */
  digest(): string | null {
    if (this.#only !== null) return shortDigest(this.#digestKey, this.#only);
    return this.#hmac === null ? null : this.#hmac.digest('hex');
  }

  /** What is kept, in order. */
  keptParts(): readonly Uint8Array[] {
    return this.#block === null ? this.#parts : [...this.#parts, this.#block.subarray(0, this.#blockEnd)];
  }

  get isTruncated(): boolean {
    return this.offered > this.#keptBytes;
  }

  /** The kept bytes count no longer, and no more are kept. May be called again. */
  release(): void {
    if (this.#account !== null && !this.#isReleased) this.#account.keptBytes -= this.#keptBytes;
    this.#isReleased = true;
    this.#maxBytes = this.#keptBytes;
  }
  #isReleased = false;

  // Many small chunks must not hold on to the large buffers that they are views of, so they are copied. A block is filled
  // before another begins: else chunks of changing sizes would leave most of the blocks empty.
  #append(part: Uint8Array): void {
    let rest = part;
    if (this.#block !== null) {
      const room = this.#block.length - this.#blockEnd;
      const fits = rest.byteLength <= room ? rest : rest.subarray(0, room);
      this.#block.set(fits, this.#blockEnd);
      this.#blockEnd += fits.byteLength;
      rest = rest.subarray(fits.byteLength);
      if (rest.byteLength === 0) return;
      this.#endBlock();
    }
    if (rest.byteLength >= wholeChunkBytes && rest.byteLength * 2 >= rest.buffer.byteLength) {
      this.#parts.push(rest);
      return;
    }
    this.#block = Buffer.allocUnsafeSlow(Math.max(this.#blockBytes, rest.byteLength));
    this.#blockBytes = Math.min(this.#blockBytes * 2, mostBlockBytes);
    this.#block.set(rest);
    this.#blockEnd = rest.byteLength;
  }

  #endBlock(): void {
    if (this.#block !== null) this.#parts.push(this.#block.subarray(0, this.#blockEnd));
    this.#block = null;
    this.#blockEnd = 0;
  }
}

/** The parts of a body as one. */
export function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
