/** The containers that we are inside of. */
import type { KeyEntry } from '../../rules/key-table.ts';
import type { PathState } from '../../rules/path-automaton.ts';

export class JsonStack {
  depth = 0;
  inArray = false;
  state: PathState;
  /** Index of the next element. */
  index = 0;
  /** A member or element has been let out. */
  kept = false;
  /** The key under which the container stands, and what it tells; elements of an array inherit both. */
  entry: KeyEntry | null = null;
  context = 0;

  readonly #arrays: boolean[] = [];
  readonly #states: PathState[] = [];
  readonly #indexes: number[] = [];
  readonly #kepts: boolean[] = [];
  readonly #entries: (KeyEntry | null)[] = [];
  readonly #contexts: number[] = [];

  constructor(root: PathState) {
    this.state = root;
  }

  push(isArray: boolean, state: PathState, entry: KeyEntry | null, context: number): void {
    const depth = this.depth++;
    this.#arrays[depth] = this.inArray;
    this.#states[depth] = this.state;
    this.#indexes[depth] = this.index;
    this.#kepts[depth] = this.kept;
    this.#entries[depth] = this.entry;
    this.#contexts[depth] = this.context;
    this.inArray = isArray;
    this.state = state;
    this.index = 0;
    this.kept = false;
    this.entry = entry;
    this.context = context;
  }

  pop(): void {
    const depth = --this.depth;
    this.inArray = this.#arrays[depth]!;
    this.state = this.#states[depth]!;
    this.index = this.#indexes[depth]!;
    this.kept = this.#kepts[depth]!;
    this.entry = this.#entries[depth]!;
    this.context = this.#contexts[depth]!;
  }

  /** JSONPath of the value that comes next under this key, with `[*]` for every element. */
  path(key: KeyEntry | null): string {
    let path = '$';
    for (let level = 1; level <= this.depth; level++) {
      const inArray = level === this.depth ? this.inArray : this.#arrays[level]!;
      const entry = level === this.depth ? key : this.#entryAt(level + 1);
      path += inArray ? '[*]' : pathStep(entry?.masked ?? entry?.name ?? '');
    }
    return path;
  }

  #entryAt(level: number): KeyEntry | null {
    return level === this.depth ? this.entry : this.#entries[level]!;
  }
}

const pathStep = (name: string): string => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`);
