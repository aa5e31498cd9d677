import type { KeyEntry } from '../../rules/key-entry.ts';
import type { PathState } from '../../rules/path-automaton.ts';

/** Where the next value stands: what the rules say is in `state`, what the key tells in `entry`. */
export interface Place {
  state: PathState;
  entry: KeyEntry;
}
