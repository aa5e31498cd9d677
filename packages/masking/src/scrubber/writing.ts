/** The bytes that a character, in all its notations, begins and ends with and has next to each other. */
import { utf8Bytes } from '../bytes.ts';
import { notationsOf, openings } from './notations.ts';

export interface Writing {
  readonly firsts: readonly number[];
  readonly lasts: readonly number[];
  /** The first byte and 256 times the second. */
  readonly pairs: readonly number[];
}

/** The bytes that may stand at each offset. */
type Spelling = readonly (readonly number[])[];

/** A notation is taken in any case. */
const inAnyCase = (text: string): Spelling =>
  Array.from(text, (char) => [...new Set([char, char.toUpperCase()])].map((one) => one.charCodeAt(0)));

function describe(spellings: readonly Spelling[]): { firsts: Set<number>; lasts: Set<number>; pairs: Set<number> } {
  const pairs = new Set<number>();
  for (const spelling of spellings) for (let i = 1; i < spelling.length; i++) cross(spelling[i - 1]!, spelling[i]!, pairs);
  return { firsts: new Set(spellings.flatMap((one) => one[0]!)), lasts: new Set(spellings.flatMap((one) => one.at(-1)!)), pairs };
}

function cross(firsts: Iterable<number>, seconds: readonly number[], pairs: Set<number>): void {
  for (const first of firsts) for (const second of seconds) pairs.add(first | (second << 8));
}

const listed = ({ firsts, lasts, pairs }: ReturnType<typeof describe>): Writing => ({
  firsts: [...firsts],
  lasts: [...lasts],
  pairs: [...pairs],
});

/** Of texts in lower case that are taken in any. */
export const writingOf = (texts: readonly string[]): Writing => listed(describe(texts.map(inAnyCase)));

/** By what opens a notation: how that is written in a notation itself. */
const writtenOpenings: ReadonlyMap<number, Writing> = new Map(openings.map((opening) => [opening, writingOf(notationsOf(opening))]));

const known = new Map<number, Writing>();
const maxKnown = 1024;

/** As `patternStart` takes it: raw, as UTF-8 or in a notation; in depth 2 with the notation's opening in one, too. */
export function writingOfCharacter(char: number, depth: 1 | 2): Writing {
  const key = char * 2 + depth - 1;
  let writing = known.get(key);
  if (writing === undefined) {
    writing = describeCharacter(char, depth);
    if (known.size >= maxKnown) known.clear();
    known.set(key, writing);
  }
  return writing;
}

function describeCharacter(char: number, depth: 1 | 2): Writing {
  const notations = notationsOf(char).map(inAnyCase);
  const raw: Spelling[] = char < 0x100 ? [[[char]]] : [];
  if (char >= 0x80) raw.push(Array.from(utf8Bytes(String.fromCodePoint(char)), (byte) => [byte]));
  const all = describe([...notations, ...raw]);
  if (depth > 1) {
    for (const [opening, written] of writtenOpenings) {
      for (const first of written.firsts) all.firsts.add(first);
      for (const pair of written.pairs) all.pairs.add(pair);
      for (const notation of notations) if (notation[0]!.includes(opening)) cross(written.lasts, notation[1]!, all.pairs);
    }
  }
  return listed(all);
}
