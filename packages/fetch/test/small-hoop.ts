/**
 * The two protocols that the SDK speaks, at their smallest: token exchange, and forwarding from RELAY/<connection>/…
 * The promises of the SDK are tested against this one, because each of its answers can be chosen. test/hoop.test.ts runs it against the product.
 */
import { type IncomingHttpHeaders, type IncomingMessage, request as sendRequest, type ServerResponse } from 'node:http';

import { answerJson, readBody, serve } from './servers.ts';

export interface RelayedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface SmallHoop {
  readonly url: string;
  readonly relayUrl: string;
  /** Form fields of each token exchange. */
  readonly exchanges: Record<string, string>[];
  readonly relayed: RelayedRequest[];
  /** name -> target; may be changed. */
  readonly connections: Map<string, string>;
  /** Grants that the relay refuses with token_revoked. */
  readonly revoked: Set<string>;
  lifetimeSeconds: number;
  /** Answers exchanges instead of a grant. */
  refusal: { status: number; body: unknown; headers?: Record<string, string> } | undefined;
  /** Answers relayed requests instead of the target, where it returns true. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
}

/** A relay's refusal. `error` and `message` are what the client libraries of targets look for. */
export function problem(response: ServerResponse, status: number, code: string, extras: object = {}): void {
  const message = `Refused: ${code}.`;
  const body = {
    type: `urn:hoop:error:${code}`,
    code,
    title: code,
    status,
    detail: message,
    message,
    error: { type: code, code, message },
    ...extras,
  };
  answerJson(response, status, body, {
    'content-type': 'application/problem+json; charset=utf-8',
    'hoop-error': code,
    'hoop-call': 'call_1',
  });
}

export async function startSmallHoop(connections: Record<string, string>): Promise<SmallHoop> {
  const relayUrl = await serve((request, response) => void relay(request, response));
  const url = await serve((request, response) => void controlPlane(request, response));
  const hoop: SmallHoop = {
    url,
    relayUrl,
    exchanges: [],
    relayed: [],
    connections: new Map(Object.entries(connections)),
    revoked: new Set(),
    lifetimeSeconds: 300,
    refusal: undefined,
    intercept: undefined,
  };

  async function controlPlane(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url !== '/oauth/token' || request.method !== 'POST') return answerJson(response, 404, {});
    hoop.exchanges.push(Object.fromEntries(new URLSearchParams((await readBody(request)).toString())));
    if (hoop.refusal !== undefined) return answerJson(response, hoop.refusal.status, hoop.refusal.body, hoop.refusal.headers);
    const asked = hoop.exchanges.at(-1)!;
    const all = [...hoop.connections].map(([name, target]) => ({ name, target }));
    const known = { hoop_known_connections: { connections: all.slice(0, 1000), isComplete: all.length <= 1000 } };
    const isMeant = (one: { name: string; target: string }): boolean =>
      asked['scope'] === undefined
        ? asked['resource'] === undefined || new URL(one.target).origin === asked['resource']
        : one.name === asked['scope'];
    const chosen = all.filter(isMeant);
    if (chosen.length === 0)
      return answerJson(response, 400, { code: 'connection_unknown', detail: 'There is no such connection.', ...known });
    if (chosen.length > 100)
      return answerJson(response, 400, { code: 'too_many_connections', detail: 'Name those that are needed.', ...known });
    answerJson(response, 200, {
      ...(asked['resource'] === undefined ? {} : known),
      access_token: `grant-${hoop.exchanges.length}`,
      token_type: 'N_A',
      expires_in: hoop.lifetimeSeconds,
      hoop_relay_url: relayUrl,
      hoop_connections: chosen,
    });
  }

  async function relay(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers } = request;
    hoop.relayed.push({ method, url: request.url ?? '', headers });
    const grant = String(headers['hoop-grant']);
    if (!grant.startsWith('grant-')) return problem(response, 401, 'token_missing');
    if (hoop.revoked.has(grant)) return problem(response, 401, 'token_revoked');
    if (hoop.intercept?.(request, response)) return;
    const [, name = '', rest = ''] = /^\/([^/?]+)(.*)$/.exec(request.url ?? '') ?? [];
    const target = hoop.connections.get(name);
    if (target === undefined) return problem(response, 404, 'connection_unknown');
    forward(request, response, target.replace(/\/$/, '') + rest);
  }
  return hoop;
}

function forward(request: IncomingMessage, response: ServerResponse, url: string): void {
  const { host: _host, ...headers } = request.headers;
  for (const name of Object.keys(headers)) if (name.startsWith('hoop-')) delete headers[name];
  const outgoing = sendRequest(url, { method: request.method, headers, agent: false });
  outgoing.on('response', (incoming) => {
    const returned = ['hoop-call', 'call_1'];
    for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
      const [name = '', value = ''] = incoming.rawHeaders.slice(i, i + 2);
      if (!/^(?:connection|keep-alive|transfer-encoding)$/i.test(name)) returned.push(name, value);
    }
    response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, returned);
    incoming.on('error', () => response.destroy());
    incoming.pipe(response);
  });
  outgoing.on('error', () => {
    if (response.headersSent) response.destroy();
    else if (!response.destroyed) problem(response, 502, 'target_unreachable');
  });
  response.on('close', () => outgoing.destroy());
  request.on('error', () => outgoing.destroy());
  request.pipe(outgoing);
}
