/**
 * A graph of all ways in which a text may be written: each character raw, percent-encoded (RFC 3986), as a JSON or
 * JavaScript escape, as an HTML or XML reference, quoted-printable (RFC 2045), and each of those written so again.
 * UTF-16 and UTF-32 forms are the same with NULs between. Nodes are made when they are first reached.
 */
import { utf8Bytes } from '../bytes.ts';

/** One character in any notation, at most `depth` notations deep; or one raw byte out of a set. */
export type Step = { readonly char: number; readonly depth: number } | { readonly bytes: readonly number[] };

/** NULs that may follow one byte: UTF-32 has three. */
const maxNuls = 3;
/** Line breaks, and blanks after them, within base64 or hexadecimal text. */
const maxBreaks = 4;

let nextId = 0;

export class Node {
  readonly id: number = nextId++;
  readonly accepts: boolean;
  readonly #make: (node: Node) => void;
  readonly #nuls: number;
  #edges: Map<number, Node[]> | null = null;

  constructor(accepts: boolean, make: (node: Node) => void, nuls = 0) {
    this.accepts = accepts;
    this.#make = make;
    this.#nuls = nuls;
  }

  /** Where this byte leads. */
  next(byte: number): readonly Node[] {
    this.#edges ??= this.#expand();
    return this.#edges.get(byte) ?? [];
  }

  /** For the making function. */
  edge(byte: number, target: Node): void {
    const targets = this.#edges!.get(byte);
    if (targets === undefined) this.#edges!.set(byte, [target]);
    else targets.push(target);
  }

  #expand(): Map<number, Node[]> {
    this.#edges = new Map();
    this.#make(this);
    if (this.#nuls < maxNuls && !this.accepts && !this.#edges.has(0)) this.edge(0, new Node(false, this.#make, this.#nuls + 1));
    return this.#edges;
  }
}

const code = (char: string): number => char.charCodeAt(0);
const either = (digit: string): Step => ({ bytes: [...new Set([code(digit.toLowerCase()), code(digit.toUpperCase())])] });
const literal = (text: string): Step[] => Array.from(text, (char) => ({ bytes: [code(char)] }));
const hexDigits = (value: number, width: number): Step[] => Array.from(value.toString(16).padStart(width, '0'), either);

const letterEscapes: ReadonlyMap<number, string> = new Map([
  [8, 'b'], [12, 'f'], [10, 'n'], [13, 'r'], [9, 't'], [0x22, '"'], [0x27, "'"], [0x5c, '\\'], [0x2f, '/'],
]);
const named: ReadonlyMap<number, readonly string[]> = new Map([
  [0x26, ['amp']], [0x3c, ['lt']], [0x3e, ['gt']], [0x22, ['quot', 'QUOT']], [0x27, ['apos']], [0x2f, ['sol']], [0x2b, ['plus']],
  [0x3d, ['equals']], [0x3a, ['colon']], [0x2e, ['period']], [0x5f, ['lowbar']], [0x25, ['percnt']], [0x23, ['num']], [0x21, ['excl']],
  [0x24, ['dollar']], [0x40, ['commat']], [0x2a, ['ast']], [0x28, ['lpar']], [0x29, ['rpar']], [0x3f, ['quest']], [0x3b, ['semi']],
  [0x2c, ['comma']], [0x5c, ['bsol']], [0x7c, ['vert', 'verbar']], [0x5b, ['lsqb', 'lbrack']], [0x5d, ['rsqb', 'rbrack']],
  [0x7b, ['lcub', 'lbrace']], [0x7d, ['rcub', 'rbrace']], [0x60, ['grave']], [0x5e, ['Hat']],
]);

/** The notations of one character, each as a sequence; their first characters may be written in notations themselves. */
function notations(char: number, depth: number): Step[][] {
  const start = (text: string): Step => ({ char: code(text), depth });
  const forms: Step[][] = [];
  const bytes = char < 0x80 ? [char] : [...utf8Bytes(String.fromCodePoint(char))];
  forms.push(bytes.flatMap((byte) => [start('%'), ...hexDigits(byte, 2)]));
  forms.push(bytes.flatMap((byte) => [start('='), ...hexDigits(byte, 2)]));
  const units = Array.from(String.fromCodePoint(char)).flatMap((one) => Array.from({ length: one.length }, (_, i) => one.charCodeAt(i)));
  // a backslash that went through several layers of escaping is many backslashes
  for (let backslashes = 1; backslashes <= (depth > 0 ? 4 : 1); backslashes++) {
    const opening = Array.from({ length: backslashes }, (_, i): Step => (i === 0 ? start('\\') : { bytes: [0x5c] }));
    forms.push(units.flatMap((unit) => [...opening, ...literal('u'), ...hexDigits(unit, 4)]));
    const letter = letterEscapes.get(char);
    if (letter !== undefined) forms.push([...opening, ...literal(letter)]);
    if (char < 0x100) forms.push([...opening, ...literal('x'), ...hexDigits(char, 2)]);
    forms.push([...opening, ...literal('u{'), ...hexDigits(char, 1), ...literal('}')]);
  }
  for (let zeros = 0; zeros <= 6; zeros++) {
    forms.push([start('&'), ...literal(`#${'0'.repeat(zeros)}${char}`), { bytes: [0x3b] }]);
    forms.push([start('&'), ...literal('#'), either('x'), ...literal('0'.repeat(zeros)), ...hexDigits(char, 1), { bytes: [0x3b] }]);
  }
  // without the semicolon, as browsers accept it
  forms.push([start('&'), ...literal(`#${char}`)], [start('&'), ...literal('#'), either('x'), ...hexDigits(char, 1)]);
  for (const name of named.get(char) ?? []) forms.push([start('&'), ...literal(`${name};`)]);
  return forms;
}

function addPath(node: Node, steps: readonly Step[], target: Node): void {
  const first = steps[0]!;
  const rest = steps.length === 1 ? target : new Node(false, (made) => addPath(made, steps.slice(1), target));
  if ('bytes' in first) {
    for (const byte of first.bytes) node.edge(byte, rest);
    return;
  }
  const { char, depth } = first;
  if (char < 0x80) node.edge(char, rest);
  else {
    addPath(node, [...utf8Bytes(String.fromCodePoint(char))].map((byte) => ({ bytes: [byte] })), rest);
    if (char < 0x100) node.edge(char, rest);
  }
  if (depth > 0) for (const form of notations(char, depth - 1)) addPath(node, form, rest);
}

/** A text as a sequence of positions; each position is a set of characters that may stand there. */
export interface GraphPattern {
  readonly positions: readonly (readonly number[])[];
  /** How many notations one inside the other. */
  readonly depth: number;
  /** Line breaks may stand between characters: base64 and hexadecimal text. */
  readonly breaks: boolean;
}

/** The first node of a pattern. */
export function patternStart(pattern: GraphPattern): Node {
  const last = pattern.positions.length;
  const nodes = new Map<number, Node>();
  const at = (position: number): Node => {
    let node = nodes.get(position);
    if (node === undefined) nodes.set(position, (node = position === last ? new Node(true, () => {}) : make(position, 0)));
    return node;
  };
  const make = (position: number, breaks: number): Node =>
    new Node(false, (node) => {
      for (const char of pattern.positions[position]!) addPath(node, [{ char, depth: pattern.depth }], at(position + 1));
      if (position === 0 || breaks >= maxBreaks) return;
      const same = make(position, breaks + 1);
      // the soft line break of quoted-printable
      addPath(node, literal('=\n'), same);
      addPath(node, literal('=\r\n'), same);
      if (!pattern.breaks) return;
      for (const char of [0x0a, 0x0d, 0x20, 0x09]) addPath(node, [{ char, depth: char < 0x20 ? 1 : 0 }], same);
    });
  return at(0);
}
