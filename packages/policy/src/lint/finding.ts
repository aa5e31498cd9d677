import type { CompiledRule } from '../compiled-rule.ts';
import { coversEverything, pathShape, shapeOf } from '../path/path-cover.ts';
import type { PathShape } from '../path/path-cover.ts';
import type { PathReader } from '../path/path-readings.ts';
import { compileWidePattern } from '../path/wide-matcher.ts';

export type FindingCode =
  | 'empty_policy'
  | 'nothing_allowed'
  | 'allow_all'
  | 'unreachable_rule'
  | 'redundant_rule'
  | 'write_without_approval'
  | 'duplicate_name'
  | 'matches_nothing'
  | 'body_of_bodyless_method'
  | 'first_query_value'
  | 'restricted_spelling'
  | 'path_in_condition'
  | 'not_compared';

export interface Finding {
  readonly code: FindingCode;
  /** `warning`: probably a mistake or a risk; `notice`: worth a look. */
  readonly severity: 'warning' | 'notice';
  /** The rules that it is about, by name; empty where it is about the whole. */
  readonly rules: readonly string[];
  /** e.g. `rules[2]`, or `rules`. */
  readonly path: string;
  /** A sentence that says what to do. */
  readonly message: string;
}

/** A rule with its place in the policy, and the shapes of its paths to compare with others. */
export interface Numbered extends CompiledRule {
  readonly at: string;
  readonly isEveryPath: boolean;
  readonly shapes: readonly PathShape[];
  /** As a rule that restricts covers readings of paths; none of one that allows. */
  readonly wideShapes: readonly PathShape[];
  /** The nearest reading of each of its paths. */
  readonly readings: readonly PathShape[];
}

export function numbered(rule: CompiledRule, at: string, reader: PathReader): Numbered {
  const patterns = rule.paths?.map((path) => path.pattern) ?? [];
  const forms = patterns.map((pattern) => compileWidePattern(pattern, reader).map((form) => shapeOf(pattern, form.parts)));
  const shapes = patterns.map(pathShape);
  const wideShapes = rule.effect === 'allow' ? [] : forms.flat();
  return {
    ...rule,
    at,
    shapes,
    wideShapes,
    readings: forms.map((each) => each[0]!),
    isEveryPath: rule.paths === null || shapes.some(coversEverything),
  };
}

export const finding = (code: FindingCode, severity: Finding['severity'], about: readonly Numbered[], message: string): Finding => ({
  code,
  severity,
  rules: about.map((rule) => rule.name),
  path: about[0]?.at ?? 'rules',
  message,
});
