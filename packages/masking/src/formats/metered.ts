/** A machine whose work is paid from the account of its body, and that is given its bytes in slices. */
import type { Engine } from '../engine.ts';
import type { Work } from '../text/work.ts';
import type { Machine } from './machine.ts';

/** Bytes that a machine is given at once: values that are longer are looked at in pieces. */
const sliceBytes = 65_536;

export class Metered implements Machine {
  readonly #machine: Machine;
  readonly #engine: Engine;
  readonly #work: Work;

  constructor(machine: Machine, engine: Engine, work: Work) {
    this.#machine = machine;
    this.#engine = engine;
    this.#work = work;
  }

  write(chunk: Uint8Array): void {
    this.#payFrom(this.#work);
    try {
      if (chunk.length <= sliceBytes) this.#slice(chunk);
      else for (let at = 0; at < chunk.length; at += sliceBytes) this.#slice(chunk.subarray(at, at + sliceBytes));
    } finally {
      this.#payFrom(null);
    }
  }

  end(): void {
    this.#payFrom(this.#work);
    try {
      this.#machine.end();
    } finally {
      this.#payFrom(null);
    }
  }

  #slice(bytes: Uint8Array): void {
    this.#work.earn(bytes.length);
    this.#machine.write(bytes);
  }

  /** The engine works for one body at a time, since nothing in it waits. */
  #payFrom(work: Work | null): void {
    this.#engine.text?.use(work);
    this.#engine.paths.use(work);
  }
}
