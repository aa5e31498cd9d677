/**
 * What a machine lets out for one input chunk. As long as everything is copied in one piece the chunk itself is
 * handed on; the first change starts a copy.
 */
const noBytes = new Uint8Array(0);
const noView = new DataView(noBytes.buffer);

export class Output {
  /** One piece of a chunk, as long as it is one. */
  #source: Uint8Array | null = null;
  #from = 0;
  #to = 0;
  #isCopying = false;
  #buffer: Uint8Array = noBytes;
  #bufferView: DataView = noView;
  #length = 0;
  /** The chunk that was copied from last. */
  #viewed: Uint8Array = noBytes;
  #plain: Uint8Array = noBytes;
  #view: DataView = noView;

  /** Lets `source[from, to)` out. */
  copy(source: Uint8Array, from: number, to: number): void {
    if (from >= to) return;
    if (!this.#isCopying) {
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
    if (!this.#isCopying) this.#beginCopy(length);
    if (this.#length + length > this.#buffer.length) this.#reserve(length);
    const buffer = this.#buffer;
    const at = this.#length;
    if (length < 48) for (let i = 0; i < length; i++) buffer[at + i] = bytes[i]!;
    else buffer.set(bytes.length === length ? bytes : bytes.subarray(0, length), at);
    this.#length = at + length;
  }

  /** What has been let out since the last call; null for nothing. The memory is the caller's. */
  take(): Uint8Array | null {
    const source = this.#source;
    let taken: Uint8Array | null = null;
    if (this.#isCopying) taken = this.#length === 0 ? null : this.#buffer.subarray(0, this.#length);
    else if (source !== null) taken = this.#from === 0 && this.#to === source.length ? source : source.subarray(this.#from, this.#to);
    this.#source = null;
    this.#isCopying = false;
    this.#buffer = noBytes;
    this.#bufferView = noView;
    this.#viewed = this.#plain = noBytes;
    this.#length = 0;
    return taken;
  }

  #beginCopy(size: number): void {
    const source = this.#source;
    this.#isCopying = true;
    this.#length = 0;
    this.#allocate(source === null ? size + 256 : Math.max(source.length + (source.length >> 2), this.#to - this.#from + size) + 256);
    this.#source = null;
    if (source !== null) this.#append(source, this.#from, this.#to);
  }

  #allocate(size: number): void {
    // not zeroed: only what was written is ever handed out
    const { buffer, byteOffset } = Buffer.allocUnsafe(size);
    this.#buffer = new Uint8Array(buffer, byteOffset, size);
    this.#bufferView = new DataView(buffer, byteOffset, size);
  }

  #reserve(size: number): void {
    const before = this.#buffer;
    if (this.#length + size <= before.length) return;
    this.#allocate(Math.max(before.length * 2, this.#length + size));
    this.#buffer.set(before.subarray(0, this.#length));
  }

  #append(source: Uint8Array, from: number, to: number): void {
    const size = to - from;
    if (this.#length + size > this.#buffer.length) this.#reserve(size);
    if (this.#viewed !== source) {
      this.#viewed = source;
      // subarrays of a Buffer are Buffers, and slow to make
      this.#plain = new Uint8Array(source.buffer, source.byteOffset, source.length);
      this.#view = new DataView(source.buffer, source.byteOffset, source.length);
    }
    let at = this.#length;
    if (size > 128) {
      this.#buffer.set(this.#plain.subarray(from, to), at);
      this.#length = at + size;
      return;
    }
    // eight bytes at a time: for pieces of this size faster than making a subarray
    const view = this.#view;
    const target = this.#bufferView;
    let i = from;
    for (const end = to - 7; i < end; i += 8, at += 8) target.setBigInt64(at, view.getBigInt64(i, true), true);
    for (; i < to; i++) target.setUint8(at++, view.getUint8(i));
    this.#length = at;
  }
}
