/**
 * Finds the rules whose match covers a method and a path without looking at all of them: literal paths by one
 * look-up, patterns by their literal leading segments. The cost grows with the rules that could match, not with
 * all that exist.
 */
import type { CompiledRule } from './compiled-rule.ts';
import { noParams } from './path/path-matcher.ts';
import type { PathMatcher } from './path/path-matcher.ts';

interface Entry {
  readonly rule: CompiledRule;
  /** Null: every path. */
  readonly matcher: PathMatcher | null;
}

interface Node {
  children: Map<string, Node> | null;
  readonly entries: Entry[];
}

/** So few rules and patterns are looked at one after the other: that reads less memory than any index. */
const maxListedRules = 12;
const maxListedPatterns = 24;

export interface RuleIndex {
  /** All rules, where they are few; then the other members are empty. */
  readonly all: readonly CompiledRule[] | null;
  readonly literals: ReadonlyMap<string, readonly Entry[]>;
  readonly root: Node;
}

export interface Candidate {
  readonly rule: CompiledRule;
  /** Of the path; empty where the condition does not read them (`paramsOf` gives them). */
  readonly params: Readonly<Record<string, string>>;
}

const noLiterals: ReadonlyMap<string, readonly Entry[]> = new Map();
const noNode: Node = { children: null, entries: [] };

export function buildRuleIndex(rules: readonly CompiledRule[]): RuleIndex {
  const patterns = rules.reduce((sum, rule) => sum + (rule.paths?.length ?? 0), 0);
  if (rules.length <= maxListedRules && patterns <= maxListedPatterns) return { all: rules, literals: noLiterals, root: noNode };
  const literals = new Map<string, Entry[]>();
  const root: Node = { children: null, entries: [] };
  for (const rule of rules) {
    if (rule.paths === null) root.entries.push({ rule, matcher: null });
    for (const matcher of rule.paths ?? []) {
      const entry = { rule, matcher };
      if (matcher.isLiteral) {
        const same = literals.get(matcher.literalPrefix);
        if (same === undefined) literals.set(matcher.literalPrefix, [entry]);
        else same.push(entry);
      } else nodeOf(root, matcher.literalPrefix).entries.push(entry);
    }
  }
  return { all: null, literals, root };
}

/** The node of the segments of `prefix` that end in a slash: `/v1/customers/ab` belongs to `v1`, `customers`. */
function nodeOf(root: Node, prefix: string): Node {
  let node = root;
  for (const segment of prefix.split('/').slice(1, -1)) {
    node.children ??= new Map();
    let child = node.children.get(segment);
    if (child === undefined) node.children.set(segment, (child = { children: null, entries: [] }));
    node = child;
  }
  return node;
}

/**
 * The rules whose match covers this method and path, each once, in no particular order. A null method covers all.
 */
export function findCandidates(index: RuleIndex, method: string | null, path: string): Candidate[] {
  const candidates: Candidate[] = [];
  if (index.all !== null) {
    for (const rule of index.all) {
      if (rule.methods !== null && method !== null && !rule.methods.has(method)) continue;
      if (rule.paths === null || rule.paths.some((matcher) => matcher.test(path))) candidates.push(candidateOf(rule, path));
    }
    return candidates;
  }
  const literal = index.literals.get(path);
  if (literal !== undefined) collect(literal, method, path, candidates);
  let node: Node | undefined = index.root;
  let at = 1;
  while (node !== undefined) {
    if (node.entries.length > 0) collect(node.entries, method, path, candidates);
    if (node.children === null) break;
    const slash = path.indexOf('/', at);
    if (slash < 0) break;
    node = node.children.get(path.slice(at, slash));
    at = slash + 1;
  }
  return candidates;
}

function collect(entries: readonly Entry[], method: string | null, path: string, candidates: Candidate[]): void {
  for (const { rule, matcher } of entries) {
    if (rule.methods !== null && method !== null && !rule.methods.has(method)) continue;
    if (matcher !== null) {
      if (!matcher.test(path)) continue;
      if (rule.paths!.length > 1 && candidates.some((candidate) => candidate.rule === rule)) continue;
    }
    candidates.push(candidateOf(rule, path));
  }
}

const candidateOf = (rule: CompiledRule, path: string): Candidate => ({
  rule,
  params: rule.when?.readsParams === true ? paramsOf(rule, path) : noParams,
});

/** The parameters of the first of the rule's patterns that matches. */
export function paramsOf(rule: CompiledRule, path: string): Readonly<Record<string, string>> {
  for (const matcher of rule.paths ?? []) {
    const params = matcher.match(path);
    if (params !== null) return params;
  }
  return noParams;
}
