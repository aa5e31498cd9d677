/** Machines of formats that are read as text, and their adapters to bytes. */
import { CharsetDecoder } from '../decoding/charset.ts';
import { utf8Bytes } from '../bytes.ts';
import type { Output } from '../output.ts';
import type { Machine } from './machine.ts';

export interface TextMachine {
  /** Takes the next text, gives what may go out. Throws `Malformed`. */
  write(text: string): string;
  end(): string;
}

/** A text machine behind a charset decoder. Leaves in UTF-8. */
export class TextAdapter implements Machine {
  readonly #charset: CharsetDecoder;
  readonly #machine: TextMachine;
  readonly #out: Output;

  constructor(charset: CharsetDecoder, machine: TextMachine, out: Output) {
    this.#charset = charset;
    this.#machine = machine;
    this.#out = out;
  }

  write(chunk: Uint8Array): void {
    this.#put(this.#machine.write(this.#charset.push(chunk)));
  }

  end(): void {
    this.#put(this.#machine.write(this.#charset.end()));
    this.#put(this.#machine.end());
  }

  #put(text: string): void {
    if (text === '') return;
    const bytes = utf8Bytes(text);
    this.#out.copy(bytes, 0, bytes.length);
  }
}

/** A byte machine that reads UTF-8 and checks it itself; anything else is turned into UTF-8 before it. */
export class Utf8Adapter implements Machine {
  #declared: string | null;
  readonly #machine: Machine;
  /** Null: the bytes go to the machine as they are. */
  #charset: CharsetDecoder | null = null;
  #isStart = true;

  /** `declared`: a decoder's name, null where nothing is declared. */
  constructor(declared: string | null, machine: Machine) {
    this.#declared = declared;
    this.#machine = machine;
  }

  /** Forgets everything, for another body. */
  reset(declared: string | null): void {
    this.#declared = declared;
    this.#charset = null;
    this.#isStart = true;
  }

  write(chunk: Uint8Array): void {
    if (this.#isStart) {
      this.#isStart = false;
      // two ASCII characters: neither a byte order mark nor UTF-16
      const isPlain = chunk.length > 1 && (chunk[0]! - 1) >>> 0 < 0x7f && (chunk[1]! - 1) >>> 0 < 0x7f;
      if (!isPlain || (this.#declared !== null && this.#declared !== 'utf-8'))
        this.#charset = new CharsetDecoder(this.#declared, 'none', false);
    }
    if (this.#charset === null) this.#machine.write(chunk);
    else this.#put(this.#charset.push(chunk));
  }

  end(): void {
    if (this.#charset !== null) this.#put(this.#charset.end());
    this.#machine.end();
  }

  #put(text: string): void {
    if (text !== '') this.#machine.write(utf8Bytes(text));
  }
}
