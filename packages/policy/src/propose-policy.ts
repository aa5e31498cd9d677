/** A least-privilege policy from observed calls: what was called is allowed, identifiers in paths become parameters, nothing else is. */
import type { Rule } from '@hoop/contract';

export interface ObservedCall {
  readonly method: string;
  /** Normalised, as the relay decided about it. */
  readonly path: string;
}

export interface ProposedRule {
  readonly rule: Rule;
  /** Observed calls that it allows. */
  readonly calls: number;
  /** Up to three of their paths. */
  readonly examples: readonly string[];
}

export interface ProposeOptions {
  /** Rules at most. Where more would be needed, segments that differ are taken for parameters. @default 200 */
  readonly maxRules?: number;
}

/** Literal siblings above which segments are taken for parameters, tried in turn until the rules are few enough. */
const siblingLimits = [50, 20, 8, 3, 1, 0] as const;

/**
 * The proposal allows every observed call. Take it as a draft: it knows what was done, not what should have been.
 * @throws RangeError where no proposal within `maxRules` exists (paths of very many lengths)
 */
export function proposeLeastPrivilege(calls: Iterable<ObservedCall>, options: ProposeOptions = {}): ProposedRule[] {
  const maxRules = options.maxRules ?? 200;
  const root = newNode();
  for (const { method, path } of calls) observe(root, method, path);
  for (const limit of siblingLimits) {
    const proposed = rulesOf(generalise(root, limit));
    if (proposed.length <= maxRules) return proposed;
  }
  throw new RangeError(`the observed paths do not fit in ${maxRules} rules`);
}

interface Observed {
  calls: number;
  readonly examples: Set<string>;
}

interface Node {
  readonly children: Map<string, Node>;
  /** Set where segments were taken for a parameter. */
  parameter: Node | null;
  /** Calls that end here, by method. */
  readonly methods: Map<string, Observed>;
}

const newNode = (): Node => ({ children: new Map(), parameter: null, methods: new Map() });
const maxExamples = 3;

function observe(root: Node, method: string, path: string): void {
  let node = root;
  for (const segment of path.split('/').slice(1)) {
    let child = node.children.get(segment);
    if (child === undefined) node.children.set(segment, (child = newNode()));
    node = child;
  }
  add(node, method, { calls: 1, examples: new Set([path]) });
}

function add(node: Node, method: string, { calls, examples }: Observed): void {
  let seen = node.methods.get(method);
  if (seen === undefined) node.methods.set(method, (seen = { calls: 0, examples: new Set() }));
  seen.calls += calls;
  for (const example of examples) if (seen.examples.size < maxExamples) seen.examples.add(example);
}

/** A copy in which identifiers, and segments that differ too much, are one parameter. */
function generalise(node: Node, siblingLimit: number): Node {
  const copy = newNode();
  for (const [method, seen] of node.methods) add(copy, method, seen);
  const literals = [...node.children.keys()].filter((segment) => segment !== '' && !isIdentifier(segment));
  const takeAll = literals.length > siblingLimit;
  const merged: Node[] = [];
  for (const [segment, child] of node.children) {
    if (segment === '' || (!takeAll && !isIdentifier(segment))) copy.children.set(segment, generalise(child, siblingLimit));
    else merged.push(child);
  }
  if (merged.length > 0) copy.parameter = generalise(merge(merged), siblingLimit);
  return copy;
}

function merge(nodes: readonly Node[]): Node {
  const whole = newNode();
  for (const node of nodes) for (const [method, seen] of node.methods) add(whole, method, seen);
  const segments = Map.groupBy(
    nodes.flatMap((node) => [...node.children]),
    ([segment]) => segment,
  );
  for (const [segment, same] of segments)
    whole.children.set(segment, same.length === 1 ? same[0]![1] : merge(same.map(([, child]) => child)));
  return whole;
}

/** Numbers, UUIDs, hexadecimal and prefixed ids, dates; not words and not versions such as `v1`. */
export function isIdentifier(segment: string): boolean {
  if (/^\d+$/.test(segment) || /^\d{4}-\d{2}(?:-\d{2})?$/.test(segment)) return true;
  if (!/\d/.test(segment)) return false;
  return (
    /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(segment) ||
    /^[0-9a-f]{8,}$/i.test(segment) ||
    /^[A-Za-z]{1,10}[_-][A-Za-z0-9_-]{6,}$/.test(segment) ||
    /^[A-Za-z0-9_-]{16,}$/.test(segment)
  );
}

function rulesOf(root: Node): ProposedRule[] {
  const proposed: ProposedRule[] = [];
  const visit = (node: Node, pattern: string, parameters: number): void => {
    if (node.methods.size > 0) {
      const methods = [...node.methods.keys()].sort();
      const seen = [...node.methods.values()];
      proposed.push({
        rule: { name: `${methods.join(', ')} ${pattern}`.slice(0, 200), effect: 'allow', match: { methods, paths: [pattern] } },
        calls: seen.reduce((sum, one) => sum + one.calls, 0),
        examples: [...new Set(seen.flatMap((one) => [...one.examples]))].slice(0, maxExamples),
      });
    }
    for (const [segment, child] of node.children) visit(child, `${pattern}/${quote(segment)}`, parameters);
    if (node.parameter !== null) visit(node.parameter, `${pattern}/:${parameters === 0 ? 'id' : `id${parameters + 1}`}`, parameters + 1);
  };
  visit(root, '', 0);
  return proposed.sort((a, b) => (a.rule.name < b.rule.name ? -1 : 1));
}

/** Literal text in a path pattern. */
const quote = (segment: string): string => segment.replace(/[:*?+{}()\\]/g, '\\$&');
