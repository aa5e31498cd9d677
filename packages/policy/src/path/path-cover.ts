/** Whether every path of one pattern is a path of another: exact for literals, `:name` segments and a last `*`, and never wrongly true. */
import { parsePathPattern } from './path-pattern.ts';
import type { Part } from './path-pattern.ts';

/** A literal character, one segment's worth of any text, or anything to the end. */
type Element = string | typeof segment | typeof rest;
const segment = Symbol('segment');
const rest = Symbol('rest');

export interface PathShape {
  readonly pattern: string;
  /** Null where the pattern is of another shape: it covers itself only. */
  readonly elements: readonly Element[] | null;
}

/** @throws PathPatternError */
export const pathShape = (pattern: string): PathShape => shapeOf(pattern, parsePathPattern(pattern));

/** @param parts of a pattern, or of a form of one; null: not known */
export const shapeOf = (pattern: string, parts: readonly Part[] | null): PathShape => ({
  pattern,
  elements: parts === null ? null : elementsOf(parts),
});

function elementsOf(parts: readonly Part[]): Element[] | null {
  const elements: Element[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.modifier !== '' || part.kind === 'regexp') return null;
    if (part.kind === 'text') {
      elements.push(...part.text);
      continue;
    }
    elements.push(...part.prefix);
    if (part.kind === 'rest') {
      if (part.suffix !== '' || i !== parts.length - 1) return null;
      elements.push(rest);
      return elements;
    }
    if (part.suffix !== '' && !part.suffix.startsWith('/')) return null;
    elements.push(segment, ...part.suffix);
  }
  return elements;
}

export function coversEverything({ elements }: PathShape): boolean {
  return elements !== null && elements.length === 2 && elements[0] === '/' && elements[1] === rest;
}

export function covers({ pattern, elements: a }: PathShape, { pattern: narrower, elements: b }: PathShape): boolean {
  if (pattern === narrower) return true;
  if (a === null || b === null) return false;
  let j = 0;
  for (const element of a) {
    if (element === rest) return true;
    const other = b[j];
    if (element === segment) {
      // at least one element that is no slash, up to the next slash or the end
      if (other === undefined || other === '/' || other === rest) return false;
      while (j < b.length && b[j] !== '/') if (b[j++] === rest) return false;
    } else if (element === other) j++;
    else return false;
  }
  return j === b.length;
}
