import type { TokenSource } from './tokens/token-source.ts';

/** What one call may say (`fetch(url, { hoop: … })`), and what `extend` and `createFetch` may set for all. */
export interface HoopCallOptions {
  /**
   * What rules of the policy may ask for, e.g. `{ ticket: 'OPS-12' }`. Recorded with the call. Added to what was set
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
   * What to do with a URL that no connection serves: refuse it, or call it directly, without Hoop.
   * @default HOOP_UNMANAGED, else 'refuse'
   */
  readonly unmanaged?: 'refuse' | 'direct';
  /**
   * How a denial reaches you: as a 403 `Response` with `application/problem+json`, or thrown as a `HoopDeniedError`.
   * @default 'return'
   */
  readonly onDenied?: 'return' | 'throw';
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
   * How long the token source and the control plane may take together, milliseconds. A call's own limit is its `signal`.
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
}
