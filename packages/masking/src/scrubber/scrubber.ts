/**
 * Finds a secret in every usual notation (raw; base64 and base64url at every alignment; hexadecimal; percent-encoded;
 * JSON, JavaScript, HTML, quoted-printable escapes; UTF-16) and overwrites it with as many asterisks, so that
 * lengths stay and no document breaks.
 */
import { latin1Text, utf8Bytes, utf8Text } from '../bytes.ts';
import { CharacterAutomaton } from './character-automaton.ts';
import { MatchPairs } from './match-pairs.ts';
import { PatternTrie } from './pattern-trie.ts';
import { patternsOf } from './pattern.ts';
import type { Pattern } from './pattern.ts';
import { ScrubStream, scrubLimits } from './scrub-stream.ts';
import type { ScrubLimits } from './scrub-stream.ts';

export interface Scrubber {
  /** The text with the secrets overwritten; the same string where none occurs, `***` where the search took too much work. */
  text(text: string): string;
  /** Whether no secret is in a header's name, in any case. Those that are clean are remembered: they come again with every response. */
  isCleanName(name: string): boolean;
  /** For one body. */
  stream(): ScrubStream;
}

/** Built once per lease. Texts under four bytes are ignored. */
export function compileScrubber(secrets: readonly string[], limits: ScrubLimits = scrubLimits): Scrubber {
  return scrubberOf([...new Set(secrets)].flatMap(patternsOf), limits);
}

function scrubberOf(patterns: readonly Pattern[], limits: ScrubLimits): Scrubber {
  const automaton = patterns.length === 0 ? null : new CharacterAutomaton(new PatternTrie(patterns));
  const pairs = new MatchPairs(patterns);
  const names = new Set<string>();
  let nameScrubber: Scrubber | null = null;
  const scrubbed = (text: string): string => {
    if (automaton === null || !pairs.mayMatch(text)) return text;
    // node:http and undici give the bytes of a header as characters U+0000 to U+00FF
    const isLatin1 = !aboveLatin1.test(text);
    const bytes = isLatin1 ? Buffer.from(text, 'latin1') : utf8Bytes(text);
    const stream = new ScrubStream(automaton, pairs, limits);
    const first = stream.write(bytes);
    if (stream.isExhausted) return hidden;
    const rest = stream.end();
    if (!stream.found) return text;
    const decode = isLatin1 ? latin1Text : utf8Text;
    return (first === null ? '' : decode(first, 0, first.length)) + (rest === null ? '' : decode(rest, 0, rest.length));
  };
  return {
    stream: () => new ScrubStream(automaton, pairs, limits),
    text: scrubbed,
    isCleanName(name) {
      if (names.has(name)) return true;
      nameScrubber ??= scrubberOf(patterns.map(inLowerCase), limits);
      const lower = name.toLowerCase();
      if (scrubbed(name) !== name || nameScrubber.text(lower) !== lower) return false;
      if (names.size >= maxNames) names.clear();
      if (name.length <= maxNameLength) names.add(name);
      return true;
    },
  };
}

/** Header names arrive in lower case, however the target wrote them. */
const inLowerCase = (pattern: Pattern): Pattern => ({
  ...pattern,
  positions: pattern.positions.map((chars) => [...new Set(chars.map(lowerCase))]),
});
const lowerCase = (char: number): number => (char >= 0x41 && char <= 0x5a ? char + 32 : char);

const maxNames = 256;
const maxNameLength = 64;
const hidden = '***';
// oxlint-disable-next-line no-control-regex -- all characters of Latin-1
const aboveLatin1 = /[^\0-\xff]/;
