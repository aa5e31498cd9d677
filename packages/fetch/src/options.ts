import type { TokenSource } from './tokens/token-source.ts';

/** Options of one call (`fetch(url, { hoop: … })`), which `extend` and `createFetch` may set for all calls. */
export interface HoopCallOptions {
  /**
   * Values that rules of the policy may require, e.g. `{ ticket: 'OPS-12' }`. Recorded with the call. Added to what was set
   * before; at most 4096 bytes as JSON.
   * @default {}
   */
  readonly context?: Readonly<Record<string, string>>;
  /**
   * The name of the connection to use. Needed only where more than one has the URL's target.
   * @default the connection whose target is the longest prefix of the URL
   */
  readonly connection?: string;
  /**
   * Groups calls into one session for investigators: 1–64 of `[A-Za-z0-9._-]`.
   * @default HOOP_SESSION, else a random one for each `createFetch` (for `fetch` itself: each process)
   */
  readonly session?: string;
  /**
   * How to handle a URL that no connection serves: refuse it, or call it directly, without Hoop.
   * @default HOOP_UNMANAGED, else 'refuse'
   */
  readonly unmanaged?: 'refuse' | 'direct';
  /**
   * How a denial reaches you: as a 403 `Response` with `application/problem+json`, or thrown as a `HoopDeniedError`.
   * @default 'return'
   */
  readonly onDenied?: 'return' | 'throw';
  /**
   * How long a call that needs an approval waits for it, seconds; after that it is denied with `approval_pending`, and the
   * same call made again uses the approval. A signal that fires while it waits withdraws the request for approval.
   * @default 60
   */
  readonly waitSeconds?: number;
  /** Is told when a call waits for an approval, and how that ended. Not for bodies that are streams: those the relay holds. */
  readonly onProgress?: (progress: ApprovalProgress) => void;
  /**
   * Do not wait for the target: Hoop keeps the request, sends it (after its approval, where it needs one) and keeps the
   * response for `collect`. The response is a 202 whose JSON body has the `callId`. `channel` names a notification channel
   * that is told when the call has finished.
   * @default false
   */
  readonly defer?: boolean | { readonly channel: string };
}

/** How a request for approval stands. */
export interface ApprovalProgress {
  readonly approvalId: string;
  readonly state: 'pending' | 'approved' | 'denied' | 'expired' | 'withdrawn' | 'voided';
  /** When the request for approval ends, if nobody decides; ISO 8601. */
  readonly expiresAt: string | undefined;
  /** The reason given by the person who ended it. */
  readonly reason: string | undefined;
}

export interface CollectOptions {
  /**
   * How long to wait for the call to finish, seconds; 0 to only look.
   * @default 60
   */
  readonly waitSeconds?: number;
  /** Ends the waiting, not the call. */
  readonly signal?: AbortSignal;
}

export interface HoopOptions extends HoopCallOptions {
  /**
   * The control plane's URL.
   * @default HOOP_URL
   */
  readonly url?: string;
  /**
   * The relay's URL.
   * @default HOOP_RELAY_URL, else what the control plane says
   */
  readonly relayUrl?: string;
  /**
   * Gives the token that says who this function is.
   * @default detectToken(): HOOP_TOKEN, HOOP_TOKEN_FILE, GitHub Actions, Kubernetes
   */
  readonly token?: TokenSource;
  /**
   * The audience of tokens that the platform issues on request (GitHub Actions).
   * @default HOOP_AUDIENCE, else the origin of the control plane's URL
   */
  readonly audience?: string;
  /**
   * How long the token source and the control plane may take together each time they are asked, milliseconds. A call's own
   * limit is its `signal`.
   * @default 10000
   */
  readonly exchangeTimeoutMs?: number;
  /**
   * The fetch that carries requests to Hoop, e.g. one with a proxy agent.
   * @default globalThis.fetch
   */
  readonly fetch?: typeof globalThis.fetch;
}

export interface HoopRequestInit extends RequestInit {
  readonly hoop?: HoopCallOptions;
}

/** The platform's `fetch`, through Hoop. */
export interface HoopFetch {
  (input: string | URL | Request, init?: HoopRequestInit): Promise<Response>;
  /** A fetch with further defaults that shares this one's grants, e.g. one for each invocation of a function. */
  extend(defaults: HoopCallOptions): HoopFetch;
  /**
   * The response to a deferred call of the same identity, of this process or another, masked like any; a 202 while it has
   * not finished. A relay that says it cannot answer now (503) is asked again within the time. The header `hoop-call` of
   * how the call ended is `callId`; any other answer is about the question. Rejects as `fetch` does.
   */
  collect(callId: string, options?: CollectOptions): Promise<Response>;
}
