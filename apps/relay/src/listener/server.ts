/** The HTTP side: sockets and heads from `node:http`, a call for each request, and an answer for what is not one. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { AppError, headers, newId } from '@hoop/contract';

import { answerFollow } from '../approvals/follow.ts';
import { Call, CallerSocket } from '../call/call.ts';
import { enter } from '../caller/admission.ts';
import { Share } from '../caller/share.ts';
import { fail } from '../data-path/conclude.ts';
import type { Carry } from '../data-path/data-path.ts';
import { answerHealth } from './health.ts';
import { problemOnWire, renderProblem } from '../call/problem.ts';
import type { Relay } from '../relay.ts';
import { strangerHead, strangerOutcome } from '../record/strangers.ts';

const callerSockets = new WeakMap<Duplex, CallerSocket>();

const maxHeaderBytes = 65_536;
/** Longer than any load balancer's idle time, so that it is not us who closes under a request. */
const keepAliveMs = 75_000;

/** @param isLoopback for this process's own deferred calls only: a request without one of its tokens is cut. */
export function createRelayServer(relay: Relay, carry: Carry, isLoopback = false): Server {
  const server = createServer({
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
  });
  // Node would drop what is above its own limit without a word; ours refuses (see upstream's readRequest).
  server.maxHeadersCount = 0;

  server.on('connection', (socket: Socket) => {
    const opened = isLoopback
      ? new CallerSocket(new Share(), '', () => socket.destroy())
      : relay.sockets.open(socket, (error) => refuseSocket(relay, socket, error));
    callerSockets.set(socket, opened);
    // Node makes an error for each request on the socket that is not answered yet, and no one sees them: a caller that
    // pipelines would have us walk the stack for all of them.
    const { stackTraceLimit } = Error;
    socket.prependListener('close', () => (Error.stackTraceLimit = 0));
    socket.on('close', () => {
      Error.stackTraceLimit = stackTraceLimit;
      for (const call of opened.all()) leave(relay, call);
      if (!isLoopback) relay.sockets.close(opened);
    });
  });
  const onRequest = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void =>
    isLoopback ? takeDeferred(relay, carry, req, res) : take(relay, carry, req, res, expectsContinue);
  server.on('request', (req, res) => onRequest(req, res, false));
  // Other expectations than 100-continue are ignored (RFC 9110 §10.1.1 lets us).
  server.on('checkExpectation', (req, res) => onRequest(req, res, false));
  server.on('checkContinue', (req, res) => onRequest(req, res, true));
  server.on('connect', (req, socket) => {
    refuseSocket(relay, socket, new AppError('method_not_allowed', 'This relay makes no tunnels (CONNECT).'), req);
  });
  server.on('clientError', (error, socket) => {
    onClientError(relay, error, socket);
  });
  return server;
}

function take(relay: Relay, carry: Carry, req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
  const { socket } = req;
  const opened = callerSockets.get(socket);
  if (opened?.isClosing) {
    // Its answer is on its way; nothing more is read.
    socket.pause();
    return;
  }
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
