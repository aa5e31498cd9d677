/**
 * JSON, NDJSON and JSON text sequences in one pass over the bytes. A token that lies within a chunk is handled where
 * it lies; one that crosses chunks is collected only if its content decides something. Strict: what RFC 8259 does not
 * allow is `Malformed`.
 */
import { HASH, NONE, PARTIAL, REDACT, redacted, REMOVE } from '../../actions/action.ts';
import type { Action } from '../../actions/action.ts';
import { utf8Bytes } from '../../bytes.ts';
import { limits } from '../../engine.ts';
import type { Engine } from '../../engine.ts';
import type { Output } from '../../output.ts';
import { hashPrime, hashSeed } from '../../rules/key-table.ts';
import type { KeyEntry } from '../../rules/key-entry.ts';
import type { PathState } from '../../rules/path-automaton.ts';
import { byteClasses, byteCounts, SPECIAL } from '../../text/byte-classes.ts';
import { Malformed } from '../machine.ts';
import type { Machine, Tally } from '../machine.ts';
import { isBareValue } from './json-number.ts';
import type { JsonOptions } from './json-options.ts';
import { JsonMembers, UNEXPECTED } from './json-members.ts';
import { AFTER, COLON, FIRST_ELEMENT, FIRST_KEY, IN_BARE, IN_KEY, IN_STRING, KEY, QUOTE, TOP, VALUE } from './json-phases.ts';
import { skipCommonBare, skipPlain } from './json-skip.ts';
import { JsonStack } from './json-stack.ts';
import { JsonValues } from './json-values.ts';
import type { Place } from './place.ts';
import { mayBeNested } from './json-value.ts';
import { JsonWriter } from './json-writer.ts';

const isBareByte = Uint8Array.from({ length: 256 }, (_, byte) => (/[0-9A-Za-z+\-.]/.test(String.fromCharCode(byte)) ? 1 : 0));

export class JsonMachine implements Machine {
  readonly #engine: Engine;
  readonly #writer: JsonWriter;
  readonly #values: JsonValues;
  readonly #stack: JsonStack;
  readonly #tally: Tally;
  readonly #place: Place;
  readonly #root: PathState;
  readonly #rootEntry: KeyEntry;
  #many: boolean;
  #phase = TOP;
  #consumed = 0;
  #documents = 0;
  #maskedKeys = 0;
  readonly #members: JsonMembers;
  /** Members may be gone over in runs. */
  readonly #runs: boolean;
  /** Depth of the masked container that we are in; -1: none. */
  #muted = -1;
  #mutedAction: Action = NONE;

  constructor(engine: Engine, out: Output, tally: Tally, options: JsonOptions = {}) {
    this.#engine = engine;
    this.#tally = tally;
    this.#many = options.many ?? false;
    this.#root = options.root ?? engine.root;
    this.#rootEntry = options.entry ?? engine.keys.first;
    this.#place = { state: this.#root, entry: this.#rootEntry };
    this.#writer = new JsonWriter(out);
    this.#stack = new JsonStack(this.#root, this.#rootEntry);
    this.#values = new JsonValues({
      engine,
      writer: this.#writer,
      tally,
      stack: this.#stack,
      place: this.#place,
      nesting: options.nesting ?? 0,
      observer: options.observer ?? null,
    });
    this.#members = new JsonMembers(engine.keys.first, this.#stack, this.#values, this.#writer, this.#place);
    this.#runs = !engine.removes && (options.observer ?? null) === null;
  }

  /** Forgets everything, for another document. */
  reset(many: boolean): void {
    this.#many = many;
    this.#phase = TOP;
    this.#consumed = 0;
    this.#documents = 0;
    this.#maskedKeys = 0;
    this.#muted = -1;
    this.#stack.reset();
    this.#writer.reset();
    this.#values.reset();
    this.#members.reset();
  }

  /** Keys read so far; tells JSON from text that only starts like it. */
  get keysRead(): number {
    return this.#members.keysRead;
  }

  write(chunk: Uint8Array): void {
    const n = chunk.length;
    const stack = this.#stack;
    const { scanner, collected } = this.#values;
    const { removes } = this.#engine;
    const place = this.#place;
    const members = this.#members;
    const view = new DataView(chunk.buffer, chunk.byteOffset, n);
    const { passes: plainStrings, leastNumber } = this.#values;
    let phase = this.#phase;
    let i = 0;
    this.#writer.beginChunk(chunk, view);
    while (i < n) {
      const byte = chunk[i]!;
      if (phase < IN_STRING && byte <= 0x20) {
        if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09 && !(byte === 0x1e && phase === TOP && this.#many)) {
          this.#fail(i, 'a control character stands outside a string');
        }
        i++;
        continue;
      }
      switch (phase) {
        case TOP:
        case VALUE:
        case FIRST_ELEMENT:
          if (byte === 0x5d && phase === FIRST_ELEMENT) {
            phase = this.#close(i++);
            break;
          }
          if (this.#muted < 0) {
            if (phase === TOP) this.#document(i);
            else if (stack.top.inArray) {
              const every = stack.top.state.anyElement;
              if (every === undefined || removes) this.#element(chunk, i);
              else {
                place.state = every;
                place.entry = stack.top.entry;
              }
            }
          }
          if (byte === QUOTE) {
            const start = i;
            // most strings: whole, without escapes, and of no interest to any rule
            let classes = 0;
            let counts = 0;
            let kind = 0;
            let next = 0;
            let end = start + 1;
            if (plainStrings) end = skipPlain(view, end, n);
            while (end < n && (kind = byteClasses[(next = chunk[end]!)]!) < SPECIAL) {
              classes |= kind;
              counts += byteCounts[next]!;
              end++;
            }
            if (
              end < n &&
              chunk[end] === QUOTE &&
              (this.#muted >= 0 ||
                (plainStrings
                  ? place.state.action === NONE && mayBeNested[chunk[start + 1]!] === 0
                  : this.#values.isPlain(chunk, start, end, classes, counts)))
            ) {
              i = end + 1;
              phase = AFTER;
              if (stack.top.depth === 0) phase = TOP;
              else if (i < n && chunk[i] === 0x2c && !removes) {
                phase = stack.top.inArray ? VALUE : KEY;
                i++;
              }
              break;
            }
            scanner.begin();
            if (end < n && chunk[end] === QUOTE) {
              scanner.classes = classes;
              scanner.counts = counts;
              i = end;
            } else i = scanner.scan(chunk, i + 1, n);
            if (i < 0) this.#fail(-1 - i, scanner.reason);
            if (this.#muted < 0) this.#values.startString(chunk, start);
            if (i < n) {
              i++;
              if (this.#muted < 0) this.#values.endString(chunk, start, i);
              phase = stack.top.depth === 0 ? TOP : AFTER;
            } else {
              if (this.#muted < 0) this.#values.suspendString(chunk, start);
              phase = IN_STRING;
            }
          } else if (byte === 0x7b || byte === 0x5b) {
            this.#open(chunk, i++, byte === 0x5b);
            phase = byte === 0x5b ? FIRST_ELEMENT : FIRST_KEY;
          } else if (isBareByte[byte] === 1) {
            const start = i;
            i = skipCommonBare(view, start, n);
            const isCommon = i > start && i < n && isBareByte[chunk[i]!] === 0;
            if (!isCommon) while (i < n && isBareByte[chunk[i]!] === 1) i++;
            if (i < n) {
              if (!isCommon && !isBareValue(chunk, start, i)) this.#fail(start, 'this is neither a number nor true, false or null');
              if (this.#muted < 0 && (place.state.action !== NONE || i - start >= leastNumber)) this.#values.endBare(chunk, start, i);
              phase = AFTER;
              if (stack.top.depth === 0) phase = TOP;
              else if (chunk[i] === 0x2c && !removes) {
                phase = stack.top.inArray ? VALUE : KEY;
                i++;
              }
            } else {
              this.#values.collect(chunk, start);
              phase = IN_BARE;
            }
          } else this.#fail(i, 'a value is missing');
          break;
        case FIRST_KEY:
        case KEY: {
          if (byte !== QUOTE) {
            if (byte !== 0x7d || phase === KEY)
              this.#fail(i, phase === KEY ? 'a key is missing after the comma' : 'a key or "}" is missing');
            phase = this.#close(i++);
            break;
          }
          if (this.#runs && this.#muted < 0) {
            i = members.run(chunk, view, i, n);
            if (members.phase !== UNEXPECTED) {
              phase = members.phase;
              break;
            }
          }
          const start = i++;
          let hash = hashSeed;
          let next = 0;
          while (i < n && (byteClasses[(next = chunk[i]!)]! & SPECIAL) === 0) {
            hash = Math.imul(hash ^ next, hashPrime);
            i++;
          }
          if (i < n && next === QUOTE) {
            members.keysRead++;
            if (this.#muted < 0) {
              const entry = this.#engine.keys.find(hash, chunk, start + 1, i);
              members.lastKey.follower = entry;
              members.lastKey = entry;
              this.#member(chunk, start, i + 1, entry);
            }
            i++;
            phase = COLON;
            break;
          }
          scanner.begin();
          i = scanner.scan(chunk, i, n);
          if (i < 0) this.#fail(-1 - i, scanner.reason);
          if (i < n) {
            members.keysRead++;
            if (this.#muted < 0) this.#member(chunk, start, i + 1, this.#engine.keys.search(chunk, start + 1, i));
            i++;
            phase = COLON;
          } else {
            if (this.#muted < 0) this.#values.collect(chunk, start);
            phase = IN_KEY;
          }
          break;
        }
        case COLON:
          if (byte !== 0x3a) this.#fail(i, '":" is missing after the key');
          i++;
          phase = VALUE;
          break;
        case AFTER:
          if (byte === 0x2c) {
            if (removes && this.#muted < 0) this.#writer.comma(i);
            phase = stack.top.inArray ? VALUE : KEY;
            i++;
          } else if (byte === (stack.top.inArray ? 0x5d : 0x7d)) phase = this.#close(i++);
          else this.#fail(i, stack.top.inArray ? '"," or "]" is missing' : '"," or "}" is missing');
          break;
        case IN_STRING: {
          const start = i;
          i = scanner.scan(chunk, i, n);
          if (i < 0) this.#fail(-1 - i, scanner.reason);
          if (i < n) {
            i++;
            if (this.#muted < 0) this.#values.finishString(chunk, start, i);
            phase = stack.top.depth === 0 ? TOP : AFTER;
          } else if (this.#muted < 0) this.#values.growString(chunk, start);
          break;
        }
        case IN_KEY: {
          const start = i;
          i = scanner.scan(chunk, i, n);
          if (i < 0) this.#fail(-1 - i, scanner.reason);
          const ended = i < n;
          if (ended) i++;
          if (this.#muted < 0) {
            collected.append(chunk, start, i);
            if (collected.length > limits.key) this.#fail(start, 'a key is too long');
            if (ended) this.#finishKey(i);
          }
          if (!ended) break;
          members.keysRead++;
          phase = COLON;
          break;
        }
        default: {
          const start = i;
          while (i < n && isBareByte[chunk[i]!] === 1) i++;
          collected.append(chunk, start, i);
          if (collected.length > limits.number) this.#fail(start, 'a number is too long');
          if (i < n) phase = this.#finishBare(i);
        }
      }
    }
    this.#phase = phase;
    if (!this.#writer.endChunk(chunk)) this.#fail(n, 'there is too much white space');
    this.#consumed += n;
  }

  end(): void {
    if (this.#phase === IN_BARE && this.#stack.top.depth === 0) this.#phase = this.#finishBare(0);
    if (this.#phase !== TOP || this.#documents === 0) this.#fail(0, 'the document is not complete');
  }

  #fail(at: number, reason: string): never {
    throw new Malformed(this.#consumed + at, reason);
  }

  #document(at: number): void {
    if (this.#documents > 0 && !this.#many) this.#fail(at, 'something follows the document');
    this.#documents++;
    this.#place.state = this.#root;
    this.#place.entry = this.#rootEntry;
  }

  /** A key has been read at `chunk[start, end)`: decides about its value. */
  #member(chunk: Uint8Array, start: number, end: number, entry: KeyEntry): void {
    const action = this.#enter(entry);
    if (this.#engine.removes) {
      this.#writer.settle(chunk, start, action, this.#stack.top.kept);
      if (action !== REMOVE) this.#stack.top.kept = true;
    }
    if (entry.masked !== null && action !== REMOVE) {
      this.#writer.flush(chunk, start);
      this.#writer.out.put(this.#maskedKey(entry.masked));
      this.#writer.resume(end);
    }
  }

  /** A key that began in an earlier chunk ends before `next`. */
  #finishKey(next: number): void {
    const { bytes, length } = this.#values.collected;
    const entry = this.#engine.keys.search(bytes, 1, length - 1);
    const action = this.#enter(entry);
    this.#writer.settleGap(action, this.#stack.top.kept);
    if (action === REMOVE) return;
    this.#stack.top.kept = true;
    if (entry.masked === null) this.#writer.out.putPart(bytes, length);
    else this.#writer.out.put(this.#maskedKey(entry.masked));
    this.#writer.resume(next);
  }

  #enter(entry: KeyEntry): Action {
    const state = this.#stack.top.state.member(entry);
    this.#place.state = state;
    this.#place.entry = entry;
    return state.action;
  }

  /** Keys that were masked must not become the same key. */
  #maskedKey(masked: string): Uint8Array {
    this.#tally.maskedCount++;
    this.#maskedKeys++;
    return utf8Bytes(JSON.stringify(this.#maskedKeys > 1 && masked.includes(redacted) ? `${masked} (${this.#maskedKeys})` : masked));
  }

  /** The next element of an array starts at `i`. */
  #element(chunk: Uint8Array, i: number): void {
    const stack = this.#stack;
    const place = this.#place;
    place.state = stack.top.state.element(stack.top.index++);
    place.entry = stack.top.entry;
    if (!this.#engine.removes) return;
    const { action } = place.state;
    this.#writer.settle(chunk, i, action, stack.top.kept);
    if (action !== REMOVE) stack.top.kept = true;
  }

  #open(chunk: Uint8Array, i: number, isArray: boolean): void {
    const { state, entry } = this.#place;
    if (this.#stack.top.depth >= limits.depth) this.#fail(i, 'the document is nested too deeply');
    if (this.#muted < 0 && state.action !== NONE) {
      this.#writer.flush(chunk, i);
      this.#writer.isHolding = true;
      this.#muted = this.#stack.top.depth;
      this.#mutedAction = state.action === PARTIAL || state.action === HASH ? REDACT : state.action;
    }
    this.#stack.push(isArray, state, entry);
  }

  /** Closes the container at `i`; gives the next phase. */
  #close(i: number): number {
    const { depth } = this.#stack.pop();
    if (this.#muted === depth) {
      this.#muted = -1;
      this.#values.putReplacement(this.#mutedAction);
      this.#writer.resume(i + 1);
    }
    return depth === 0 ? TOP : AFTER;
  }

  #finishBare(next: number): number {
    const { bytes, length } = this.#values.collected;
    if (!isBareValue(bytes, 0, length)) this.#fail(next, 'this is neither a number nor true, false or null');
    if (this.#muted < 0) this.#values.finishBare(next);
    return this.#stack.top.depth === 0 ? TOP : AFTER;
  }
}
