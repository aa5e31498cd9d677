import { Lane } from './turns.ts';

/** The share of one identity, connection or address in a relay process. Plain counters: they change with every call. */
export class Share {
  calls = 0;
  sockets = 0;
  heldBytes = 0;
  /** Of the bodies that are kept for the record. */
  keptBytes = 0;
  /** Refusals in the window that `window` numbers; see record/refusals.ts. */
  refusals = 0;
  window = -1;
  /** Of the processor. */
  readonly lane = new Lane();
}
