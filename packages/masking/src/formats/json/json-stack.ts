/** The containers that we are inside of. */
import type { KeyEntry } from '../../rules/key-entry.ts';
import type { PathState } from '../../rules/path-automaton.ts';
import { pathStep } from '../path-step.ts';

/** One container. Frames are used again for what comes at their depth later. */
export class JsonFrame {
  inArray = false;
  /** Index of the next element, where it matters. */
  index = 0;
  /** A member or element has been let out. */
  kept = false;
  state: PathState;
  /** The key under which the container stands; elements of an array inherit it. */
  entry: KeyEntry;
  readonly depth: number;
  readonly below: JsonFrame | null;
  above: JsonFrame | null = null;

  constructor(depth: number, below: JsonFrame | null, state: PathState, entry: KeyEntry) {
    this.depth = depth;
    this.below = below;
    this.state = state;
    this.entry = entry;
  }
}

export class JsonStack {
  /** The innermost container; of depth 0 outside of all. */
  top: JsonFrame;
  readonly #bottom: JsonFrame;

  constructor(root: PathState, entry: KeyEntry) {
    this.top = this.#bottom = new JsonFrame(0, null, root, entry);
  }

  reset(): void {
    this.top = this.#bottom;
  }

  push(inArray: boolean, state: PathState, entry: KeyEntry): JsonFrame {
    const { top } = this;
    const frame = (top.above ??= new JsonFrame(top.depth + 1, top, state, entry));
    frame.inArray = inArray;
    frame.index = 0;
    frame.kept = false;
    frame.state = state;
    frame.entry = entry;
    this.top = frame;
    return frame;
  }

  /** Gives the container around the one that ends. */
  pop(): JsonFrame {
    return (this.top = this.top.below!);
  }

  /** JSONPath of the value that comes next under this key, with `[*]` for every element. */
  path(key: KeyEntry): string {
    const steps: string[] = [];
    let last = key;
    for (let frame = this.top; frame.below !== null; frame = frame.below) {
      steps.push(frame.inArray ? '[*]' : pathStep(last.masked ?? last.name));
      last = frame.entry;
    }
    return `$${steps.reverse().join('')}`;
  }
}
