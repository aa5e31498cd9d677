/** The request's body on its way in: read whole for a decision, streamed to a target, or discarded after an answer. */
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { AppError } from '@hoop/contract';

import type { Deferrable, Lane } from '../caller/turns.ts';

/** A request whose body has not been read. */
export interface Sender {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The body comes only after `100 Continue` (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
  /** `100 Continue` was sent. */
  isInvited: boolean;
}

const incomplete = (): AppError => new AppError('request_incomplete', 'The connection ended before the body that the request announced.');
const late = (ms: number): AppError => new AppError('request_timeout', `No part of the body arrived for ${ms} ms.`);
const slow = (ms: number): AppError =>
  new AppError(
    'request_timeout',
    `The body has to be seen before it is sent, and did not arrive within ${ms} ms (limits.inspectTimeoutMs of the connection).`,
  );

function invite(sender: Sender): void {
  if (!sender.expectsContinue || sender.isInvited) return;
  sender.isInvited = true;
  sender.res.writeContinue();
}

/** A body that is longer than it may be, as far as it is known. */
export interface LongBody {
  /** As announced, or as much as came until it was too long. */
  readonly bytes: number;
  /** The outcome, within the limit. */
  readonly prefix: Buffer;
}

export interface WholeBodyLimits {
  readonly maxBytes: number;
  /** Between two chunks. */
  readonly idleTimeoutMs: number;
  /** For the whole body. */
  readonly totalTimeoutMs: number;
  /** Asked before so many more bytes are held. Null: they may be. */
  readonly hold: (bytes: number) => AppError | null;
}

/** Of a buffer beside its bytes: a body of many small chunks holds more than its length. */
const chunkCost = 128;

/** The body in one piece, where it has no more than `maxBytes`. @throws AppError `request_incomplete`, `request_timeout`, as `hold` says */
export function readWholeBody(
  sender: Sender,
  { maxBytes, idleTimeoutMs, totalTimeoutMs, hold }: WholeBodyLimits,
): Promise<Buffer | LongBody> {
  const { req } = sender;
  const until = performance.now() + totalTimeoutMs;
  const announced = Number(req.headers['content-length'] ?? 0);
  if (announced > maxBytes) return Promise.resolve({ bytes: announced, prefix: Buffer.alloc(0) });
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let timer = setTimeout(() => settle(late(idleTimeoutMs)), idleTimeoutMs);
    let isLastTimer = false;
    const endInTime = (): void => {
      clearTimeout(timer);
      isLastTimer = true;
      timer = setTimeout(() => settle(slow(totalTimeoutMs)), Math.max(1, until - performance.now()));
    };
    if (totalTimeoutMs <= idleTimeoutMs) endInTime();
    const settle = (result: Buffer | LongBody | AppError): void => {
      clearTimeout(timer);
      req.off('data', onData).off('end', onEnd).off('close', onClose);
      req.pause();
      if (result instanceof AppError) reject(result);
      else resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      if (!isLastTimer) {
        if (performance.now() + idleTimeoutMs < until) timer.refresh();
        else endInTime();
      }
      const refusal = hold(chunk.length + chunkCost);
      if (refusal !== null) {
        settle(refusal);
        return;
      }
      bytes += chunk.length;
      if (bytes > maxBytes) settle({ bytes, prefix: Buffer.concat(chunks) });
      else chunks.push(chunk);
    };
    const onEnd = (): void => settle(Buffer.concat(chunks, bytes));
    const onClose = (): void => settle(incomplete());
    req.on('data', onData).on('end', onEnd).on('close', onClose);
    if (req.destroyed) onClose();
    else invite(sender);
  });
}

/**
 * The body as undici takes it: a stream that it pauses, resumes and destroys. Destroying it detaches from the request
 * and leaves the caller's socket alone, so that an answer that came early can still be delivered.
 */
export class Upload extends EventEmitter implements Deferrable {
  destroyed = false;
  readonly #sender: Sender;
  readonly #maxBytes: number;
  readonly #idleTimeoutMs: number;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #isStarted = false;
  readonly #lane: Lane;
  /** A chunk that arrived after its identity had used up its part of the turn. */
  #held: Buffer | null = null;
  /** The held chunk is the last of the body. */
  #isEndHeld = false;
  /** undici takes no more for now. */
  #isPaused = true;

  constructor(sender: Sender, maxBytes: number, idleTimeoutMs: number, lane: Lane) {
    super();
    this.#lane = lane;
    this.#sender = sender;
    this.#maxBytes = maxBytes;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /** undici knows a stream by this; it is not called. */
  pipe(): never {
    throw new Error('an upload cannot be piped');
  }

  resume(): this {
    if (this.destroyed) return this;
    const { req } = this.#sender;
    if (!this.#isStarted) {
      this.#isStarted = true;
      req.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
      if (req.destroyed && !req.readableEnded) queueMicrotask(this.#onClose);
      else invite(this.#sender);
    }
    this.#isPaused = false;
    if (this.#held !== null) return this;
    this.#timer ??= setTimeout(() => this.#fail(late(this.#idleTimeoutMs)), this.#idleTimeoutMs);
    req.resume();
    return this;
  }

  pause(): this {
    this.#isPaused = true;
    this.#stopTimer();
    this.#sender.req.pause();
    return this;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#stopTimer();
    const { req } = this.#sender;
    req.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    req.pause();
    queueMicrotask(() => {
      if (error && this.listenerCount('error') > 0) this.emit('error', error);
      this.emit('close');
    });
    return this;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#timer?.refresh();
    if (this.#lane.isOpen()) {
      this.#pass(chunk);
      return;
    }
    this.#held = chunk;
    this.#stopTimer();
    this.#sender.req.pause();
    this.#lane.wait(this);
  };

  /** Passes the held chunk on. */
  takeTurn(): void {
    const chunk = this.#held!;
    this.#held = null;
    if (this.destroyed) return;
    this.#pass(chunk);
    if (this.destroyed) return;
    if (this.#isEndHeld) this.emit('end');
    else if (!this.#isPaused) this.resume();
  }

  #pass(chunk: Buffer): void {
    const start = performance.now();
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) {
      this.#fail(new AppError('payload_too_large', `The body is larger than the ${this.#maxBytes} bytes that this connection takes.`));
    } else {
      this.emit('data', chunk);
    }
    this.#lane.spend(performance.now() - start);
  }

  readonly #onEnd = (): void => {
    this.#stopTimer();
    this.#sender.req.off('close', this.#onClose);
    if (this.#held === null) this.emit('end');
    else this.#isEndHeld = true;
  };

  readonly #onClose = (): void => this.#fail(incomplete());

  #fail(error: AppError): void {
    if (!this.destroyed) this.destroy(error);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

const maxDiscardedBytes = 64 * 1024 * 1024;
const maxDiscardMs = 10_000;

/**
 * After an answer that did not need the whole body: what is still coming is read and thrown away, within limits, so that
 * the caller gets to read the answer (a closed socket with unread bytes would reset it) and can use its connection again.
 */
export function discardRest({ req }: Pick<Sender, 'req'>): void {
  // After CONNECT the socket is no longer the parser's.
  if ((req.complete && req.readableEnded) || req.method === 'CONNECT') return;
  const { socket } = req;
  if (!socket || socket.destroyed) return;
  let bytes = 0;
  const timer = setTimeout(() => socket.destroy(), maxDiscardMs);
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxDiscardedBytes) socket.destroy();
  });
  req.on('error', () => undefined);
  req.once('close', () => clearTimeout(timer));
  req.resume();
}
