/** Header names of Hoop's own, lower case. The relay consumes request ones and strips look-alikes from targets' responses. */
export const headers = {
  /** Request: the grant (or a provider's token), when `authorization` is needed for something else. No scheme. */
  grant: 'hoop-grant',
  /** Request: a JSON object of strings, e.g. `{"ticket":"OPS-12"}`; at most 4096 bytes, ASCII (JSON escapes for the rest). */
  context: 'hoop-context',
  /** Request: the caller's name for one invocation, 1–64 of `[A-Za-z0-9._-]`; groups calls into a session. */
  session: 'hoop-session',
  /** Request: seconds to wait for an approval at most, instead of as long as the connection allows (like `Prefer: wait`). */
  wait: 'hoop-wait',
  /** Request: `1`: who leaves while it waits for an approval takes its request back. */
  withdrawOnAbort: 'hoop-withdraw-on-abort',
  /** Request: the notification channel for the end of a deferred call. */
  channel: 'hoop-channel',
  /** Request: `target`: URLs in the response are to be the target's own; the caller brings what it follows to Hoop again. */
  location: 'hoop-location',
  /** Between a relay and itself: which deferred call this is. Means nothing from anywhere else. */
  deferred: 'hoop-deferred',
  /** Response: the call's id, on every response of the relay. */
  call: 'hoop-call',
  /** Response: the error code, only on responses that the relay itself made. */
  error: 'hoop-error',
  /** Response: a URL that was withheld, and the header that had it: `location="https://other.example/x"`. */
  withheld: 'hoop-withheld',
  /** Response: `true` beside `hoop-error` where the request was sent, so that the target may have acted on it. */
  sent: 'hoop-sent',
} as const;

/** Every header that starts so is Hoop's: never forwarded to a target, never passed on from one. */
export const hoopHeaderPrefix = 'hoop-';
