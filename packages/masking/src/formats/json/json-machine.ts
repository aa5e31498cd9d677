/**
 * JSON, NDJSON and JSON text sequences in one pass over the bytes. A token that lies within a chunk is handled where
 * it lies; one that crosses chunks is collected only if its content decides something. Strict: text that RFC 8259
 * does not allow is `Malformed`.
 */
import { NONE, REMOVE } from '../../actions/action.ts';
import { limits } from '../../engine.ts';
import type { Engine } from '../../engine.ts';
import type { Output } from '../../output.ts';
import type { KeyEntry } from '../../rules/key-entry.ts';
import type { PathState } from '../../rules/path-automaton.ts';
import { byteClasses, byteCounts, SPECIAL } from '../../text/byte-classes.ts';
import type { Machine, Tally } from '../machine.ts';
import { JsonContainers } from './json-containers.ts';
import { JsonKeys } from './json-keys.ts';
import { isBareValue } from './json-number.ts';
import type { JsonOptions } from './json-options.ts';
import { JsonMembers, UNEXPECTED } from './json-members.ts';
import { AFTER, COLON, FIRST_ELEMENT, FIRST_KEY, IN_BARE, IN_KEY, IN_STRING, KEY, QUOTE, TOP, VALUE } from './json-phases.ts';
import { JsonPosition } from './json-position.ts';
import { skipCommonBare, skipPlain } from './json-skip.ts';
import { JsonStack } from './json-stack.ts';
import { JsonValues } from './json-values.ts';
import type { Place } from './place.ts';
import { mayBeNested } from './json-value.ts';
import { JsonWriter } from './json-writer.ts';

const isBareByte = Uint8Array.from({ length: 256 }, (_, byte) => (/[0-9A-Za-z+\-.]/.test(String.fromCharCode(byte)) ? 1 : 0));

export class JsonMachine implements Machine {
  readonly #writer: JsonWriter;
  readonly #values: JsonValues;
  readonly #stack: JsonStack;
  readonly #place: Place;
  readonly #root: PathState;
  readonly #rootEntry: KeyEntry;
  readonly #position = new JsonPosition();
  readonly #containers: JsonContainers;
  readonly #members: JsonMembers;
  readonly #keys: JsonKeys;
  /** Members may be gone over in runs. */
  readonly #runs: boolean;
  readonly #removes: boolean;
  #many: boolean;
  #phase = TOP;
  #documents = 0;

  constructor(engine: Engine, out: Output, tally: Tally, options: JsonOptions = {}) {
    this.#removes = engine.removes;
    this.#many = options.many ?? false;
    this.#root = options.root ?? engine.root;
    this.#rootEntry = options.entry ?? engine.keys.first;
    const place = (this.#place = { state: this.#root, entry: this.#rootEntry });
    const writer = (this.#writer = new JsonWriter(out));
    const stack = (this.#stack = new JsonStack(this.#root, this.#rootEntry));
    const observer = options.observer ?? null;
    const values = (this.#values = new JsonValues({ engine, writer, tally, stack, place, nesting: options.nesting ?? 0, observer }));
    const members = (this.#members = new JsonMembers(engine.keys.first, stack, values, writer, place));
    const position = this.#position;
    const containers = (this.#containers = new JsonContainers(stack, writer, values, place, position));
    this.#keys = new JsonKeys({ engine, tally, stack, writer, values, members, containers, place, position });
    this.#runs = !engine.removes && observer === null;
  }

  /** Forgets everything, for another document. */
  reset(many: boolean): void {
    this.#many = many;
    this.#phase = TOP;
    this.#position.consumed = 0;
    this.#documents = 0;
    this.#stack.reset();
    this.#writer.reset();
    this.#values.reset();
    this.#members.reset();
    this.#containers.reset();
    this.#keys.reset();
  }

  /** Keys read so far; tells JSON from text that only starts like it. */
  get keysRead(): number {
    return this.#members.keysRead;
  }

  write(chunk: Uint8Array): void {
    const n = chunk.length;
    const view = new DataView(chunk.buffer, chunk.byteOffset, n);
    let i = 0;
    this.#writer.beginChunk(chunk, view);
    while (i < n) {
      const byte = chunk[i]!;
      const phase = this.#phase;
      if (phase < IN_STRING && byte <= 0x20) {
        if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) this.#checkControl(byte, i);
        i++;
        while (i < n && chunk[i] === 0x20) i++;
        continue;
      }
      switch (phase) {
        case TOP:
        case VALUE:
        case FIRST_ELEMENT:
          i = this.#value(chunk, view, i, n, byte);
          break;
        case FIRST_KEY:
        case KEY:
          i = this.#key(chunk, view, i, n, byte);
          break;
        case COLON:
          i = this.#colon(i, byte);
          break;
        case AFTER:
          i = this.#after(i, byte);
          break;
        case IN_STRING:
          i = this.#stringOn(chunk, i, n);
          break;
        case IN_KEY:
          i = this.#keys.readOn(chunk, i, n);
          this.#phase = this.#keys.phase;
          break;
        default:
          i = this.#bareOn(chunk, i, n);
      }
    }
    if (!this.#writer.endChunk(chunk)) this.#position.fail(n, 'there is too much white space');
    this.#position.consumed += n;
  }

  end(): void {
    if (this.#phase === IN_BARE && this.#stack.top.depth === 0) this.#finishBare(0);
    if (this.#phase !== TOP || this.#documents === 0) this.#position.fail(0, 'the document is not complete');
  }

  /** Outside of strings, of all control characters only a record separator (RFC 7464) may stand, before a document. */
  #checkControl(byte: number, i: number): void {
    if (byte !== 0x1e || this.#phase !== TOP || !this.#many) this.#position.fail(i, 'a control character stands outside a string');
  }

  /** A value, or the end of an empty array, begins at `i`. */
  #value(chunk: Uint8Array, view: DataView, i: number, n: number, byte: number): number {
    const phase = this.#phase;
    if (byte === 0x5d && phase === FIRST_ELEMENT) {
      this.#phase = this.#containers.close(i);
      return i + 1;
    }
    if (!this.#containers.isMuted) {
      if (phase === TOP) this.#document(i);
      else if (this.#stack.top.inArray) {
        this.#element(chunk, i);
        if (this.#runs && this.#place.state.action === NONE && this.#stack.top.state.anyElement !== undefined) {
          const next = this.#plainElements(chunk, view, i, n);
          if (next > i) return next;
        }
      }
    }
    if (byte === QUOTE) return this.#string(chunk, view, i, n);
    if (byte === 0x7b || byte === 0x5b) {
      const isArray = byte === 0x5b;
      this.#containers.open(chunk, i, isArray);
      this.#phase = isArray ? FIRST_ELEMENT : FIRST_KEY;
      return i + 1;
    }
    if (isBareByte[byte] === 0) this.#position.fail(i, 'a value is missing');
    return this.#bare(chunk, view, i, n);
  }

  /**
   * Goes over elements of one place as most are, from the one at `from` on: strings, numbers and literals that are whole
   * in the chunk and of no interest to any rule. Gives where it stopped, and sets the phase if it went over one.
   */
  #plainElements(chunk: Uint8Array, view: DataView, from: number, n: number): number {
    const values = this.#values;
    const { passes, leastNumber } = values;
    let i = from;
    for (;;) {
      const byte = i < n ? chunk[i]! : 0;
      let end = i + 1;
      if (byte === QUOTE) {
        let classes = 0;
        let counts = 0;
        let kind = 0;
        let next = 0;
        if (passes) end = skipPlain(view, end, n);
        while (end < n && (kind = byteClasses[(next = chunk[end]!)]!) < SPECIAL) {
          classes |= kind;
          counts += byteCounts[next]!;
          end++;
        }
        if (end === n || next !== QUOTE) return i;
        if (passes ? mayBeNested[chunk[i + 1]!] === 1 : !values.isPlain(chunk, i, end, classes, counts)) return i;
        end++;
      } else {
        if (isBareByte[byte] === 0) return i;
        end = skipCommonBare(view, i, n);
        const isCommon = end > i && end < n && isBareByte[chunk[end]!] === 0;
        if (!isCommon) while (end < n && isBareByte[chunk[end]!] === 1) end++;
        if (end === n || end - i >= leastNumber || (!isCommon && !isBareValue(chunk, i, end))) return i;
      }
      i = end;
      this.#phase = AFTER;
      if (i === n || chunk[i] !== 0x2c) return i;
      this.#phase = VALUE;
      i++;
    }
  }

  #document(at: number): void {
    if (this.#documents > 0 && !this.#many) this.#position.fail(at, 'something follows the document');
    this.#documents++;
    this.#place.state = this.#root;
    this.#place.entry = this.#rootEntry;
  }

  /** The next element of an array starts at `i`. */
  #element(chunk: Uint8Array, i: number): void {
    const { top } = this.#stack;
    const place = this.#place;
    const removes = this.#removes;
    const every = top.state.anyElement;
    place.state = every === undefined || removes ? top.state.element(top.index++) : every;
    place.entry = top.entry;
    if (!removes) return;
    const { action } = place.state;
    this.#writer.settle(chunk, i, action, top.kept);
    if (action !== REMOVE) top.kept = true;
  }

  /** The string whose opening quote is at `start`. Most are whole, without escapes, and of no interest to any rule. */
  #string(chunk: Uint8Array, view: DataView, start: number, n: number): number {
    const values = this.#values;
    const { passes } = values;
    let classes = 0;
    let counts = 0;
    let kind = 0;
    let next = 0;
    let end = start + 1;
    if (passes) end = skipPlain(view, end, n);
    while (end < n && (kind = byteClasses[(next = chunk[end]!)]!) < SPECIAL) {
      classes |= kind;
      counts += byteCounts[next]!;
      end++;
    }
    const { scanner } = values;
    if (end === n || next !== QUOTE) {
      scanner.begin();
      return this.#finishString(chunk, start, this.#scan(chunk, start + 1, n), n);
    }
    const isPlain =
      this.#containers.isMuted ||
      (passes
        ? this.#place.state.action === NONE && mayBeNested[chunk[start + 1]!] === 0
        : values.isPlain(chunk, start, end, classes, counts));
    if (isPlain) return this.#afterWhole(chunk, end + 1, n);
    scanner.begin();
    scanner.classes = classes;
    scanner.counts = counts;
    return this.#finishString(chunk, start, end, n);
  }

  /** The string from `start` has its closing quote at `end`, or goes on in the next chunk where `end` is `n`. */
  #finishString(chunk: Uint8Array, start: number, end: number, n: number): number {
    const { isMuted } = this.#containers;
    if (!isMuted) this.#values.startString(chunk, start);
    if (end === n) {
      if (!isMuted) this.#values.suspendString(chunk, start);
      this.#phase = IN_STRING;
      return n;
    }
    if (!isMuted) this.#values.endString(chunk, start, end + 1);
    this.#phase = this.#stack.top.depth === 0 ? TOP : AFTER;
    return end + 1;
  }

  /** Goes on with a string that began in an earlier chunk. */
  #stringOn(chunk: Uint8Array, start: number, n: number): number {
    const end = this.#scan(chunk, start, n);
    const { isMuted } = this.#containers;
    if (end === n) {
      if (!isMuted) this.#values.growString(chunk, start);
      return n;
    }
    if (!isMuted) this.#values.finishString(chunk, start, end + 1);
    this.#phase = this.#stack.top.depth === 0 ? TOP : AFTER;
    return end + 1;
  }

  #scan(chunk: Uint8Array, from: number, n: number): number {
    const { scanner } = this.#values;
    const i = scanner.scan(chunk, from, n);
    if (i < 0) this.#position.fail(-1 - i, scanner.reason);
    return i;
  }

  /** The number or literal that begins at `start`. */
  #bare(chunk: Uint8Array, view: DataView, start: number, n: number): number {
    let i = skipCommonBare(view, start, n);
    const isCommon = i > start && i < n && isBareByte[chunk[i]!] === 0;
    if (!isCommon) while (i < n && isBareByte[chunk[i]!] === 1) i++;
    if (i === n) {
      this.#values.collect(chunk, start);
      this.#phase = IN_BARE;
      return n;
    }
    if (!isCommon && !isBareValue(chunk, start, i)) this.#failBare(start);
    if (!this.#containers.isMuted && (this.#place.state.action !== NONE || i - start >= this.#values.leastNumber)) {
      this.#values.endBare(chunk, start, i);
    }
    return this.#afterWhole(chunk, i, n);
  }

  /** Goes on with a number or literal that began in an earlier chunk. */
  #bareOn(chunk: Uint8Array, start: number, n: number): number {
    const { collected } = this.#values;
    let i = start;
    while (i < n && isBareByte[chunk[i]!] === 1) i++;
    collected.append(chunk, start, i);
    if (collected.length > limits.number) this.#position.fail(start, 'a number is too long');
    if (i < n) this.#finishBare(i);
    return i;
  }

  #finishBare(next: number): void {
    const { bytes, length } = this.#values.collected;
    if (!isBareValue(bytes, 0, length)) this.#failBare(next);
    if (!this.#containers.isMuted) this.#values.finishBare(next);
    this.#phase = this.#stack.top.depth === 0 ? TOP : AFTER;
  }

  #failBare(at: number): never {
    return this.#position.fail(at, 'this is neither a number nor true, false or null');
  }

  /** Behind a value that lies whole in the chunk; a comma that follows at once is gone over. */
  #afterWhole(chunk: Uint8Array, i: number, n: number): number {
    const { top } = this.#stack;
    if (top.depth === 0) this.#phase = TOP;
    else if (i < n && chunk[i] === 0x2c && !this.#removes) {
      this.#phase = top.inArray ? VALUE : KEY;
      return i + 1;
    } else this.#phase = AFTER;
    return i;
  }

  /** A key, or the end of an empty object, begins at `i`. */
  #key(chunk: Uint8Array, view: DataView, i: number, n: number, byte: number): number {
    if (byte !== QUOTE) {
      const isFirst = this.#phase === FIRST_KEY;
      if (byte !== 0x7d || !isFirst) {
        this.#position.fail(i, isFirst ? 'a key or "}" is missing' : 'a key is missing after the comma');
      }
      this.#phase = this.#containers.close(i);
      return i + 1;
    }
    let start = i;
    if (this.#runs && !this.#containers.isMuted) {
      const members = this.#members;
      start = members.run(chunk, view, i, n);
      if (members.phase !== UNEXPECTED) {
        this.#phase = members.phase;
        return start;
      }
    }
    const next = this.#keys.read(chunk, start, n);
    this.#phase = this.#keys.phase;
    return next;
  }

  #colon(i: number, byte: number): number {
    if (byte !== 0x3a) this.#position.fail(i, '":" is missing after the key');
    this.#phase = VALUE;
    return i + 1;
  }

  /** Behind a value, where a comma or the end of its container must stand. */
  #after(i: number, byte: number): number {
    const { inArray } = this.#stack.top;
    if (byte === 0x2c) {
      if (this.#removes && !this.#containers.isMuted) this.#writer.comma(i);
      this.#phase = inArray ? VALUE : KEY;
    } else if (byte === (inArray ? 0x5d : 0x7d)) this.#phase = this.#containers.close(i);
    else this.#position.fail(i, inArray ? '"," or "]" is missing' : '"," or "}" is missing');
    return i + 1;
  }
}
