/** Sentences that say what would allow a call that was refused. */
import type { ApprovalRule } from '@hoop/contract';

import type { CompiledPolicy } from './compile-policy.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { Fault } from './condition/values.ts';
import type { Facts } from './facts.ts';
import { findCandidates } from './rule-index.ts';

const mostNamed = 3;

const listed = (words: readonly string[], join = 'and'): string => {
  const shown = words.length > mostNamed ? [...words.slice(0, mostNamed - 1), `${words.length - mostNamed + 1} more`] : words;
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} ${join} ${shown.at(-1)}`;
};

/** `GET, POST on /v1/a and /v1/b`. */
export function describeMatch({ rule }: CompiledRule): string {
  const methods = rule.match?.methods === undefined ? 'every method' : listed(rule.match.methods);
  return `${methods} on ${rule.match?.paths === undefined ? 'every path' : listed(rule.match.paths)}`;
}

const quoted = (condition: string): string => `\`${condition.length > 200 ? `${condition.slice(0, 200)}…` : condition}\``;

export function allowedByDenial(rule: CompiledRule): string {
  return rule.when === null
    ? `Nothing that the request could hold: the rule "${rule.name}" denies ${describeMatch(rule)}.`
    : `A request for which ${quoted(rule.when.source)} is not true; where it is, the rule "${rule.name}" denies ${describeMatch(rule)}.`;
}

export function allowedByFault(rule: CompiledRule, fault: Fault): string {
  const condition = `the condition ${quoted(rule.when?.source ?? '')} of the rule "${rule.name}"`;
  if (fault.kind === 'body')
    return `A body that ${condition} can see whole: JSON or a form in UTF-8, without a content coding, that every server reads alike, within the connection's limit for inspected bodies.`;
  if (fault.kind === 'number') return `A body whose numbers have at most 15 digits wherever ${condition} reads them.`;
  return `A request on which ${condition} can be evaluated: here ${fault.message}.`;
}

type NeededApproval = { readonly rule: string; readonly approval: ApprovalRule };

const approvalPhrase = ({ rule, approval }: NeededApproval): string =>
  `${approval.quorum === 1 ? 'an approval' : `${approval.quorum} approvals`} by ${listed(approval.reviewers, 'or')} (rule "${rule}")`;

export function allowedByContext(
  missing: readonly { readonly key: string; readonly pattern: string }[],
  approvals: readonly NeededApproval[],
): string {
  const context = missing.map(({ key, pattern }) => `${key} (the whole value must match ${pattern})`);
  const then = approvals.length === 0 ? '' : `, and then ${listed(approvals.map(approvalPhrase))}`;
  return `The context ${context.join(', ')}${then}.`;
}

export function allowedByApproval(approvals: readonly NeededApproval[]): string {
  const phrase = listed(approvals.map(approvalPhrase));
  return `${phrase[0]!.toUpperCase()}${phrase.slice(1)}.`;
}

const isPermitting = (rule: CompiledRule): boolean => rule.permits;
const byName = (a: CompiledRule, b: CompiledRule): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** The nearest rules: those whose condition is false, then those for other methods of the path, then any. */
export function allowedByDefault(policy: CompiledPolicy, { request }: Facts, unmet: readonly CompiledRule[]): string {
  const almost = unmet.filter(isPermitting).sort(byName).slice(0, mostNamed);
  if (almost.length > 0)
    return `A request for which ${listed(
      almost.map((rule) => `${quoted(rule.when!.source)} is true (rule "${rule.name}")`),
      'or',
    )}.`;
  const samePath = findCandidates(policy.index, null, request.path).map(({ rule }) => rule);
  const otherMethods = samePath.filter(isPermitting).sort(byName);
  if (otherMethods.length > 0) {
    const methods = [...new Set(otherMethods.flatMap((rule) => rule.rule.match?.methods ?? []))].sort();
    const names = listed(otherMethods.map((rule) => `"${rule.name}"`));
    return `Another method: on this path the policy has rules that can allow ${listed(methods)} (rule ${names}).`;
  }
  const any = new Set<string>();
  for (const rule of policy.rules) if (isPermitting(rule) && any.add(describeMatch(rule)).size === mostNamed) break;
  if (any.size === 0) return 'A rule that allows it; the policy has none that allows anything.';
  return `A rule that allows ${request.method} on this path; the policy's rules can allow ${listed([...any], 'or')}.`;
}
