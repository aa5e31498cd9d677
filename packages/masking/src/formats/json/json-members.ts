/**
 * Members as most are: keys in the order that the object before had them, values whole in the chunk, and no white
 * space. One loop with its state in local variables goes over as many of them as follow each other; the first thing
 * that is not so is left to the machine, which stands where this stopped. What is accepted here, the machine accepts.
 */
import { NONE, PARTIAL, REDACT } from '../../actions/action.ts';
import { limits } from '../../engine.ts';
import type { KeyEntry } from '../../rules/key-entry.ts';
import { isKeyAt } from '../../rules/key-table.ts';
import { byteClasses, byteCounts, bytePairs, countsOfLanes, pairsInLanes, SPECIAL, SPECIAL_PAIR } from '../../text/byte-classes.ts';
import { AFTER, COLON, FIRST_KEY, KEY, QUOTE, TOP, VALUE } from './json-phases.ts';
import { skipCommonBare, skipPlain } from './json-skip.ts';
import type { JsonStack } from './json-stack.ts';
import { escaped, isSimpleEscape } from './json-string-scanner.ts';
import { mayBeNested } from './json-value.ts';
import type { JsonValues } from './json-values.ts';
import type { Place } from './place.ts';
import type { JsonWriter } from './json-writer.ts';

/** The key at this place is for the machine. */
export const UNEXPECTED = -1;

const OPEN = 0x7b;
const CLOSE = 0x7d;
const COLON_BYTE = 0x3a;
/** `,"` and `,{`, little-endian. */
const NEXT_KEY = 0x222c;
const NEXT_OBJECT = 0x7b2c;

/** By the byte behind it, whether a number or literal is over. */
const endsBare = Uint8Array.from({ length: 256 }, (_, byte) => (/[0-9A-Za-z+\-.]/.test(String.fromCharCode(byte)) ? 0 : 1));

export class JsonMembers {
  /** The last key that was read. */
  lastKey: KeyEntry;
  keysRead = 0;
  /** The next phase at the place where `run` stopped, or `UNEXPECTED`. */
  phase = KEY;
  readonly #first: KeyEntry;
  readonly #stack: JsonStack;
  readonly #values: JsonValues;
  readonly #writer: JsonWriter;
  readonly #place: Place;

  constructor(first: KeyEntry, stack: JsonStack, values: JsonValues, writer: JsonWriter, place: Place) {
    this.lastKey = this.#first = first;
    this.#stack = stack;
    this.#values = values;
    this.#writer = writer;
    this.#place = place;
  }

  reset(): void {
    this.lastKey = this.#first;
    this.keysRead = 0;
  }

  /**
   * From the opening quote of a key at `from`; gives where it stopped. Only in objects that are not masked whole,
   * where nothing is removed and nobody observes. Where the phase becomes COLON or VALUE, the place is set.
   */
  run(chunk: Uint8Array, view: DataView, from: number, n: number): number {
    const values = this.#values;
    const stack = this.#stack;
    const { passes } = values;
    let { top } = stack;
    let { members } = top.state;
    let last = this.lastKey;
    let keysRead = 0;
    let phase = UNEXPECTED;
    let i = from;
    for (;;) {
      const expected = last.follower;
      // no key and value are looked at here that may reach over the chunk
      if (expected === null || i + 17 > n || !isKeyAt(expected, view, i + 1)) break;
      const state = members[expected.symbol];
      if (state === undefined || expected.masked !== null) break;
      last = expected;
      keysRead++;
      i += expected.length + 1;
      const start = i + 1;
      if (start + 1 >= n || view.getUint8(i) !== COLON_BYTE) {
        this.#place.state = state;
        this.#place.entry = expected;
        phase = COLON;
        break;
      }
      const { action } = state;
      const first = view.getUint8(start);
      let end = -1;
      if (first === QUOTE) {
        if (action === NONE) {
          if (!passes) end = this.#inspect(chunk, view, start, n, expected);
          else if (mayBeNested[view.getUint8(start + 1)] === 0) end = stringEnd(view, start + 1, n);
        } else end = action === PARTIAL ? plainEnd(view, start + 1, n) : action >= REDACT ? stringEnd(view, start + 1, n) : -1;
      } else if (first === OPEN) {
        if (action === NONE && top.depth < limits.depth) {
          top = stack.push(false, state, expected);
          ({ members } = state);
          i = start + 1;
          if (view.getUint8(i) === QUOTE) continue;
          phase = FIRST_KEY;
          break;
        }
      } else if (action === NONE || action >= REDACT) {
        const at = skipCommonBare(view, start, n);
        if (
          at > start &&
          at < n &&
          endsBare[view.getUint8(at)] === 1 &&
          (action !== NONE || !values.wantsInteger(at - start, expected.context))
        )
          end = at;
      }
      if (end < 0) {
        this.#place.state = state;
        this.#place.entry = expected;
        phase = VALUE;
        i = start;
        break;
      }
      if (action !== NONE) {
        this.#writer.flush(chunk, start);
        if (action === PARTIAL) values.putPartial(chunk, start, end);
        else values.putReplacement(action);
        this.#writer.resume(end);
      }
      i = end;
      if (i + 1 < n && view.getUint16(i, true) === NEXT_KEY) {
        i++;
        continue;
      }
      i = this.#leave(view, i, n);
      ({ phase } = this);
      if (phase !== KEY) break;
      phase = UNEXPECTED;
      ({ top } = stack);
      ({ members } = top.state);
    }
    this.lastKey = last;
    this.keysRead += keysRead;
    this.phase = phase;
    return i;
  }

  /** Behind a value that no key follows at once: goes out of the objects that end, and into the next of an array. `phase` is KEY where a key begins. */
  #leave(view: DataView, from: number, n: number): number {
    const stack = this.#stack;
    let i = from;
    this.phase = AFTER;
    while (i < n && view.getUint8(i) === CLOSE) {
      const top = stack.pop();
      i++;
      if (top.depth === 0) {
        this.phase = TOP;
        break;
      }
      if (i + 2 >= n) break;
      const next = view.getUint16(i, true);
      if (!top.inArray) {
        if (next !== NEXT_KEY) continue;
        this.phase = KEY;
        return i + 1;
      }
      if (next !== NEXT_OBJECT || view.getUint8(i + 2) !== QUOTE) break;
      const state = top.state.element(top.index);
      if (state.action !== NONE || top.depth >= limits.depth) break;
      top.index++;
      stack.push(false, state, top.entry);
      this.phase = KEY;
      return i + 2;
    }
    return i;
  }

  /** The same as `stringEnd` where texts are looked at; -1 also where this one is to be looked at by the machine. */
  #inspect(chunk: Uint8Array, view: DataView, start: number, n: number, entry: KeyEntry): number {
    let i = start + 1;
    let classes = 0;
    let counts = 0;
    let isEscaped = false;
    for (;;) {
      let pair = 0;
      do {
        const stop = Math.min(i + 2 * pairsInLanes, n - 1);
        let lanes = 0;
        while (i < stop && ((pair = bytePairs[view.getUint16(i, true)]!) & SPECIAL_PAIR) === 0) {
          classes |= pair;
          lanes += pair >>> 16;
          i += 2;
        }
        counts += countsOfLanes(lanes);
        if (i + 1 >= n) return -1;
      } while ((pair & SPECIAL_PAIR) === 0);
      let byte = view.getUint8(i);
      if (byteClasses[byte]! < SPECIAL) {
        classes |= byteClasses[byte]!;
        counts += byteCounts[byte]!;
        byte = view.getUint8(++i);
        if (i + 1 >= n) return -1;
      }
      if (byte === QUOTE) break;
      if (byte !== 0x5c || isSimpleEscape[view.getUint8(i + 1)] === 0) return -1;
      classes |= escaped;
      isEscaped = true;
      i += 2;
    }
    return this.#values.settleText(chunk, start, i, entry, classes, counts, isEscaped) ? i + 1 : -1;
  }
}

/** The same as `stringEnd`, but -1 also where there are escapes. */
function plainEnd(view: DataView, from: number, n: number): number {
  let i = skipPlain(view, from, n);
  while (i < n && byteClasses[view.getUint8(i)]! < SPECIAL) i++;
  return i + 1 < n && view.getUint8(i) === QUOTE ? i + 1 : -1;
}

/** Behind the closing quote of the string whose content starts at `from`; -1: it is not over, or it is not only ASCII with short escapes. */
function stringEnd(view: DataView, from: number, n: number): number {
  let i = from;
  for (;;) {
    i = skipPlain(view, i, n);
    if (i + 1 >= n) return -1;
    let byte = view.getUint8(i);
    if (byte === QUOTE) return i + 1;
    while (byteClasses[byte]! < SPECIAL) {
      if (++i + 1 >= n) return -1;
      byte = view.getUint8(i);
    }
    if (byte === QUOTE) return i + 1;
    if (byte !== 0x5c || isSimpleEscape[view.getUint8(i + 1)] === 0) return -1;
    i += 2;
  }
}
