/**
 * Members as most are: keys in the order that the object before had them, values whole in the chunk, and no white
 * space. One loop with its state in local variables goes over as many of them as follow each other; the first thing
 * that is not so is left to the machine, which stands where this stopped. What is accepted here, the machine accepts.
 */
import { NONE, REDACT } from '../../actions/action.ts';
import type { KeyEntry } from '../../rules/key-table.ts';
import { isKeyAt } from '../../rules/key-table.ts';
import { byteClasses, byteCounts, SPECIAL } from '../../text/byte-classes.ts';
import { AFTER, COLON, KEY, QUOTE, VALUE } from './json-phases.ts';
import { skipCommonBare, skipPlain } from './json-skip.ts';
import type { JsonStack } from './json-stack.ts';
import { escaped, isSimpleEscape } from './json-string-scanner.ts';
import { mayBeNested } from './json-value.ts';
import type { JsonValues, Place } from './json-values.ts';
import type { JsonWriter } from './json-writer.ts';

/** The key at this place is for the machine. */
export const UNEXPECTED = -1;

/** By the byte behind it, whether a number or literal is over. */
const endsBare = Uint8Array.from({ length: 256 }, (_, byte) => (/[0-9A-Za-z+\-.]/.test(String.fromCharCode(byte)) ? 0 : 1));

export class JsonMembers {
  /** The last key that was read. */
  lastKey: KeyEntry;
  keysRead = 0;
  /** What comes next where `run` stopped, or `UNEXPECTED`. */
  phase = KEY;
  readonly #stack: JsonStack;
  readonly #values: JsonValues;
  readonly #writer: JsonWriter;
  readonly #place: Place;

  constructor(first: KeyEntry, stack: JsonStack, values: JsonValues, writer: JsonWriter, place: Place) {
    this.lastKey = first;
    this.#stack = stack;
    this.#values = values;
    this.#writer = writer;
    this.#place = place;
  }

  /**
   * From the opening quote of a key at `from`; gives where it stopped. Only in objects that are not masked whole,
   * where nothing is removed and nobody observes. Where the phase becomes COLON or VALUE, the place is set.
   */
  run(chunk: Uint8Array, view: DataView, from: number, n: number): number {
    const values = this.#values;
    const { passes } = values;
    const { members } = this.#stack.state;
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
      let start = i + 1;
      let end = -1;
      if (start + 1 < n && chunk[i] === 0x3a) {
        const { action } = state;
        if (action === NONE || action >= REDACT) {
          if (chunk[start] === QUOTE) {
            if (action !== NONE || (passes && mayBeNested[chunk[start + 1]!] === 0)) end = stringEnd(chunk, view, start + 1, n);
            else if (!passes) end = this.#inspect(chunk, start, n, expected);
          } else {
            const at = skipCommonBare(view, start, n);
            if (at > start && at < n && endsBare[chunk[at]!] === 1) {
              if (action !== NONE || !values.wantsInteger(at - start, expected.context)) end = at;
            }
          }
        }
        if (end >= 0) {
          if (action !== NONE) {
            this.#writer.flush(chunk, start);
            values.putReplacement(action);
            this.#writer.resume(end);
          }
          i = end;
          if (i + 1 < n && chunk[i] === 0x2c && chunk[i + 1] === QUOTE) {
            i++;
            continue;
          }
          phase = AFTER;
          break;
        }
        phase = VALUE;
        i = start;
      } else phase = COLON;
      this.#place.state = state;
      this.#place.entry = expected;
      break;
    }
    this.lastKey = last;
    this.keysRead += keysRead;
    this.phase = phase;
    return i;
  }

  /** The same as `stringEnd` where texts are looked at; -1 also where this one is to be looked at by the machine. */
  #inspect(chunk: Uint8Array, start: number, n: number, entry: KeyEntry): number {
    let i = start + 1;
    let classes = 0;
    let counts = 0;
    let isEscaped = false;
    for (;;) {
      let byte = 0;
      let kind = 0;
      while (i < n && (kind = byteClasses[(byte = chunk[i]!)]!) < SPECIAL) {
        classes |= kind;
        counts += byteCounts[byte]!;
        i++;
      }
      if (i + 1 >= n) return -1;
      if (byte === QUOTE) break;
      if (byte !== 0x5c || isSimpleEscape[chunk[i + 1]!] === 0) return -1;
      classes |= escaped;
      isEscaped = true;
      i += 2;
    }
    return this.#values.settleText(chunk, start, i, entry, classes, counts, isEscaped) ? i + 1 : -1;
  }
}

/** Behind the closing quote of the string whose content starts at `from`; -1: it is not over, or it is not only ASCII with short escapes. */
function stringEnd(chunk: Uint8Array, view: DataView, from: number, n: number): number {
  let i = from;
  for (;;) {
    i = skipPlain(view, i, n);
    while (i < n && byteClasses[chunk[i]!]! < SPECIAL) i++;
    if (i + 1 >= n) return -1;
    const byte = chunk[i]!;
    if (byte === QUOTE) return i + 1;
    if (byte !== 0x5c || isSimpleEscape[chunk[i + 1]!] === 0) return -1;
    i += 2;
  }
}
