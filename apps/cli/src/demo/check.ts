export interface Check {
  readonly what: string;
  readonly ok: boolean;
  /** What was seen. */
  readonly detail: string;
}
