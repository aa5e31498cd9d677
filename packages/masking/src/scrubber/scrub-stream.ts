/**
 * One body on its way. Between secrets it looks at one pair of bytes of each long piece; where a secret may begin it
 * reads byte by byte: as they stand, and beside that in whichever notations begin there. Work is bounded for each byte.
 */
import { ACCEPTS } from './character-automaton.ts';
import type { CharacterAutomaton } from './character-automaton.ts';
import type { MatchPairs } from './match-pairs.ts';
import { BACKSLASH, Reading, READ, READ_MORE, READING, SOFT_BREAK, isOpening, wholeNotation } from './notation-reader.ts';
import { isBreak } from './pattern-trie.ts';
import { NOTHING, TokenLog } from './token-log.ts';

/** NULs that may follow one byte: UTF-32 has three. */
const maxNuls = 3;
/** Bytes of line breaks between two characters of base64 or hexadecimal text. */
const maxGap = 64;
/** Readings at a time. More are had by no text but one made to have them. */
const maxReadings = 32;
const deepest = 2;
/** Bytes that one character of a secret may take up at most, with line breaks before it. */
const maxSpelling = 256;

/** Beginnings within a beginning that are looked at where a chunk ends. */
const maxShorter = 16;

/** Transitions of the automaton that may be computed for one stream. Most were computed for an earlier one. */
export interface ScrubLimits {
  /** For each state that the secrets need. @default 2 */
  readonly buildsPerNode: number;
  /** For each byte of the stream. @default 1 / 32 */
  readonly buildsPerByte: number;
  /** @default 1024 */
  readonly freeBuilds: number;
}

export const scrubLimits: ScrubLimits = { buildsPerNode: 2, buildsPerByte: 1 / 32, freeBuilds: 1024 };

/** The cost of building a transition, in steps over a known one. */
const buildWork = 16;

const SPECIAL_NUL = 1;
const SPECIAL_BREAK = 2;
const SPECIAL_OPENING = 3;
const SPECIAL_HIGH = 4;
const specials = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++)
  specials[byte] =
    byte === 0 ? SPECIAL_NUL : isBreak(byte) ? SPECIAL_BREAK : isOpening(byte) ? SPECIAL_OPENING : byte >= 0x80 ? SPECIAL_HIGH : 0;

const ASTERISK = 0x2a;
const none: readonly number[] = [];

export class ScrubStream {
  /** The secret has occurred. */
  found = false;
  /** The body asked for more work than it may have: nothing more comes out, and the body cannot go on. */
  isExhausted = false;
  /** Steps so far: pairs and bytes looked at, readings advanced, transitions computed. */
  work = 0;
  readonly #automaton: CharacterAutomaton | null;
  readonly #pairs: MatchPairs;
  #held: Uint8Array | null = null;
  /** The nodes of the state that the last write ended in. */
  #nodes: readonly number[] = none;
  #state = 0;
  #nuls = 0;
  #gap = 0;
  #builds = 0;
  readonly #limits: ScrubLimits;
  #readings: Reading[] = [];
  #live = 0;
  #nodesOfReadings: (readonly number[])[] = [];
  #log: TokenLog | null = null;
  /** Where an opening was told in a notation: a reading begins at the next byte. */
  #opened: Reading[] = [];
  #openings = 0;

  constructor(automaton: CharacterAutomaton | null, pairs: MatchPairs, limits: ScrubLimits) {
    this.#automaton = automaton;
    this.#pairs = pairs;
    this.#limits = limits;
    if (automaton !== null) this.#builds = limits.freeBuilds + limits.buildsPerNode * automaton.trie.size;
  }

  /** Takes the next bytes; gives what may go on, null for nothing. What may be the start of a secret is held back. */
  write(chunk: Uint8Array): Uint8Array | null {
    const automaton = this.#automaton;
    if (automaton === null) return chunk;
    if (this.isExhausted) return null;
    const held = this.#held;
    const bytes = held === null ? chunk : joined(held, chunk);
    this.#builds += chunk.length * this.#limits.buildsPerByte;
    const builtBefore = automaton.built;
    const result = this.#scan(automaton, bytes, held === null ? 0 : held.length, held !== null);
    this.work += (automaton.built - builtBefore) * buildWork;
    this.#builds -= automaton.built - builtBefore;
    if (automaton.isOverfull || this.#builds < 0 || (this.#held !== null && this.#held.length > maxSpelling * automaton.trie.depth)) {
      automaton.isOverfull = false;
      this.isExhausted = true;
      this.#held = null;
      return null;
    }
    return result;
  }

  /** Returns the bytes that were held back. */
  end(): Uint8Array | null {
    const held = this.#held;
    this.#held = null;
    this.#nodes = none;
    this.#live = 0;
    if (this.#log !== null) TokenLog.giveBack(this.#log);
    this.#log = null;
    return held;
  }

  #scan(automaton: CharacterAutomaton, given: Uint8Array, begin: number, isOwn: boolean): Uint8Array | null {
    const n = given.length;
    const { columns } = automaton;
    let bytes = given;
    let owned = isOwn;
    let i = begin;
    /** No match starts before it. */
    let from = 0;
    let state = this.#restore(automaton);
    let { table } = automaton;
    let steps = 0;
    const pairs = this.#pairs;
    pairs.looked = 0;
    pairs.likelyTo = 0;
    while (i < n) {
      if (state === 0 && this.#live === 0) {
        this.#log?.clear();
        i = pairs.skip(bytes, i, n);
        while (i < n && table[columns[bytes[i]!]!] === 0 && specials[bytes[i]!]! < SPECIAL_OPENING) i++;
        if (i >= n) break;
        from = i;
        this.#gap = 0;
        this.#nuls = 0;
      }
      const byte = bytes[i]!;
      const special = specials[byte]!;
      steps++;
      if (special === SPECIAL_OPENING && this.#live === 0) {
        const length = this.#takeWhole(automaton, bytes, state, i);
        if (length > 0) {
          steps += length;
          i += length;
          state = this.#state;
          table = automaton.table;
          continue;
        }
      }
      i++;
      let next = table[state + columns[byte]!]!;
      if (next < 0) {
        next = automaton.build(state, columns[byte]!);
        table = automaton.table;
      }
      if (special === SPECIAL_NUL && this.#live === 0) {
        next = this.#passNul(automaton, state, next);
        table = automaton.table;
      } else if (special !== 0 || this.#live > 0) {
        next = this.#turn(automaton, byte, state, next, i);
        table = automaton.table;
      } else {
        this.#gap = 0;
        this.#nuls = 0;
      }
      if (next >= ACCEPTS) {
        if (!owned) bytes = Buffer.from(bytes);
        owned = true;
        overwrite(bytes, this.#matchStart(automaton, bytes, next, i, from), i);
        this.found = true;
        this.#live = 0;
        state = 0;
      } else state = next;
    }
    this.work += steps + pairs.looked;
    return this.#keep(automaton, bytes, state, from);
  }

  /**
   * As the readings would, but at once, a notation that stands whole in the chunk: its length, and `#state` after it. 0:
   * there is none, or a secret ends in it.
   */
  #takeWhole(automaton: CharacterAutomaton, bytes: Uint8Array, state: number, at: number): number {
    if (!automaton.isPlain) return 0;
    const whole = wholeNotation(bytes, at);
    if (whole === 0) return 0;
    const char = whole & 0xff;
    const end = at + (whole >> 8);
    const { columns } = automaton;
    let { table } = automaton;
    let read = table[state + columns[char]!]!;
    if (read < 0) {
      read = automaton.build(state, columns[char]!);
      table = automaton.table;
    }
    let raw = state;
    if (columns[bytes[at]!] === 0 && beginsNothing(table, columns, bytes, at + 1, end)) {
      raw = 0;
    } else {
      for (let i = at; i < end; i++) {
        let next = table[raw + columns[bytes[i]!]!]!;
        if (next < 0) {
          next = automaton.next(raw, bytes[i]!);
          table = automaton.table;
        }
        if (next >= ACCEPTS) return 0;
        raw = next;
      }
    }
    const next = raw === 0 ? read : read === 0 ? raw : automaton.union(raw, read);
    if (next >= ACCEPTS) return 0;
    if (read !== 0) (this.#log ??= TokenLog.take()).add(at, end, char, false);
    this.#gap = 0;
    this.#nuls = 0;
    this.#state = next;
    return end - at;
  }

  /** A byte that is more than itself, or within a notation. `next`: the state where it is read as it stands. */
  #turn(automaton: CharacterAutomaton, byte: number, state: number, next: number, end: number): number {
    const special = specials[byte]!;
    if (special === SPECIAL_NUL) return this.#passNul(automaton, state, next);
    this.#nuls = 0;
    const gap = this.#gap;
    this.#gap = special === SPECIAL_BREAK ? gap + 1 : 0;
    let to = this.#gap > maxGap ? automaton.next(0, byte) : next;
    if (special === SPECIAL_HIGH) to = this.#read(automaton, to, state, byte, false, end - 1, end);
    // of a backslash that two stand for: from the same state a reading begins at the second one as it stands
    this.#state = special === SPECIAL_OPENING && byte === BACKSLASH ? state : -1;
    if (this.#live > 0) to = this.#advance(automaton, byte, to, end);
    if (special === SPECIAL_OPENING) {
      const reading = (this.#opened[this.#openings] ??= new Reading());
      reading.begin(byte, 1, state, end - 1, gap);
      this.#openings++;
    }
    for (let i = 0; i < this.#openings; i++) this.#add(this.#opened[i]!);
    this.#openings = 0;
    return to;
  }

  /** NULs of wider encodings change nothing, but for counting them. */
  #passNul(automaton: CharacterAutomaton, state: number, next: number): number {
    const { nuls } = automaton.trie;
    if (++this.#nuls > maxNuls + nuls * (maxNuls + 1)) {
      this.#live = 0;
      return nuls === 0 ? 0 : next;
    }
    return nuls === 0 ? state : automaton.union(next, state);
  }

  #advance(automaton: CharacterAutomaton, byte: number, raw: number, end: number): number {
    const readings = this.#readings;
    let to = raw;
    this.work += this.#live;
    for (let i = this.#live - 1; i >= 0; i--) {
      const reading = readings[i]!;
      const result = reading.take(byte);
      if (result === READING) continue;
      if (result === READ || result === READ_MORE) to = this.#tell(automaton, reading, to, end);
      else if (result === SOFT_BREAK) to = this.#pass(automaton, reading, to, reading.state, NOTHING, end);
      if (result === READ_MORE) continue;
      this.#live--;
      readings[i] = readings[this.#live]!;
      readings[this.#live] = reading;
    }
    return to;
  }

  /** A reading has told its character. */
  #tell(automaton: CharacterAutomaton, reading: Reading, to: number, end: number): number {
    const { char } = reading;
    if (reading.level < deepest && isOpening(char) && !(char === BACKSLASH && reading.state === this.#state)) {
      const inner = (this.#opened[this.#openings] ??= new Reading());
      inner.begin(char, reading.level + 1, reading.state, reading.start, reading.gap);
      this.#openings++;
    }
    if (char < 0x80 && isBreak(char)) return this.#pass(automaton, reading, to, automaton.next(reading.state, char), char, end);
    return this.#read(automaton, to, reading.state, char, reading.isByte, reading.start, end);
  }

  /** A line break in a notation. */
  #pass(automaton: CharacterAutomaton, reading: Reading, to: number, next: number, char: number, end: number): number {
    const gap = reading.gap + end - reading.start;
    if (next === 0 || gap > maxGap) return to;
    this.#gap = Math.max(this.#gap, gap);
    (this.#log ??= TokenLog.take()).add(reading.start, end, char, false);
    return automaton.union(to, next);
  }

  /** The state of both readings: `to`, and that of the character after `state`. */
  #read(automaton: CharacterAutomaton, to: number, state: number, char: number, isByte: boolean, start: number, end: number): number {
    const next = char < 0x80 || isByte ? automaton.next(state, char) : automaton.nextCodePoint(state, char);
    if (next === 0) return to;
    (this.#log ??= TokenLog.take()).add(start, end, char, isByte);
    return automaton.union(to, next);
  }

  #add(reading: Reading): void {
    const readings = this.#readings;
    for (let i = 0; i < this.#live; i++) {
      if (readings[i]!.covers(reading)) return;
      if (reading.covers(readings[i]!)) return readings[i]!.copy(reading);
    }
    if (this.#live === maxReadings) {
      this.#builds = Number.NEGATIVE_INFINITY;
      return;
    }
    (readings[this.#live] ??= new Reading()).copy(reading);
    this.#live++;
  }

  #matchStart(automaton: CharacterAutomaton, bytes: Uint8Array, state: number, end: number, from: number): number {
    let first = end;
    const log = (this.#log ??= TokenLog.take());
    for (const node of automaton.nodesOf(state)) {
      const last = automaton.trie.output(node);
      if (last !== 0) first = Math.min(first, log.startOf(automaton.trie, bytes, last, end, from));
    }
    this.work += end - first;
    log.clear();
    return first;
  }

  /** Returns the bytes that may go on; those that may begin a secret are held back. */
  #keep(automaton: CharacterAutomaton, bytes: Uint8Array, state: number, from: number): Uint8Array | null {
    this.#nodes = automaton.nodesOf(state);
    this.#held = null;
    if (state === 0 && this.#live === 0) return bytes;
    const log = (this.#log ??= TokenLog.take());
    let start = bytes.length;
    const { trie } = automaton;
    const look = (nodes: readonly number[], end: number): void => {
      for (const node of nodes) {
        start = Math.min(start, log.startOf(trie, bytes, node, end, from));
        if (log.isEmpty) continue;
        // a shorter beginning in longer notations may begin before it
        for (let shorter = trie.shorter(node), i = 0; !trie.isRoot(shorter) && i < maxShorter; shorter = trie.shorter(shorter), i++)
          start = Math.min(start, log.startOf(trie, bytes, shorter, end, from));
      }
    };
    look(this.#nodes, bytes.length);
    for (let i = 0; i < this.#live; i++) {
      const reading = this.#readings[i]!;
      start = Math.min(start, reading.start);
      this.#nodesOfReadings[i] = automaton.nodesOf(reading.state);
      look(this.#nodesOfReadings[i]!, reading.start);
    }
    for (let i = 0; i < this.#live; i++) this.#readings[i]!.start -= start;
    log.rebase(start);
    this.#held = Buffer.from(bytes.subarray(start));
    return start === 0 ? null : bytes.subarray(0, start);
  }

  /** The state that the last write ended in. Other streams may have had the automaton forget its number. */
  #restore(automaton: CharacterAutomaton): number {
    automaton.trim();
    for (let i = 0; i < this.#live; i++) this.#readings[i]!.state = automaton.stateOf(this.#nodesOfReadings[i]!);
    return automaton.stateOf(this.#nodes);
  }
}

/**
 * No secret begins at any of these bytes, as they stand. False also where that is not known yet. Without a branch for each
 * byte: which notation comes next, nobody can predict.
 */
function beginsNothing(table: Int32Array, columns: Uint16Array, bytes: Uint8Array, at: number, end: number): boolean {
  const last = end - 1;
  let begun = table[columns[bytes[at]!]!]! | table[columns[bytes[last]!]!]!;
  if (end - at > 2) begun |= table[columns[bytes[at + 1]!]!]! | table[columns[bytes[last - 1]!]!]!;
  for (let i = at + 2; i < last - 1; i++) begun |= table[columns[bytes[i]!]!]!;
  return begun === 0;
}

function joined(held: Uint8Array, chunk: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(held.length + chunk.length);
  bytes.set(held);
  bytes.set(chunk, held.length);
  return bytes;
}

/** NULs stay, so that UTF-16 stays UTF-16; digits alone become zeros, so that a number stays a number. */
function overwrite(bytes: Uint8Array, from: number, to: number): void {
  let digits = true;
  for (let i = from; i < to; i++) if (bytes[i]! !== 0 && (bytes[i]! < 0x30 || bytes[i]! > 0x39)) digits = false;
  for (let i = from; i < to; i++) if (bytes[i] !== 0) bytes[i] = digits ? 0x30 : ASTERISK;
}
