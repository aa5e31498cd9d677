/**
 * What a machine lets out for one input chunk. As long as everything is copied in one piece the chunk itself is
 * handed on; the first change starts a copy.
 */
export class Output {
  #source: Uint8Array | null = null;
  #from = 0;
  #to = 0;
  #buffer: Uint8Array | null = null;
  #length = 0;

  /** Lets `source[from, to)` out. */
  copy(source: Uint8Array, from: number, to: number): void {
    if (from >= to) return;
    if (this.#buffer === null) {
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
    }
    this.#write(source, from, to);
  }

  /** Lets these bytes out; they are copied, so that the caller may use the memory again. */
  put(bytes: Uint8Array): void {
    this.#write(bytes, 0, bytes.length);
  }

  /** Lets the first `length` bytes of a buffer out. */
  putPart(bytes: Uint8Array, length: number): void {
    this.#write(bytes, 0, length);
  }

  /** What has been let out since the last call; null for nothing. The memory is the caller's. */
  take(): Uint8Array | null {
    const buffer = this.#buffer;
    const source = this.#source;
    let taken: Uint8Array | null = null;
    if (buffer !== null) taken = this.#length === 0 ? null : buffer.subarray(0, this.#length);
    else if (source !== null) taken = this.#from === 0 && this.#to === source.length ? source : source.subarray(this.#from, this.#to);
    this.#source = null;
    this.#buffer = null;
    this.#length = 0;
    return taken;
  }

  #write(bytes: Uint8Array, from: number, to: number): void {
    if (from >= to) return;
    let buffer = this.#buffer;
    if (buffer === null) {
      const source = this.#source;
      const before = source === null ? 0 : this.#to - this.#from;
      buffer = new Uint8Array(Math.max(source === null ? 0 : source.length, before + to - from) + 256);
      this.#buffer = buffer;
      this.#length = 0;
      if (source !== null) this.#append(buffer, source, this.#from, this.#to);
      this.#source = null;
    }
    if (this.#length + to - from > buffer.length) {
      const larger = new Uint8Array(Math.max(buffer.length * 2, this.#length + to - from));
      larger.set(buffer.subarray(0, this.#length));
      this.#buffer = buffer = larger;
    }
    this.#append(buffer, bytes, from, to);
  }

  #append(buffer: Uint8Array, bytes: Uint8Array, from: number, to: number): void {
    let at = this.#length;
    if (to - from < 96) for (let i = from; i < to; i++) buffer[at++] = bytes[i]!;
    else {
      buffer.set(bytes.subarray(from, to), at);
      at += to - from;
    }
    this.#length = at;
  }
}
