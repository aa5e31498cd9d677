/** The rules that hold for one response, compiled: what every format's machine works with. */
import type { HashText } from './actions/action.ts';
import type { FieldObserver } from './formats/field-observer.ts';
import type { Tally } from './formats/machine.ts';
import type { KeyEntry } from './rules/key-entry.ts';
import type { KeyTable } from './rules/key-table.ts';
import type { PathAutomaton, PathState } from './rules/path-automaton.ts';
import type { TextRules } from './text/text-rules.ts';

export interface Engine {
  readonly keys: KeyTable;
  readonly paths: PathAutomaton;
  readonly root: PathState;
  /** Null: no detector, pattern or word rule. */
  readonly text: TextRules | null;
  /** True where some path or key rule may remove a member. */
  readonly removes: boolean;
  /** True where there are path or key rules. */
  readonly selects: boolean;
  readonly hash: HashText;
  /** Masks JSON inside a text; null: it is JSON and stays as it is; undefined: it is not JSON. */
  readonly maskNested: (engine: Engine, tally: Tally, text: string, place: NestedPlace) => string | null | undefined;
  /** Of this response alone: sees values that no rule selects. Null: nobody looks. */
  readonly observer: FieldObserver | null;
}

/** Where a text stands that may be JSON. */
export interface NestedPlace {
  readonly state: PathState;
  /** The key above it. */
  readonly entry: KeyEntry;
  /** How many strings the text is inside of already. */
  readonly nesting: number;
  /** Where its paths begin with `$`, such as in an event: who looks. @default null */
  readonly observer?: FieldObserver | null;
}

/** Limits of what one machine holds at a time. Beyond them it hides or cuts; it never passes on. */
export const limits = {
  /** Containers in one another. */
  depth: 1024,
  /** JSON inside JSON strings. */
  nesting: 4,
  /** Bytes of a string that is looked at in one piece, where it can be looked at in several. */
  piece: 65_536,
  /** Bytes of a string that is looked at in one piece, where it has to be: it may be JSON. */
  text: 1_048_576,
  /** Bytes of a key. */
  key: 65_536,
  /** Bytes of a number. */
  number: 65_536,
} as const;
