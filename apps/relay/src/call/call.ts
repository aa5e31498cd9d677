/** One request through the relay: what the steps have found out so far, and the means to end it. */
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { AppError, Decision, HeaderList } from '@hoop/contract';
import { newId } from '@hoop/contract';
import type { Lease } from '@hoop/credentials';
import type { CompiledMasking, MaskingReport } from '@hoop/masking';
import type { InspectedBody } from '@hoop/policy';
import type { BodyCapture } from '@hoop/recording';
import type { NormalisedRequest, Peer, Route } from '@hoop/upstream';

import type { Caller } from '../caller/callers.ts';
import type { Share } from '../caller/share.ts';
import type { Session } from '../caller/sessions.ts';
import type { Compiled, KnownConnection } from '../configuration/configuration.ts';
import type { DeferredRun } from '../deferred/deferred-run.ts';
import type { Authority, ProxyDoor } from './door.ts';
import type { LongBody } from '../transfer/upload.ts';

/**
 * open: nothing decided · intended: the intent is durable · sent: a target may have got it ·
 * concluded: the outcome is on its way to the record, nothing changes any more.
 */
export type CallStage = 'open' | 'intended' | 'sent' | 'concluded';

/** Milliseconds since the arrival of the head at which each phase ended; -1: not reached. */
export interface Marks {
  authenticated: number;
  decided: number;
  approved: number;
  intended: number;
  credential: number;
  head: number;
  body: number;
}

/** The request to the target and its response, as the steps need them. */
export interface CallExchange {
  readonly peer: Peer;
  /** The request's body as it was sent; null: it has none. */
  readonly request: BodyCapture | null;
  /** The response's body as the function got it. */
  readonly response: BodyCapture;
  readonly masker: { readonly report: MaskingReport } | null;
  /** Begin and time of each part of a streamed response; null where it is one answer of a known length. */
  readonly parts: [offset: number, ms: number][] | null;
  /** It was sent a second time: on the first socket nothing came back. */
  readonly isResent: boolean;
  /** Ends it in any state. No event follows. */
  abort(error: AppError): void;
}

/** Bytes both ways that nobody looks into. */
export interface CallTunnel {
  readonly authority: Authority;
  /** The host's IP address; null: none was reached. */
  readonly address: string | null;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** The caller was told that it is open: from here on it gets no other answer. */
  readonly isOpen: boolean;
  /** Closes both sides. */
  abort(): void;
}

/** The response on its way to the function, as the steps need it. */
export interface CallDelivery {
  readonly isFull: boolean;
  /** False: the function does not keep up. */
  data(chunk: Uint8Array): boolean;
  /** Sends the head and what is there of the body at the end of this turn. */
  startSoon(): void;
  /** The target's response is complete; only `release` can follow. */
  over(): void;
  release(trailers: HeaderList): void;
  /** Nothing more is sent. */
  stop(): void;
}

export class Call {
  id: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly startedAt: number;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The caller waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
  stage: CallStage = 'open';
  /** The proxy's side of it; null: it came to `RELAY/CONNECTION/path`. */
  door: ProxyDoor | null = null;
  /** Set where it is a tunnel; null: it is a request. */
  tunnel: CallTunnel | null = null;

  // 1 read
  request: NormalisedRequest | null = null;
  // 2 authenticate
  /** The header that had the grant in place of a key; null: it was in a header of Hoop's, or a bearer. */
  grantPlace: string | null = null;
  caller: Caller | null = null;
  session: Session | null = null;
  // 3 resolve
  revision = -1;
  connection: KnownConnection | null = null;
  compiled: Compiled | null = null;
  route: Route | null = null;
  /** The path under the target's base path: ``, or it starts with `/`. */
  targetPath = '';
  /** The target's URL, without what injection adds. */
  url = '';
  // 4 decide
  context: Readonly<Record<string, string>> = noContext;
  /** The whole body, where a condition had to see it. */
  body: Buffer | null = null;
  /** In its place, where the body was longer than what is held. */
  longBody: LongBody | null = null;
  /** The body as conditions see it, where one had to. */
  inspected: InspectedBody | null = null;
  decision: Decision | null = null;
  /** The masking of the response, the record and the approver's view; null: no rule masks. */
  masking: CompiledMasking | null = null;
  // 5 approve
  /** The approval that the call goes on under. */
  approvalId: string | null = null;
  /** It may be kept by now, to be sent later: from here on the deferred run, not this call, reports the outcome. */
  isBeingKept = false;
  /** Set where the call was deferred and is sent now. */
  deferred: DeferredRun | null = null;
  // 7 credential
  lease: Lease | null = null;
  /** Ends what is waited for when the call ends. */
  waiting: AbortController | null = null;
  // 8 forward, 9 mask
  exchange: CallExchange | null = null;
  delivery: CallDelivery | null = null;
  targetStatus: number | null = null;
  responseHeaders: HeaderList = noHeaders;
  /** `100 Continue` was sent, so the body is on its way. */
  isInvited = false;
  isCallerGone = false;
  /** The caller's socket; null: it was closed before the call was made. */
  socket: CallerSocket | null = null;
  /** For whom the call counts, while it is in flight. */
  owner: Share | null = null;
  /** Of the connection, once the call counts on it. */
  connectionShare: Share | null = null;
  /** Bytes of the body that count for the owner. */
  heldBytes = 0;
  /** In the list of all calls in flight; -1: it is in none. */
  place = -1;

  readonly marks: Marks = { authenticated: -1, decided: -1, approved: -1, intended: -1, credential: -1, head: -1, body: -1 };

  constructor(req: IncomingMessage, res: ServerResponse, now: number, expectsContinue: boolean) {
    this.id = newId('call', now);
    this.at = now;
    this.startedAt = performance.now();
    this.req = req;
    this.res = res;
    this.expectsContinue = expectsContinue;
  }

  elapsed(): number {
    return performance.now() - this.startedAt;
  }
}

/**
 * Calls in flight. Not a Set: each time a Set grows or shrinks it leaves a table behind that holds what was in it, and
 * points to the next table, until the whole heap is collected; so every call would outlive the young generation.
 */
export class CallList {
  readonly #calls: Call[] = [];

  get size(): number {
    return this.#calls.length;
  }

  add(call: Call): void {
    if (call.place < 0) call.place = this.#calls.push(call) - 1;
  }

  delete(call: Call): void {
    const { place } = call;
    if (place < 0) return;
    const last = this.#calls.pop()!;
    if (last !== call) {
      this.#calls[place] = last;
      last.place = place;
    }
    call.place = -1;
  }

  /** The calls that are in it now; adding and deleting meanwhile changes nothing. */
  [Symbol.iterator](): Iterator<Call> {
    return this.#calls.slice()[Symbol.iterator]();
  }
}

/** A caller's socket: whose it is, the calls under way on it (several where requests are pipelined), and who made the last one. */
export class CallerSocket {
  owner: Share;
  /** The caller's address, as `Address` names it. */
  readonly network: string;
  /** It was refused: further requests on it are not looked at. */
  isClosing = false;
  /** It is closed, or about to be, and counts for nobody. */
  isForgotten = false;
  /** The last caller's token: on a kept-alive connection it is nearly always the same. */
  credential = '';
  caller: Caller | null = null;
  readonly refuse: (error: AppError) => void;
  readonly #calls: Call[] = [];

  constructor(owner: Share, network: string, refuse: (error: AppError) => void) {
    this.owner = owner;
    this.network = network;
    this.refuse = refuse;
  }

  get size(): number {
    return this.#calls.length;
  }

  add(call: Call): void {
    this.#calls.push(call);
  }

  delete(call: Call): void {
    const at = this.#calls.indexOf(call);
    if (at >= 0) this.#calls.splice(at, 1);
  }

  /** Oldest first. */
  all(): Call[] {
    return this.#calls.slice();
  }
}

export const noContext: Readonly<Record<string, string>> = Object.freeze({});
const noHeaders: HeaderList = [];
