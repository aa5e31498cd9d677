/**
 * When to look again at what waits for more text: once it has grown by an eighth. So a token costs some eight times its
 * length at most, in however many pieces it comes.
 */

/** Characters up to which what waits is looked at with every piece. */
const short = 1024;

export class Patience {
  #nextAt = 0;

  /** Whether so many characters are enough to look again. */
  isOver(length: number): boolean {
    return length >= this.#nextAt;
  }

  /** So many characters wait, and more are needed. */
  wait(length: number): void {
    this.#nextAt = length <= short ? 0 : length + (length >> 3);
  }
}
