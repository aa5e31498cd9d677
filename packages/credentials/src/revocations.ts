/** Revokes credentials that are no longer needed, in the background: no call waits, and a server that hangs delays nothing else. */
import { setTimeout as delay } from 'node:timers/promises';

/** One attempt. False: it may be tried again. */
export type Revocation = (signal: AbortSignal) => Promise<boolean>;

export interface RevocationsOptions {
  /** Told of each that was given up. */
  readonly onFailure?: ((connectionId: string) => void) | undefined;
}

const maxAtOnce = 4;
/** Waiting ones; further ones are given up at once. */
const maxWaiting = 1000;
/** Before the second and the third attempt. */
const pausesMs = [1000, 5000];

export class Revocations {
  readonly #onFailure: (connectionId: string) => void;
  readonly #waiting: { readonly connectionId: string; readonly revoke: Revocation }[] = [];
  readonly #stop = new AbortController();
  readonly #idle: (() => void)[] = [];
  #running = 0;
  #isClosing = false;

  constructor({ onFailure = () => undefined }: RevocationsOptions = {}) {
    this.#onFailure = onFailure;
  }

  add(connectionId: string, revoke: Revocation): void {
    if (this.#stop.signal.aborted || this.#waiting.length >= maxWaiting) {
      this.#onFailure(connectionId);
      return;
    }
    this.#waiting.push({ connectionId, revoke });
    this.#next();
  }

  /** Waits for what is under way, without further attempts, for so long at most. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosing = true;
    if (this.#running > 0) {
      const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
      await Promise.race([idle, delay(timeoutMs, undefined, { ref: false })]);
    }
    this.#stop.abort();
    for (const { connectionId } of this.#waiting.splice(0)) this.#onFailure(connectionId);
  }

  #next(): void {
    while (this.#running < maxAtOnce) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#running++;
      void this.#carryOut(next.revoke).then((isDone) => {
        if (!isDone) this.#onFailure(next.connectionId);
        this.#running--;
        this.#next();
      });
    }
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #carryOut(revoke: Revocation): Promise<boolean> {
    const { signal } = this.#stop;
    for (let attempt = 0; ; attempt++) {
      try {
        if (await revoke(signal)) return true;
      } catch {
        // The error could repeat the token, so that only the failure itself is reported.
      }
      const pauseMs = pausesMs[attempt];
      if (pauseMs === undefined || this.#isClosing || signal.aborted) return false;
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
