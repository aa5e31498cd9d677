/** The official MCP client against the official MCP server, with a Hoop between them that masks. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';

import { closeServers, readBody, serve } from '../../packages/fetch/test/servers.ts';
import { allowAll, type PeerHoop, reason, startPeerHoop } from './peer-hoop.ts';

let hoop: PeerHoop;
let origin: string;
/** The requests that arrived, and the server's answers. */
let arrivals: string[] = [];
/** Lets the tool `count` go on after its first progress. */
let goOn = (): void => {};

/** A server as its makers show it, with an answer to each notification of 202 and no body. */
async function server(form: 'stream' | 'json' | 'image'): Promise<string> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const newTransport = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      enableJsonResponse: form === 'json',
      onsessioninitialized: (id) => void transports.set(id, transport),
    });
    const mcp = new McpServer({ name: 'customers', version: '1.0.0' });
    mcp.registerTool('read', { inputSchema: { id: z.string() } }, ({ id }) => ({
      content: [{ type: 'text', text: `${id} is ada@example.com` }],
    }));
    mcp.registerTool('remove', { inputSchema: {} }, () => ({ content: [{ type: 'text', text: 'removed' }] }));
    mcp.registerTool('count', { inputSchema: {} }, async (_input, { sendNotification, _meta }) => {
      const gate = Promise.withResolvers<void>();
      goOn = gate.resolve;
      await sendNotification({ method: 'notifications/progress', params: { progressToken: _meta!.progressToken!, progress: 1 } });
      await gate.promise;
      return { content: [{ type: 'text', text: 'counted' }] };
    });
    await mcp.connect(transport as Transport);
    return transport;
  };
  return serve(async (request, response) => {
    const body = (await readBody(request)).toString();
    const message = body === '' ? undefined : (JSON.parse(body) as { method?: string });
    response.on('finish', () => arrivals.push(`${request.method} ${message?.method ?? ''} ${response.statusCode}`));
    // As a server that answers a tool with an image itself would.
    if (form === 'image' && message?.method === 'tools/call') return void response.writeHead(200, { 'content-type': 'image/png' }).end('x');
    const id = request.headers['mcp-session-id'];
    const transport = (typeof id === 'string' ? transports.get(id) : undefined) ?? (await newTransport());
    await transport.handleRequest(request, response, message);
  });
}

beforeAll(async () => {
  hoop = await startPeerHoop();
  const mask = [{ detect: 'email', action: 'redact' }] as never;
  origin = await server('stream');
  await hoop.connectMasked('mcp', origin, allowAll, mask);
  await hoop.connectMasked('mcp-image', await server('image'), allowAll, mask);
  await hoop.connectMasked('mcp-json', await server('json'), allowAll, mask);
  const withoutRemove = {
    name: 'by people',
    effect: 'deny' as const,
    match: {},
    when: 'request.body.method == "tools/call" && request.body.params.name == "remove"',
    reason,
  };
  await hoop.connect('mcp-denied', await server('stream'), [...allowAll, withoutRemove]);
});
afterAll(async () => {
  await hoop?.close();
  await closeServers();
});
beforeEach(() => {
  arrivals = [];
});

async function connect(url: string, options: ConstructorParameters<typeof StreamableHTTPClientTransport>[1]): Promise<Client> {
  const client = new Client({ name: 'nightly', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), options) as Transport);
  return client;
}

const byBaseUrl = async (connection: string): Promise<Client> =>
  connect(`${hoop.relayUrl}/${connection}/mcp`, {
    requestInit: { headers: { authorization: `Bearer ${await hoop.grant([connection])}` } },
  });

describe.each([
  ['fetch', () => connect(`${origin}/mcp`, { fetch: hoop.fetch })],
  ['base URL', () => byBaseUrl('mcp')],
  ['base URL, answered in JSON', () => byBaseUrl('mcp-json')],
])('the MCP client by %s, under masking', (_way, start) => {
  test('connects, though its notifications are answered with 202 and nothing', async () => {
    const client = await start();
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['read', 'remove', 'count']);
    expect(arrivals).toContain('POST notifications/initialized 202');
    await client.close();
  });

  test('gets a result without what is masked', async () => {
    const client = await start();
    const { content } = await client.callTool({ name: 'read', arguments: { id: 'cus_1' } });
    expect(content).toEqual([{ type: 'text', text: expect.stringMatching(/^cus_1 is (?!ada@).+/) }]);
    expect(JSON.stringify(content)).not.toContain('ada@example.com');
    await client.close();
  });
});

describe.each([
  ['fetch', () => connect(`${origin}/mcp`, { fetch: hoop.fetch })],
  ['base URL', () => byBaseUrl('mcp')],
])('the MCP client by %s', (_way, start) => {
  test('sees progress while the tool is at work', async () => {
    const client = await start();
    const progress: number[] = [];
    const result = await client.callTool({ name: 'count', arguments: {} }, undefined, {
      onprogress: (step) => {
        progress.push(step.progress);
        // The tool ends only once its progress has arrived.
        goOn();
      },
    });
    expect([progress, result.content]).toEqual([[1], [{ type: 'text', text: 'counted' }]]);
    await client.close();
  });
});

test('the MCP client shows why a tool was denied, and the tool did not run', async () => {
  const client = await byBaseUrl('mcp-denied');
  const error = await client.callTool({ name: 'remove', arguments: {} }).then(
    () => expect.unreachable(),
    (thrown: unknown) => String(thrown),
  );
  expect(error).toContain(reason);
  expect(arrivals.filter((one) => one.includes('tools/call'))).toEqual([]);
  await client.close();
});

test('the MCP client calls a tool once where its answer is withheld, and says that it was sent', async () => {
  const client = await byBaseUrl('mcp-image');
  const error = await client.callTool({ name: 'remove', arguments: {} }).then(
    () => expect.unreachable(),
    (thrown: unknown) => String(thrown),
  );
  expect(error).toMatch(/was sent/);
  expect(arrivals.filter((one) => one.includes('tools/call'))).toEqual(['POST tools/call 200']);
  await client.close();
});
