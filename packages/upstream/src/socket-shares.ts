/**
 * Who gets the sockets to a target. No caller gets more than half of those that are free, so one that holds many (slow
 * uploads, a target that hangs) leaves some to the next; a call above that waits, and the callers that wait take turns.
 */
import { AppError } from '@hoop/contract';
import type { Dispatcher } from 'undici';

import { SocketShare } from './peer.ts';
import type { Peer, UpstreamDispatchOptions } from './peer.ts';

export interface SocketSharesOptions {
  readonly maxSockets: number;
  /** How long a call waits for a socket, milliseconds. */
  readonly waitMs: number;
  /** Gives a call to a socket. */
  readonly start: (options: UpstreamDispatchOptions, handler: Dispatcher.DispatchHandler) => boolean;
}

export class SocketShares {
  readonly #options: SocketSharesOptions;
  readonly #shares = new WeakMap<object, SocketShare>();
  /** Callers with calls that wait; the first has its turn next. */
  readonly #queue = new Set<SocketShare>();
  #running = 0;
  #onQueueEmpty: (() => void) | null = null;

  constructor(options: SocketSharesOptions) {
    this.#options = options;
  }

  dispatch(options: UpstreamDispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { peer, by } = options;
    if (by === undefined || peer === undefined) return this.#options.start(options, handler);
    let share = this.#shares.get(by);
    if (share === undefined) this.#shares.set(by, (share = new SocketShare()));
    peer.share = share;
    if (share.waiting.size === 0 && this.#hasRoom(share)) return this.#start(share, options, handler);
    const timer = setTimeout(() => this.#expire(share, peer), this.#options.waitMs);
    share.waiting.set(peer, { options, handler, timer });
    this.#queue.add(share);
    return false;
  }

  /** The call has ended, or is not to be sent any more. May be called again. */
  release(peer: Peer): void {
    const { share } = peer;
    if (share === null) return;
    peer.share = null;
    if (this.#forget(share, peer)) return;
    share.running--;
    this.#running--;
    if (this.#queue.size > 0) this.#pump();
  }

  /** Every call that waits fails with this error. */
  fail(error: AppError): void {
    const waiting = [...this.#queue].flatMap((share) => [...share.waiting.keys()].map((peer) => ({ share, peer })));
    for (const { share, peer } of waiting) if (share.waiting.has(peer)) this.#refuse(share, peer, error);
  }

  /** Resolves when no call waits. */
  async settled(): Promise<void> {
    if (this.#queue.size > 0) await new Promise<void>((resolve) => (this.#onQueueEmpty = resolve));
  }

  #hasRoom(share: SocketShare): boolean {
    return share.running < this.#options.maxSockets - this.#running;
  }

  #start(share: SocketShare, options: UpstreamDispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    share.running++;
    this.#running++;
    return this.#options.start(options, handler);
  }

  /** One call of each caller in turn, until nobody who waits has room. */
  #pump(): void {
    for (let hasStarted = true; hasStarted;) {
      hasStarted = false;
      const turn = [...this.#queue];
      for (const share of turn) {
        if (!this.#hasRoom(share)) continue;
        const next = share.waiting.entries().next().value;
        if (next === undefined) continue;
        const [peer, { options, handler }] = next;
        this.#forget(share, peer);
        if (share.waiting.size > 0) {
          this.#queue.delete(share);
          this.#queue.add(share);
        }
        this.#start(share, options, handler);
        hasStarted = true;
      }
    }
  }

  /** False where the call does not wait. */
  #forget(share: SocketShare, peer: Peer): boolean {
    const call = share.waiting.get(peer);
    if (call === undefined) return false;
    clearTimeout(call.timer);
    share.waiting.delete(peer);
    if (share.waiting.size === 0) this.#queue.delete(share);
    if (this.#queue.size === 0) this.#onQueueEmpty?.();
    return true;
  }

  #expire(share: SocketShare, peer: Peer): void {
    const { maxSockets, waitMs } = this.#options;
    const detail =
      `None of the ${maxSockets} connections to the target was free for this identity within ${waitMs} ms. Nothing was sent; ` +
      `try again shortly. The limits are limits.maxSockets and limits.socketWaitMs of the connection.`;
    this.#refuse(share, peer, new AppError('target_busy', detail, { headers: { 'retry-after': '1' } }));
  }

  #refuse(share: SocketShare, peer: Peer, error: AppError): void {
    const { handler } = share.waiting.get(peer)!;
    this.#forget(share, peer);
    peer.share = null;
    handler.onResponseError?.(neverStarted, error);
  }
}

/** There is no request that could be aborted, paused or resumed. */
const neverStarted: Dispatcher.DispatchController = {
  aborted: true,
  paused: false,
  reason: null,
  rawHeaders: null,
  rawTrailers: null,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};
