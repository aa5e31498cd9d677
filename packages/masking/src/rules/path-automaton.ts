/**
 * All path and key rules of a policy as one automaton over the steps from a document's root to a value, made
 * deterministic as documents are met. A step costs one array read for any number of rules.
 */
import { NONE, REDACT } from '../actions/action.ts';
import type { Action } from '../actions/action.ts';
import type { KeyEntry } from './key-entry.ts';
import type { Segment, Selector } from './json-path.ts';
import type { Work } from '../text/work.ts';

export interface PathRule {
  readonly segments: readonly Segment[];
  readonly action: Action;
}

/** States that are remembered before the memory of them is dropped (documents can be made to visit many). */
const maxStates = 4096;
/** Classes of indexes that are remembered for a state. */
const maxIndexes = 4096;
/** Steps of a transition that is not remembered, and what each position adds to it. */
const stepSteps = 20;
const stepsPerPosition = 12;

/** A set of positions, each `rule * stride + segments matched`. */
export class PathState {
  /** The strongest action of the rules that select this very value. */
  readonly action: Action;
  /** False: nothing below can be selected, and no step leads elsewhere than back here. */
  readonly alive: boolean;
  readonly positions: readonly number[];
  readonly #automaton: PathAutomaton;
  /** By symbol; for the machine's shortest path, which calls `member` where nothing is there. */
  readonly members: (PathState | undefined)[] = [];
  readonly #byIndex: (PathState | undefined)[] = [];
  #someElement: PathState | undefined;
  /** The state of every element, where all are alike and one was asked for. */
  anyElement: PathState | undefined;
  readonly #indexes: IndexClasses;
  readonly #areElementsAlike: boolean;

  constructor(automaton: PathAutomaton, positions: readonly number[], action: Action = automaton.actionOf(positions)) {
    this.#automaton = automaton;
    this.positions = positions;
    this.action = action;
    this.alive = positions.length > 0;
    this.#indexes = automaton.indexClasses(positions);
    this.#areElementsAlike = this.#indexes.bounds.length === 0 && this.#indexes.period === 1;
  }

  /** The state of the member that has this key. */
  member(key: KeyEntry): PathState {
    return this.members[key.symbol] ?? this.#toMember(key);
  }

  /** The state of the element at this index. */
  element(index: number): PathState {
    return this.anyElement ?? this.#byIndex[classOf(index, this.#indexes)] ?? this.#toElement(index);
  }

  /** The state of an element whose index is not known: what any index would select. */
  someElement(): PathState {
    return this.anyElement ?? this.#someElement ?? (this.#someElement = this.#step(selectsSomeIndex));
  }

  #toMember(key: KeyEntry): PathState {
    const next = this.#step((one) => selectsKey(one, key));
    if (next !== this.#automaton.hidden) this.members[key.symbol] = next;
    return next;
  }

  #toElement(index: number): PathState {
    const next = this.#step((one) => selectsIndex(one, index));
    if (next === this.#automaton.hidden) return next;
    if (this.#areElementsAlike) return (this.anyElement = next);
    const known = classOf(index, this.#indexes);
    if (known < maxIndexes) this.#byIndex[known] = next;
    return next;
  }

  /** From where nothing can be selected, every step leads back. */
  #step(selects: (selector: Selector) => boolean): PathState {
    return this.alive ? this.#automaton.step(this.positions, selects, this) : this;
  }
}

/** Indexes between the same two bounds and at the same phase of the period are selected alike. */
interface IndexClasses {
  readonly bounds: readonly number[];
  readonly period: number;
}

function classOf(index: number, { bounds, period }: IndexClasses): number {
  let passed = bounds.length;
  while (passed > 0 && bounds[passed - 1]! > index) passed--;
  return passed * period + (period === 1 ? 0 : index % period);
}

function selectsKey(selector: Selector, key: KeyEntry): boolean {
  if (selector.kind === 'name') return selector.name === key.name;
  return selector.kind === 'wildcard' || (selector.kind === 'folded' && selector.name === key.folded);
}

function selectsIndex(selector: Selector, index: number): boolean {
  if (selector.kind === 'index') return selector.index === index;
  if (selector.kind === 'slice') return index >= selector.start && index < selector.end && (index - selector.start) % selector.step === 0;
  return selector.kind === 'wildcard';
}

const selectsSomeIndex = ({ kind }: Selector): boolean => kind === 'wildcard' || kind === 'index' || kind === 'slice';

export class PathAutomaton {
  readonly root: PathState;
  readonly #rules: readonly PathRule[];
  readonly #stride: number;
  /** The state of places where knowing whether a rule selects them would cost too much; their values are hidden. */
  readonly hidden: PathState;
  #states = new Map<string, PathState>();
  #work: Work | null = null;

  constructor(rules: readonly PathRule[]) {
    this.#rules = rules;
    this.#stride = 1 + Math.max(0, ...rules.map((rule) => rule.segments.length));
    this.hidden = new PathState(this, [], REDACT);
    this.root = this.#state(
      rules.map((_, rule) => rule * this.#stride),
      undefined,
    );
  }

  actionOf(positions: readonly number[]): Action {
    let action: Action = NONE;
    for (const position of positions) {
      const rule = this.#rules[Math.floor(position / this.#stride)]!;
      if (position % this.#stride === rule.segments.length && rule.action > action) action = rule.action;
    }
    return action;
  }

  indexClasses(positions: readonly number[]): IndexClasses {
    const bounds = new Set<number>();
    let period = 1;
    for (const position of positions) {
      for (const one of this.#segment(position)?.selectors ?? []) {
        if (one.kind === 'index') bounds.add(one.index).add(one.index + 1);
        if (one.kind !== 'slice') continue;
        bounds.add(one.start);
        if (Number.isFinite(one.end)) bounds.add(one.end);
        period = leastCommonMultiple(period, one.step);
      }
    }
    bounds.delete(0);
    return { bounds: [...bounds].sort((a, b) => a - b), period };
  }

  /** The account that new states are paid from until the next call; null: nothing is paid. */
  use(work: Work | null): void {
    this.#work = work;
  }

  /** Where a step that `selects` accepts leads. `from` is given back where nothing changes. `hidden` where the work is used up. */
  step(positions: readonly number[], selects: (selector: Selector) => boolean, from: PathState): PathState {
    if (this.#work?.affords(stepSteps + stepsPerPosition * positions.length) === false) return this.#hide();
    const next = new Set<number>();
    for (const position of positions) {
      const segment = this.#segment(position);
      if (segment === undefined) continue;
      if (segment.descendant) next.add(position);
      if (segment.selectors.some(selects)) next.add(position + 1);
    }
    return this.#state(
      [...next].sort((a, b) => a - b),
      from,
    );
  }

  /** The state that stands for being in any of these. */
  union(one: PathState, other: PathState): PathState {
    if (one === this.hidden || other === this.hidden) return this.hidden;
    if (one === other || other.positions.every((position) => one.positions.includes(position))) return one;
    return this.#state(
      [...new Set([...one.positions, ...other.positions])].sort((a, b) => a - b),
      one,
    );
  }

  #hide(): PathState {
    this.#work!.hiddenValues++;
    return this.hidden;
  }

  #segment(position: number): Segment | undefined {
    return this.#rules[Math.floor(position / this.#stride)]!.segments[position % this.#stride];
  }

  #state(positions: readonly number[], from: PathState | undefined): PathState {
    if (from !== undefined && from.positions.length === positions.length && from.positions.every((one, i) => one === positions[i]))
      return from;
    const key = positions.join(',');
    let state = this.#states.get(key);
    if (state === undefined) {
      if (this.#states.size >= maxStates) this.#states = new Map();
      state = new PathState(this, positions);
      this.#states.set(key, state);
    }
    return state;
  }
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
