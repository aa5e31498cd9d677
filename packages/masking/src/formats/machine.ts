/** A machine masks one format as a push-based stream. */
export interface Machine {
  /** Takes the next bytes; what may go out has been given to the machine's output when this returns. Throws `Malformed`. */
  write(chunk: Uint8Array): void;
  /** There is no more. Throws `Malformed` where the document is not complete. */
  end(): void;
}

/** The body cannot be understood, so it cannot be masked: the stream is cut. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
  /** Offset in the decoded body, bytes. */
  readonly at: number;
  readonly reason: string;
  constructor(at: number, reason: string) {
    super(`${reason} at byte ${at}`);
    this.at = at;
    this.reason = reason;
  }
}

/** Counts of the masking of one body. */
export interface Tally {
  /** Places that the masker changed. */
  maskedCount: number;
}
