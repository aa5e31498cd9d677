/** One request to a target and its response, as undici tells of them; passes what comes on to the masker. */
import type { IncomingHttpHeaders } from 'node:http';

import { AppError } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';
import type { ResponseMasker } from '@hoop/masking';
import type { BodyCapture } from '@hoop/recording';
import { createPeer, responseHeaders, toTargetError } from '@hoop/upstream';
import type { Peer } from '@hoop/upstream';
import type { Dispatcher } from 'undici';

import type { Call } from '../call/call.ts';
import { conclude, fail } from '../data-path/conclude.ts';
import { renewRefused } from '../data-path/credential.ts';
import { openResponse, sampleResponse } from '../data-path/mask.ts';
import type { ResponseSample } from '../discovery/mask-discovery.ts';
import type { Relay } from '../relay.ts';

/** Parts of a stream whose time is recorded; what is longer is recorded all the same, without. */
const maxParts = 1000;

export class Exchange implements Dispatcher.DispatchHandler {
  readonly peer: Peer = createPeer();
  readonly request: BodyCapture | null;
  readonly response: BodyCapture;
  masker: ResponseMasker | null = null;
  /** Begin and time of each part of a streamed response; null where the length is known and the whole is one answer. */
  parts: [offset: number, ms: number][] | null = null;
  readonly #relay: Relay;
  readonly #call: Call;
  #controller: Dispatcher.DispatchController | null = null;
  #isOver = false;
  /** Where this response is one of those that discovery looks at. */
  #sample: ResponseSample | null = null;

  constructor(relay: Relay, call: Call, request: BodyCapture | null, response: BodyCapture) {
    this.#relay = relay;
    this.#call = call;
    this.request = request;
    this.response = response;
  }

  /** Ends it, whatever its state; the target's socket is closed. No event follows. */
  abort(error: AppError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#call.delivery?.stop();
    this.#sample?.drop();
    this.masker?.abort();
    this.#controller?.abort(error);
  }

  onDrained(): void {
    if (this.#isOver) return;
    this.masker!.resume();
    this.#controller?.resume();
  }

  onStalled(error: AppError): void {
    fail(this.#relay, this.#call, error);
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

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders, statusText = ''): void {
    // Interim responses (RFC 9110 §15.2) are not passed on: the function asked for none.
    if (status < 200 || this.#isOver) return;
    const call = this.#call;
    call.marks.head = call.elapsed();
    call.targetStatus = status;
    if (status === 401) renewRefused(this.#relay, call);
    try {
      const list = responseHeaders(headers);
      if (headers['content-length'] === undefined && this.response.keepsContent) this.parts = [];
      this.masker = openResponse(this.#relay, call, this, { status, statusText, headers: list });
      this.#sample = sampleResponse(this.#relay, call, status, list);
    } catch (error) {
      fail(this.#relay, call, error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    this.response.passed(chunk);
    this.#sample?.take(chunk);
    if (!this.masker!.write(chunk)) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#isOver) return;
    this.masker!.end(responseHeaders(controller.rawTrailers as Buffer[] | null));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return;
    fail(this.#relay, this.#call, toTargetError(error));
  }

  // What comes out of the masker.

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
    conclude(this.#relay, this.#call, trailers);
  }

  error(error: AppError): void {
    fail(this.#relay, this.#call, error);
  }

  drain(): void {
    if (!this.#isOver && !this.#call.delivery!.isFull) this.#controller?.resume();
  }
}
