/** A pattern as a rule that restricts reads it: against the readings of a path, and not the path as it was sent. */
import { compileRegexp, compileSimple, flat, literalPrefixOf } from './path-matcher.ts';
import type { Matching } from './path-matcher.ts';
import { parsePathPattern, PathPatternError } from './path-pattern.ts';
import type { Part } from './path-pattern.ts';
import { mark } from './path-readings.ts';
import type { PathReader } from './path-readings.ts';

export interface WideForm extends Matching {
  /** The only reading that it matches; null where it is no literal. */
  readonly literal: string | null;
  /** Literal text that every reading starts with that it matches, but for a slash at the end. */
  readonly literalPrefix: string;
  /** Null where it could not be told from parts that repeat or are optional. */
  readonly parts: readonly Part[] | null;
}

/**
 * Matches one reading at least of every path that the pattern matches, however that path is spelled.
 * @throws PathPatternError
 */
export function compileWidePattern(pattern: string, reader: PathReader): readonly WideForm[] {
  const parts = parsePathPattern(pattern);
  const isSimple = parts.every((part) => part.modifier === '' && part.kind !== 'regexp');
  return isSimple ? simpleForms(parts, reader) : [foldedForm(parts, reader)];
}

function simpleForms(parts: readonly Part[], reader: PathReader): WideForm[] {
  const text = parts.map((part) => (part.kind === 'text' ? part.text : part.prefix + mark + part.suffix)).join('');
  const parameters = parts.filter((part) => part.kind !== 'text');
  return reader.formsOf(text).map((form) => {
    const formParts = partsOf(form, parameters);
    if (formParts.length < 2 && formParts.every((part) => part.kind === 'text')) return literalForm(flat(form), formParts);
    const simple = compileSimple(formParts, reader.ignoresTrailingSlash);
    const matching = simple ?? withOptionalSlash(compileRegexp(formParts), reader);
    return { literal: null, literalPrefix: flat(literalPrefixOf(formParts)), parts: formParts, ...matching };
  });
}

const noParams: Readonly<Record<string, string>> = Object.freeze(Object.create(null) as Record<string, string>);
const literalForm = (literal: string, parts: readonly Part[]): WideForm => ({
  literal,
  literalPrefix: literal,
  parts,
  test: (reading) => reading === literal,
  match: (reading) => (reading === literal ? noParams : null),
});

/** A form may have lost its last parameters with the rest of its text, and then is for more paths. */
function partsOf(form: string, parameters: readonly Part[]): Part[] {
  const parts: Part[] = [];
  for (const [i, text] of form.split(mark).entries()) {
    if (i > 0) parts.push({ ...(parameters[i - 1] as Exclude<Part, { kind: 'text' }>), prefix: '', suffix: '' });
    if (text !== '') parts.push({ kind: 'text', text, modifier: '' });
  }
  return parts;
}

/** Of a pattern with optional, repeated or custom parts only the characters are folded. */
function foldedForm(parts: readonly Part[], reader: PathReader): WideForm {
  const fold = (read: (regexp: string) => string): Part[] =>
    parts.map((part) =>
      part.kind === 'text'
        ? { ...part, text: reader.foldText(part.text) }
        : { ...part, prefix: reader.foldText(part.prefix), suffix: reader.foldText(part.suffix), regexp: read(part.regexp) },
    );
  const inAnyCase = [fold((regexp) => `(?:(?i:${regexp})|(?:${regexp}))`), fold((regexp) => `(?i:${regexp})`), fold((regexp) => regexp)];
  const matching = withOptionalSlash(compileFirst(inAnyCase), reader);
  return { literal: null, literalPrefix: flat(literalPrefixOf(fold((regexp) => regexp))), parts: null, ...matching };
}

/** An expression that takes both cases may be larger than RE2 takes where the author's own is not. */
function compileFirst(candidates: readonly (readonly Part[])[]): Matching {
  let last: unknown;
  for (const parts of candidates) {
    try {
      return compileRegexp(parts);
    } catch (error) {
      if (!(error instanceof PathPatternError)) throw error;
      last = error;
    }
  }
  throw last;
}

function withOptionalSlash(matching: Matching, { ignoresTrailingSlash }: PathReader): Matching {
  if (!ignoresTrailingSlash) return matching;
  return {
    test: (reading) => matching.test(reading) || matching.test(`${reading}/`),
    match: (reading) => matching.match(reading) ?? matching.match(`${reading}/`),
  };
}
