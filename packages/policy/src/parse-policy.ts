/** From anything that somebody sent to a policy, or to the list of what is wrong with it. */
import { policyContentSchema } from '@hoop/contract';
import type { MaskRule, Rule } from '@hoop/contract';

import { compileRules, maxReportedErrors } from './compile-policy.ts';
import type { PolicyError } from './compile-policy.ts';

export interface ParsedPolicy {
  readonly rules: readonly Rule[];
  readonly mask: readonly MaskRule[];
  /** Empty: the policy is valid, apart from the meaning of `mask`, which @hoop/masking checks. At most 50. */
  readonly errors: readonly PolicyError[];
}

/** A policy of 1,000 rules that use every limit stays below these. */
const maxCharacters = 4_194_304;
const maxValues = 200_000;
const maxDepth = 12;

/** @param input `{ rules, mask? }`, from JSON or YAML; may be of any size and shape, and even refer to itself */
export function parsePolicy(input: unknown): ParsedPolicy {
  const oversize = findOversize(input);
  if (oversize !== null) return { rules: [], mask: [], errors: [{ path: '', message: oversize }] };
  const parsed = policyContentSchema.safeParse(input);
  if (!parsed.success) {
    const errors = parsed.error.issues
      .slice(0, maxReportedErrors)
      .map((issue) => ({ path: pathText(issue.path), message: sentence(issue.message) }));
    return { rules: [], mask: [], errors };
  }
  const { rules, mask } = parsed.data;
  return { rules, mask, errors: compileRules(rules).errors };
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path
    .reduce<string>((soFar, key) => (typeof key === 'number' ? `${soFar}[${key}]` : `${soFar}.${String(key)}`), '')
    .replace(/^\./, '');
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

const sentence = (message: string): string => (message.length > 300 ? `${message.slice(0, 300)}…` : message);

/** Bounds what validation has to look at. Iterative, so that depth costs no stack; a cycle runs into the limit of depth. */
function findOversize(input: unknown): string | null {
  let characters = 0;
  let values = 0;
  const stack: { value: unknown; depth: number }[] = [{ value: input, depth: 0 }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { value, depth } = next;
    if (depth > maxDepth) return `is nested more than ${maxDepth} deep`;
    if (typeof value === 'string') characters += value.length;
    else if (typeof value === 'object' && value !== null) {
      // a list is counted before its keys are made: one of a hundred million holes must not be walked
      const keys = Array.isArray(value) && value.length > maxValues ? [] : Object.keys(value);
      values += Array.isArray(value) ? value.length : keys.length;
      if (values > maxValues) return `has more than ${maxValues} values`;
      for (const key of keys) {
        if (!Array.isArray(value)) characters += key.length;
        stack.push({ value: (value as Record<string, unknown>)[key], depth: depth + 1 });
      }
    }
    if (characters > maxCharacters) return `has more than ${maxCharacters} characters of text`;
  }
  return null;
}
