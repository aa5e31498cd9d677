/**
 * Waits for work that others wait for as well: an abort ends the waiting, not the work.
 * Rejects with the signal's reason, as `fetch` does.
 */
export async function whileNotAborted<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', onAbort!);
  }
}

/** Resolves after `ms`, or rejects with the signal's reason. */
export async function pause(ms: number, signal: AbortSignal | null | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await whileNotAborted(over, signal);
  } finally {
    clearTimeout(timer);
  }
}

export interface TimeLimit {
  readonly signal: AbortSignal;
  /** The time is no longer limited. */
  readonly clear: () => void;
  /** Neither is anything else: nothing is left behind on the other signal. */
  readonly release: () => void;
}

/** A signal that fires with another one, or after `ms` unless cleared. */
export function limitTime(signal: AbortSignal | null | undefined, ms: number): TimeLimit {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException('The relay gave no answer in time.', 'TimeoutError')), ms);
  const onAbort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  const clear = (): void => clearTimeout(timer);
  const release = (): void => {
    clear();
    signal?.removeEventListener('abort', onAbort);
  };
  return { signal: controller.signal, clear, release };
}
