/**
 * Finds a secret however it is written (raw; base64 and base64url at every alignment; hexadecimal; percent-encoded;
 * JSON, JavaScript, HTML, quoted-printable escapes; UTF-16) and overwrites it with as many asterisks, so that
 * lengths stay and no document breaks.
 */
import { utf8Bytes, utf8Text } from '../bytes.ts';
import { patternStart } from './escape-graph.ts';
import type { GraphPattern, Node } from './escape-graph.ts';
import { ACCEPTS, LazyAutomaton } from './lazy-automaton.ts';
import { MatchPairs } from './match-pairs.ts';

/** Shorter ones are no secrets: masking every "a" of a body would tell more than it hides. */
export const minSecretLength = 4;
const minEncodedLength = 6;

export interface Scrubber {
  /** The text with the secrets overwritten; the same string where none occurs. */
  text(text: string): string;
  /** Whether no secret is in a header's name. Those that are clean are remembered: they come again with every response. */
  isCleanName(name: string): boolean;
  /** For one body. */
  stream(): ScrubStream;
}

/** Built once per lease. Texts under four bytes are ignored. */
export function compileScrubber(secrets: readonly string[]): Scrubber {
  const patterns = [...new Set(secrets)].filter((secret) => utf8Bytes(secret).length >= minSecretLength).flatMap(secretPatterns);
  const automaton = patterns.length === 0 ? null : new LazyAutomaton(patterns.map(patternStart));
  const pairs = new MatchPairs(patterns);
  const names = new Set<string>();
  const scrubbed = (text: string): string => {
    if (automaton === null || !automaton.mayMatch(text)) return text;
    const stream = new ScrubStream(automaton, pairs);
    const first = stream.write(utf8Bytes(text));
    const rest = stream.end();
    return stream.found ? text8(first) + text8(rest) : text;
  };
  return {
    stream: () => new ScrubStream(automaton, pairs),
    text: scrubbed,
    isCleanName(name) {
      if (names.has(name)) return true;
      if (scrubbed(name) !== name) return false;
      if (names.size >= maxNames) names.clear();
      if (name.length <= maxNameLength) names.add(name);
      return true;
    },
  };
}

const maxNames = 256;
const maxNameLength = 64;

const text8 = (bytes: Uint8Array | null): string => (bytes === null ? '' : utf8Text(bytes, 0, bytes.length));

function secretPatterns(secret: string): GraphPattern[] {
  const patterns: GraphPattern[] = [{ positions: Array.from(secret, (char) => [char.codePointAt(0)!]), depth: 2, breaks: false }];
  const bytes = utf8Bytes(secret);
  for (let alignment = 0; alignment < 3; alignment++) {
    const positions = base64Core(bytes, alignment);
    if (positions.length >= minEncodedLength) patterns.push({ positions, depth: 1, breaks: true });
  }
  if (bytes.length * 2 >= minEncodedLength) {
    const positions = Array.from(bytes, (byte) =>
      Array.from(byte.toString(16).padStart(2, '0'), (digit) => [...new Set([digit, digit.toUpperCase()])].map((one) => one.charCodeAt(0))),
    ).flat();
    patterns.push({ positions, depth: 1, breaks: true });
  }
  return patterns;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The base64 characters that the secret alone determines when it starts `alignment` bytes into a group; RFC 4648 §4 or §5. */
function base64Core(bytes: Uint8Array, alignment: number): number[][] {
  const firstBit = alignment * 8;
  const lastBit = firstBit + bytes.length * 8;
  const positions: number[][] = [];
  for (let at = Math.ceil(firstBit / 6) * 6; at + 6 <= lastBit; at += 6) {
    let value = 0;
    for (let bit = at - firstBit; bit < at - firstBit + 6; bit++) value = (value << 1) | ((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1);
    const char = alphabet.charCodeAt(value);
    positions.push(value === 62 ? [char, 0x2d] : value === 63 ? [char, 0x5f] : [char]);
  }
  return positions;
}

const ASTERISK = 0x2a;
const none: readonly Node[] = [];

export class ScrubStream {
  /** The secret has occurred. */
  found = false;
  readonly #automaton: LazyAutomaton | null;
  readonly #pairs: MatchPairs;
  #nodes: readonly Node[] = none;
  #held: Uint8Array | null = null;

  constructor(automaton: LazyAutomaton | null, pairs: MatchPairs) {
    this.#automaton = automaton;
    this.#pairs = pairs;
  }

  /** Takes the next bytes; gives what may go on, null for nothing. What may be the start of a secret is held back. */
  write(chunk: Uint8Array): Uint8Array | null {
    const automaton = this.#automaton;
    if (automaton === null) return chunk;
    const held = this.#held;
    let bytes = chunk;
    let i = 0;
    if (held !== null) {
      bytes = new Uint8Array(held.length + chunk.length);
      bytes.set(held);
      bytes.set(chunk, held.length);
      i = held.length;
    }
    const n = bytes.length;
    let owned = held !== null;
    let state = this.#nodes.length === 0 ? 0 : automaton.stateOf(this.#nodes);
    let table = automaton.table;
    let begun = state === 0 ? i : 0;
    while (i < n) {
      if (state === 0) {
        i = this.#pairs.skip(bytes, i, n);
        while (i < n && table[bytes[i]!] === 0) i++;
        if (i >= n) break;
        begun = i;
      }
      let next = table[(state << 8) + bytes[i]!]!;
      if (next < 0) {
        next = automaton.step(state, bytes[i]!);
        table = automaton.table;
      }
      i++;
      if (next >= ACCEPTS) {
        if (!owned) bytes = bytes.slice();
        owned = true;
        overwrite(bytes, automaton.matchStart(bytes, begun, i), i);
        this.found = true;
        state = 0;
      } else state = next;
    }
    if (state === 0) {
      this.#held = null;
      this.#nodes = none;
      return bytes;
    }
    this.#nodes = automaton.nodesOf(state);
    this.#held = bytes.slice(begun);
    return begun === 0 ? null : bytes.subarray(0, begun);
  }

  /** What was held back. */
  end(): Uint8Array | null {
    const held = this.#held;
    this.#held = null;
    this.#nodes = none;
    return held;
  }
}

/** NULs stay, so that UTF-16 stays UTF-16; digits alone become zeros, so that a number stays a number. */
function overwrite(bytes: Uint8Array, from: number, to: number): void {
  let digits = true;
  for (let i = from; i < to; i++) if (bytes[i]! !== 0 && (bytes[i]! < 0x30 || bytes[i]! > 0x39)) digits = false;
  for (let i = from; i < to; i++) if (bytes[i] !== 0) bytes[i] = digits ? 0x30 : ASTERISK;
}
