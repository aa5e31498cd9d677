/** A call on its way to a target: what it asks for, and what is known of the socket that it got. */
import type { Dispatcher } from 'undici';

import type { SocketFacts, TlsFacts } from './dialer.ts';

/** The calls of one caller. */
export class SocketShare {
  running = 0;
  readonly waiting = new Map<Peer, WaitingCall>();
}

interface WaitingCall {
  readonly options: UpstreamDispatchOptions;
  readonly handler: Dispatcher.DispatchHandler;
  readonly timer: NodeJS.Timeout;
}

/** Where a call's socket can be asked about; goes into the options of `dispatch` as `peer`. Read it when the response starts. */
export class Peer {
  /** Set by the pool when the call is given to a socket. */
  client: { readonly facts: SocketFacts | null; readonly isStale: boolean } | null = null;

  /** The socket had served another call before, and nothing came back on it for this one. */
  get isStale(): boolean {
    return this.client?.isStale ?? false;
  }

  /** Of the sockets to the target, while the call has one or waits for one. */
  share: SocketShare | null = null;

  get address(): string | null {
    return this.client?.facts?.address ?? null;
  }

  get tls(): TlsFacts | null {
    return this.client?.facts?.tls ?? null;
  }
}

export const createPeer = (): Peer => new Peer();

export type UpstreamDispatchOptions = Dispatcher.DispatchOptions & {
  readonly peer?: Peer;
  /** The caller that the socket counts for, with a `peer` that is released when the call has ended. @default nobody: it is not counted */
  readonly by?: object;
};
