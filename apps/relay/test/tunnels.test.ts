/** Tunnels to hosts that no connection is for: not looked into, and everything else as for any call. */
import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';

import type { ConnectionSnapshot, Unmanaged } from '@hoop/contract';
import { mayTunnel, nothingUnmanaged } from '@hoop/contract';
import { startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ProxyClient, startProxyWorld } from './proxy-world.ts';
import type { World } from './world.ts';

let world: World;
let secure: TestTarget;
/** Answers each line with itself; it is no HTTP server at all. */
let echo: net.Server;
let echoHost: string;
let connection: ConnectionSnapshot;
const clients: ProxyClient[] = [];
let connections = 0;

beforeAll(async () => {
  secure = await startTarget((_req, res) => void res.end('seen by nobody'), { tls: true });
  echo = net.createServer((socket) => {
    connections++;
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  echoHost = `127.0.0.1:${(echo.address() as AddressInfo).port}`;
  world = await startProxyWorld();
  connection = await world.connect({ target: 'https://api.example' });
});
afterAll(async () => {
  for (const client of clients) client.close();
  await world.close();
  echo.close();
  await secure.close();
});

async function allow(unmanaged: Unmanaged): Promise<void> {
  await world.publish((snapshot) => (snapshot.identities = snapshot.identities.map((one) => ({ ...one, unmanaged }))));
}

const tunnelsTo = (...hosts: string[]): Unmanaged => ({ mode: 'tunnel', hosts, allowedCidrs: ['127.0.0.0/8'] });

async function client(): Promise<ProxyClient> {
  const one = await ProxyClient.to(world);
  clients.push(one);
  return one;
}

/** The record of the only tunnel there. */
const recordOf = async (host: string, isComplete: (call: { outcome: unknown }) => boolean = ({ outcome }) => outcome !== null) =>
  world.recorded(() => [...world.calls.values()].find((call) => call.head?.url === `tcp://${host}` && isComplete(call)));

describe('an identity that may have a tunnel', () => {
  it('gets the host’s own TLS, and the record says who, where, when and how many bytes each way', async () => {
    const host = new URL(secure.url).host;
    await allow(tunnelsTo(host));
    const one = await client();
    expect((await one.connect(host, await world.grant([connection]))).status).toBe(200);
    // The host's certificate, and not one of ours.
    const tls = await one.secure({ ca: secure.ca!, servername: 'localhost' });
    const response = await one.send(`GET /x HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`).response();
    expect([response.status, response.headers['hoop-call']]).toEqual([200, undefined]);
    tls.end();
    const { head, intent, outcome } = await recordOf(host);
    expect(intent).not.toBeNull();
    expect(head).toMatchObject({
      method: 'CONNECT',
      subject: { identityId: world.identity.id },
      connectionId: null,
      decision: { effect: 'allow' },
      requestHeaders: [['host', host]],
    });
    expect(outcome).toMatchObject({ state: 'completed', status: 200, error: null, targetAddress: '127.0.0.1' });
    expect(outcome!.requestBody!.bytes).toBeGreaterThan(300);
    expect(outcome!.responseBody!.bytes).toBeGreaterThan(500);
    expect(outcome!.requestBody).toMatchObject({ sealed: null, digest: null });
    expect(JSON.stringify(world.jobs)).not.toContain('seen by nobody');
  });

  it('may send behind CONNECT at once, and counts to the byte', async () => {
    await allow(tunnelsTo(echoHost));
    const one = await client();
    const grant = await world.grant([connection]);
    one.send(`CONNECT ${echoHost} HTTP/1.1\r\nhost: ${echoHost}\r\nproxy-authorization: Bearer ${grant}\r\n\r\nfirst`);
    await expect.poll(() => one.received.toString()).toMatch(/first$/);
    one.send(' and second');
    await expect.poll(() => one.received.toString()).toMatch(/first and second$/);
    one.close();
    const { outcome } = await recordOf(echoHost);
    expect([outcome!.requestBody!.bytes, outcome!.responseBody!.bytes]).toEqual([16, 16]);
    world.calls.clear();
  });

  it('has its intent durable before anything is dialled', async () => {
    await allow(tunnelsTo(echoHost));
    const before = connections;
    world.queueGate.freeze();
    const one = await client();
    const opening = one.connect(echoHost, await world.grant([connection]));
    // The relay has had many turns by then.
    for (let i = 0; i < 50; i++) await (await fetch(`${world.relay.url}/-/healthz`)).text();
    expect(connections).toBe(before);
    await world.queueGate.restore();
    expect((await opening).status).toBe(200);
    expect(connections).toBe(before + 1);
    one.close();
    await recordOf(echoHost);
    world.calls.clear();
  });

  it.each([
    ['the identity is disabled', (w: World) => w.publish((s) => (s.identities = s.identities.map((one) => ({ ...one, disabled: true }))))],
    ['it may have no tunnels any more', () => allow(nothingUnmanaged)],
    ['it may have other tunnels', () => allow(tunnelsTo('other.example'))],
  ])('loses it when %s', async (_why, change) => {
    await allow(tunnelsTo(echoHost));
    const one = await client();
    await one.connect(echoHost, await world.grant([connection]));
    one.send('hello');
    await expect.poll(() => one.received.toString()).toContain('hello');
    await change(world);
    await one.closed();
    expect((await recordOf(echoHost)).outcome).toMatchObject({ state: 'failed', error: 'call_revoked', requestBody: { bytes: 5 } });
    world.calls.clear();
    await world.publish((s) => (s.identities = s.identities.map((each) => ({ ...each, disabled: false }))));
  });

  it('does not reach addresses that it may not, whatever they are called', async () => {
    await allow({ mode: 'tunnel', hosts: ['*', `*:${echoHost.split(':')[1]!}`], allowedCidrs: [] });
    const port = echoHost.split(':')[1]!;
    for (const host of [echoHost, `localhost:${port}`, '169.254.169.254:443', '10.0.0.1:443', '[::1]:443']) {
      const one = await client();
      const response = await one.connect(host, await world.grant([connection]));
      expect([host, response.status, (JSON.parse(response.body) as { code: string }).code]).toEqual([host, 502, 'target_address_refused']);
      expect((await world.record(response.headers['hoop-call']!)).outcome).toMatchObject({
        state: 'refused',
        error: 'target_address_refused',
      });
    }
  });

  it('is told where the host cannot be reached', async () => {
    const gone = net.createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const host = `127.0.0.1:${(gone.address() as AddressInfo).port}`;
    gone.close();
    await once(gone, 'close');
    await allow(tunnelsTo(host));
    const one = await client();
    const response = await one.connect(host, await world.grant([connection]));
    expect([response.status, (JSON.parse(response.body) as { code: string }).code]).toEqual([502, 'target_unreachable']);
  });

  it('goes through the policy wherever a connection of its own is for the host', async () => {
    const managed = await world.connect({ target: `http://${echoHost}/v1`, rules: [{ name: 'none', effect: 'deny' }] });
    await allow(tunnelsTo('*', echoHost));
    const one = await client();
    await one.connect(echoHost, await world.grant([connection, managed]));
    const response = await one.send(`GET /v1/x HTTP/1.1\r\nhost: ${echoHost}\r\n\r\n`).response();
    expect([response.status, (JSON.parse(response.body) as { code: string }).code]).toEqual([403, 'policy_denied']);
  });
});

describe('where tunnels may go', () => {
  it.each<[string, string, number, boolean]>([
    ['api.example', 'api.example', 443, true],
    ['api.example', 'api.example', 8443, false],
    ['api.example:8443', 'api.example', 8443, true],
    ['api.example:8443', 'api.example', 443, false],
    ['*.example', 'api.example', 443, true],
    ['*.example', 'a.b.example', 443, true],
    ['*.example', 'example', 443, false],
    ['*.example', 'notexample', 443, false],
    ['*.example', '.example', 443, false],
    ['*', 'anything.test', 443, true],
    ['*', 'anything.test', 22, false],
    ['*:22', 'anything.test', 22, true],
    ['[2001:db8::1]', '[2001:db8::1]', 443, true],
    ['[2001:db8::1]:8443', '[2001:db8::1]', 8443, true],
    ['[2001:db8::1]', '[2001:db8::2]', 443, false],
  ])('%s: %s:%i %s', (pattern, host, port, isAllowed) => {
    expect(mayTunnel({ mode: 'tunnel', hosts: [pattern], allowedCidrs: [] }, host, port)).toBe(isAllowed);
    expect(mayTunnel({ mode: 'deny', hosts: [pattern], allowedCidrs: [] }, host, port)).toBe(false);
  });
});
