/**
 * Matches a path against a pattern in linear time. The common shapes (literal segments, `:name`, a last `*`) are
 * matched by comparing strings; everything else is translated to one RE2 expression.
 */
import { compileWholeMatch } from '../re2.ts';
import { parsePathPattern, PathPatternError } from './path-pattern.ts';
import type { Part } from './path-pattern.ts';

export interface PathMatcher {
  readonly pattern: string;
  /** Literal text that every matching path starts with. */
  readonly literalPrefix: string;
  /** The whole pattern is literal. */
  readonly isLiteral: boolean;
  test(path: string): boolean;
  /** Parameters by name, `0`, `1`, … for unnamed groups; null where it does not match. */
  match(path: string): Readonly<Record<string, string>> | null;
}

type Params = Readonly<Record<string, string>>;
export type Matching = Pick<PathMatcher, 'test' | 'match'>;

export const noParams: Params = Object.freeze(Object.create(null) as Record<string, string>);

/** @throws PathPatternError with a sentence for the policy's author */
export function compilePathPattern(pattern: string): PathMatcher {
  const parts = parsePathPattern(pattern);
  checkReachable(parts);
  const literalPrefix = flat(literalPrefixOf(parts));
  const isLiteral = parts.every((part) => part.kind === 'text' && part.modifier === '');
  return {
    pattern,
    literalPrefix,
    isLiteral,
    ...(isLiteral ? compileLiteral(literalPrefix) : (compileSimple(parts) ?? compileRegexp(parts))),
  };
}

const compileLiteral = (text: string): Matching => ({ test: (path) => path === text, match: (path) => (path === text ? noParams : null) });

const refusedTexts: readonly (readonly [RegExp, string])[] = [
  [/%(?:2E|5C|[01].|7F)/, 'an encoded dot, backslash or control character'],
  [/%25(?:2[ef]|5c|00)/i, 'a slash, dot, backslash or NUL that is encoded twice'],
  [/%(?![0-9A-F]{2})/, 'a "%" that two hexadecimal digits do not follow'],
  [/\\/, 'a backslash'],
  [/;/, 'a ";" that is not encoded as %3B'],
];

/** The relay refuses such paths before they are decided, so a pattern that needs one matches nothing. */
function checkReachable(parts: readonly Part[]): void {
  const refuse = (what: string): never => {
    throw new PathPatternError(`can match nothing: a path with ${what} is refused before it is decided`);
  };
  for (const part of parts) {
    for (const text of part.kind === 'text' ? [part.text] : [part.prefix, part.suffix])
      for (const [refused, what] of refusedTexts) if (refused.test(text)) refuse(what);
  }
  const shape = parts.map((part) => (part.kind === 'text' ? part.text : `${part.prefix}\0${part.suffix}`)).join('');
  if (shape.split('/').some((segment) => segment === '.' || segment === '..')) refuse('a "." or ".." segment');
  if (shape.includes('//')) refuse('an empty segment ("//")');
}

export function literalPrefixOf(parts: readonly Part[]): string {
  let prefix = '';
  for (const part of parts) {
    if (part.kind !== 'text') return part.modifier === '' || part.modifier === '+' ? prefix + part.prefix : prefix;
    if (part.modifier === '+') return prefix + part.text;
    if (part.modifier !== '') return prefix;
    prefix += part.text;
  }
  return prefix;
}

/**
 * Text, then a whole segment or the rest, in turn; null where the pattern is of another shape.
 * @param isLastSlashOptional `/a/*` matches `/a` as well
 */
export function compileSimple(parts: readonly Part[], isLastSlashOptional = false): Matching | null {
  const texts: string[] = [];
  const names: string[] = [];
  let takesRest = false;
  let text = '';
  for (const [i, part] of parts.entries()) {
    if (part.modifier !== '') return null;
    if (part.kind === 'text') {
      text += part.text;
      continue;
    }
    if (part.kind === 'regexp' || part.suffix !== '') return null;
    const next = parts[i + 1];
    const followedBy = next === undefined ? '/' : next.kind === 'text' ? next.text : next.prefix;
    if (part.kind === 'rest' ? next !== undefined : !followedBy.startsWith('/')) return null;
    takesRest = part.kind === 'rest';
    texts.push(flat(text + part.prefix));
    names.push(flat(part.name));
    text = '';
  }
  const tail = flat(text);
  const lastText = texts.at(-1);
  const withoutSlash = isLastSlashOptional && takesRest && lastText!.length > 1 && lastText!.endsWith('/') ? lastText!.slice(0, -1) : null;
  const count = texts.length;
  const walk = (path: string, params: Record<string, string> | null): boolean => {
    let at = 0;
    for (let i = 0; i < count; i++) {
      const fixed = texts[i]!;
      const isRest = takesRest && i === count - 1;
      if (!path.startsWith(fixed, at)) {
        if (!isRest || withoutSlash === null || !endsWithAt(path, withoutSlash, at)) return false;
        if (params !== null) params[names[i]!] = '';
        return true;
      }
      at += fixed.length;
      let end = isRest ? path.length : path.indexOf('/', at);
      if (end < 0) end = path.length;
      if (end === at && !isRest) return false;
      if (params !== null) params[names[i]!] = path.slice(at, end);
      at = end;
    }
    return path.length - at === tail.length && path.endsWith(tail);
  };
  return {
    test: (path) => walk(path, null),
    match(path) {
      if (!walk(path, null)) return null;
      const params = Object.create(null) as Record<string, string>;
      walk(path, params);
      return params;
    },
  };
}

const endsWithAt = (text: string, end: string, at: number): boolean => at + end.length === text.length && text.endsWith(end);

/** The same text as one flat string: what was sliced or added up is read through a second object each time. */
export const flat = (text: string): string => Object.keys({ [text]: null })[0]!;

/** "Generate a regular expression and name list" of the URL Pattern Standard, in RE2. */
export function compileRegexp(parts: readonly Part[]): Matching {
  const names: string[] = [];
  let source = '';
  for (const part of parts) {
    if (part.kind === 'text') {
      source += part.modifier === '' ? quote(part.text) : `(?:${quote(part.text)})${part.modifier}`;
      continue;
    }
    names.push(part.name);
    // (?s): a `*` that stops at a line break would let a path slip past a deny rule
    const value = part.kind === 'segment' ? '[^/]+?' : part.kind === 'rest' ? '(?s:.*)' : part.regexp;
    const prefix = quote(part.prefix);
    const suffix = quote(part.suffix);
    const repeats = part.modifier === '*' || part.modifier === '+';
    if (prefix === '' && suffix === '') source += repeats ? `((?:${value})${part.modifier})` : `(${value})${part.modifier}`;
    else if (repeats) {
      const optional = part.modifier === '*' ? '?' : '';
      source += `(?:${prefix}((?:${value})(?:${suffix}${prefix}(?:${value}))*)${suffix})${optional}`;
    } else source += `(?:${prefix}(${value})${suffix})${part.modifier}`;
  }
  let compiled: ReturnType<typeof compileWholeMatch>;
  try {
    compiled = compileWholeMatch(source);
  } catch (error) {
    throw new PathPatternError((error as Error).message, { cause: error });
  }
  return {
    test: (path) => compiled.matches(path),
    match(path) {
      const groups = compiled.groups(path);
      if (groups === null) return null;
      const params = Object.create(null) as Record<string, string>;
      for (let i = 0; i < names.length; i++) {
        const value = groups[i];
        if (value !== undefined) params[names[i]!] = value;
      }
      return params;
    },
  };
}

const quote = (text: string): string => text.replace(/[.+*?^$(){}[\]|\\/-]/g, '\\$&');
