/** Keys of objects: each is read, looked up in the rules, and let out, masked or removed with its member. */
import { REMOVE, redacted } from '../../actions/action.ts';
import type { Action } from '../../actions/action.ts';
import { utf8Bytes } from '../../bytes.ts';
import { limits } from '../../engine.ts';
import type { Engine } from '../../engine.ts';
import type { KeyEntry } from '../../rules/key-entry.ts';
import { hashPrime, hashSeed } from '../../rules/key-table.ts';
import { byteClasses, SPECIAL } from '../../text/byte-classes.ts';
import type { Tally } from '../machine.ts';
import type { JsonContainers } from './json-containers.ts';
import type { JsonMembers } from './json-members.ts';
import { COLON, IN_KEY, QUOTE } from './json-phases.ts';
import type { JsonPosition } from './json-position.ts';
import type { JsonStack } from './json-stack.ts';
import type { JsonValues } from './json-values.ts';
import type { JsonWriter } from './json-writer.ts';
import type { Place } from './place.ts';

export class JsonKeys {
  /** The phase behind what was read last: COLON, or IN_KEY where the key goes on in the next chunk. */
  phase = COLON;
  readonly #engine: Engine;
  readonly #tally: Tally;
  readonly #stack: JsonStack;
  readonly #writer: JsonWriter;
  readonly #values: JsonValues;
  readonly #members: JsonMembers;
  readonly #containers: JsonContainers;
  readonly #place: Place;
  readonly #position: JsonPosition;
  #maskedKeys = 0;

  constructor(input: {
    engine: Engine;
    tally: Tally;
    stack: JsonStack;
    writer: JsonWriter;
    values: JsonValues;
    members: JsonMembers;
    containers: JsonContainers;
    place: Place;
    position: JsonPosition;
  }) {
    this.#engine = input.engine;
    this.#tally = input.tally;
    this.#stack = input.stack;
    this.#writer = input.writer;
    this.#values = input.values;
    this.#members = input.members;
    this.#containers = input.containers;
    this.#place = input.place;
    this.#position = input.position;
  }

  reset(): void {
    this.#maskedKeys = 0;
  }

  /** Reads the key whose opening quote is at `start`; gives the index behind what was read. */
  read(chunk: Uint8Array, start: number, n: number): number {
    let hash = hashSeed;
    let next = 0;
    let i = start + 1;
    while (i < n && (byteClasses[(next = chunk[i]!)]! & SPECIAL) === 0) {
      hash = Math.imul(hash ^ next, hashPrime);
      i++;
    }
    if (i === n || next !== QUOTE) return this.#readSpecial(chunk, start, i, n);
    const members = this.#members;
    members.keysRead++;
    if (!this.#containers.isMuted) {
      const entry = this.#engine.keys.find(hash, chunk, start + 1, i);
      members.lastKey.follower = entry;
      members.lastKey = entry;
      this.#enterMember(chunk, start, i + 1, entry);
    }
    this.phase = COLON;
    return i + 1;
  }

  /** Goes on with a key that began in an earlier chunk. */
  readOn(chunk: Uint8Array, start: number, n: number): number {
    let i = this.#scan(chunk, start, n);
    const isWhole = i < n;
    if (isWhole) i++;
    if (!this.#containers.isMuted) {
      const { collected } = this.#values;
      collected.append(chunk, start, i);
      if (collected.length > limits.key) this.#position.fail(start, 'a key is too long');
      if (isWhole) this.#finish(i);
    }
    this.phase = IN_KEY;
    if (isWhole) {
      this.#members.keysRead++;
      this.phase = COLON;
    }
    return i;
  }

  /** A key with escapes or non-ASCII text from `from` on, or one that ends in a later chunk. */
  #readSpecial(chunk: Uint8Array, start: number, from: number, n: number): number {
    this.#values.scanner.begin();
    const i = this.#scan(chunk, from, n);
    if (i === n) {
      if (!this.#containers.isMuted) this.#values.collect(chunk, start);
      this.phase = IN_KEY;
      return i;
    }
    this.#members.keysRead++;
    if (!this.#containers.isMuted) this.#enterMember(chunk, start, i + 1, this.#engine.keys.search(chunk, start + 1, i));
    this.phase = COLON;
    return i + 1;
  }

  #scan(chunk: Uint8Array, from: number, n: number): number {
    const { scanner } = this.#values;
    const i = scanner.scan(chunk, from, n);
    if (i < 0) this.#position.fail(-1 - i, scanner.reason);
    return i;
  }

  /** A key has been read at `chunk[start, end)`: decides about its member. */
  #enterMember(chunk: Uint8Array, start: number, end: number, entry: KeyEntry): void {
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
  #finish(next: number): void {
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
}
