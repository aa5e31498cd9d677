/**
 * Why a condition can or cannot see a body: `unsupported` by its media type, charset or content coding; `malformed` not
 * what its media type says; `ambiguous` with names that servers could read differently; `too_complex` too deep, or with
 * too many members; `too_large` over the inspection limit; `unread` not buffered.
 */
export type BodyState = 'absent' | 'parsed' | 'unsupported' | 'malformed' | 'ambiguous' | 'too_complex' | 'too_large' | 'unread';

/** The input of a decision: the normalised request, the caller, the connection, and the time. */
export interface Facts {
  readonly request: {
    /** Upper case. */
    readonly method: string;
    /** The target's path, normalised; starts with `/`. */
    readonly path: string;
    /** Every value of a key, in order. */
    readonly query: Readonly<Record<string, readonly string[]>>;
    /** Lower-case names. A list where the header came on several lines; a condition that reads such a one is in error. */
    readonly headers: Readonly<Record<string, string | readonly string[]>>;
    /** The parsed body, see `readInspectedBody`. */
    readonly body: unknown;
    readonly bodyState: BodyState;
    /** @default 'json' */
    readonly bodyFormat?: 'json' | 'form';
  };
  readonly identity: IdentityFacts;
  readonly connection: { readonly name: string };
  readonly context: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly now: number;
}

export interface IdentityFacts {
  readonly name: string;
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly labels: Readonly<Record<string, string>>;
}
