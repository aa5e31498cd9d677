/**
 * For tests: the notations that the scrubber has to know, told another way. All ways in which a text may be written, as
 * a graph over bytes: each character raw or in a notation, the opening of which may be in a notation again. UTF-16 and
 * UTF-32 are the same with NULs between. Searching the graph takes as much work as it has nodes, for each byte.
 */
import { utf8Bytes } from '../bytes.ts';
import { notationsOf, openings } from '../scrubber/notations.ts';
import { skipsOf } from '../scrubber/pattern.ts';
import type { Pattern } from '../scrubber/pattern.ts';

/** NULs that may follow one byte: UTF-32 has three. */
const maxNuls = 3;
/** Line breaks and blanks between two characters of base64 or hexadecimal text. */
const maxBreaks = 4;

type GraphPattern = Pick<Pattern, 'positions' | 'depth' | 'breaks'>;

let nextId = 0;

export class Node {
  readonly id: number = nextId++;
  readonly accepts: boolean;
  readonly #compute: (byte: number) => Node[];
  readonly #known: (readonly Node[] | undefined)[] = [];

  constructor(accepts: boolean, compute: (byte: number) => Node[]) {
    this.accepts = accepts;
    this.#compute = compute;
  }

  /** Where this byte leads. */
  next(byte: number): readonly Node[] {
    return (this.#known[byte] ??= this.#compute(byte));
  }
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte);

/** The first node of a pattern. */
export function patternStart(pattern: GraphPattern): Node {
  const { positions, depth } = pattern;
  const skips = skipsOf(pattern);
  const nodes = new Map<string, Node>();
  const node = (key: string, nuls: number, isInside: boolean, compute: (byte: number) => Node[]): Node => {
    const whole = `${key}|${nuls}`;
    let made = nodes.get(whole);
    if (made === undefined) {
      // NULs of wider encodings change nothing, but for counting them
      made = new Node(false, (byte) => (byte === 0 && isInside && nuls < maxNuls ? [node(key, nuls + 1, true, compute)] : compute(byte)));
      nodes.set(whole, made);
    }
    return made;
  };
  const end = new Node(true, () => []);

  /** Before the character at `position`. */
  const at = (position: number, breaks: number): Node =>
    position === positions.length ? end : node(`${position},${breaks}`, 0, position > 0, (byte) => begin(position, breaks, byte));

  const begin = (position: number, breaks: number, byte: number): Node[] => {
    const targets: Node[] = [];
    for (const char of positions[position]!) {
      if (char === byte && char < 0x100) targets.push(at(position + 1, 0));
      if (char >= 0x80) targets.push(...follow(position, latin1(utf8Bytes(String.fromCodePoint(char))), 0, byte, true));
      for (const form of notationsOf(char)) targets.push(...follow(position, form, 0, byte, false));
    }
    if (depth > 1)
      for (const opening of openings) for (const form of notationsOf(opening)) targets.push(...open(position, opening, form, 0, byte));
    if (position > 0 && breaks < maxBreaks) for (const skip of skips) targets.push(...pass(position, skip, 0, breaks, byte));
    return targets;
  };

  /** Within a notation of the character at `position`. */
  const follow = (position: number, form: string, offset: number, byte: number, isExact: boolean): Node[] => {
    if (form.charCodeAt(offset) !== (isExact ? byte : lower(byte))) return [];
    if (offset + 1 === form.length) return [at(position + 1, 0)];
    return [
      node(`${position}f${offset + 1}${isExact ? '=' : '~'}${form}`, 0, true, (next) => follow(position, form, offset + 1, next, isExact)),
    ];
  };

  /** Within a notation of the character that opens a notation of the character at `position`. */
  const open = (position: number, opening: number, form: string, offset: number, byte: number): Node[] => {
    if (form.charCodeAt(offset) !== lower(byte)) return [];
    if (offset + 1 < form.length)
      return [node(`${position}o${opening},${offset + 1}${form}`, 0, true, (next) => open(position, opening, form, offset + 1, next))];
    return positions[position]!.flatMap((char) => notationsOf(char).flatMap((one) => follow(position, one, 0, opening, false)));
  };

  /** Within a line break before `position`. */
  const pass = (position: number, skip: string, offset: number, breaks: number, byte: number): Node[] => {
    if (skip.charCodeAt(offset) !== lower(byte)) return [];
    if (offset + 1 === skip.length) return [at(position, breaks + 1)];
    return [node(`${position}s${offset + 1},${breaks}${skip}`, 0, true, (next) => pass(position, skip, offset + 1, breaks, next))];
  };

  return at(0, 0);
}

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** All matches as `[start, end)`, one after the other: of those that end first, the one that starts first. */
export function findInGraph(patterns: readonly GraphPattern[], bytes: Uint8Array): [start: number, end: number][] {
  const starts = patterns.map(patternStart);
  const found: [number, number][] = [];
  let active = new Map<Node, number>();
  for (let i = 0; i < bytes.length; i++) {
    const next = new Map<Node, number>();
    const reach = (node: Node, start: number): void => {
      for (const target of node.next(bytes[i]!)) next.set(target, Math.min(start, next.get(target) ?? start));
    };
    for (const [node, start] of active) reach(node, start);
    for (const node of starts) reach(node, i);
    const ends = [...next].filter(([node]) => node.accepts).map(([, start]) => start);
    if (ends.length > 0) {
      found.push([Math.min(...ends), i + 1]);
      active = new Map();
    } else active = next;
  }
  return found;
}

/** One way of writing the pattern, by a walk through the graph of all of them. */
export function writeOnce(pattern: GraphPattern, choices: readonly number[]): number[] {
  const bytes: number[] = [];
  let node: Node = patternStart(pattern);
  for (let step = 0; !node.accepts; step++) {
    const choice = choices[step % choices.length]! + step * 7919;
    // the next byte from a random one on that leads anywhere
    let byte = choice % 256;
    while (node.next(byte).length === 0) byte = (byte + 1) % 256;
    const targets: readonly Node[] = node.next(byte);
    bytes.push(byte);
    node = targets[choice % targets.length]!;
  }
  return bytes;
}
