/**
 * Finds the rules whose match covers a method and a path without looking at all of them: literal paths by one
 * look-up, patterns by their literal leading segments. The cost grows with the rules that could match, not with
 * all that exist. Rules that restrict are found by each reading of the path as well (see path-readings.ts).
 */
import type { CompiledRule } from './compiled-rule.ts';
import type { Condition } from './condition/condition.ts';
import type { Facts } from './facts.ts';
import { noParams } from './path/path-matcher.ts';
import type { Matching } from './path/path-matcher.ts';
import type { PathReader } from './path/path-readings.ts';

interface Entry {
  readonly rule: CompiledRule;
  /** Null: every path. */
  readonly matcher: Pick<Matching, 'test'> | null;
}

interface Node {
  children: Map<string, Node> | null;
  readonly entries: Entry[];
}

interface PathIndex {
  readonly literals: ReadonlyMap<string, readonly Entry[]>;
  readonly root: Node;
}

/** So few rules and patterns are looked at one after the other: that reads less memory than any index. */
const maxListedRules = 12;
const maxListedPatterns = 24;

export interface RuleIndex {
  /** All rules, where they are few; then both indexes are empty. */
  readonly all: readonly CompiledRule[] | null;
  /** By the path as it was sent. */
  readonly exact: PathIndex;
  /** By its readings: the rules that restrict; null where there are none. */
  readonly wide: PathIndex | null;
  readonly reader: PathReader;
}

export interface Candidate {
  /** `isOfReading` where only a reading of the path is one that the rule names. */
  readonly rule: CompiledRule;
  /** Of the path; empty where the condition does not read them (`paramsOf` gives them). */
  readonly params: Params;
  /** Of further readings. A rule that restricts does so where its condition holds for any. */
  readonly otherParams: readonly Params[];
}

type Params = Readonly<Record<string, string>>;

const emptyIndex = (): { literals: Map<string, Entry[]>; root: Node } => ({ literals: new Map(), root: { children: null, entries: [] } });

export function buildRuleIndex(rules: readonly CompiledRule[], reader: PathReader): RuleIndex {
  const patterns = rules.reduce((sum, rule) => sum + (rule.paths?.length ?? 0), 0);
  if (rules.length <= maxListedRules && patterns <= maxListedPatterns) return { all: rules, exact: emptyIndex(), wide: null, reader };
  const exact = emptyIndex();
  const wide = emptyIndex();
  for (const rule of rules) {
    if (rule.paths === null) exact.root.entries.push({ rule, matcher: null });
    for (const matcher of rule.paths ?? []) {
      insert(exact, { rule, matcher }, matcher.isLiteral ? matcher.literalPrefix : null, matcher.literalPrefix);
    }
    for (const form of rule.widePaths ?? []) insert(wide, { rule, matcher: form }, form.literal, form.literalPrefix);
  }
  return { all: null, exact, wide: rules.some((rule) => rule.ofReading !== null) ? wide : null, reader };
}

function insert(index: { literals: Map<string, Entry[]>; root: Node }, entry: Entry, literal: string | null, prefix: string): void {
  if (literal === null) return void nodeOf(index.root, prefix).entries.push(entry);
  const same = index.literals.get(literal);
  if (same === undefined) index.literals.set(literal, [entry]);
  else same.push(entry);
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
 * The rules whose match covers this method and path, in no particular order. A null method covers all. A rule whose
 * condition reads parameters may come twice: for the path, and for its readings.
 */
export function findCandidates(index: RuleIndex, method: string | null, path: string): Candidate[] {
  const candidates: Candidate[] = [];
  if (index.all !== null) {
    let readings: readonly string[] | undefined;
    for (const rule of index.all) {
      if (!coversMethod(rule, method)) continue;
      const isExact = rule.paths === null || rule.paths.some((matcher) => matcher.test(path));
      if (isExact) candidates.push(exactCandidate(rule, path));
      if (rule.ofReading === null || (isExact && !readsParams(rule))) continue;
      readings ??= index.reader.readingsOf(path);
      if (coversReading(rule, readings)) candidates.push(readingCandidate(rule, readings));
    }
    return candidates;
  }
  visit(index.exact, path, false, ({ rule, matcher }) => {
    if (!coversMethod(rule, method)) return;
    if (matcher !== null) {
      if (!matcher.test(path)) return;
      if (rule.paths!.length > 1 && candidates.some((candidate) => candidate.rule === rule)) return;
    }
    candidates.push(exactCandidate(rule, path));
  });
  if (index.wide === null) return candidates;
  const readings = index.reader.readingsOf(path);
  for (const reading of readings) {
    visit(index.wide, reading, true, ({ rule, matcher }) => {
      if (!coversMethod(rule, method) || !matcher!.test(reading)) return;
      const isFound = (candidate: Candidate): boolean =>
        candidate.rule === rule.ofReading || (candidate.rule === rule && !readsParams(rule));
      if (!candidates.some(isFound)) candidates.push(readingCandidate(rule, readings));
    });
  }
  return candidates;
}

/** @param looksUpLast `/a/*` of a rule that restricts covers `/a` */
function visit({ literals, root }: PathIndex, path: string, looksUpLast: boolean, take: (entry: Entry) => void): void {
  for (const entry of literals.get(path) ?? []) take(entry);
  let node: Node | undefined = root;
  let at = 1;
  while (node !== undefined) {
    for (const entry of node.entries) take(entry);
    if (node.children === null || at > path.length) break;
    const slash = path.indexOf('/', at);
    if (slash < 0 && !looksUpLast) break;
    const end = slash < 0 ? path.length : slash;
    node = node.children.get(path.slice(at, end));
    at = end + 1;
  }
}

const coversMethod = ({ methods }: CompiledRule, method: string | null): boolean =>
  methods === null || method === null || methods.has(method);
const readsParams = ({ when }: CompiledRule): boolean => when?.readsParams === true;

function coversReading({ widePaths }: CompiledRule, readings: readonly string[]): boolean {
  for (const form of widePaths!) for (const reading of readings) if (form.test(reading)) return true;
  return false;
}

const none: readonly never[] = Object.freeze([]);

const exactCandidate = (rule: CompiledRule, path: string): Candidate => ({
  rule,
  params: readsParams(rule) ? paramsOf(rule, path) : noParams,
  otherParams: none,
});

function readingCandidate(rule: CompiledRule, readings: readonly string[]): Candidate {
  if (!readsParams(rule)) return { rule: rule.ofReading!, params: noParams, otherParams: none };
  const [params, ...otherParams] = paramsOfReadings(rule, readings);
  return { rule: rule.ofReading!, params: params ?? noParams, otherParams };
}

/** The parameters of the first of the rule's patterns that matches. */
export function paramsOf(rule: CompiledRule, path: string): Params {
  for (const matcher of rule.paths ?? []) {
    const params = matcher.match(path);
    if (params !== null) return params;
  }
  return noParams;
}

/** The parameters of every reading that the rule covers, each once. */
export function paramsOfReadings({ widePaths }: CompiledRule, readings: readonly string[]): Params[] {
  const distinct = new Map<string, Params>();
  for (const form of widePaths ?? []) {
    for (const reading of readings) {
      const params = form.match(reading);
      if (params !== null) distinct.set(JSON.stringify(params), params);
    }
  }
  return [...distinct.values()];
}

/** Whether the condition of a candidate holds, for any of the parameters that it could be meant for. */
export function evaluate({ rule: { when }, params, otherParams }: Candidate, facts: Facts): ReturnType<Condition['evaluate']> {
  if (when === null) return true;
  let value = when.evaluate(facts, params);
  for (const other of otherParams) {
    if (value === true) break;
    const next = when.evaluate(facts, other);
    if (next !== false) value = next;
  }
  return value;
}
