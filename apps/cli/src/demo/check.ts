export interface Check {
  readonly what: string;
  readonly ok: boolean;
  /** The observation. */
  readonly detail: string;
}
