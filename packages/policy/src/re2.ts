/** Patterns that users write: RE2 syntax, linear time, bounded program size. Never V8's RegExp. */
import { RE2JS } from 're2js';

export interface Re2Pattern {
  /** The whole text matches. */
  matchesWhole(text: string): boolean;
  /** Somewhere in the text. */
  matchesPart(text: string): boolean;
  /** Groups 1… of a match of the whole text, undefined where a group took no part; null where it does not match. */
  groups(text: string): (string | undefined)[] | null;
  readonly programSize: number;
}

/** Instructions; time is at most about text length × this. */
const maxProgramSize = 2000;

/** @throws Error with a sentence, where the pattern is no RE2 pattern or too large. */
export function compileRe2(pattern: string): Re2Pattern {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    throw new Error(`is not a regular expression of RE2 syntax: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const programSize = compiled.programSize();
  if (programSize > maxProgramSize) throw new Error(`is too large a regular expression (${programSize} instructions, at most ${maxProgramSize})`);
  return {
    programSize,
    matchesWhole: (text) => compiled.testExact(text),
    matchesPart: (text) => compiled.test(text),
    groups(text) {
      const matcher = compiled.matcher(text);
      if (!matcher.matches()) return null;
      const found: (string | undefined)[] = [];
      for (let i = 1; i <= matcher.groupCount(); i++) found.push(matcher.group(i) ?? undefined);
      return found;
    },
  };
}
