import { Malformed } from '../machine.ts';

/** Where in the document the present chunk begins: errors name bytes of the document, not of the chunk. */
export class JsonPosition {
  /** Bytes of all chunks before the present one. */
  consumed = 0;

  /** @throws Malformed for the byte `at` of the present chunk */
  fail(at: number, reason: string): never {
    throw new Malformed(this.consumed + at, reason);
  }
}
