/** The input of a token source. */
export interface TokenRequest {
  /** The audience that the token should be meant for: `HOOP_AUDIENCE`, by default the origin of the control plane's URL. */
  readonly audience: string;
  /** Fires when the control plane's time limit is over. */
  readonly signal: AbortSignal;
  /** The platform's fetch. */
  readonly fetch: typeof globalThis.fetch;
}

/** Gives the token that says who this function is. Asked again for each grant, so it may change and expire. */
export type TokenSource = (request: TokenRequest) => string | Promise<string>;
