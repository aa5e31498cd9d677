/**
 * What the rules have to say about a key. Answers are remembered by the key's raw bytes, so that a key costs its
 * hash and one comparison; the memory is bounded and an entry that loses its place is made again.
 */
import { utf8Text } from '../bytes.ts';
import { keyContext } from '../detectors/key-context.ts';
import type { PathRule } from './path-automaton.ts';
import { foldKey } from './fold-key.ts';

export interface KeyEntry {
  readonly name: string;
  readonly folded: string;
  /** Keys with equal symbols are selected by the same selectors. */
  readonly symbol: number;
  /** What the name tells of the value, bits of `key-context.ts`. */
  readonly context: number;
  /** The name as it may be shown, where the name itself is sensitive. */
  readonly masked: string | null;
  readonly hash: number;
  /** As met in the document, without quotes, escapes as they were. */
  readonly raw: Uint8Array;
}

const slots = 4096;
const maxNames = 4096;

/** FNV-1a. */
export const hashSeed: number = 0x811c9dc5 | 0;
export const hashPrime = 0x01000193;

export class KeyTable {
  readonly #exact = new Map<string, number>();
  readonly #folded = new Map<string, number>();
  readonly #symbols = new Map<string, number>();
  readonly #maskName: (name: string) => string | null;
  readonly #slots: (KeyEntry | undefined)[] = Array.from({ length: slots }, () => undefined);
  #byName = new Map<string, KeyEntry>();

  /** `maskName`: what stands for a key that is itself sensitive, null where it is not. */
  constructor(rules: readonly PathRule[], maskName: (name: string) => string | null) {
    this.#maskName = maskName;
    for (const rule of rules) {
      for (const segment of rule.segments) {
        for (const selector of segment.selectors) {
          const names = selector.kind === 'name' ? this.#exact : selector.kind === 'folded' ? this.#folded : undefined;
          if (names !== undefined && 'name' in selector && !names.has(selector.name)) names.set(selector.name, names.size + 1);
        }
      }
    }
  }

  /** The entry of the key whose raw JSON bytes (between the quotes) are `bytes[from, to)` and hash to `hash`. */
  find(hash: number, bytes: Uint8Array, from: number, to: number): KeyEntry {
    const entry = this.#slots[hash & (slots - 1)];
    if (entry !== undefined && entry.hash === hash) {
      const raw = entry.raw;
      const length = to - from;
      if (raw.length === length) {
        let i = 0;
        while (i < length && raw[i] === bytes[from + i]) i++;
        if (i === length) return entry;
      }
    }
    return this.#learn(hash, bytes, from, to);
  }

  /** The same where the hash is not known. */
  search(bytes: Uint8Array, from: number, to: number): KeyEntry {
    let hash = hashSeed;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, hashPrime);
    return this.find(hash, bytes, from, to);
  }

  /** The entry of a decoded name: headers, form fields, columns, elements. */
  named(name: string): KeyEntry {
    let entry = this.#byName.get(name);
    if (entry === undefined) {
      if (this.#byName.size >= maxNames) this.#byName = new Map();
      entry = this.#describe(name, 0, new Uint8Array(0));
      this.#byName.set(name, entry);
    }
    return entry;
  }

  #learn(hash: number, bytes: Uint8Array, from: number, to: number): KeyEntry {
    const raw = utf8Text(bytes, from, to);
    const name = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
    const entry = this.#describe(name, hash, bytes.slice(from, to));
    if (to - from <= 256) this.#slots[hash & (slots - 1)] = entry;
    return entry;
  }

  #describe(name: string, hash: number, raw: Uint8Array): KeyEntry {
    const folded = foldKey(name);
    const pair = `${this.#exact.get(name) ?? 0}:${this.#folded.get(folded) ?? 0}`;
    let symbol = this.#symbols.get(pair);
    if (symbol === undefined) this.#symbols.set(pair, (symbol = this.#symbols.size));
    return { name, folded, symbol, context: keyContext(folded), masked: this.#maskName(name), hash, raw };
  }
}
