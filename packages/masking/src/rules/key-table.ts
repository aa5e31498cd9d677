/**
 * Looks up the rules for a key. Answers are remembered by the key's raw bytes, so that a key costs its
 * hash and one comparison; the memory is bounded and an entry that loses its place is made again.
 */
import { utf8Text } from '../bytes.ts';
import { keyContext } from '../detectors/key-context.ts';
import type { PathRule } from './path-automaton.ts';
import { foldKey } from './fold-key.ts';
import type { KeyEntry } from './key-entry.ts';

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
  /** Stands before the first key of a document. */
  readonly first: KeyEntry;
  #byName = new Map<string, KeyEntry>();

  /** `maskName`: what stands for a key that is itself sensitive, null where it is not. */
  constructor(rules: readonly PathRule[], maskName: (name: string) => string | null) {
    this.#maskName = maskName;
    this.first = {
      name: '',
      folded: '',
      symbol: -1,
      context: 0,
      masked: null,
      hash: 0,
      raw: new Uint8Array(0),
      ...wordsOf(new Uint8Array(0)),
      follower: null,
    };
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
    return { name, folded, symbol, context: keyContext(folded), masked: this.#maskName(name), hash, raw, ...wordsOf(raw), follower: null };
  }
}

function wordsOf(raw: Uint8Array): Pick<KeyEntry, 'length' | `word${0 | 1 | 2 | 3}` | `mask${0 | 1 | 2 | 3}`> {
  const words = [0, 0, 0, 0];
  const masks = [0, 0, 0, 0];
  for (let i = 0; i < Math.min(16, raw.length + 1); i++) {
    words[i >> 2]! |= (i === raw.length ? 0x22 : raw[i]!) << ((i & 3) * 8);
    masks[i >> 2]! |= 0xff << ((i & 3) * 8);
  }
  return {
    length: raw.length + 1,
    word0: words[0]!,
    word1: words[1]!,
    word2: words[2]!,
    word3: words[3]!,
    mask0: masks[0]!,
    mask1: masks[1]!,
    mask2: masks[2]!,
    mask3: masks[3]!,
  };
}

/** Whether the raw key at `i` in `view`, with its closing quote, is this one. At least 16 bytes follow `i`. */
export function isKeyAt(entry: KeyEntry, view: DataView, i: number): boolean {
  if ((view.getInt32(i, true) & entry.mask0) !== entry.word0) return false;
  const { length } = entry;
  if (length <= 4) return true;
  if ((view.getInt32(i + 4, true) & entry.mask1) !== entry.word1) return false;
  if (length <= 8) return true;
  if ((view.getInt32(i + 8, true) & entry.mask2) !== entry.word2) return false;
  if (length <= 12) return true;
  if ((view.getInt32(i + 12, true) & entry.mask3) !== entry.word3) return false;
  return length <= 16 || isRestAt(entry, view, i);
}

function isRestAt({ raw, length }: KeyEntry, view: DataView, i: number): boolean {
  if (i + length > view.byteLength || view.getUint8(i + length - 1) !== 0x22) return false;
  for (let at = 16; at < raw.length; at++) if (raw[at] !== view.getUint8(i + at)) return false;
  return true;
}
