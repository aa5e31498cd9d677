/** Finds a text, or an RE2 pattern, in bodies. */
import { AppError } from '@hoop/contract';
import { RE2JS } from 're2js';

export interface Excerpt {
  readonly before: string;
  readonly text: string;
  readonly after: string;
}

export interface Found {
  /** Places; counting ends at 1000. */
  readonly count: number;
  /** The first three. */
  readonly excerpts: readonly Excerpt[];
}

/** Null where there is none. */
export type Finder = (body: string) => Found | null;

export interface Wanted {
  /** Exactly one of the two. */
  readonly text?: string | undefined;
  /** RE2. */
  readonly pattern?: string | undefined;
  readonly ignoreCase: boolean;
}

const maxCount = 1000;
const maxExcerpts = 3;
/** Characters around a place, and of the place itself. */
const around = 60;
const maxShown = 200;
/** Characters that are searched at a time. */
const windowSize = 1_048_576;
/** A place that begins in one window may end this far in the next. */
const overlap = 65_536;
const maxProgramSize = 2000;

type NextPlace = (text: string, from: number) => { readonly start: number; readonly end: number } | null;

/** @throws AppError `invalid_request` */
export function createFinder(wanted: Wanted): Finder {
  const next = nextPlace(wanted);
  return (body) => {
    let count = 0;
    const excerpts: Excerpt[] = [];
    let from = 0;
    for (let start = 0; start < body.length && count < maxCount; start += windowSize) {
      const isLast = start + windowSize >= body.length;
      const window = isLast ? body.slice(start) : body.slice(start, start + windowSize + overlap);
      for (let place = next(window, Math.max(0, from - start)); place !== null && count < maxCount; place = next(window, from - start)) {
        if (!isLast && place.start >= windowSize) break;
        // A pattern that matches nothing matches everywhere: that is no finding.
        if (place.end > place.start) {
          count++;
          if (excerpts.length < maxExcerpts) excerpts.push(excerptOf(body, start + place.start, start + place.end));
        }
        from = start + Math.max(place.end, place.start + 1);
      }
    }
    return count === 0 ? null : { count, excerpts };
  };
}

function nextPlace({ text, pattern, ignoreCase }: Wanted): NextPlace {
  if ((text === undefined) === (pattern === undefined)) throw invalid('text', 'exactly one of text and pattern is needed');
  if (pattern !== undefined) return patternPlace(pattern, ignoreCase);
  if (!ignoreCase) {
    return (window, from) => {
      const start = window.indexOf(text!, from);
      return start < 0 ? null : { start, end: start + text!.length };
    };
  }
  // Nothing of it but its own characters is a pattern, so this is linear.
  const literal = new RegExp(RegExp.escape(text!), 'giu');
  return (window, from) => {
    literal.lastIndex = from;
    const match = literal.exec(window);
    return match === null ? null : { start: match.index, end: match.index + match[0].length };
  };
}

function patternPlace(pattern: string, ignoreCase: boolean): NextPlace {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  } catch (error) {
    throw invalid('pattern', `is not a regular expression of RE2 syntax: ${(error as Error).message}`);
  }
  if (compiled.programSize() > maxProgramSize) throw invalid('pattern', 'is too large a regular expression');
  let searched: string | undefined;
  let matcher: ReturnType<RE2JS['matcher']>;
  return (window, from) => {
    if (window !== searched) matcher = compiled.matcher((searched = window));
    return from <= window.length && matcher.find(from) ? { start: matcher.start(), end: matcher.end() } : null;
  };
}

function invalid(path: string, message: string): AppError {
  return new AppError('invalid_request', `\`${path}\`: ${message}.`, { extras: { errors: [{ path, message }] } });
}

function excerptOf(body: string, start: number, end: number): Excerpt {
  const shownEnd = Math.min(end, start + maxShown);
  const well = (text: string): string => text.toWellFormed();
  return {
    before: well(body.slice(Math.max(0, start - around), start)),
    text: well(body.slice(start, shownEnd)),
    after: well(body.slice(shownEnd, shownEnd + around)),
  };
}
