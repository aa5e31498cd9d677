/** When the next piece of a body may be worked on, so that no body holds the event loop. */
export interface Pace {
  /** False: `wait`. */
  isOpen(): boolean;
  /** Others wait, so that pieces should be small. */
  readonly isContended: boolean;
  /** Milliseconds that were spent just now. */
  spend(ms: number): void;
  wait(work: { takeTurn(): void }): void;
}
