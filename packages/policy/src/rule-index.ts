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
  /** Where the condition reads them: the readings. A rule that restricts does so where its condition holds for any. */
  readonly readings: readonly Reading[];
}

/** One reading of the path, on which a condition is evaluated instead of the path as sent. */
interface Reading {
  readonly path: string;
  readonly params: Params;
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
    if (rule.paths === null && rule.ofReading !== null) wide.root.entries.push({ rule, matcher: null });
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
 * condition reads the path may come twice: for the path as it was sent, and for its readings.
 */
export function findCandidates(index: RuleIndex, method: string | null, path: string): Candidate[] {
  const candidates: Candidate[] = [];
  if (index.all !== null) {
    let readings: readonly string[] | undefined;
    for (const rule of index.all) {
      const { ofReading } = rule;
      const isOfMethod = coversMethod(rule, method);
      if (!isOfMethod && (ofReading === null || !coversMethod(ofReading, method))) continue;
      const isOfPath = rule.paths === null || rule.paths.some((matcher) => matcher.test(path));
      if (isOfMethod && isOfPath) candidates.push(exactCandidate(rule, path));
      if (ofReading === null || (isOfMethod && isOfPath && !rule.readsPath)) continue;
      readings ??= index.reader.readingsOf(path);
      if (isOfPath || coversReading(rule, readings)) candidates.push(readingCandidate(rule, readings));
    }
    return candidates;
  }
  collectExact(index.exact, method, path, candidates);
  if (index.wide !== null) {
    const readings = index.reader.readingsOf(path);
    for (const reading of readings) collectWide(index.wide, method, reading, readings, candidates);
  }
  return candidates;
}

function collectExact({ literals, root }: PathIndex, method: string | null, path: string, candidates: Candidate[]): void {
  const literal = literals.get(path);
  if (literal !== undefined) addExact(literal, method, path, candidates);
  let node: Node | undefined = root;
  let at = 1;
  while (node !== undefined) {
    if (node.entries.length > 0) addExact(node.entries, method, path, candidates);
    if (node.children === null) break;
    const slash = path.indexOf('/', at);
    if (slash < 0) break;
    node = node.children.get(path.slice(at, slash));
    at = slash + 1;
  }
}

function addExact(entries: readonly Entry[], method: string | null, path: string, candidates: Candidate[]): void {
  for (const { rule, matcher } of entries) {
    if (!coversMethod(rule, method)) continue;
    if (matcher !== null) {
      if (!matcher.test(path)) continue;
      if (rule.paths!.length > 1 && candidates.some((candidate) => candidate.rule === rule)) continue;
    }
    candidates.push(exactCandidate(rule, path));
  }
}

function collectWide(
  { literals, root }: PathIndex,
  method: string | null,
  reading: string,
  readings: readonly string[],
  candidates: Candidate[],
): void {
  const literal = literals.get(reading);
  if (literal !== undefined) addWide(literal, method, reading, readings, candidates);
  let node: Node | undefined = root;
  let at = 1;
  while (node !== undefined) {
    if (node.entries.length > 0) addWide(node.entries, method, reading, readings, candidates);
    if (node.children === null || at > reading.length) break;
    // The last segment is looked up too: `/a/*` of a rule that restricts covers `/a`.
    const slash = reading.indexOf('/', at);
    const end = slash < 0 ? reading.length : slash;
    node = node.children.get(reading.slice(at, end));
    at = end + 1;
  }
}

function addWide(
  entries: readonly Entry[],
  method: string | null,
  reading: string,
  readings: readonly string[],
  candidates: Candidate[],
): void {
  for (const { rule, matcher } of entries) {
    if (!coversMethod(rule.ofReading!, method) || matcher?.test(reading) === false) continue;
    const isFound = candidates.some((candidate) => candidate.rule === rule.ofReading || (candidate.rule === rule && !rule.readsPath));
    if (!isFound) candidates.push(readingCandidate(rule, readings));
  }
}

const coversMethod = ({ methods }: CompiledRule, method: string | null): boolean =>
  methods === null || method === null || methods.has(method);

function coversReading({ widePaths }: CompiledRule, readings: readonly string[]): boolean {
  if (widePaths === null) return true;
  for (const form of widePaths) for (const reading of readings) if (form.test(reading)) return true;
  return false;
}

const none: readonly never[] = Object.freeze([]);

const exactCandidate = (rule: CompiledRule, path: string): Candidate => ({
  rule,
  params: rule.when?.readsParams === true ? paramsOf(rule, path) : noParams,
  readings: none,
});

const readingCandidate = (rule: CompiledRule, readings: readonly string[]): Candidate => ({
  rule: rule.ofReading!,
  params: noParams,
  readings: rule.readsPath ? coveredReadings(rule, readings) : none,
});

/** The parameters of the first of the rule's patterns that matches. */
export function paramsOf(rule: CompiledRule, path: string): Params {
  for (const matcher of rule.paths ?? []) {
    const params = matcher.match(path);
    if (params !== null) return params;
  }
  return noParams;
}

/** Every reading that the rule covers, once for each set of parameters. */
function coveredReadings({ widePaths }: CompiledRule, paths: readonly string[]): Reading[] {
  if (widePaths === null) return paths.map((path) => ({ path, params: noParams }));
  const distinct = new Map<string, Reading>();
  for (const form of widePaths) {
    for (const path of paths) {
      const params = form.match(path);
      if (params !== null) distinct.set(JSON.stringify([path, params]), { path, params });
    }
  }
  return [...distinct.values()];
}

/** Whether the condition of a candidate holds: for the path as it was sent, or for any of its readings. */
export function evaluate({ rule: { when }, params, readings }: Candidate, facts: Facts): ReturnType<Condition['evaluate']> {
  if (when === null) return true;
  if (readings.length === 0) return when.evaluate(facts, params);
  let value: ReturnType<Condition['evaluate']> = false;
  for (const reading of readings) {
    const next = when.evaluate(ofReading(facts, reading), reading.params);
    if (next === true) return true;
    if (next !== false) value = next;
  }
  return value;
}

const ofReading = (facts: Facts, { path }: Reading): Facts => ({ ...facts, request: { ...facts.request, path } });

/** The facts and parameters for which a candidate's condition came to this value. */
export function decidingReading(
  candidate: Candidate,
  facts: Facts,
  value: ReturnType<Condition['evaluate']>,
): { readonly facts: Facts; readonly params: Params } {
  const { rule, readings } = candidate;
  if (!rule.isOfReading) return { facts, params: paramsOf(rule, facts.request.path) };
  const deciding = readings.find((reading) => rule.when?.evaluate(ofReading(facts, reading), reading.params) === value) ?? readings[0];
  return deciding === undefined ? { facts, params: noParams } : { facts: ofReading(facts, deciding), params: deciding.params };
}
