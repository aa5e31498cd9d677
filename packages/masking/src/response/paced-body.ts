/** Masks a body in pieces, whenever its caller may use the processor; chunks that arrive meanwhile wait. */
import type { HeaderList } from '@hoop/contract';

import type { BodyMasker } from './body-masker.ts';
import type { Pace } from './pace.ts';

/** Of a body that others wait beside: with expensive rules a fraction of a millisecond. */
const pieceBytes = 4096;

export class PacedBody {
  readonly #body: BodyMasker;
  readonly #pace: Pace;
  readonly #goOn: () => void;
  /** Null: nothing waits. */
  #held: Uint8Array[] | null = null;
  #trailers: HeaderList | null = null;

  /** @param goOn called after `write` returned false, once the held chunks are processed */
  constructor(body: BodyMasker, pace: Pace, goOn: () => void) {
    this.#body = body;
    this.#pace = pace;
    this.#goOn = goOn;
  }

  /** False: write no more for now. */
  write(chunk: Uint8Array): boolean {
    if (this.#held !== null) {
      this.#held.push(chunk);
      return false;
    }
    if (this.#pace.isOpen()) return this.#work(chunk);
    this.#hold(chunk);
    return false;
  }

  end(trailers?: HeaderList): void {
    if (this.#held === null) this.#body.end(trailers);
    else this.#trailers = trailers ?? [];
  }

  /** Processes the held chunks. */
  takeTurn(): void {
    const held = this.#held!;
    this.#held = null;
    let wantsMore = true;
    for (const chunk of held) {
      if (this.#body.isOver) return;
      if (this.#held === null) wantsMore = this.#work(chunk) && wantsMore;
      else (this.#held as Uint8Array[]).push(chunk);
    }
    if (this.#body.isOver || this.#held !== null) return;
    if (this.#trailers !== null) this.#body.end(this.#trailers);
    else if (wantsMore) this.#goOn();
  }

  #work(chunk: Uint8Array): boolean {
    const size = this.#pace.isContended ? pieceBytes : chunk.length;
    let wantsMore = true;
    for (let at = 0; at < chunk.length; at += size) {
      if (at > 0 && !this.#pace.isOpen()) {
        this.#hold(chunk.subarray(at));
        return false;
      }
      const start = performance.now();
      wantsMore = this.#body.write(chunk.subarray(at, at + size)) && wantsMore;
      this.#pace.spend(performance.now() - start);
      if (this.#body.isOver) return true;
    }
    return wantsMore;
  }

  #hold(chunk: Uint8Array): void {
    this.#held = [chunk];
    this.#pace.wait(this);
  }
}
