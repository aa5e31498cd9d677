/** TLS of the relay's own listeners. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';

import type { ConnectionSnapshot } from '@hoop/contract';
import { createTestAuthority, startTarget } from '@hoop/testkit';
import type { ServerCertificate, TestAuthority, TestTarget } from '@hoop/testkit';
import { fetch, ProxyAgent } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { authority, basic, startProxyWorld } from './proxy-world.ts';
import type { World } from './world.ts';

let folder: string;
let listener: TestAuthority;
let target: TestTarget;
let world: World;
let connection: ConnectionSnapshot;
const files = (): { certificateFile: string; keyFile: string } => ({
  certificateFile: path.join(folder, 'tls.crt'),
  keyFile: path.join(folder, 'tls.key'),
});

/** As cert-manager does it: whole files that take the place of others. */
async function put({ cert, key }: ServerCertificate): Promise<void> {
  for (const [file, text] of [
    [files().keyFile, key],
    [files().certificateFile, cert],
  ] as const) {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  }
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hoop-tls-'));
  listener = await createTestAuthority();
  target = await startTarget((req, res) => void res.end(`${req.url} ${req.headers.authorization}`), { tls: true });
  await put(await listener.issue(['localhost', '127.0.0.1']));
  world = await startProxyWorld({ tls: files(), targetCa: target.ca! });
  // The tests' own way to ask the relay whether it has a revision.
  connection = await connect(world);
});
afterAll(async () => {
  await world?.close();
  await target?.close();
  await rm(folder, { recursive: true });
});

/** `World.publish` asks in plain HTTP; here the relay's own answer to a call says that it has the revision. */
async function connect(to: World): Promise<ConnectionSnapshot> {
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  try {
    return await to.connect({ target: target.url });
  } finally {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly certificate: string;
}

async function ask(options: https.RequestOptions = {}, to = world): Promise<Answer> {
  const grant = await to.grant([connection]);
  return new Promise((resolve, reject) => {
    const request = https.get(
      `${to.relay.url}/${connection.name}/x`,
      { ca: listener.ca, agent: false, headers: { 'hoop-grant': grant }, ...options },
      (res) => {
        const { serialNumber } = (res.socket as tls.TLSSocket).getPeerCertificate();
        let text = '';
        res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        res.on('end', () => resolve({ status: res.statusCode!, text, certificate: serialNumber }));
      },
    );
    request.on('error', reject);
  });
}

describe('with TLS', () => {
  it('both listeners speak it, and a call goes through either', async () => {
    expect(world.relay.url).toMatch(/^https:/);
    expect(await ask()).toMatchObject({ status: 200, text: expect.stringMatching(/^\/x Bearer (?!test-secret)/) });
    const agent = new ProxyAgent({
      uri: world.relay.proxyUrl!.replace('127.0.0.1', 'localhost'),
      token: basic('x', await world.grant([connection])),
      proxyTls: { ca: listener.ca },
      requestTls: { ca: authority.certificate },
    });
    const response = await fetch(`${target.url}/proxied`, { dispatcher: agent });
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/^\/proxied Bearer (?!test-secret)/);
    await world.record(response.headers.get('hoop-call'));
    await agent.destroy();
  });

  it('asks for a token on a connection that stays open, inside of TLS too', async () => {
    const { port } = new URL(world.relay.proxyUrl!);
    const socket = tls.connect({ port: Number(port), ca: listener.ca, servername: 'localhost' });
    const { host } = new URL(target.url);
    const heads: string[] = [];
    const next = (): Promise<string> =>
      new Promise((resolve, reject) => {
        socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1')));
        socket.once('close', () => reject(new Error('closed')));
      });
    socket.write(`CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    heads.push(await next());
    socket.write(`CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\nproxy-authorization: ${basic('', await world.grant([connection]))}\r\n\r\n`);
    heads.push(await next());
    expect(heads.map((head) => head.slice(9, 12))).toEqual(['407', '200']);
    socket.destroy();
  });

  it('takes a certificate that is put in place of the old one, and goes on with the old where that cannot be used', async () => {
    const first = (await ask()).certificate;
    await put(await listener.issue(['localhost', '127.0.0.1']));
    await expect.poll(async () => (await ask()).certificate).not.toBe(first);
    const second = (await ask()).certificate;
    await put({ cert: 'nonsense', key: 'nonsense' });
    await expect.poll(() => world.log.join('')).toContain('tls_files_unusable');
    expect((await ask()).certificate).toBe(second);
    expect(world.log.join('')).not.toContain('nonsense');
    await put(await listener.issue(['localhost', '127.0.0.1']));
    await expect.poll(async () => (await ask()).certificate).not.toBe(second);
  });

  it('gives no answer in the clear', async () => {
    const { port } = new URL(world.relay.url);
    const socket = net.connect({ port: Number(port) });
    socket.write('GET /-/healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    let got = '';
    socket.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')));
    await new Promise((resolve) => socket.on('close', resolve).on('error', () => undefined));
    expect(got).not.toContain('HTTP/1.1');
  });

  it('does not start with files that are none, and says which', async () => {
    await expect(startProxyWorld({ tls: { ...files(), keyFile: '/nowhere' } })).rejects.toThrow(
      'The TLS file /nowhere cannot be read (ENOENT).',
    );
  });
});

describe('with client certificates', () => {
  it('nobody gets as far as HTTP without one', async () => {
    const clients = await createTestAuthority();
    const clientCaFile = path.join(folder, 'clients.pem');
    await writeFile(clientCaFile, clients.ca);
    const strict = await startProxyWorld({ tls: { ...files(), clientCaFile }, targetCa: target.ca! });
    try {
      const { cert, key } = await clients.issue(['a-client'], undefined, 'client');
      const health = (options: https.RequestOptions): Promise<number | string> =>
        new Promise((resolve) => {
          const request = https.get(`${strict.relay.url}/-/healthz`, { ca: listener.ca, agent: false, ...options }, (res) =>
            resolve(res.resume().statusCode!),
          );
          request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
        });
      expect(await health({ cert, key })).toBe(200);
      expect(await health({})).not.toBe(200);
      const stranger = await (await createTestAuthority()).issue(['a-client'], undefined, 'client');
      expect(await health({ cert: stranger.cert, key: stranger.key })).not.toBe(200);
    } finally {
      await strict.close();
    }
  });
});

describe('a client that does not finish its handshake', () => {
  it('takes none of what others need: the one that has waited longest goes', async () => {
    const small = await startProxyWorld({ tls: files(), targetCa: target.ca!, limits: { maxHeadsPerAddress: 4 } });
    try {
      const { port } = new URL(small.relay.url);
      const idle: net.Socket[] = [];
      let closed = 0;
      for (let i = 0; i < 10; i++) {
        const socket = net.connect({ port: Number(port) });
        socket.on('error', () => undefined).on('close', () => closed++);
        await new Promise((resolve) => socket.once('connect', resolve));
        idle.push(socket);
      }
      await expect.poll(() => closed).toBeGreaterThanOrEqual(6);
      for (const socket of idle) socket.destroy();
    } finally {
      await small.close();
    }
  });
});
