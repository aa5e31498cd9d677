/**
 * Finds the rules whose match covers a method and a path without looking at all of them: literal paths by one
 * look-up, patterns by their literal leading segments. The cost grows with the rules that could match, not with
 * all that exist.
 */
import type { CompiledRule } from './compile-policy.ts';
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

/** Up to so many entries are looked at one after the other: that reads less memory than any index. */
const maxListed = 12;

export interface RuleIndex {
  /** All entries, where they are few; then the other members are not used. */
  readonly all: readonly Entry[] | null;
  readonly literals: ReadonlyMap<string, readonly Entry[]>;
  readonly root: Node;
}

export interface Candidate {
  readonly rule: CompiledRule;
  readonly params: Readonly<Record<string, string>>;
}

export const noParams: Readonly<Record<string, string>> = Object.freeze(Object.create(null) as Record<string, string>);

export function buildRuleIndex(rules: readonly CompiledRule[]): RuleIndex {
  const literals = new Map<string, Entry[]>();
  const root: Node = { children: null, entries: [] };
  const all = rules.flatMap((rule): Entry[] => (rule.paths === null ? [{ rule, matcher: null }] : rule.paths.map((matcher) => ({ rule, matcher }))));
  if (all.length <= maxListed) return { all, literals, root };
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
 * Where several patterns of a rule match, the parameters are those of the first that is written.
 */
export function findCandidates(index: RuleIndex, method: string | null, path: string): Candidate[] {
  const candidates: Candidate[] = [];
  if (index.all !== null) {
    collect(index.all, method, path, candidates);
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
    let params: Readonly<Record<string, string>> | null = noParams;
    if (matcher !== null) {
      params = matcher.match(path);
      if (params === null) continue;
      if (rule.paths!.length > 1) {
        if (candidates.some((candidate) => candidate.rule === rule)) continue;
        if (rule.when?.readsParams === true) params = firstMatch(rule.paths!, path) ?? params;
      }
    }
    candidates.push({ rule, params });
  }
}

function firstMatch(matchers: readonly PathMatcher[], path: string): Readonly<Record<string, string>> | null {
  for (const matcher of matchers) {
    const params = matcher.match(path);
    if (params !== null) return params;
  }
  return null;
}
