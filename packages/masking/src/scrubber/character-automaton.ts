/**
 * The deterministic automaton over decoded characters, built as they come. Its states are sets of nodes of the trie:
 * one for each encoding, and more only where bytes can be read in several ways that each begin a secret. So there are
 * hardly more states than characters in all patterns, for any body.
 */
import { utf8Bytes } from '../bytes.ts';
import type { PatternTrie } from './pattern-trie.ts';

/** In `next`: a secret ends here. */
export const ACCEPTS: number = 1 << 30;
const UNKNOWN = -1;

const unionSlots = 4096;

/** Nodes of a state. More are reached by no secret that is not made of escapes of itself. */
const maxNodes = 24;

export class CharacterAutomaton {
  /** By byte: its column in the table; 0 for bytes of no secret, which lead to state 0 from everywhere. */
  readonly columns: Uint16Array = new Uint16Array(256);
  /** `table[state + column]`: the next state, plus `ACCEPTS`; negative: not known yet. State 0: nothing has begun. */
  table: Int32Array;
  /** Changes when all states but 0 are forgotten. */
  generation = 0;
  /** Transitions that were computed. */
  built = 0;
  /** A state with more nodes was reached than are kept apart. */
  isOverfull = false;
  /** No secret has a semicolon, a blank or a control character in it, which the shortest readings of references could tell. */
  readonly isPlain: boolean;
  readonly trie: PatternTrie;
  /** Some secret is not ASCII. */
  readonly #hasHighBytes: boolean;
  readonly #width: number;
  readonly #bytes: readonly number[];
  readonly #maxStates: number;
  #sets: (readonly number[])[] = [[]];
  #ids = new Map<string, number>([['', 0]]);
  /** The last unions: two states and what became of them. */
  readonly #unions = new Int32Array(3 * unionSlots);

  constructor(trie: PatternTrie) {
    this.trie = trie;
    this.#bytes = [-1, ...trie.alphabet];
    this.#bytes.forEach((byte, column) => {
      if (column > 0) this.columns[byte] = column;
    });
    this.#hasHighBytes = this.#bytes.some((byte) => byte >= 0x80);
    this.isPlain = [...trie.textBytes].every((byte) => byte > 0x20 && byte !== 0x3b);
    this.#width = this.#bytes.length;
    this.#maxStates = 1024 + 2 * trie.size;
    this.table = this.#emptyTable(16);
  }

  nodesOf(state: number): readonly number[] {
    return this.#sets[(state & ~ACCEPTS) / this.#width]!;
  }

  stateOf(nodes: readonly number[]): number {
    if (nodes.length === 0) return 0;
    const key = nodes.join(',');
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (nodes.length > maxNodes) {
      this.isOverfull = true;
      return 0;
    }
    const state = this.#sets.length * this.#width;
    this.#sets.push(nodes);
    this.#ids.set(key, state);
    if (this.table.length < state + this.#width) {
      const larger = this.#emptyTable(this.#sets.length * 2);
      larger.set(this.table);
      this.table = larger;
    }
    this.table[state] = 0;
    return state;
  }

  /** The next state of a known transition or a new one. `table` may be another one afterwards. */
  next(state: number, byte: number): number {
    const column = this.columns[byte]!;
    const known = this.table[state + column]!;
    return known === UNKNOWN ? this.build(state, column) : known;
  }

  build(state: number, column: number): number {
    this.built++;
    const nodes = this.trie.step(this.nodesOf(state), this.#bytes[column]!);
    const next = this.#marked(this.stateOf(nodes), nodes);
    this.table[state + column] = next;
    return next;
  }

  /** The state after the UTF-8 of a code point; 0 for those above all. */
  nextCodePoint(state: number, char: number): number {
    if (char > 0x10ffff || !this.#hasHighBytes) return 0;
    let next = state;
    for (const byte of utf8Bytes(String.fromCodePoint(char))) next = this.next(next & ~ACCEPTS, byte);
    return next;
  }

  /** The state of both readings; either may have `ACCEPTS`. */
  union(one: number, other: number): number {
    if (one === other || other === 0) return one;
    if (one === 0) return other;
    const slot = ((Math.imul(one, 31) ^ other) & (unionSlots - 1)) * 3;
    const unions = this.#unions;
    if (unions[slot] === one && unions[slot + 1] === other) return unions[slot + 2]!;
    this.built++;
    const nodes = this.trie.pruned([...this.nodesOf(one), ...this.nodesOf(other)]);
    const state = this.#marked(this.stateOf(nodes), nodes);
    unions[slot] = one;
    unions[slot + 1] = other;
    unions[slot + 2] = state;
    return state;
  }

  /** Forgets the states where there are many. Whoever holds one, and sees another generation, asks `stateOf` again. */
  trim(): void {
    if (this.#sets.length <= this.#maxStates) return;
    this.generation++;
    this.table = this.#emptyTable(16);
    this.#sets = [[]];
    this.#ids = new Map([['', 0]]);
    this.#unions.fill(0);
  }

  #marked(state: number, nodes: readonly number[]): number {
    for (const node of nodes) if (this.trie.output(node) !== 0) return state | ACCEPTS;
    return state;
  }

  #emptyTable(states: number): Int32Array {
    const table = new Int32Array(states * this.#width).fill(UNKNOWN);
    table[0] = 0;
    return table;
  }
}
