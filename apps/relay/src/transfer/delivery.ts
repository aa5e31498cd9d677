/**
 * The response on its way to the function. Three rules: a head goes out at once, together with what came with it,
 * also where that waits for its turn; a chunk is never held back for a later one; and with strict durability the end, or the chunk that completes an
 * announced length, is held until the outcome is durable.
 */
import type { ServerResponse } from 'node:http';

import { AppError, headers as hoopHeaders } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';

/** To whom it is delivered. */
export interface Recipient {
  readonly res: ServerResponse;
  readonly callId: string;
  /** Of the request: an answer to HEAD has no body. */
  readonly method: string;
}

export interface DeliveryEvents {
  /** Bytes of the response came and wait to be masked; `startSoon` is called once they are. */
  readonly isDeferred: boolean;
  /** The function does not read as fast as the target sends; `drained` says when it does again. */
  onDrained(): void;
  /** The function did not read anything for the connection's idle time limit. */
  onStalled(error: AppError): void;
}

/** What the head waits for at most. */
const maxPendingBytes = 65_536;

export class Delivery {
  /** True while the target should send no more. */
  isFull = false;
  readonly #res: ServerResponse;
  readonly #isStrict: boolean;
  readonly #events: DeliveryEvents;
  readonly #idleTimeoutMs: number;
  readonly #status: number;
  /** The head waits for the end: a first byte, if one came, would be refused. */
  readonly #isHeld: boolean;
  readonly #head: string[];
  /** Bytes that the head announces; -1: it does not. */
  readonly #announced: number;
  readonly #mayHaveBody: boolean;
  #pending: Uint8Array[] | null = null;
  #bytes = 0;
  #isHeadSent = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    { res, callId, method }: Recipient,
    events: DeliveryEvents,
    head: { status: number; headers: HeaderList; isHeld: boolean; isStrict: boolean; idleTimeoutMs: number },
  ) {
    this.#res = res;
    this.#events = events;
    this.#isStrict = head.isStrict;
    this.#idleTimeoutMs = head.idleTimeoutMs;
    this.#status = head.status;
    this.#isHeld = head.isHeld;
    const flat: string[] = [];
    let announced = -1;
    for (const [name, value] of head.headers) {
      flat.push(name, value);
      if (name === 'content-length') announced = Number(value);
    }
    flat.push(hoopHeaders.call, callId);
    this.#head = flat;
    this.#announced = announced;
    this.#mayHaveBody = method !== 'HEAD' && head.status !== 204 && head.status !== 304;
    this.startSoon();
  }

  get isHeadSent(): boolean {
    return this.#isHeadSent;
  }

  /** The next bytes of the response. False: the function does not keep up; `onDrained` follows. */
  data(chunk: Uint8Array): boolean {
    if (chunk.byteLength === 0 || !this.#mayHaveBody) return true;
    this.#bytes += chunk.byteLength;
    if (!this.#isHeadSent || this.#isLast()) {
      (this.#pending ??= []).push(chunk);
      if (this.#bytes >= maxPendingBytes) this.start();
    } else {
      this.#write(chunk);
    }
    return !this.isFull;
  }

  /** The whole response is there, and its outcome is durable, or need not be. */
  release(trailers: HeaderList): void {
    this.stop();
    const res = this.#res;
    if (res.destroyed) return;
    const rest = joined(this.#pending);
    if (!this.#isHeadSent) {
      if (this.#announced < 0 && this.#mayHaveBody && trailers.length === 0) this.#head.push('content-length', String(this.#bytes));
      this.#sendHead();
    }
    if (trailers.length > 0) res.addTrailers(trailers);
    if (rest) res.end(rest);
    else res.end();
  }

  /** Sends the head and what is there of the body, but not yet: a small response is soon complete and leaves in one piece. */
  startSoon(): void {
    if (!this.#isHeadSent) process.nextTick(startDelivery, this);
  }

  start(): void {
    if (this.#isHeadSent || this.#isStopped || this.#isHeld || this.#res.destroyed) return;
    if (this.#events.isDeferred && this.#bytes < maxPendingBytes) return;
    // With the whole of an announced length at hand there is nothing to send before the end.
    if (this.#isStrict && (this.#isLast() || this.#isOver)) return;
    this.#sendHead();
    // Not flushHeaders(): it would encode a head that holds obs-text a second time.
    this.#res.write(nothing);
    const pending = this.#pending;
    this.#pending = null;
    if (pending) for (const chunk of pending) this.#write(chunk);
  }

  /** The target's response is complete; only `release` can follow. */
  over(): void {
    this.#isOver = true;
  }
  #isOver = false;

  /** Nothing more is sent, and no event is raised. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
  #isStopped = false;

  #isLast(): boolean {
    return this.#isStrict && this.#announced >= 0 && this.#bytes >= this.#announced && this.#mayHaveBody;
  }

  #sendHead(): void {
    this.#isHeadSent = true;
    // With the standard reason phrase: the target's could say anything, the credential included.
    this.#res.writeHead(this.#status, this.#head);
  }

  #write(chunk: Uint8Array): void {
    if (this.#res.destroyed || this.#res.write(chunk) || this.isFull) return;
    this.isFull = true;
    this.#timer = setTimeout(() => {
      this.#events.onStalled(new AppError('request_timeout', `The caller read nothing of the response for ${this.#idleTimeoutMs} ms.`));
    }, this.#idleTimeoutMs);
    this.#res.once('drain', () => {
      clearTimeout(this.#timer);
      this.isFull = false;
      if (!this.#isStopped) this.#events.onDrained();
    });
  }
}

const nothing = Buffer.alloc(0);

function startDelivery(delivery: Delivery): void {
  delivery.start();
}

function joined(chunks: Uint8Array[] | null): Uint8Array | null {
  if (chunks === null) return null;
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
