/** The HTTP side: sockets and heads from `node:http`, a call for each request, and an answer for what is not one. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { followListenerTls, readListenerTls } from '@hoop/certificates';
import type { LeafIssuer, ListenerTlsFiles } from '@hoop/certificates';
import { AppError, headers, newId } from '@hoop/contract';

import { answerFollow } from '../approvals/follow.ts';
import { Call, CallerSocket } from '../call/call.ts';
import { hostOf, parseAuthority, portOf, proxyCredential } from '../call/door.ts';
import type { ProxyDoor, Scheme } from '../call/door.ts';
import { enter } from '../caller/admission.ts';
import { Share } from '../caller/share.ts';
import { fail } from '../data-path/conclude.ts';
import type { Carry } from '../data-path/data-path.ts';
import { concludeTunnel } from '../data-path/tunnel.ts';
import { connect } from './connect.ts';
import type { ConnectParts, InnerConnection } from './connect.ts';
import { answerAuthority, answerHealth } from './health.ts';
import { problemOnWire, renderProblem } from '../call/problem.ts';
import type { Relay } from '../relay.ts';
import { strangerHead, strangerOutcome } from '../record/strangers.ts';

const callerSockets = new WeakMap<Duplex, CallerSocket>();

const maxHeaderBytes = 65_536;
/** Longer than any load balancer's idle time, so that it is not us who closes under a request. */
const keepAliveMs = 75_000;

/** `RELAY/CONNECTION/path`. */
export function createRelayServer(relay: Relay, carry: Carry, tls: ListenerTlsFiles | undefined): Server {
  const server = createListener(relay, (req, res, expectsContinue) => take(relay, carry, req, res, expectsContinue), tls);
  openSockets(relay, server);
  server.on('connect', (req, socket) => {
    refuseSocket(
      relay,
      socket,
      new AppError('method_not_allowed', 'This port makes no tunnels (CONNECT): they are made by the proxy port.'),
      req,
    );
  });
  return server;
}

/** For this process's own deferred calls: a request without one of its tokens is cut. */
export function createLoopbackServer(relay: Relay, carry: Carry): Server {
  const server = createListener(relay, (req, res) => takeDeferred(relay, carry, req, res));
  server.on('connection', (socket: Socket) => attach(relay, socket, new CallerSocket(new Share(), '', () => socket.destroy())));
  server.on('connect', (_req, socket) => socket.destroy());
  return server;
}

/** The forward proxy: absolute-form requests (RFC 9112 §3.2.2) and CONNECT. */
export function createProxyServer(relay: Relay, carry: Carry, { leafs, trusted }: ProxyTrust, tls: ListenerTlsFiles | undefined): Server {
  const inners = new WeakMap<Duplex, InnerConnection>();
  const server = createListener(
    relay,
    (req, res, expectsContinue) => {
      if (isSpent(req)) return;
      const inner = inners.get(req.socket);
      if (inner === undefined && answerOwn(relay, trusted, req, res)) return;
      if (inner !== undefined && answerFollow(relay, req, res, (call) => enterInside(relay, call, inner))) return;
      const call = new Call(req, res, relay.now(), expectsContinue);
      register(relay, call);
      try {
        call.door = inner?.door ?? doorOf(req);
        if (inner !== undefined && inner.refusal !== null) throw inner.refusal;
      } catch (error) {
        fail(relay, call, error);
        return;
      }
      void carry(call);
    },
    tls,
  );
  const parts: ConnectParts = {
    relay,
    leafs,
    giveBack: (socket) => server.emit(arrivalOf(server), socket),
    register: (call) => register(relay, call),
    openInner: (socket, inner) => {
      inners.set(socket, inner);
      if (!callerSockets.has(socket)) {
        attach(relay, socket, inner.opened);
        insides.set(inner.outer, socket);
      }
      server.emit(arrivalOf(server), socket);
    },
  };
  openSockets(relay, server);
  server.on('connect', (req, socket, head) => {
    if (inners.has(socket)) {
      refuseSocket(relay, socket, new AppError('method_not_allowed', 'There are no tunnels (CONNECT) inside of a tunnel.'), req);
      return;
    }
    const opened = callerSockets.get(socket)!;
    if (opened.size > 0) {
      refuseSocket(relay, socket, new AppError('ambiguous_request', 'CONNECT came before earlier requests were answered.'), req);
      return;
    }
    connect(parts, opened, req, socket as Socket, head);
  });
  return server;
}

export interface ProxyTrust {
  readonly leafs: LeafIssuer;
  /** The certificates that clients are to trust, PEM. */
  readonly trusted: string;
}

/** What is at the proxy itself. */
function answerOwn(relay: Relay, trusted: string, req: IncomingMessage, res: ServerResponse): boolean {
  return req.url!.startsWith('/-/') && (answerHealth(relay, req, res) || answerAuthority(trusted, req, res));
}

/** It belongs to whoever opened the connection. */
function enterInside(relay: Relay, call: Call, { door }: InnerConnection): void {
  call.door = door;
  register(relay, call);
}

/** @throws AppError `invalid_request`, `token_malformed`, `ambiguous_request` */
function doorOf(req: IncomingMessage): ProxyDoor {
  const absolute = /^(https?:)\/\/([^/?#]*)/i.exec(req.url!);
  const scheme = absolute?.[1]!.toLowerCase() as Scheme | undefined;
  const authority = scheme === undefined ? null : parseAuthority(absolute![2]!, portOf(scheme));
  if (scheme === undefined || authority === null) {
    throw new AppError(
      'invalid_request',
      'This port is a forward proxy: set it as HTTP_PROXY and HTTPS_PROXY. A request line has the whole URL of the target, or is CONNECT host:port.',
    );
  }
  const host = hostOf(authority, scheme);
  return { ...proxyCredential(req), origin: `${scheme}//${host}`, authority: host, isInside: false };
}

function createListener(relay: Relay, onRequest: OnRequest, tls?: ListenerTlsFiles): Server {
  const options = {
    noDelay: true,
    keepAlive: true,
    keepAliveTimeout: keepAliveMs,
    headersTimeout: 15_000,
    // A body may take as long as it keeps coming: idle limits are per connection, see upload.ts.
    requestTimeout: 0,
    connectionsCheckingInterval: 2_000,
    maxHeaderSize: maxHeaderBytes,
    insecureHTTPParser: false,
    requireHostHeader: false,
    highWaterMark: 65_536,
  };
  const server = tls === undefined ? createServer(options) : createSecureServer({ ...options, ...readListenerTls(tls) });
  if (tls !== undefined) {
    followListenerTls(server as InstanceType<typeof SecureServer>, tls, {
      onTrouble: (error) => relay.log.error({ event: 'tls_files_unusable', error: error.message }, 'the new TLS files cannot be used'),
      onChanged: () => relay.log.info({ event: 'tls_files_changed' }, 'the TLS files were read again'),
    });
    // A client that does not speak TLS, or gives up: its socket is closed, and no call was tried.
    server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
  }
  // Node would drop what is above its own limit without a word; ours refuses (see upstream's readRequest).
  server.maxHeadersCount = 0;

  server.on('request', (req, res) => onRequest(req, res, false));
  // Other expectations than 100-continue are ignored (RFC 9110 §10.1.1 lets us).
  server.on('checkExpectation', (req, res) => onRequest(req, res, false));
  server.on('checkContinue', (req, res) => onRequest(req, res, true));
  server.on('clientError', (error, socket) => {
    onClientError(relay, error, socket);
  });
  return server;
}

type OnRequest = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean) => void;

/** The event with which a socket comes to HTTP: where the listener ends TLS, after the handshake. */
const arrivalOf = (server: Server): 'connection' | 'secureConnection' =>
  server instanceof SecureServer ? 'secureConnection' : 'connection';

/**
 * Each socket counts for its address, from before its handshake on, until somebody is authenticated on it. What has come
 * once may come again: after a refused CONNECT, and for what is inside of one.
 */
function openSockets(relay: Relay, server: Server): void {
  if (arrivalOf(server) === 'connection') {
    server.on('connection', (socket: Socket) => {
      if (callerSockets.has(socket)) return;
      attach(
        relay,
        socket,
        openSocket(relay, socket, (inside) => inside ?? socket),
      );
    });
    return;
  }
  /** By the other end, which is all that the two ends of a TLS socket have in common. */
  const shaking = new Map<string, readonly [Socket, CallerSocket]>();
  const peer = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
  server.on('connection', (socket: Socket) => {
    const key = peer(socket);
    shaking.set(key, [socket, openSocket(relay, socket, (inside) => inside)]);
    socket.on('close', () => shaking.delete(key));
  });
  server.on('secureConnection', (socket: Socket) => {
    if (callerSockets.has(socket)) return;
    const found = shaking.get(peer(socket));
    if (found === undefined) {
      socket.destroy();
      return;
    }
    const [outer, opened] = found;
    attach(relay, socket, opened);
    insides.set(outer, socket);
  });
}

/** @param answerable where a refusal can be read, by the innermost socket; undefined: nowhere yet */
function openSocket(relay: Relay, socket: Socket, answerable: (inside: Duplex | undefined) => Duplex | undefined): CallerSocket {
  const opened = relay.sockets.open(socket, (error) => {
    let inside = insides.get(socket);
    for (let next = inside; next !== undefined; next = insides.get(next)) inside = next;
    const readable = answerable(inside);
    if (readable === undefined) socket.destroy();
    else refuseSocket(relay, readable, error);
  });
  socket.on('close', () => relay.sockets.close(opened));
  return opened;
}

/** The calls on the socket end with it. */
function attach(relay: Relay, socket: Duplex, opened: CallerSocket): void {
  callerSockets.set(socket, opened);
  // Node makes an error for each request on the socket that is not answered yet, and no one sees them: a caller that
  // pipelines would have us walk the stack for all of them.
  const { stackTraceLimit } = Error;
  socket.prependListener('close', () => (Error.stackTraceLimit = 0));
  socket.on('close', () => {
    Error.stackTraceLimit = stackTraceLimit;
    for (const call of opened.all()) leave(relay, call);
  });
}

/** TLS by the socket that it is on: an answer outside of it could not be read. */
const insides = new WeakMap<Duplex, Duplex>();

/** The socket was refused: its answer is on its way, and nothing more is read. */
function isSpent({ socket }: IncomingMessage): boolean {
  if (callerSockets.get(socket)?.isClosing !== true) return false;
  socket.pause();
  return true;
}

function take(relay: Relay, carry: Carry, req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
  if (isSpent(req)) return;
  if (req.url!.startsWith('/-/') && (answerHealth(relay, req, res) || answerFollow(relay, req, res, (call) => register(relay, call))))
    return;
  const call = new Call(req, res, relay.now(), expectsContinue);
  register(relay, call);
  void carry(call);
}

/** A call is in flight from here on; its socket may have been closed meanwhile. */
function register(relay: Relay, call: Call): void {
  call.socket = callerSockets.get(call.req.socket) ?? null;
  enter(relay, call);
}

/** A deferred call comes back under its own id and with the caller that was verified when it was deferred. */
function takeDeferred(relay: Relay, carry: Carry, req: IncomingMessage, res: ServerResponse): void {
  const run = relay.deferredRuns.get(String(req.headers[headers.deferred]));
  if (run === undefined) {
    req.socket.destroy();
    return;
  }
  const call = new Call(req, res, relay.now(), false);
  call.id = run.callId;
  call.deferred = run;
  register(relay, call);
  void carry(call);
}

/** The caller's socket is closed. */
function leave(relay: Relay, call: Call): void {
  // The call had ended before: that the caller leaves now is not the reason.
  if (call.stage === 'concluded') return;
  // A tunnel is closed by its caller as often as not.
  if (call.tunnel?.isOpen === true) {
    concludeTunnel(relay, call);
    return;
  }
  call.isCallerGone = true;
  fail(relay, call, new AppError('request_incomplete', 'The caller closed the connection before the response was complete.'));
}

/** Handles refusals of the HTTP parser. Where the parser refused the body of a call, that call has failed. */
function onClientError(relay: Relay, error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = parserRefusal(error);
  const receiving = callerSockets
    .get(socket)
    ?.all()
    .find((call) => !call.req.complete);
  if (receiving) {
    receiving.res.shouldKeepAlive = false;
    fail(relay, receiving, refusal);
    return;
  }
  refuseSocket(relay, socket, refusal);
}

function refuseSocket(relay: Relay, socket: Duplex, refusal: AppError, req?: IncomingMessage): void {
  const callId = newId('call', relay.now());
  const remoteAddress = (socket as Partial<Socket>).remoteAddress ?? '';
  const head = strangerHead(relay, { callId, remoteAddress, method: req?.method ?? '', url: req?.url ?? '' });
  const goodbye = (error: unknown): void => {
    if (!socket.writable) return;
    socket.end(problemOnWire(renderProblem(error, callId)));
    // A client that goes on sending gets a reset instead of a listener.
    setTimeout(() => socket.destroy(), 1000).unref();
  };
  relay.refusals.record(head, strangerOutcome(relay, callId, refusal), null).then(() => goodbye(refusal), goodbye);
}

function parserRefusal({ code = '' }: NodeJS.ErrnoException): AppError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new AppError('header_too_large', `The head of the request is larger than ${maxHeaderBytes} bytes.`);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new AppError('request_timeout', 'The head of the request did not arrive in time.');
  if (code === 'HPE_INVALID_EOF_STATE') return new AppError('request_incomplete', 'The connection ended before the request was complete.');
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return new AppError('invalid_request', 'The chunk extensions of the body are too large.');
  if (ambiguous.has(code)) return new AppError('ambiguous_request', `The request could be read in more than one way (${code}).`);
  return new AppError('invalid_request', `The request is not valid HTTP/1.1 (${code || 'unknown'}).`);
}

const ambiguous = new Set([
  'HPE_UNEXPECTED_CONTENT_LENGTH',
  'HPE_INVALID_CONTENT_LENGTH',
  'HPE_INVALID_TRANSFER_ENCODING',
  'HPE_UNEXPECTED_TRANSFER_ENCODING',
  'HPE_INVALID_HEADER_TOKEN',
  'HPE_LF_EXPECTED',
  'HPE_CR_EXPECTED',
  'HPE_UNEXPECTED_SPACE',
]);
