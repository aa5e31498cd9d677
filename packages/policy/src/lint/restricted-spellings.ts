/** An allow that covers another spelling of a path that a rule restricts. */
import { buildRuleIndex, findCandidates } from '../rule-index.ts';
import type { RuleIndex } from '../rule-index.ts';
import type { PathReader } from '../path/path-readings.ts';
import { finding } from './finding.ts';
import type { Finding, Numbered } from './finding.ts';

/** Other spellings of a literal path, one for each kind that servers read alike. */
function spellingsOf(path: string): string[] {
  const bare = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  const lastSegment = bare.lastIndexOf('/') + 1;
  const rest = bare.slice(lastSegment);
  if (rest === '') return [];
  const inOtherCase = rest.replace(/%[0-9A-F]{2}|[a-z]/gi, (part) => (part.length > 1 ? part : flipped(part)));
  const flippedFirst = rest.replace(/^[a-z]/i, flipped);
  const spelled = [flippedFirst, inOtherCase].map((segment) => bare.slice(0, lastSegment) + segment);
  return [...spelled, bare, `${bare}/`, `${bare}.json`, `${bare}.`, `${bare}%3B`].filter((spelling) => spelling !== path);
}

const flipped = (letter: string): string => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase());

const shareMethod = (a: Numbered, b: Numbered): boolean =>
  a.methods === null || b.methods === null || [...a.methods].some((method) => b.methods!.has(method));

export function restrictedSpellings(rules: readonly Numbered[], reader: PathReader): Finding[] {
  const permitting = buildRuleIndex(
    rules.filter((rule) => rule.permits),
    reader,
  );
  return rules.flatMap((rule) => {
    if (rule.effect === 'allow' || rule.isEveryPath) return [];
    const found = firstPermitted(rule, permitting);
    return found === null ? [] : [found];
  });
}

/** One finding of a rule is enough, as its message says what to do about all: the first that the rule does not cover, else the first. */
function firstPermitted(rule: Numbered, permitting: RuleIndex): Finding | null {
  const own = buildRuleIndex([rule], permitting.reader);
  let covered: Finding | null = null;
  for (const { literalPrefix: literal } of (rule.paths ?? []).filter((path) => path.isLiteral)) {
    for (const spelling of spellingsOf(literal)) {
      const covering = findCandidates(own, null, spelling);
      if (covering.some((one) => !one.rule.isOfReading)) continue;
      const other = permittedBy(permitting, rule, spelling);
      if (other === undefined) continue;
      if (covering.length === 0)
        return finding('restricted_spelling', 'warning', [rule, other], openSentence(rule, other, literal, spelling));
      covered ??= finding('restricted_spelling', 'notice', [rule, other], coveredSentence(rule, other, literal, spelling));
    }
  }
  return covered;
}

/** Of the rules that allow once their requirement is met, only a deny is stricter. */
const permittedBy = (permitting: RuleIndex, rule: Numbered, spelling: string): Numbered | undefined =>
  findCandidates(permitting, null, spelling)
    .map((one) => one.rule as Numbered)
    .find((other) => !other.isOfReading && (other.effect === 'allow' || rule.effect === 'deny') && shareMethod(rule, other));

const coveredSentence = (rule: Numbered, other: Numbered, literal: string, spelling: string): string =>
  `The rule "${other.name}" covers ${spelling}, which a server could read as ${literal}, so the rule "${rule.name}" restricts it as well. ` +
  "Name the paths that are allowed instead, or say in the connection's paths which spellings the target tells apart.";

const openSentence = (rule: Numbered, other: Numbered, literal: string, spelling: string): string =>
  `The rule "${other.name}" covers ${spelling}, and the rule "${rule.name}" does not: the connection's paths say that the target ` +
  `tells it from ${literal}. Name the paths that are allowed instead.`;
