/**
 * A tunnel to a host that no connection is for, where the identity may have one. Nobody looks into it, so of the ten
 * steps it has those that can be: who asks is verified, whether it may is decided, its intent is durable before it opens,
 * its addresses are guarded, a revocation cuts it, and its record says who, where, when and how many bytes each way.
 */
import type { Socket } from 'node:net';

import { AppError, mayTunnel } from '@hoop/contract';
import type { OutcomeEntry, RecordedBody } from '@hoop/contract';
import { recorderUnavailable } from '@hoop/recording';
import { dial } from '@hoop/upstream';

import type { Call, CallTunnel } from '../call/call.ts';
import type { Authority } from '../call/door.ts';
import { leave } from '../caller/admission.ts';
import type { Relay } from '../relay.ts';
import type { Ending } from '../record/outcome.ts';
import { strangerOutcome } from '../record/strangers.ts';
import { callHead } from './intend.ts';
import { isUsable, requireFresh } from './resolve.ts';

const connectMs = 10_000;
/** Without a byte in either direction. */
const idleMs = 600_000;

/** Whether the identity's tunnel goes there, rather than to one of its connections. */
export function wantsTunnel({ configuration }: Relay, call: Call, { host, port, name }: Authority): boolean {
  const { caller } = call;
  const { unmanaged } = caller!.identity.snapshot;
  if (!mayTunnel(unmanaged, name, port)) return false;
  const place = host.includes(':') ? `[${host}]` : host;
  // With TLS inside or without: whatever a connection is for goes through its policy.
  return !['http:', 'https:'].some((scheme) => {
    const { origin } = new URL(`${scheme}//${place}:${port}`);
    return configuration.destinations.ids(origin).some((id) => {
      const connection = configuration.connections.get(id);
      return connection !== undefined && isUsable(connection, caller!);
    });
  });
}

/** Of the calls in flight, one that the identity may no longer have. */
export function isTunnelRevoked({ configuration }: Relay, { tunnel, caller }: Call): boolean {
  if (tunnel === null) return false;
  const identity = configuration.identities.get(caller!.identity.snapshot.id);
  return identity === undefined || !mayTunnel(identity.snapshot.unmanaged, tunnel.authority.name, tunnel.authority.port);
}

class Tunnel implements CallTunnel {
  readonly authority: Authority;
  readonly #client: Socket;
  #target: Socket | null = null;
  address: string | null = null;
  isOpen = false;

  constructor(authority: Authority, client: Socket) {
    this.authority = authority;
    this.#client = client;
  }

  get sentBytes(): number {
    return this.#target?.bytesWritten ?? 0;
  }

  get receivedBytes(): number {
    return this.#target?.bytesRead ?? 0;
  }

  abort(): void {
    this.#target?.destroy();
    if (this.isOpen) this.#client.destroy();
  }

  /** Resolves when it is closed, by whoever: with an error where it was not closed in order. */
  open(target: Socket, release: () => void): Promise<AppError | null> {
    const client = this.#client;
    release();
    this.#target = target;
    this.address = target.remoteAddress ?? null;
    this.isOpen = true;
    return new Promise((resolve) => {
      const end = (error: AppError | null): void => {
        client.destroy();
        target.destroy();
        resolve(error);
      };
      for (const [socket, who] of [
        [client, 'The caller'],
        [target, 'The host'],
      ] as const) {
        socket.setTimeout(idleMs, () =>
          end(new AppError('request_timeout', `Nothing passed through the tunnel for ${idleMs / 1000} seconds.`)),
        );
        socket.on('error', (error: NodeJS.ErrnoException) =>
          end(
            new AppError(socket === target ? 'target_reset' : 'request_incomplete', `${who} broke the tunnel (${error.code ?? 'error'}).`),
          ),
        );
        socket.on('close', () => end(null));
      }
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      client.pipe(target);
      target.pipe(client);
      client.resume();
    });
  }
}

/**
 * @param release takes the socket from the answer to CONNECT, with what the caller sent behind it
 * @throws AppError as steps 3, 6 and 8 do, with nothing sent
 */
export async function carryTunnel(
  relay: Relay,
  call: Call,
  authority: Authority,
  client: Socket,
  release: () => void,
): Promise<AppError | null> {
  const tunnel = new Tunnel(authority, client);
  call.tunnel = tunnel;
  requireFresh(relay); // 3
  call.revision = relay.configuration.revision;
  call.url = `tcp://${authority.name}:${authority.port}`;
  call.decision = {
    effect: 'allow',
    rule: null,
    reason: 'No connection of the identity is for this host, and the identity may have tunnels there.',
    policyId: null,
    policyRevision: null,
  };
  call.marks.decided = call.elapsed();
  if (relay.journal !== null && !relay.journal.hasRoom) throw recorderUnavailable();
  await relay.recorder.intent(callHead(relay, call)); // 6
  if (isOver(call)) return null;
  call.stage = 'intended';
  call.marks.intended = call.elapsed();
  call.waiting = new AbortController();
  const { allowedCidrs } = call.caller!.identity.snapshot.unmanaged;
  const target = await dial({
    host: authority.host,
    port: authority.port,
    allowedCidrs,
    timeoutMs: connectMs,
    signal: call.waiting.signal,
  }); // 8
  if (isOver(call)) {
    target.destroy();
    return null;
  }
  call.waiting = null;
  call.stage = 'sent';
  call.marks.head = call.elapsed();
  return tunnel.open(target, release);
}

/** Step 10: whoever closed it, a tunnel that was open is complete. */
export function concludeTunnel(relay: Relay, call: Call): void {
  if (isOver(call)) return;
  call.stage = 'concluded';
  call.marks.body = call.elapsed();
  relay.recorder.conclude(tunnelOutcome(relay, call, { state: 'completed', status: 200, error: null })).catch((error: unknown) => {
    relay.log.error({ event: 'outcome_late', callId: call.id, error: String(error) }, 'the outcome of a tunnel is not durable yet');
  });
  leave(relay, call);
}

/** As `outcomeOf`, for any state. */
export function tunnelOutcome(relay: Relay, call: Call, { state, status, error }: Ending): OutcomeEntry {
  const { tunnel, marks } = call;
  const timings = Object.fromEntries(Object.entries({ ...marks, end: call.elapsed() }).filter(([, ms]) => ms > 0));
  return {
    ...strangerOutcome(relay, call.id, error ?? new AppError('internal', '')),
    sessionId: call.session!.id,
    state,
    status,
    error: error?.code ?? null,
    errorDetail: error?.detail ?? null,
    requestBody: countOf(tunnel!.sentBytes),
    responseBody: countOf(tunnel!.receivedBytes),
    targetAddress: tunnel!.address,
    timings,
  };
}

/** Bytes that nobody has looked at. */
const countOf = (bytes: number): RecordedBody => ({
  bytes,
  digest: null,
  sealed: null,
  keptBytes: 0,
  truncated: bytes > 0,
  contentType: null,
});

const isOver = (call: Call): boolean => call.stage === 'concluded';
