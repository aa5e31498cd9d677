import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { AppError, type Operation } from '@hoop/contract';
import type { Request, RequestHandler, Response } from 'express';

import { authenticate, permit } from '../access/authenticate.ts';
import type { Actor } from '../access/actor.ts';
import type { Context } from '../context.ts';
import { etagOf, readPrecondition, type Precondition } from './preconditions.ts';
import { hasBody, isStorable, maxBodyBytes, maxPublicBodyBytes, readBody } from './read-body.ts';
import type { Call, Reply, Route } from './route.ts';
import { validate } from './validate.ts';

const unconditional: Precondition = {
  check() {
    throw new Error('The operation is not declared as conditional.');
  },
};

/** Facts known as soon as a request arrives; kept on `response.locals`. */
export interface RequestFacts {
  requestId: string;
  operation?: string;
  actor?: Actor;
}

/** `/v1/identities/{identity}` as Express writes it. */
export const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

/** Turns an operation and its handler into an Express route: authenticate, permit, validate, act, answer. */
export function bind(context: Context, { operation, handle }: Route): RequestHandler {
  return async (request: Request, response: Response) => {
    const facts = response.locals as RequestFacts;
    facts.operation = operation.id;
    const { requestId } = facts;
    const remote = request.socket.remoteAddress ?? '';

    // 1. authenticate
    const actor = await authenticate(context, operation.audience, { authorization: request.headers.authorization, remote, requestId });
    facts.actor = actor;

    // 2. permit
    permit(actor, operation.audience);

    // 3. validate
    const params = operation.params === undefined ? undefined : validate(operation.params, { ...request.params }, 'path');
    const query = operation.query === undefined ? refuseQuery(request) : validate(operation.query, queryOf(request), 'query');
    const raw =
      operation.body === undefined
        ? undefined
        : await readBody(
            request,
            operation.bodyType ?? 'application/json',
            operation.audience === 'public' ? maxPublicBodyBytes : maxBodyBytes,
          );
    if (operation.body === undefined && operation.method !== 'GET') await refuseBody(request);
    const body = operation.body === undefined ? undefined : validate(operation.body, raw, 'body');
    const precondition = operation.conditional === true ? readPrecondition(operation.method, request.headers) : unconditional;
    const idempotency = operation.idempotent === true ? readIdempotencyKey(operation, request, raw) : null;

    // 4. act, with its audit event
    const call = {
      operation,
      context,
      requestId,
      remote,
      actor,
      params,
      query,
      body,
      precondition,
      idempotency,
      request,
      response,
    } as unknown as Call;
    const reply = await handle(call);

    // 5. answer
    if (reply !== 'streamed') send(operation, response, reply);
  };
}

function queryOf(request: IncomingMessage): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  const url = request.url ?? '/';
  const start = url.indexOf('?');
  for (const [name, value] of new URLSearchParams(start < 0 ? '' : url.slice(start + 1))) {
    if (!isStorable(value)) throw new AppError('invalid_request', `\`${name.slice(0, 100)}\` in the query has U+0000 in it.`);
    if (Object.hasOwn(query, name)) throw new AppError('invalid_request', `\`${name.slice(0, 100)}\` is in the query more than once.`);
    Object.defineProperty(query, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return query;
}

function refuseQuery(request: IncomingMessage): undefined {
  const [name] = Object.keys(queryOf(request));
  if (name === undefined) return undefined;
  const path = name.slice(0, 100);
  throw new AppError('invalid_request', `\`${path}\` in the query: is not a known field.`, {
    extras: { errors: [{ path, message: 'is not a known field' }] },
  });
}

/** Refuses a body where the operation has none, but accepts an empty JSON object, which client libraries often send. */
async function refuseBody(request: IncomingMessage): Promise<void> {
  if (!hasBody(request)) return;
  const body = await readBody(request, 'application/json');
  if (typeof body === 'object' && body !== null && Object.keys(body).length === 0) return;
  throw new AppError('invalid_request', 'This operation takes no body.');
}

function readIdempotencyKey(operation: Operation, request: IncomingMessage, body: unknown): Call['idempotency'] {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return null;
  const key = Array.isArray(header) ? header.join(',') : header;
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new AppError('invalid_request', 'Idempotency-Key must be 1 to 255 visible ASCII characters.');
  const requestDigest = createHash('sha256')
    .update(`${operation.id}\n${request.url}\n${JSON.stringify(body)}`)
    .digest('hex');
  return { key, requestDigest };
}

/** Only what the contract declares goes out: an undeclared member is dropped, a missing one is a bug. */
function send(operation: Operation, response: ServerResponse, reply: Reply): void {
  const status = reply.status ?? operation.status;
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if (reply.version !== undefined) response.setHeader('etag', etagOf(reply.version));
  if (!response.hasHeader('cache-control')) response.setHeader('cache-control', 'no-store');
  response.statusCode = status;
  if (operation.response === undefined || status === 204 || status === 304) {
    response.end();
    return;
  }
  const body = operation.response.parse(reply.body);
  const text = typeof body === 'string' && operation.responseType?.startsWith('text/') === true ? body : JSON.stringify(body);
  response.setHeader('content-type', operation.responseType ?? 'application/json');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(text);
}
