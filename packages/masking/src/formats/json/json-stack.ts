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
  /** The key under which the container stands; elements of an array inherit it. */
  entry: KeyEntry;

  readonly #arrays: boolean[] = [];
  readonly #states: PathState[] = [];
  readonly #indexes: number[] = [];
  readonly #kepts: boolean[] = [];
  readonly #entries: KeyEntry[] = [];

  constructor(root: PathState, entry: KeyEntry) {
    this.state = root;
    this.entry = entry;
  }

  push(isArray: boolean, state: PathState, entry: KeyEntry): void {
    const depth = this.depth++;
    this.#arrays[depth] = this.inArray;
    this.#states[depth] = this.state;
    this.#indexes[depth] = this.index;
    this.#kepts[depth] = this.kept;
    this.#entries[depth] = this.entry;
    this.inArray = isArray;
    this.state = state;
    this.index = 0;
    this.kept = false;
    this.entry = entry;
  }

  pop(): void {
    const depth = --this.depth;
    this.inArray = this.#arrays[depth]!;
    this.state = this.#states[depth]!;
    this.index = this.#indexes[depth]!;
    this.kept = this.#kepts[depth]!;
    this.entry = this.#entries[depth]!;
  }

  /** JSONPath of the value that comes next under this key, with `[*]` for every element. */
  path(key: KeyEntry): string {
    let path = '$';
    for (let level = 1; level <= this.depth; level++) {
      const inArray = level === this.depth ? this.inArray : this.#arrays[level]!;
      const entry = level === this.depth ? key : this.#entryAt(level + 1);
      path += inArray ? '[*]' : pathStep(entry.masked ?? entry.name);
    }
    return path;
  }

  #entryAt(level: number): KeyEntry {
    return level === this.depth ? this.entry : this.#entries[level]!;
  }
}

/** Keys that are ids, dates or values themselves stand for all of their kind: `[*]`. */
const pathStep = (name: string): string => {
  if (name.length > 40 || /[0-9]{3,}|@|\[redacted\]|^[0-9a-f]{8}-/i.test(name)) return '[*]';
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
};
