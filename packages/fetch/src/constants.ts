/**
 * Names that the SDK shares with the control plane and the relay. They are copied from `@hoop/contract`, so that the
 * published package depends on nothing; a test checks that they are the contract's.
 */

/** Hoop's own headers, lower case. */
export const hoopHeaders = {
  grant: 'hoop-grant',
  context: 'hoop-context',
  session: 'hoop-session',
  wait: 'hoop-wait',
  withdrawOnAbort: 'hoop-withdraw-on-abort',
  channel: 'hoop-channel',
  location: 'hoop-location',
  call: 'hoop-call',
  error: 'hoop-error',
} as const;

/** Every header that starts so is Hoop's. */
export const hoopHeaderPrefix = 'hoop-';

/** RFC 8693 §2.1. */
export const tokenExchangeGrantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** RFC 8693 §3. */
export const jwtTokenType = 'urn:ietf:params:oauth:token-type:jwt';

/** Refusals of a grant that a new grant can cure. */
export const renewableErrors: readonly string[] = ['token_expired', 'token_revoked', 'token_key_unknown', 'grant_outdated'];

/** Bytes of the context header at most. */
export const contextMaxBytes = 4096;

/** The relay's error codes where the target gave no answer; a function sees them as network errors. */
export const networkErrors: readonly string[] = ['target_unreachable', 'target_reset', 'target_timeout', 'target_invalid_response'];

/** How an approval ends without the call; the relay says so with the code `approval_STATE`. */
export const approvalEnds: readonly string[] = ['denied', 'expired', 'withdrawn', 'voided'];
