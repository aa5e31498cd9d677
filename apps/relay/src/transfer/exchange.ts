/** One request to a target and its response, as undici reports them; hands the response to the masker. */
import type { IncomingHttpHeaders } from 'node:http';

import { AppError } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';
import type { ResponseMasker } from '@hoop/masking';
import type { BodyCapture } from '@hoop/recording';
import { createPeer, responseHeaders, returnTrailers, toTargetError } from '@hoop/upstream';
import type { Peer, UpstreamDispatchOptions } from '@hoop/upstream';
import type { Dispatcher } from 'undici';

import type { Call } from '../call/call.ts';
import type { Deferrable, Lane } from '../caller/turns.ts';

/** The head of a target's answer. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
}

/** A copy of the response for a purpose of its own; never holds the response back. */
export interface ResponseCopy {
  take(chunk: Uint8Array): void;
  /** The response is complete. */
  finish(): void;
  /** It broke off, or its function left. */
  drop(): void;
}

/** The steps of the data path that a response goes through; one object per relay, so that the calls to it stay quick. */
export interface ResponseSteps {
  /** The target answered 401. */
  renewCredential(call: Call): void;
  /** Opens the way back: what goes into the masker comes out at the exchange. @throws AppError */
  mask(call: Call, exchange: Exchange, head: ResponseHead): ResponseMasker;
  /** Null: nobody wants a copy of this response. */
  sample(call: Call, status: number, headers: HeaderList): ResponseCopy | null;
  /** The response is complete and masked. */
  conclude(call: Call, trailers: HeaderList): void;
  /** The call ends without a complete response. */
  fail(call: Call, error: unknown): void;
}

/** Interim responses to one request at most: each of them puts the time limit of the head off. */
const maxInterim = 64;

/** Parts of a stream whose time is recorded; later parts are recorded without a time. */
const maxParts = 1000;

export class Exchange implements Dispatcher.DispatchHandler, Deferrable {
  readonly peer: Peer = createPeer();
  readonly request: BodyCapture | null;
  readonly response: BodyCapture;
  masker: ResponseMasker | null = null;
  /** Begin and time of each part of a streamed response; null where the length is known and the whole is one answer. */
  parts: [offset: number, ms: number][] | null = null;
  readonly #steps: ResponseSteps;
  readonly #call: Call;
  #controller: Dispatcher.DispatchController | null = null;
  #isOver = false;
  #interim = 0;
  /** The request, where it may be sent a second time on another socket. */
  #again: UpstreamDispatchOptions | null = null;
  /** It was sent a second time. */
  isResent = false;
  #sample: ResponseCopy | null = null;
  readonly #lane: Lane;
  /** Of the response: came when its identity had used up its part of the turn. */
  #held: Buffer[] | null = null;
  /** The trailers of a response whose last chunks are held. */
  #heldEnd: HeaderList | null = null;
  /** The masker has not worked on all that it was given. */
  #isMasking = false;

  constructor(steps: ResponseSteps, call: Call, request: BodyCapture | null, response: BodyCapture) {
    this.#steps = steps;
    this.#call = call;
    this.#lane = call.caller!.identity.share.lane;
    this.request = request;
    this.response = response;
  }

  /** Ends the exchange in any state and closes the target's socket. No event follows. */
  abort(error: AppError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#call.delivery?.stop();
    this.#sample?.drop();
    this.masker?.abort();
    this.#controller?.abort(error);
    this.#call.route!.dispatcher.release(this.peer);
  }

  get isDeferred(): boolean {
    return this.#held !== null || this.#isMasking;
  }

  onDrained(): void {
    if (this.#isOver) return;
    this.masker!.resume();
    this.#resume();
  }

  onStalled(error: AppError): void {
    this.#steps.fail(this.#call, error);
  }

  /** @param mayResend where the socket turns out to have been closed before, and nothing came back */
  dispatch(options: UpstreamDispatchOptions, mayResend: boolean): void {
    if (mayResend) this.#again = options;
    this.#call.route!.dispatcher.dispatch(options, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new AppError('target_reset', 'The call had ended before it was sent.'));
    else this.#call.stage = 'sent';
  }

  onBodySent(chunk: Buffer): void {
    this.request!.passed(chunk);
    this.request!.keep(chunk);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.#isOver) return;
    // Interim responses (RFC 9110 §15.2) are not passed on: the function asked for none.
    if (status < 200) {
      if (++this.#interim > maxInterim)
        this.#steps.fail(this.#call, new AppError('target_invalid_response', `The target sent more than ${maxInterim} interim responses.`));
      return;
    }
    const call = this.#call;
    call.marks.head = call.elapsed();
    call.targetStatus = status;
    if (status === 401) this.#steps.renewCredential(call);
    try {
      const list = responseHeaders(headers);
      if (headers['content-length'] === undefined && this.response.keepsContent) this.parts = [];
      this.masker = this.#steps.mask(call, this, { status, headers: list });
      this.#sample = this.#steps.sample(call, status, list);
    } catch (error) {
      this.#steps.fail(call, error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#held === null && this.#lane.isOpen()) {
      if (!this.#take(chunk)) controller.pause();
      return;
    }
    controller.pause();
    if (this.#held === null) {
      this.#held = [];
      this.#lane.wait(this);
    }
    this.#held.push(chunk);
  }

  /** Processes the held chunks. */
  takeTurn(): void {
    const held = this.#held!;
    this.#held = null;
    let wantsMore = true;
    try {
      for (const chunk of held) {
        if (this.#isOver) return;
        wantsMore = this.#take(chunk);
      }
      if (this.#isOver) return;
      if (this.#heldEnd !== null) this.masker!.end(this.#heldEnd);
    } catch (error) {
      this.#steps.fail(this.#call, error);
    }
    if (this.#isOver) return;
    if (wantsMore && this.#heldEnd === null) this.#resume();
    this.#call.delivery!.startSoon();
  }

  /** False: the target should send no more. */
  #take(chunk: Buffer): boolean {
    const start = performance.now();
    this.response.passed(chunk);
    this.#sample?.take(chunk);
    this.#lane.spend(performance.now() - start);
    const wantsMore = this.masker!.write(chunk);
    this.#isMasking = !wantsMore && !this.#call.delivery!.isFull;
    return wantsMore;
  }

  #resume(): void {
    if (this.#held === null) this.#controller?.resume();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#call.route!.dispatcher.release(this.peer);
    if (this.#isOver) return;
    let trailers: HeaderList;
    try {
      trailers = returnTrailers(controller.rawTrailers as Buffer[] | null);
    } catch (error) {
      this.#steps.fail(this.#call, error);
      return;
    }
    if (this.#held === null) this.masker!.end(trailers);
    else this.#heldEnd = trailers;
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return;
    const failure = toTargetError(error);
    const again = this.#again;
    if (again !== null && failure.code === 'target_reset' && this.peer.isStale) {
      this.#again = null;
      this.isResent = true;
      this.#call.route!.dispatcher.dispatchFresh(again, this);
      return;
    }
    this.#steps.fail(this.#call, failure);
  }

  // Output of the masker.

  /** False: the function does not keep up. */
  data(chunk: Uint8Array): boolean {
    if (this.#isOver) return true;
    if (this.parts !== null && this.parts.length < maxParts)
      this.parts.push([this.response.offered, Math.round(this.#call.elapsed() * 100) / 100]);
    this.response.keep(chunk);
    return this.#call.delivery!.data(chunk);
  }

  end(trailers: HeaderList): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sample?.finish();
    this.#steps.conclude(this.#call, trailers);
  }

  error(error: AppError): void {
    this.#steps.fail(this.#call, error);
  }

  drain(): void {
    if (this.#isOver) return;
    const delivery = this.#call.delivery!;
    this.#isMasking = false;
    if (!delivery.isFull) this.#resume();
    delivery.startSoon();
  }
}
