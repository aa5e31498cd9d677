import type { KeyEntry } from '../../rules/key-entry.ts';
import type { PathState } from '../../rules/path-automaton.ts';
import type { FieldObserver } from '../field-observer.ts';

export interface JsonOptions {
  /** More than one document: NDJSON, JSON text sequences (RFC 7464), log lines. @default false */
  readonly many?: boolean;
  /** Where the document stands, for JSON inside something else. @default the engine's root */
  readonly root?: PathState;
  /** The key above the document. */
  readonly entry?: KeyEntry;
  /** How many strings the document is inside of. @default 0 */
  readonly nesting?: number;
  readonly observer?: FieldObserver | null;
}
