/** The deterministic automaton of a set of graphs, built as bytes lead to new states; bounded in size. */
import type { Node } from './escape-graph.ts';

const maxStates = 2048;
export const ACCEPTS: number = 1 << 30;

export class LazyAutomaton {
  /** `table[state * 256 + byte]`: the next state, plus `ACCEPTS`; -1: not known yet. State 0: nothing has begun. */
  table: Int32Array = new Int32Array(16 * 256).fill(-1);
  readonly #starts: readonly Node[];
  #states: (readonly Node[])[] = [[]];
  #ids = new Map<string, number>([['', 0]]);

  constructor(starts: readonly Node[]) {
    this.#starts = starts;
  }

  /** What a state stands for; survives the automaton's forgetting. */
  nodesOf(state: number): readonly Node[] {
    return this.#states[state]!;
  }

  stateOf(nodes: readonly Node[]): number {
    const key = nodes.map((node) => node.id).join(',');
    let id = this.#ids.get(key);
    if (id === undefined) {
      if (this.#states.length >= maxStates) this.#forget();
      id = this.#states.length;
      this.#states.push(nodes);
      this.#ids.set(key, id);
      if (this.table.length < (id + 1) * 256) {
        const larger = new Int32Array(this.table.length * 2).fill(-1);
        larger.set(this.table);
        this.table = larger;
      }
    }
    return id;
  }

  /** The next state, computed and remembered. `table` may be another one afterwards. */
  step(state: number, byte: number): number {
    const next = new Set<Node>();
    let accepts = false;
    const table = this.table;
    for (const node of [...this.#starts, ...this.#states[state]!]) {
      for (const target of node.next(byte)) {
        if (target.accepts) accepts = true;
        next.add(target);
      }
    }
    const to = this.stateOf([...next].sort((a, b) => a.id - b.id)) | (accepts ? ACCEPTS : 0);
    // after the automaton forgot, the state that we came from has no row any more
    if (this.#states.length > state && (this.table === table || this.table.length > table.length)) this.table[state * 256 + byte] = to;
    return to;
  }

  /** False: no match is in this text. True also where it is not ASCII. */
  mayMatch(text: string): boolean {
    const { length } = text;
    let table = this.table;
    let state = 0;
    for (let i = 0; i < length; i++) {
      const byte = text.charCodeAt(i);
      if (byte >= 0x80) return true;
      let next = table[(state << 8) + byte]!;
      if (next < 0) {
        next = this.step(state, byte);
        table = this.table;
      }
      if (next >= ACCEPTS) return true;
      state = next;
    }
    return false;
  }

  /** Where the match that ends before `end` starts, at or after `from`. */
  matchStart(bytes: Uint8Array, from: number, end: number): number {
    for (let start = from; start < end; start++) {
      let nodes: readonly Node[] = this.#starts;
      for (let i = start; i < end && nodes.length > 0; i++) {
        const next = new Set<Node>();
        for (const node of nodes) for (const target of node.next(bytes[i]!)) next.add(target);
        nodes = [...next];
      }
      if (nodes.some((node) => node.accepts)) return start;
    }
    return from;
  }

  #forget(): void {
    this.table = new Int32Array(16 * 256).fill(-1);
    this.#states = [[]];
    this.#ids = new Map([['', 0]]);
  }
}
