import type { ExportedLeaf } from './export-lines.ts';
import type { ReadLeaf } from './signed-sequence.ts';

export interface LogFinding {
  /**
   * `rewritten`: the log does not extend an earlier checkpoint, or says of a record what it may not say any more.
   * `checkpoint`: a signature or root does not hold. `unreadable`: a line is not as an export has it.
   * `unsettled`: cannot be told yet; export again.
   */
  readonly kind: 'changed' | 'removed' | 'inserted' | 'reordered' | 'rewritten' | 'checkpoint' | 'unreadable' | 'unsettled';
  /** Of the leaf as it was signed (or as the export claims it, where it was never signed). */
  readonly index: number | null;
  readonly id: string | null;
  /** Line of the file, from 1. */
  readonly line: number | null;
  /** A full sentence. */
  readonly detail: string;
}

export type AddFinding = (finding: Partial<LogFinding> & Pick<LogFinding, 'kind' | 'detail'>) => void;

export interface NamedLeaf extends ReadLeaf {
  /** Null where the line cannot be read. */
  readonly leaf: ExportedLeaf | null;
}
