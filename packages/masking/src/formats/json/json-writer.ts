/** Writes the output from the input: copying in long pieces, holding back, and the commas around removed members. */
import { REMOVE } from '../../actions/action.ts';
import type { Action } from '../../actions/action.ts';
import { Collector } from '../../bytes.ts';
import type { Output } from '../../output.ts';

/** White space after a comma that is held until its member is decided. */
const maxGap = 1_048_576;

export class JsonWriter {
  readonly out: Output;
  /** Nothing may be copied: the bytes are dropped or collected. */
  isHolding = false;
  /** Start of what may be copied to the output and has not been, in this chunk. */
  #from = 0;
  /** Position of a comma whose member is not decided, in this chunk; -1: none. */
  #commaAt = -1;
  /** Such a comma from an earlier chunk, and the white space after it. */
  readonly #gap = new Collector();
  /** The member has not begun: white space goes on. */
  #gapGrows = false;

  constructor(out: Output) {
    this.out = out;
  }

  /** Forgets everything, for another document. */
  reset(): void {
    this.isHolding = false;
    this.#commaAt = -1;
    this.#gap.clear();
    this.#gapGrows = false;
  }

  beginChunk(chunk: Uint8Array, view: DataView): void {
    this.#from = 0;
    this.out.begin(chunk, view);
  }

  /** False: too much white space is held. */
  endChunk(chunk: Uint8Array): boolean {
    if (this.#commaAt >= 0) {
      this.#openGap(chunk, chunk.length);
      this.#gapGrows = true;
    } else if (this.#gapGrows) this.#gap.append(chunk, 0, chunk.length);
    if (!this.isHolding) this.out.copy(chunk, this.#from, chunk.length);
    return this.#gap.length <= maxGap;
  }

  /** Copies to the output what is before `to`. */
  flush(chunk: Uint8Array, to: number): void {
    if (!this.isHolding) this.out.copy(chunk, this.#from, to);
  }

  /** Copying goes on at `from`. */
  resume(from: number): void {
    this.isHolding = false;
    this.#from = from;
  }

  /** The token from `start` reaches over the end of the chunk and is collected. */
  suspend(chunk: Uint8Array, start: number): void {
    if (this.#commaAt >= 0) this.#openGap(chunk, start);
    else if (this.#gapGrows) this.#gap.append(chunk, 0, start);
    this.#gapGrows = false;
    this.flush(chunk, start);
    this.isHolding = true;
  }

  /** There is a comma whose member may be removed. */
  comma(at: number): void {
    this.#commaAt = at;
  }

  /** Decides about the comma before a member or element that starts at `start`. `kept`: it follows another that stayed. */
  settle(chunk: Uint8Array, start: number, action: Action, kept: boolean): void {
    if (this.#gapGrows) {
      this.#gap.append(chunk, 0, start);
      this.settleGap(action, kept);
      if (action !== REMOVE) this.resume(start);
    } else if (action === REMOVE) {
      this.flush(chunk, this.#commaAt >= 0 ? this.#commaAt : start);
      this.isHolding = true;
    } else if (this.#commaAt >= 0 && !kept) {
      this.flush(chunk, this.#commaAt);
      this.resume(this.#commaAt + 1);
    }
    this.#commaAt = -1;
  }

  /** The same for a member whose key began in an earlier chunk. */
  settleGap(action: Action, kept: boolean): void {
    const gap = this.#gap;
    if (gap.length > 0 && action !== REMOVE) this.out.put(gap.bytes.subarray(kept ? 0 : 1, gap.length));
    gap.clear();
    this.#gapGrows = false;
  }

  #openGap(chunk: Uint8Array, to: number): void {
    this.flush(chunk, this.#commaAt);
    this.#gap.append(chunk, this.#commaAt, to);
    this.#commaAt = -1;
    this.isHolding = true;
  }
}
