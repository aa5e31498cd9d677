/** Masks one text value in a format other than JSON: a field, a cell, an element's text. */
import { NONE, NULL, REDACT, REMOVE, replaceText } from '../actions/action.ts';
import type { Action } from '../actions/action.ts';
import type { Engine } from '../engine.ts';
import type { KeyEntry } from '../rules/key-entry.ts';
import type { PathState } from '../rules/path-automaton.ts';
import type { Tally } from './machine.ts';

export interface Leaf {
  readonly state: PathState;
  readonly entry: KeyEntry;
  /** Of the rules that select it. @default the state's */
  readonly action?: Action;
}

/** The masked text, or the same text. Null and removal are the empty text: these formats have no null. */
export function maskLeaf(engine: Engine, tally: Tally, text: string, leaf: Leaf): string {
  const action = leaf.action ?? leaf.state.action;
  if (action !== NONE) {
    tally.maskedCount++;
    return replaceText(action, text, engine.hash) ?? '';
  }
  const nested = engine.maskNested(engine, tally, text, { state: leaf.state, entry: leaf.entry, nesting: 0 });
  if (nested !== undefined) return nested ?? text;
  const masked = engine.text?.mask(text, leaf.entry.context) ?? null;
  if (masked === null) return text;
  tally.maskedCount += masked.count;
  return masked.text ?? '';
}

/** The strongest action of a name wherever it stands: for formats without a tree. */
export const actionOfName = (engine: Engine, entry: KeyEntry): Action => engine.root.member(entry).action;

/** `NULL` and `REMOVE` in running text, where a hole would join what stands around it. */
export const inRunningText = (action: Action): Action => (action === NULL || action === REMOVE ? REDACT : action);
