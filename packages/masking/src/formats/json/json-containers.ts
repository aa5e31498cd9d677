/** Objects and arrays as they open and close, and the one among them that is masked whole. */
import { HASH, NONE, PARTIAL, REDACT } from '../../actions/action.ts';
import type { Action } from '../../actions/action.ts';
import { limits } from '../../engine.ts';
import { AFTER, TOP } from './json-phases.ts';
import type { JsonPosition } from './json-position.ts';
import type { JsonStack } from './json-stack.ts';
import type { JsonValues } from './json-values.ts';
import type { JsonWriter } from './json-writer.ts';
import type { Place } from './place.ts';

export class JsonContainers {
  /** A container around the present token is masked whole: tokens are checked, and nothing of them goes out. */
  isMuted = false;
  readonly #stack: JsonStack;
  readonly #writer: JsonWriter;
  readonly #values: JsonValues;
  readonly #place: Place;
  readonly #position: JsonPosition;
  /** Depth at which the container stands that is masked whole. */
  #mutedAt = 0;
  #mutedAction: Action = NONE;

  constructor(stack: JsonStack, writer: JsonWriter, values: JsonValues, place: Place, position: JsonPosition) {
    this.#stack = stack;
    this.#writer = writer;
    this.#values = values;
    this.#place = place;
    this.#position = position;
  }

  reset(): void {
    this.isMuted = false;
  }

  /** Opens the container at `i`, which stands at the place. */
  open(chunk: Uint8Array, i: number, isArray: boolean): void {
    const { state, entry } = this.#place;
    const { depth } = this.#stack.top;
    if (depth >= limits.depth) this.#position.fail(i, 'the document is nested too deeply');
    if (!this.isMuted && state.action !== NONE) {
      this.#writer.flush(chunk, i);
      this.#writer.isHolding = true;
      this.isMuted = true;
      this.#mutedAt = depth;
      this.#mutedAction = state.action === PARTIAL || state.action === HASH ? REDACT : state.action;
    }
    this.#stack.push(isArray, state, entry);
  }

  /** Closes the innermost container at `i`; gives the next phase. */
  close(i: number): number {
    const { depth } = this.#stack.pop();
    if (this.isMuted && this.#mutedAt === depth) {
      this.isMuted = false;
      this.#values.putReplacement(this.#mutedAction);
      this.#writer.resume(i + 1);
    }
    return depth === 0 ? TOP : AFTER;
  }
}
