import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { ApiError, createClient, type Client } from './index.ts';

let close: () => void = () => undefined;
afterEach(() => close());

async function startApi(answer: (request: IncomingMessage, body: string, response: ServerResponse) => void): Promise<Client> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => answer(request, body, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  return createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, token: 'hoop_admin_x' });
}

const json = (response: ServerResponse, status: number, value: unknown, type = 'application/json'): void =>
  void response.writeHead(status, { 'content-type': type }).end(JSON.stringify(value));

describe('the client', () => {
  it('sends method, path, query, body and token of the operation', async () => {
    const seen: unknown[] = [];
    const api = await startApi(({ method, url, headers }, body, response) => {
      seen.push([method, url, headers['content-type'], headers.authorization, headers['if-match'], body]);
      json(response, 200, { items: [], next: null });
    });
    await api.call('listIdentities', { query: { limit: 2, cursor: 'a b' } });
    await api.call('updateIdentity', { params: { identity: 'a/b?' }, body: { owner: 'me' }, headers: { 'if-match': '*' } });
    expect(seen).toEqual([
      ['GET', '/v1/identities?limit=2&cursor=a+b', undefined, 'Bearer hoop_admin_x', undefined, ''],
      ['PATCH', '/v1/identities/a%2Fb%3F', 'application/json', 'Bearer hoop_admin_x', '*', '{"owner":"me"}'],
    ]);
  });

  it('sends nothing where a parameter would make another path of it', async () => {
    const api = await startApi((_request, _body, response) => json(response, 200, {}));
    for (const identity of ['', '.', '..']) {
      await expect(api.call('deleteIdentity', { params: { identity } })).rejects.toThrow(TypeError);
    }
  });

  it('throws what the API says about a refusal, and any other text as its detail', async () => {
    const problem = {
      code: 'not_found',
      title: 'Not found',
      detail: 'There is no such identity.',
      status: 404,
      type: 'urn:x',
      requestId: 'r',
    };
    const api = await startApi(({ method }, _body, response) =>
      method === 'GET' ? json(response, 404, problem, 'application/problem+json') : void response.writeHead(502).end('<html>'),
    );
    const refused = await api.call('getIdentity', { params: { identity: 'x' } }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ApiError);
    expect(refused).toMatchObject({ status: 404, problem, message: 'getIdentity was refused (404 not_found): There is no such identity.' });
    await expect(api.call('deleteIdentity', { params: { identity: 'x' } })).rejects.toMatchObject({
      status: 502,
      problem: { detail: '<html>' },
    });
  });

  it('takes no other success for the operation’s own, and follows no redirect', async () => {
    const api = await startApi(({ method }, _body, response) => {
      if (method === 'GET') response.writeHead(302, { location: '/elsewhere' }).end();
      else json(response, 202, {});
    });
    await expect(api.call('getIdentity', { params: { identity: 'x' } })).rejects.toThrow(TypeError);
    await expect(api.call('enableIdentity', { params: { identity: 'x' } })).rejects.toBeInstanceOf(ApiError);
  });

  it('hands out a stream as it comes', async () => {
    let end = (): void => undefined;
    const api = await startApi((_request, _body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('first');
      end = () => void response.end('last');
    });
    const parts: string[] = [];
    for await (const part of await api.open('followApprovals', {})) {
      parts.push(Buffer.from(part).toString());
      end();
    }
    expect(parts.join('')).toBe('firstlast');
    expect(parts[0]).toBe('first');
  });
});
