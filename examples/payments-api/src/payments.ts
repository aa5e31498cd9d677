/**
 * A payments company's API. It accepts only access tokens that its own token endpoint issued in the last 60 seconds and
 * refuses everything else. What it received can be looked at under `/received`, each credential as a fingerprint.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { customers } from './customers.ts';

export interface PaymentsApiOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly clientId: string;
  /** SHA-256 (hex) of the client's secret: the secret itself is not kept here. */
  readonly clientSecretDigest: string;
  /** @default 60 */
  readonly tokenSeconds?: number;
  /** Unix milliseconds. @default Date.now */
  readonly now?: () => number;
}

/** One request as the API saw it. */
export interface ReceivedRequest {
  readonly at: string;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** First 16 hexadecimal digits of the SHA-256 of the access token; null where there was none. */
  readonly credentialFingerprint: string | null;
  readonly isAccepted: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface PaymentsApi {
  readonly url: string;
  readonly received: readonly ReceivedRequest[];
  close(): Promise<void>;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const fingerprint = (token: string): string => sha256(token).slice(0, 16);
/** Requests that are shown at most: the last ones. */
const kept = 10_000;

type Reply = readonly [status: number, body: unknown, headers?: Record<string, string>];

export async function startPaymentsApi(options: PaymentsApiOptions): Promise<PaymentsApi> {
  const { tokenSeconds = 60, now = Date.now } = options;
  /** Digest of a token -> when it ends. */
  const tokens = new Map<string, number>();
  const received: ReceivedRequest[] = [];
  const refunds = new Map<string, unknown>();

  function issueToken(authorization: string | undefined, form: URLSearchParams): Reply {
    const [clientId = '', secret = ''] = Buffer.from(authorization?.replace(/^Basic /i, '') ?? '', 'base64')
      .toString('utf8')
      .split(':', 2)
      .map(decodeURIComponent);
    const expected = Buffer.from(options.clientSecretDigest, 'hex');
    const isClient = clientId === options.clientId && timingSafeEqual(Buffer.from(sha256(secret), 'hex'), expected);
    if (!isClient) return [401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic realm="payments"' }];
    if (form.get('grant_type') !== 'client_credentials') return [400, { error: 'unsupported_grant_type' }];
    const token = `pay_at_${randomBytes(24).toString('base64url')}`;
    for (const [digest, endsAt] of tokens) if (endsAt <= now()) tokens.delete(digest);
    tokens.set(sha256(token), now() + tokenSeconds * 1000);
    return [200, { access_token: token, token_type: 'Bearer', expires_in: tokenSeconds }, { 'cache-control': 'no-store' }];
  }

  function isLive(token: string | null): boolean {
    const endsAt = token === null ? undefined : tokens.get(sha256(token));
    return endsAt !== undefined && now() < endsAt;
  }

  function serve(method: string, path: string, body: unknown): Reply {
    if (method === 'GET' && path === '/v1/customers') return [200, { data: customers }];
    const customer = customers.find(({ id }) => path === `/v1/customers/${id}`);
    if (method === 'GET' && customer !== undefined) return [200, customer];
    if (method === 'DELETE' && customer !== undefined) return [204, undefined];
    if (method === 'POST' && path === '/v1/refunds') {
      const { customer: id, amount } = (body ?? {}) as { customer?: unknown; amount?: unknown };
      if (!customers.some((one) => one.id === id) || !Number.isInteger(amount) || (amount as number) <= 0) {
        return [422, { error: 'a refund needs a customer and an amount in cents' }];
      }
      const refund = { id: `re_${randomBytes(8).toString('hex')}`, customer: id, amount, status: 'succeeded' };
      refunds.set(refund.id, refund);
      return [201, refund];
    }
    return [404, { error: 'not found' }];
  }

  async function answer(request: http.IncomingMessage): Promise<Reply> {
    const { pathname, search } = new URL(request.url ?? '/', 'http://payments');
    const method = request.method ?? 'GET';
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const { authorization } = request.headers;
    if (method === 'POST' && pathname === '/oauth/token') return issueToken(authorization, new URLSearchParams(text));
    if (method === 'GET' && pathname === '/received') return [200, { count: received.length, requests: received }];

    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? null;
    const isAccepted = isLive(token);
    let body: unknown = null;
    let isMalformed = false;
    try {
      body = text === '' ? null : JSON.parse(text);
    } catch {
      isMalformed = true;
    }
    const { authorization: _secret, ...visible } = request.headers;
    if (received.length === kept) received.shift();
    received.push({
      at: new Date(now()).toISOString(),
      method,
      path: pathname + search,
      credentialFingerprint: token === null ? null : fingerprint(token),
      isAccepted,
      headers: Object.fromEntries(Object.entries(visible).map(([name, value]) => [name, String(value)])),
      body,
    });
    if (!isAccepted) return [401, { error: 'a live access token is required' }, { 'www-authenticate': 'Bearer error="invalid_token"' }];
    if (isMalformed) return [400, { error: 'the body is not JSON' }];
    return serve(method, pathname, body);
  }

  const server = http.createServer((request, response) => {
    answer(request).then(
      ([status, body, headers]) => {
        response.writeHead(status, body === undefined ? headers : { 'content-type': 'application/json', ...headers });
        response.end(body === undefined ? undefined : JSON.stringify(body));
      },
      // The request broke off.
      () => response.destroy(),
    );
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return {
    url: `http://${options.host}:${(server.address() as AddressInfo).port}`,
    received,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
