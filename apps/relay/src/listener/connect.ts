/**
 * `CONNECT` (RFC 9110 §9.3.6). Who asks is verified first; then the proxy ends the client's TLS with a certificate of its
 * own authority, and each request inside is a call. Nothing is dialled here: a host that no connection is for is refused
 * inside, where the client shows the reason to its user.
 */
import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import { AppError } from '@hoop/contract';
import { canBeNamed } from '@hoop/certificates';
import type { Leaf, LeafIssuer } from '@hoop/certificates';
import { readRequest } from '@hoop/upstream';

import { Call } from '../call/call.ts';
import type { CallerSocket } from '../call/call.ts';
import { hostOf, parseAuthority, proxyCredential } from '../call/door.ts';
import type { Authority, ProxyDoor, Scheme } from '../call/door.ts';
import { admit, leave } from '../caller/admission.ts';
import type { Caller } from '../caller/callers.ts';
import { authenticate, lastCallAt } from '../data-path/authenticate.ts';
import { fail } from '../data-path/conclude.ts';
import { carryTunnel, concludeTunnel, wantsTunnel } from '../data-path/tunnel.ts';
import type { Relay } from '../relay.ts';

/** A connection inside of a CONNECT. */
export interface InnerConnection {
  readonly opened: CallerSocket;
  /** That the CONNECT came on; the connection itself where plain HTTP is inside. */
  readonly outer: Socket;
  readonly door: ProxyDoor;
  /** Every request on it is refused with this. */
  readonly refusal: AppError | null;
}

export interface ConnectParts {
  readonly relay: Relay;
  readonly leafs: LeafIssuer;
  /** Hands a socket back to the server that it came to. */
  readonly giveBack: (socket: Socket) => void;
  readonly register: (call: Call) => void;
  readonly openInner: (socket: Socket | TLSSocket, inner: InnerConnection) => void;
}

/** From the answer to CONNECT to the end of the handshake. */
const handshakeMs = 15_000;
/** How often a connection whose grant is about to expire is looked at, until no call is under way on it. */
const leavingEveryMs = 5_000;

export function connect(parts: ConnectParts, opened: CallerSocket, req: IncomingMessage, socket: Socket, head: Buffer): void {
  const { relay } = parts;
  if (opened.isClosing) return;
  socket.on('error', () => socket.destroy());
  const res = new ServerResponse(req);
  res.assignSocket(socket);
  const release = (): void => {
    res.detachSocket(socket);
    if (head.length > 0) socket.unshift(head);
  };
  // After a refusal: a client that sends its token only when it is asked for sends it on the same connection.
  res.on('finish', () => {
    release();
    if (res.shouldKeepAlive) parts.giveBack(socket);
    else socket.end();
  });
  const call = new Call(req, res, relay.now(), false);
  parts.register(call);
  authenticateConnect(relay, call).then(
    (authority) => {
      if (call.stage === 'concluded' || socket.destroyed) return;
      const { caller, door } = call;
      if (wantsTunnel(relay, call, authority)) {
        tunnel(parts, call, authority, socket, release);
        return;
      }
      call.stage = 'concluded';
      leave(relay, call);
      release();
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      open(parts, opened, socket, authority, door!, caller!);
    },
    (error: unknown) => fail(relay, call, error),
  );
}

/** The call goes on until the tunnel is closed. A refusal is an answer to CONNECT: there is no TLS of ours to put it into. */
function tunnel({ relay }: ConnectParts, call: Call, authority: Authority, socket: Socket, release: () => void): void {
  call.res.shouldKeepAlive = false;
  carryTunnel(relay, call, authority, socket, release).then(
    (error) => (error === null ? concludeTunnel(relay, call) : fail(relay, call, error)),
    (error: unknown) => fail(relay, call, error),
  );
}

/** @throws AppError */
async function authenticateConnect(relay: Relay, call: Call): Promise<Authority> {
  const { url = '', rawHeaders, httpVersion } = call.req;
  admit(relay, call);
  const authority = parseAuthority(url, null);
  if (authority === null || !canBeNamed(authority.host)) {
    throw new AppError('invalid_request', 'CONNECT needs the host and the port of a server: CONNECT api.example:443.');
  }
  // The head is read by the same rules as that of a call. It has no path, and no body (RFC 9110 §9.3.6).
  const read = readRequest({ method: 'GET', url: '/', rawHeaders, httpVersion, pathForm: 'target' });
  if (read.hasBody) throw new AppError('ambiguous_request', 'A CONNECT request cannot have a body.');
  const named = parseAuthority(read.host, authority.port);
  if (named === null || named.name !== authority.name || named.port !== authority.port)
    throw new AppError('ambiguous_request', 'The Host header names another host than the CONNECT request.');
  const host = hostOf(authority, 'https:');
  call.request = {
    ...read,
    method: 'CONNECT',
    headers: read.headers.filter(([name]) => !name.startsWith('proxy-') && name !== 'authorization'),
  };
  call.door = { ...proxyCredential(call.req), origin: `https://${host}`, authority: host, isInside: false };
  const verification = authenticate(relay, call);
  if (verification) await verification;
  return authority;
}

/** TLS begins with a record of the type "handshake" (RFC 8446 §5.1). */
const handshakeRecord = 22;

/** What the client sends first says whether it speaks TLS: some tunnel plain HTTP too. */
function open(parts: ConnectParts, opened: CallerSocket, socket: Socket, authority: Authority, door: ProxyDoor, caller: Caller): void {
  const timer = setTimeout(() => socket.destroy(), handshakeMs);
  const settle = (): void => clearTimeout(timer);
  socket.once('close', settle);
  socket.once('data', (first: Buffer) => {
    socket.pause();
    socket.unshift(first);
    if (first[0] !== handshakeRecord) {
      settle();
      begin(parts, { opened, outer: socket, door: insideOf('http:', authority, door), refusal: null }, socket, caller);
      return;
    }
    const { lane } = caller.identity.share;
    // To make a certificate takes time that its caller has to account for.
    const made = Promise.resolve(lane.step()).then(() => parts.leafs.leafOf(authority.host));
    made.then(
      (leaf) => {
        if (!socket.destroyed) secure(parts, opened, socket, authority, door, caller, leaf, settle);
      },
      (error: unknown) => {
        parts.relay.log.error({ event: 'leaf_failed', error: String(error) }, 'a certificate for the proxy could not be made');
        socket.destroy();
      },
    );
  });
}

function secure(
  parts: ConnectParts,
  opened: CallerSocket,
  socket: Socket,
  authority: Authority,
  door: ProxyDoor,
  caller: Caller,
  leaf: Leaf,
  settle: () => void,
): void {
  const inner = new TLSSocket(socket, { isServer: true, secureContext: leaf.context, ALPNProtocols: ['http/1.1'] });
  inner.on('error', () => inner.destroy());
  inner.once('secure', () => {
    settle();
    // Not what its client asked the proxy for, so no certificate could tell it the truth.
    const { servername } = inner as { servername?: string | false };
    const isOther = typeof servername === 'string' && servername !== '' && servername.toLowerCase() !== authority.host;
    const refusal = isOther
      ? new AppError('ambiguous_request', `TLS was asked for another host (SNI) than the CONNECT request: ${door.authority}.`)
      : null;
    begin(parts, { opened, outer: socket, door: insideOf('https:', authority, door), refusal }, inner, caller);
  });
}

function insideOf(scheme: Scheme, authority: Authority, { token, chosen }: ProxyDoor): ProxyDoor {
  const host = hostOf(authority, scheme);
  return { origin: `${scheme}//${host}`, authority: host, token, chosen, isInside: true };
}

function begin({ relay, openInner }: ConnectParts, inner: InnerConnection, socket: Socket | TLSSocket, caller: Caller): void {
  openInner(socket, inner);
  socket.resume();
  endBetweenCalls(relay, inner.opened, socket, caller);
}

/** Requests on a connection have the grant of its CONNECT: before that expires the connection is ended, as idle ones are. */
function endBetweenCalls(relay: Relay, opened: CallerSocket, socket: Socket | TLSSocket, caller: Caller): void {
  const leftMs = lastCallAt(caller) - relay.now();
  if (!Number.isFinite(leftMs)) return;
  const look = (): void => {
    if (opened.size === 0) socket.end();
    else timer = setTimeout(look, leavingEveryMs);
  };
  let timer = setTimeout(look, Math.max(0, leftMs));
  socket.once('close', () => clearTimeout(timer));
}
