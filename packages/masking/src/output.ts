/**
 * A machine's output for one input chunk. As long as everything is copied in one piece the chunk itself is
 * handed on; the first change starts a copy.
 */
import { markAsUntransferable } from 'node:worker_threads';

const noBytes = new Uint8Array(0);
const noView = new DataView(noBytes.buffer);

/** Pieces that are longer are copied natively; a call and a subarray cost as much as copying so many bytes here. */
const longPiece = 600;
/** Bytes that may be written behind what is let out. */
const margin = 8;
/** Bytes of a slab that small outputs are cut from, one behind the other; larger ones than a quarter have memory of their own. */
const slabBytes = 65_536;

/** Memory of outputs. What was handed out is never written again. */
class Slab {
  /** A Buffer, as what is cut from it: streams take no other bytes without wrapping them. */
  readonly whole: Buffer;
  /** Its bytes as a plain array, which subarrays are made of faster. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Many outputs are cut from it. */
  readonly isShared: boolean;
  /** Where the next output starts. */
  at = 0;

  constructor(size: number, isShared: boolean) {
    // not zeroed: only what was written is ever handed out
    this.whole = Buffer.allocUnsafeSlow(size);
    this.isShared = isShared;
    const { buffer, byteOffset } = this.whole;
    if (isShared) markAsUntransferable(buffer);
    this.bytes = new Uint8Array(buffer, byteOffset, size);
    this.view = new DataView(buffer, byteOffset, size);
  }
}

/** Bytes that are let out often. */
export class Constant {
  readonly bytes: Uint8Array;
  /** The same with zeros behind them, to whole words of eight bytes. */
  readonly words: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const padded = new Uint8Array((bytes.length + 7) & ~7);
    padded.set(bytes);
    this.words = new DataView(padded.buffer);
  }
}

/** The slab that no output writes to; null while one does. */
let idle: Slab | null = null;

export class Output {
  /** One piece of a chunk, as long as it is one. */
  #source: Uint8Array | null = null;
  #from = 0;
  #to = 0;
  #slab: Slab | null = null;
  #buffer: Uint8Array = noBytes;
  #bufferView: DataView = noView;
  #start = 0;
  #length = 0;
  /** The chunk that was copied from last. */
  #viewed: Uint8Array = noBytes;
  /** The same as a plain array; null until it is needed. */
  #plain: Uint8Array | null = null;
  #view: DataView = noView;
  /** About so many bytes will be let out until they are taken. */
  #expected = 0;

  /** The next pieces are of this chunk. */
  begin(chunk: Uint8Array, view: DataView): void {
    this.#expected = chunk.length;
    this.#viewed = chunk;
    this.#view = view;
    this.#plain = null;
  }

  /** Lets `source[from, to)` out. */
  copy(source: Uint8Array, from: number, to: number): void {
    if (from >= to) return;
    if (this.#slab === null) {
      if (this.#source === null) {
        this.#source = source;
        this.#from = from;
        this.#to = to;
        return;
      }
      if (this.#source === source && this.#to === from) {
        this.#to = to;
        return;
      }
      this.#beginCopy(to - from);
    }
    this.#append(source, from, to);
  }

  /** Lets these bytes out; they are copied, so that the caller may use the memory again. */
  put(bytes: Uint8Array): void {
    this.putPart(bytes, bytes.length);
  }

  /** Lets the first `length` bytes of a buffer out. */
  putPart(bytes: Uint8Array, length: number): void {
    if (length === 0) return;
    if (this.#slab === null) this.#beginCopy(length);
    if (this.#length + length > this.#buffer.length) this.#reserve(length);
    const buffer = this.#buffer;
    const at = this.#length;
    if (length < 48) for (let i = 0; i < length; i++) buffer[at + i] = bytes[i]!;
    else buffer.set(bytes.length === length ? bytes : bytes.subarray(0, length), at);
    this.#length = at + length;
  }

  putConstant({ bytes: { length }, words }: Constant): void {
    if (length === 0) return;
    if (this.#slab === null) this.#beginCopy(length);
    if (this.#length + length + margin > this.#buffer.length) this.#reserve(length);
    const target = this.#bufferView;
    const at = this.#length;
    for (let i = 0; i < length; i += 8) target.setBigInt64(at + i, words.getBigInt64(i, true), true);
    this.#length = at + length;
  }

  /** Takes the output since the last call; null for none. The caller owns the memory. */
  take(): Uint8Array | null {
    const slab = this.#slab;
    const source = this.#source;
    let taken: Uint8Array | null = null;
    if (slab !== null) {
      taken = slab.whole.subarray(this.#start, this.#length);
      slab.at = (this.#length + 7) & ~7;
      if (slab.isShared) idle = slab;
      this.#slab = null;
      this.#buffer = noBytes;
      this.#bufferView = noView;
    } else if (source !== null) taken = this.#from === 0 && this.#to === source.length ? source : source.subarray(this.#from, this.#to);
    this.#source = null;
    this.#viewed = noBytes;
    this.#plain = null;
    return taken;
  }

  #beginCopy(size: number): void {
    const source = this.#source;
    const least = source === null ? size : this.#to - this.#from + size;
    this.#open(Math.max(this.#expected + (this.#expected >> 4), least) + 256);
    this.#source = null;
    if (source !== null) this.#append(source, this.#from, this.#to);
  }

  /** Begins an output of about so many bytes. */
  #open(size: number): void {
    let slab: Slab | null = null;
    if (size > slabBytes >> 2) slab = new Slab(size, false);
    else {
      slab = idle;
      idle = null;
      if (slab === null || slab.at + size > slabBytes) slab = new Slab(slabBytes, true);
    }
    this.#slab = slab;
    this.#buffer = slab.bytes;
    this.#bufferView = slab.view;
    this.#start = this.#length = slab.at;
  }

  #reserve(size: number): void {
    const before = this.#buffer.subarray(this.#start, this.#length);
    this.#open(Math.max(before.length * 2, before.length + size + margin));
    this.#buffer.set(before, this.#start);
    this.#length = this.#start + before.length;
  }

  #append(source: Uint8Array, from: number, to: number): void {
    const size = to - from;
    if (this.#length + size + margin > this.#buffer.length) this.#reserve(size);
    if (this.#viewed !== source) {
      this.#viewed = source;
      this.#plain = null;
      this.#view = new DataView(source.buffer, source.byteOffset, source.length);
    }
    let at = this.#length;
    if (size > longPiece) {
      // subarrays of a Buffer are Buffers, and slow to make
      this.#plain ??= new Uint8Array(source.buffer, source.byteOffset, source.length);
      this.#buffer.set(this.#plain.subarray(from, to), at);
      this.#length = at + size;
      return;
    }
    // eight bytes at a time: for pieces of this size faster than making a subarray. What is written too far is written over.
    const view = this.#view;
    const target = this.#bufferView;
    let i = from;
    for (const end = Math.min(to, source.length - 7); i < end; i += 8, at += 8) target.setBigInt64(at, view.getBigInt64(i, true), true);
    for (; i < to; i++) target.setUint8(at++, view.getUint8(i));
    this.#length += size;
  }
}
