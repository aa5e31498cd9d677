/**
 * A proxy on loopback for programs that know nothing of Hoop: it gives what they send to the relay's forward proxy the
 * grant of this machine, which lives for minutes where a variable of the environment lives as long as its process. It
 * looks into nothing: TLS goes through it to the relay.
 */
import { timingSafeEqual } from 'node:crypto';
import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import net from 'node:net';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';

import { errorKinds } from '@hoop/contract';
import type { ErrorCode } from '@hoop/contract';
import type { DestinationGrants, Grant, HeldGrant } from '@hoop/fetch/grants';

export interface HelperOptions {
  readonly grants: DestinationGrants;
  /** The relay's forward proxy. */
  readonly proxyUrl: URL;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Who may use it. */
  readonly allows: (request: IncomingMessage) => boolean | Promise<boolean>;
  /** For the person who runs it. */
  readonly say: (sentence: string) => void;
}

export interface Helper {
  readonly port: number;
  /** Takes nothing new, waits for what is under way at most so long, and ends the rest. */
  close(drainMs: number): Promise<void>;
}

/** To reach the relay, and for its answer to CONNECT. */
const connectMs = 15_000;
/** The answer to CONNECT is a head. */
const maxHeadBytes = 65_536;

/** By a password, as the user info of a proxy's URL has it. */
export function byPassword(password: string): HelperOptions['allows'] {
  const expected = Buffer.from(password);
  return ({ headers }) => {
    const given = Buffer.from(credentialsOf(headers['proxy-authorization'])?.password ?? '');
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
}

function credentialsOf(header: string | undefined): { readonly user: string; readonly password: string } | null {
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

export async function startHelper(options: HelperOptions): Promise<Helper> {
  const server = http.createServer({ keepAlive: true, keepAliveTimeout: 75_000, requestTimeout: 0 });
  const tunnels = new Set<Duplex>();
  server.on('request', (req, res) => void answerRequest(options, req, res));
  server.on('checkContinue', (req, res) => void answerRequest(options, req, res));
  server.on('connect', (req, socket, head) => {
    tunnels.add(socket);
    socket.on('close', () => tunnels.delete(socket));
    socket.on('error', () => socket.destroy());
    void answerConnect(options, server, req, socket as Socket, head);
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    async close(drainMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const timer = setTimeout(() => {
        server.closeAllConnections();
        for (const socket of tunnels) socket.destroy();
      }, drainMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** As the relay would say it. */
function problem(code: ErrorCode, detail: string, isOfProxy = false): { head: Record<string, string>; status: number; body: string } {
  const { status, title } = errorKinds[code];
  const told = isOfProxy ? 407 : status;
  const body = JSON.stringify({ type: `urn:hoop:error:${code}`, code, title, status: told, detail, message: detail });
  const head: Record<string, string> = {
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'hoop-error': code,
    ...(isOfProxy ? { 'proxy-authenticate': 'Basic realm="hoop"' } : {}),
  };
  return { head, status: told, body };
}

type Problem = ReturnType<typeof problem>;

const refused = (): Problem =>
  problem('token_missing', 'This proxy is for the program that it was started with: its password is in HTTP_PROXY and HTTPS_PROXY.', true);

const unavailable = (error: unknown): Problem => problem('unavailable', error instanceof Error ? error.message : String(error));

function onWire({ head, status, body }: Problem): string {
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}

const authorization = (connection: string, { token }: Grant): string => `Basic ${Buffer.from(`${connection}:${token}`).toString('base64')}`;

const connectionOf = (req: IncomingMessage): string => credentialsOf(req.headers['proxy-authorization'])?.user ?? '';

/** A request line with the whole URL, or one for the helper itself. */
async function answerRequest(options: HelperOptions, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const fail = ({ head, status, body }: Problem): void => {
    if (res.headersSent) res.destroy();
    else res.writeHead(status, head).end(body);
  };
  try {
    if (answerHealth(options, req, res)) return;
    if (!(await options.allows(req))) return fail(refused());
    const url = /^https?:\/\//i.test(req.url!) ? URL.parse(req.url!) : null;
    if (url === null) return fail(problem('invalid_request', 'This is a proxy: set it as HTTP_PROXY and HTTPS_PROXY.'));
    const connection = connectionOf(req);
    const forwarded = new Forwarded(options, req, res, connection, fail);
    const held = await options.grants.at(url.origin, connection);
    if (req.headers.expect !== undefined) res.writeContinue();
    forwarded.send(held);
  } catch (error) {
    options.say(`${req.method} ${req.url}: ${(error as Error).message}`);
    fail(unavailable(error));
  }
}

/** `/-/healthz`: it answers. `/-/readyz`: it has a grant, or gets one. */
function answerHealth({ grants }: HelperOptions, req: IncomingMessage, res: ServerResponse): boolean {
  if (req.url === '/-/healthz') {
    res.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
    return true;
  }
  if (req.url !== '/-/readyz') return false;
  grants.at('', '').then(
    () => res.writeHead(200, { 'content-type': 'text/plain' }).end('ready'),
    (error: unknown) => {
      const { head, status, body } = unavailable(error);
      res.writeHead(status, head).end(body);
    },
  );
  return true;
}

const ownHeaders = new Set(['proxy-authorization', 'proxy-connection', 'connection', 'keep-alive', 'transfer-encoding', 'expect']);

/** Of a body, for a relay that refuses the grant as it reads the head; longer ones are not sent a second time. */
const maxKeptBytes = 262_144;

/** One request on its way to the relay; sent again, once, where the relay takes no more calls under the grant. */
class Forwarded {
  readonly #options: HelperOptions;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #connection: string;
  readonly #fail: (problem: Problem) => void;
  #asked: http.ClientRequest | null = null;
  /** The body so far; null: it is too long to be kept. */
  #kept: Buffer[] | null = [];
  #keptBytes = 0;
  #isComplete = false;

  constructor(options: HelperOptions, req: IncomingMessage, res: ServerResponse, connection: string, fail: (problem: Problem) => void) {
    this.#options = options;
    this.#req = req;
    this.#res = res;
    this.#connection = connection;
    this.#fail = fail;
    req.on('data', (chunk: Buffer) => this.#onData(chunk));
    req.on('end', () => {
      this.#isComplete = true;
      this.#asked?.end();
    });
    req.pause();
    res.on('close', () => this.#asked?.destroy());
  }

  send({ grant, renew }: HeldGrant, mayRenew = true): void {
    const asked = this.#request(authorization(this.#connection, grant));
    this.#asked = asked;
    asked.on('response', (answer) => {
      // The grant was revoked, or is no longer believed: a new one may be. Nothing was sent to a target.
      if (answer.statusCode !== 407) {
        this.#pass(answer);
        return;
      }
      answer.resume();
      if (!mayRenew || this.#kept === null) {
        renew().catch(() => undefined);
        this.#fail(
          problem(
            'unavailable',
            'The relay takes no more calls under the grant of this machine. Nothing was sent; send the request again.',
          ),
        );
        return;
      }
      this.#asked = null;
      this.#req.pause();
      renew().then(
        (newer) => this.send({ grant: newer, renew }, false),
        (error: unknown) => this.#fail(unavailable(error)),
      );
    });
    asked.on('error', (error) => {
      if (this.#asked === asked)
        this.#fail(problem('unavailable', `The relay at ${this.#options.proxyUrl.origin} cannot be reached: ${error.message}`));
    });
    asked.on('drain', () => this.#req.resume());
    for (const chunk of this.#kept ?? []) asked.write(chunk);
    if (this.#isComplete) asked.end();
    else this.#req.resume();
  }

  #onData(chunk: Buffer): void {
    this.#keptBytes += chunk.length;
    // While no request is under way there is nowhere else for it.
    if (this.#keptBytes > maxKeptBytes && this.#asked !== null) this.#kept = null;
    this.#kept?.push(chunk);
    if (this.#asked !== null && !this.#asked.write(chunk)) this.#req.pause();
  }

  #pass(answer: IncomingMessage): void {
    const res = this.#res;
    const { rawHeaders } = answer;
    res.writeHead(
      answer.statusCode!,
      rawHeaders.filter((_, at) => !ownHeaders.has(rawHeaders[at - (at % 2)]!.toLowerCase())),
    );
    answer.pipe(res);
    answer.on('error', () => res.destroy());
    res.on('close', () => answer.destroy());
  }

  #request(proxyAuthorization: string): http.ClientRequest {
    const { proxyUrl } = this.#options;
    const { rawHeaders, headers, method, url } = this.#req;
    const sent: string[] = ['proxy-authorization', proxyAuthorization];
    for (let at = 0; at + 1 < rawHeaders.length; at += 2)
      if (!ownHeaders.has(rawHeaders[at]!.toLowerCase())) sent.push(rawHeaders[at]!, rawHeaders[at + 1]!);
    if (headers['transfer-encoding'] !== undefined) sent.push('transfer-encoding', 'chunked');
    const client = proxyUrl.protocol === 'https:' ? requestOverTls : http.request;
    return client({
      host: proxyUrl.hostname.replace(/^\[|\]$/g, ''),
      port: proxyUrl.port || (proxyUrl.protocol === 'https:' ? 443 : 80),
      method,
      path: url,
      headers: sent,
      setHost: false,
    } as http.RequestOptions);
  }
}

const requestOverTls = (options: http.RequestOptions): http.ClientRequest =>
  http.request({
    ...options,
    createConnection: () =>
      tls.connect({ host: options.host!, port: Number(options.port), servername: net.isIP(options.host!) === 0 ? options.host! : '' }),
  });

/** The client's own bytes go to the relay from the first on: it ends the client's TLS. */
async function answerConnect(
  options: HelperOptions,
  server: http.Server,
  req: IncomingMessage,
  socket: Socket,
  head: Buffer,
): Promise<void> {
  const end = (answer: Problem): void => void socket.end(onWire(answer));
  try {
    if (!(await options.allows(req))) {
      // A client that sends its password only when it is asked for sends it on the same connection.
      socket.write(onWire(refused()));
      server.emit('connection', socket);
      return;
    }
    const destination = URL.parse(`https://${req.url}`);
    if (destination === null || !/^[^/?#@]+:[0-9]+$/.test(req.url!)) {
      end(problem('invalid_request', 'CONNECT needs the host and the port of a server: CONNECT api.example:443.'));
      return;
    }
    const connection = connectionOf(req);
    const held = await options.grants.at(destination.origin, connection);
    let opened = await openTunnel(options, req.url!, authorization(connection, held.grant));
    // The grant was revoked, or is no longer believed: a new one may be.
    if (opened.status === 407) {
      opened.socket.destroy();
      opened = await openTunnel(options, req.url!, authorization(connection, await held.renew()));
    }
    splice(socket, head, opened);
  } catch (error) {
    options.say(`CONNECT ${req.url}: ${(error as Error).message}`);
    if (socket.writable) end(unavailable(error));
  }
}

interface Opened {
  readonly socket: Socket;
  readonly status: number;
  /** The head of the answer as it came, and what came behind it. */
  readonly head: Buffer;
  readonly rest: Buffer;
}

function openTunnel({ proxyUrl }: HelperOptions, authority: string, proxyAuthorization: string): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const host = proxyUrl.hostname.replace(/^\[|\]$/g, '');
    const isTls = proxyUrl.protocol === 'https:';
    const port = Number(proxyUrl.port || (isTls ? 443 : 80));
    const socket: Socket = isTls ? tls.connect({ host, port, servername: net.isIP(host) === 0 ? host : '' }) : net.connect({ host, port });
    let received: Buffer = Buffer.alloc(0);
    const fail = (reason: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new Error(`The relay at ${proxyUrl.origin} ${reason}.`));
    };
    const timer = setTimeout(() => fail('did not answer in time'), connectMs);
    socket.setNoDelay(true);
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\nproxy-authorization: ${proxyAuthorization}\r\n\r\n`);
    });
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) {
        if (received.length > maxHeadBytes) fail('gave an answer that is none');
        return;
      }
      clearTimeout(timer);
      socket.off('data', onData).off('error', onError).off('close', onClose);
      socket.pause();
      const status = Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(received.toString('latin1', 0, 32))?.[1] ?? 502);
      resolve({ socket, status, head: received.subarray(0, end + 4), rest: received.subarray(end + 4) });
    };
    const onError = (error: Error): void => fail(`cannot be reached: ${error.message}`);
    const onClose = (): void => fail('closed the connection');
    socket.on('data', onData).on('error', onError).on('close', onClose);
  });
}

/** A refusal of the relay is passed on as it is. */
function splice(client: Socket, head: Buffer, { socket: relay, head: answer, rest }: Opened): void {
  relay.on('error', () => client.destroy());
  relay.on('close', () => client.destroy());
  client.on('close', () => relay.destroy());
  if (client.destroyed) {
    relay.destroy();
    return;
  }
  client.setNoDelay(true);
  client.write(answer);
  if (rest.length > 0) client.write(rest);
  if (head.length > 0) relay.write(head);
  client.pipe(relay);
  relay.pipe(client);
}
