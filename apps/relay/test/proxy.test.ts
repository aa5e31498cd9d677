/** The forward proxy: the same ten steps for clients that know nothing of Hoop. */
import { AppError } from '@hoop/contract';
import type { ConnectionSnapshot } from '@hoop/contract';
import { startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { fetch } from 'undici';
import type { ProxyAgent } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { basic, proxied, ProxyClient, proxyUrl, startProxyWorld } from './proxy-world.ts';
import { staticCredential } from './world.ts';
import type { World } from './world.ts';

const secret = 'sk_live_of_the_target_0123456789';

let world: World;
let secure: TestTarget;
let plain: TestTarget;
let any: ConnectionSnapshot;
/** What the targets got. */
let got: { url: string; headers: Record<string, string | string[] | undefined> }[] = [];
const clients: ProxyClient[] = [];
const agents: ProxyAgent[] = [];

beforeAll(async () => {
  const serve: Parameters<typeof startTarget>[0] = (req, res) => {
    got.push({ url: req.url!, headers: req.headers });
    if (req.url!.endsWith('/moved')) {
      res.writeHead(302, { location: 'https://elsewhere.example/x' }).end();
      return;
    }
    let body = '';
    req.setEncoding('utf8');
    req.on('data', (chunk: string) => (body += chunk));
    req.on('end', () => {
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ url: req.url, body, email: 'ann@example.com', echoed: req.headers.authorization }));
    });
  };
  secure = await startTarget(serve, { tls: true });
  plain = await startTarget(serve);
  world = await startProxyWorld({ targetCa: secure.ca! });
  any = await world.connect({ target: 'https://any.example', name: 'any' });
});
beforeEach(() => {
  got = [];
});
afterAll(async () => {
  for (const client of clients) client.close();
  await Promise.all(agents.map((agent) => agent.destroy()));
  await world.close();
  await secure.close();
  await plain.close();
});

async function client(): Promise<ProxyClient> {
  const one = await ProxyClient.to(world);
  clients.push(one);
  return one;
}

function agent(grant: string | null, user?: string): ProxyAgent {
  const one = proxied(world, grant, user);
  agents.push(one);
  return one;
}

const host = (target: TestTarget): string => new URL(target.url).host;

const withSecret = (settings: Parameters<World['connect']>[0]): Promise<ConnectionSnapshot> =>
  world.connect({ credential: staticCredential(secret), ...settings });

/** Other tests' connections are for the same targets. */
async function alone(...connections: ConnectionSnapshot[]): Promise<void> {
  await world.publish((snapshot) => {
    snapshot.connections = snapshot.connections.filter(({ id }) => connections.some((one) => one.id === id));
    snapshot.full = true;
  });
}

describe('a request through CONNECT', () => {
  it("is a call: decided, with the credential injected, masked and recorded, and the client's own key is gone", async () => {
    const connection = await withSecret({ target: secure.url, mask: [{ path: '$..email', action: 'redact' }] });
    await alone(connection);
    const response = await fetch(`${secure.url}/v1/customers?page=2`, {
      method: 'POST',
      body: 'hello',
      headers: { authorization: 'Bearer dummy-key-of-the-client', 'content-type': 'text/plain' },
      dispatcher: agent(await world.grant([connection])),
    });
    expect(response.status).toBe(200);
    const answer = (await response.json()) as Record<string, unknown>;
    expect(answer).toMatchObject({ url: '/v1/customers?page=2', body: 'hello' });
    expect(answer['email']).not.toContain('ann@');
    expect(JSON.stringify(answer)).not.toContain(secret);
    expect(got[0]!.headers).toMatchObject({ authorization: `Bearer ${secret}`, host: host(secure) });
    expect(got[0]!.headers).not.toHaveProperty('proxy-authorization');

    const record = await world.record(response.headers.get('hoop-call'));
    expect(record.head).toMatchObject({
      connectionId: connection.id,
      method: 'POST',
      url: `${secure.url}/v1/customers?page=2`,
      path: '/v1/customers',
      subject: { identityId: world.identity.id },
    });
    expect(record.outcome).toMatchObject({ state: 'completed', status: 200 });
    expect(record.head!.requestHeaders.map(([name]) => name)).not.toContain('authorization');
    expect(JSON.stringify([...world.calls.values(), ...world.jobs])).not.toContain('dummy-key-of-the-client');
  });

  it('that the policy denies gets the problem document inside of TLS', async () => {
    const connection = await withSecret({ target: secure.url, rules: [{ name: 'reads', effect: 'allow', match: { methods: ['GET'] } }] });
    await alone(connection);
    const response = await fetch(`${secure.url}/v1/x`, { method: 'DELETE', dispatcher: agent(await world.grant([connection])) });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'policy_denied' });
    expect(got).toEqual([]);
    expect((await world.record(response.headers.get('hoop-call'))).outcome).toMatchObject({ state: 'refused', error: 'policy_denied' });
  });

  it('passes redirects on as they are, as what the client follows comes through the proxy too', async () => {
    const connection = await withSecret({ target: secure.url });
    await alone(connection);
    const response = await fetch(`${secure.url}/moved`, { redirect: 'manual', dispatcher: agent(await world.grant([connection])) });
    expect([response.status, response.headers.get('location')]).toEqual([302, 'https://elsewhere.example/x']);
  });

  it('uses one connection for many calls, each recorded', async () => {
    const connection = await withSecret({ target: secure.url });
    await alone(connection);
    const one = await client();
    await one.connect(host(secure), await world.grant([connection]));
    await one.secure({ servername: 'localhost' });
    const ids = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const response = await one.send(`GET /v1/${i} HTTP/1.1\r\nhost: ${host(secure)}\r\n\r\n`).response();
      expect(response.status).toBe(200);
      ids.add(response.headers['hoop-call']!);
    }
    expect(ids.size).toBe(5);
    for (const id of ids) expect((await world.record(id)).outcome).toMatchObject({ state: 'completed' });
  });

  it('may be plain HTTP, as for ws and http URLs some clients do', async () => {
    const connection = await withSecret({ target: plain.url });
    await alone(connection);
    const one = await client();
    await one.connect(host(plain), await world.grant([connection]));
    const response = await one.send(`GET /inside HTTP/1.1\r\nhost: ${host(plain)}\r\n\r\n`).response();
    expect([response.status, got[0]!.url]).toEqual([200, '/inside']);
  });
});

describe('a request line with the whole URL', () => {
  it('is a call, without a token in what the target gets or the record has', async () => {
    const connection = await withSecret({ target: plain.url });
    await alone(connection);
    const grant = await world.grant([connection]);
    const one = await client();
    one.send(
      `GET ${plain.url}/v1/items HTTP/1.1\r\nhost: ${host(plain)}\r\nproxy-authorization: ${basic('x', grant)}\r\nproxy-connection: keep-alive\r\n\r\n`,
    );
    const response = await one.response();
    expect(response.status).toBe(200);
    expect(got[0]!.url).toBe('/v1/items');
    expect(Object.keys(got[0]!.headers).filter((name) => name.startsWith('proxy-'))).toEqual([]);
    await world.record(response.headers['hoop-call']!);
    expect(JSON.stringify([...world.calls.values(), ...world.jobs, ...world.log])).not.toContain(grant.split('.')[2]);
  });

  it('takes the token as a bearer, too', async () => {
    const connection = await withSecret({ target: plain.url });
    await alone(connection);
    const one = await client();
    one.send(
      `GET ${plain.url}/ HTTP/1.1\r\nhost: ${host(plain)}\r\nproxy-authorization: Bearer ${await world.grant([connection])}\r\n\r\n`,
    );
    expect((await one.response()).status).toBe(200);
  });

  it.each([
    ['a path alone', 'GET /v1/x HTTP/1.1', 'relay', 'invalid_request'],
    ['another Host header than its own', 'GET http://one.example/ HTTP/1.1', 'two.example', 'ambiguous_request'],
    ['user info', 'GET http://u:p@one.example/ HTTP/1.1', 'one.example', 'invalid_request'],
    ['an address in another spelling', 'GET http://0x7f.1/ HTTP/1.1', '0x7f.1', 'invalid_request'],
    ['another scheme', 'GET ftp://one.example/ HTTP/1.1', 'one.example', 'invalid_request'],
  ])('is refused with %s', async (_what, line, hostHeader, code) => {
    const connection = await withSecret({ target: plain.url });
    const one = await client();
    const response = await one
      .send(`${line}\r\nhost: ${hostHeader}\r\nproxy-authorization: ${basic('', await world.grant([connection]))}\r\n\r\n`)
      .response();
    expect([response.status, (JSON.parse(response.body) as { code: string }).code]).toEqual([400, code]);
    expect((await world.record(response.headers['hoop-call']!)).outcome).toMatchObject({ state: 'refused', error: code });
  });
});

describe('the connection is found by the destination', () => {
  it('the longest base path wins, and the path of policy and record is the one under it', async () => {
    const root = await withSecret({ target: secure.url, name: 'whole-api' });
    const deep = await withSecret({ target: `${secure.url}/v2`, name: 'v2-api' });
    await alone(root, deep);
    const dispatcher = agent(await world.grant([root, deep]));
    const of = async (path: string): Promise<[string, string, string]> => {
      const response = await fetch(secure.url + path, { dispatcher });
      await response.text();
      const { head } = await world.record(response.headers.get('hoop-call'));
      return [head!.connectionName!, head!.path, got.at(-1)!.url];
    };
    expect(await of('/v2/items')).toEqual(['v2-api', '/items', '/v2/items']);
    expect(await of('/v2')).toEqual(['v2-api', '/', '/v2']);
    expect(await of('/v2/')).toEqual(['v2-api', '/', '/v2/']);
    expect(await of('/v2x')).toEqual(['whole-api', '/v2x', '/v2x']);
    expect(await of('/%762/items')).toEqual(['v2-api', '/items', '/v2/items']);
    expect(await of('/')).toEqual(['whole-api', '/', '/']);
  });

  it('the user name of the proxy chooses where several fit, and without it their names are told', async () => {
    const one = await withSecret({ target: secure.url, name: 'tenant-one' });
    const two = await withSecret({ target: secure.url, name: 'tenant-two' });
    await alone(one, two);
    const grant = await world.grant([one, two]);
    const refused = await fetch(`${secure.url}/x`, { dispatcher: agent(grant, 'nobody') });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'connection_ambiguous', connections: ['tenant-one', 'tenant-two'] });
    const chosen = await fetch(`${secure.url}/x`, { dispatcher: agent(grant, 'tenant-two') });
    expect((await world.record(chosen.headers.get('hoop-call'))).head!.connectionName).toBe('tenant-two');
    // A grant that is for one of them leaves nothing to choose.
    const only = await fetch(`${secure.url}/x`, { dispatcher: agent(await world.grant([one])) });
    expect((await world.record(only.headers.get('hoop-call'))).head!.connectionName).toBe('tenant-one');
  });

  it.each([
    ['a host that nobody registered', 'https://unregistered.example/x'],
    ['the relay itself', null],
    ['a private address', 'https://10.1.2.3/x'],
    ['the metadata service', 'https://169.254.169.254/latest/meta-data'],
    ['another port of a registered host', 'https://localhost:8443/x'],
  ])('%s is refused inside of TLS, in words, and nothing is dialled', async (_what, url) => {
    const connection = await withSecret({ target: secure.url });
    await alone(connection);
    const asked = url ?? world.relay.url.replace('http:', 'https:');
    const response = await fetch(asked, { dispatcher: agent(await world.grant([connection])) });
    expect(response.status).toBe(403);
    const problem = (await response.json()) as { code: string; detail: string };
    expect(problem.code).toBe('destination_unknown');
    expect(problem.detail).toContain(new URL(asked).origin);
    const { head, outcome } = await world.record(response.headers.get('hoop-call'));
    expect(head!.url).toBe(new URL(asked).href);
    expect(outcome).toMatchObject({ state: 'refused', error: 'destination_unknown' });
    expect(got).toEqual([]);
  });

  it('that of another identity looks exactly like one that does not exist', async () => {
    const connection = await withSecret({ target: secure.url, identities: [] });
    const own = await withSecret({ target: plain.url });
    await alone(connection, own);
    const dispatcher = agent(await world.grant([own, connection]));
    const hidden = (await (await fetch(`${secure.url}/x`, { dispatcher })).json()) as Record<string, unknown>;
    const missing = (await (await fetch('https://missing.example/x', { dispatcher })).json()) as Record<string, unknown>;
    const shape = ({ callId: _, requestId: __, ...rest }: Record<string, unknown>): string =>
      JSON.stringify(rest).replaceAll(secure.url, 'URL').replaceAll('https://missing.example', 'URL');
    expect(shape(hidden)).toBe(shape(missing));
  });
});

describe('who calls', () => {
  it('is asked for with 407 on a connection that stays open, as Java sends its password only then', async () => {
    const connection = await withSecret({ target: secure.url });
    await alone(connection);
    const one = await client();
    const first = await one.connect(host(secure), null);
    expect(first.status).toBe(407);
    expect(first.headers).toMatchObject({ 'proxy-authenticate': 'Basic realm="hoop"' });
    expect(JSON.parse(first.body)).toMatchObject({ code: 'token_missing', status: 407 });
    expect((await one.connect(host(secure), await world.grant([connection]))).status).toBe(200);
    await one.secure({ servername: 'localhost' });
    expect((await one.send(`GET /x HTTP/1.1\r\nhost: ${host(secure)}\r\n\r\n`).response()).status).toBe(200);
  });

  it('is asked for on requests with a whole URL, too', async () => {
    const one = await client();
    for (let i = 0; i < 2; i++) {
      const response = await one.send(`GET ${plain.url}/ HTTP/1.1\r\nhost: ${host(plain)}\r\n\r\n`).response();
      expect(response.status).toBe(407);
      expect(response.headers['proxy-authenticate']).toBe('Basic realm="hoop"');
    }
    expect(got).toEqual([]);
  });

  it.each([
    ['an expired grant', async () => world.grant([any], { iat: 1000, exp: 1300 }), 'token_expired'],
    [
      'a grant that was signed by somebody else',
      async () => `${(await world.grant([any])).slice(0, -8)}AAAAAAAA`,
      'token_signature_invalid',
    ],
    ['no token at all', async () => 'nonsense', 'token_malformed'],
  ])('%s is refused before any TLS, and recorded', async (_what, make, code) => {
    const one = await client();
    const response = await one.connect(host(secure), await make());
    expect([response.status, (JSON.parse(response.body) as { code: string }).code]).toEqual([407, code]);
    const { head, outcome } = await world.record(response.headers['hoop-call']!);
    expect(head).toMatchObject({ method: 'CONNECT', subject: { identityId: null } });
    expect(outcome).toMatchObject({ state: 'refused', error: code, status: 407 });
  });

  it('whose identity is disabled loses the connection that is open, and gets no other', async () => {
    const connection = await withSecret({ target: secure.url });
    await alone(connection);
    const grant = await world.grant([connection]);
    const one = await client();
    await one.connect(host(secure), grant);
    await one.secure({ servername: 'localhost' });
    expect((await one.send(`GET /x HTTP/1.1\r\nhost: ${host(secure)}\r\n\r\n`).response()).status).toBe(200);
    await world.publish((snapshot) => (snapshot.identities = snapshot.identities.map((each) => ({ ...each, disabled: true }))));
    const refused = await one.send(`GET /x HTTP/1.1\r\nhost: ${host(secure)}\r\n\r\n`).response();
    expect([refused.status, refused.headers['connection']]).toEqual([403, 'close']);
    expect((JSON.parse(refused.body) as { code: string }).code).toBe('identity_disabled');
    await one.closed();
    const next = await client();
    expect((await next.connect(host(secure), grant)).status).toBe(403);
    await world.publish((snapshot) => (snapshot.identities = snapshot.identities.map((each) => ({ ...each, disabled: false }))));
  });

  it('comes back on a new connection before the grant expires: the old one is ended between two calls', async () => {
    const connection = await withSecret({ target: secure.url });
    await alone(connection);
    const iat = Math.floor(Date.now() / 1000);
    // Of five minutes the last is the one in which no connection is used again.
    const one = await client();
    await one.connect(host(secure), await world.grant([connection], { iat: iat - 250, exp: iat + 50 }));
    await one.secure({ servername: 'localhost' });
    await one.closed();
    const busy = await client();
    await busy.connect(host(secure), await world.grant([connection], { iat: iat - 237, exp: iat + 63 }));
    await busy.secure({ servername: 'localhost' });
    const first = await busy.send(`GET /x HTTP/1.1\r\nhost: ${host(secure)}\r\n\r\n`).response();
    expect([first.status, first.headers['connection']]).toEqual([200, 'keep-alive']);
    await busy.closed();
  });
});

describe('what disagrees is refused', () => {
  async function inside(servername = 'localhost'): Promise<ProxyClient> {
    const connection = await withSecret({ target: secure.url });
    await alone(connection);
    const one = await client();
    await one.connect(host(secure), await world.grant([connection]));
    await one.secure({ servername, checkServerIdentity: () => undefined });
    return one;
  }

  it.each([
    ['another Host', (own: string) => `GET /x HTTP/1.1\r\nhost: other.example\r\nx-own: ${own}\r\n\r\n`],
    ['a Host with another port', () => 'GET /x HTTP/1.1\r\nhost: localhost:1\r\n\r\n'],
    ['two Hosts', (own: string) => `GET /x HTTP/1.1\r\nhost: ${own}\r\nhost: other.example\r\n\r\n`],
    ['no Host', () => 'GET /x HTTP/1.1\r\n\r\n'],
    ['a whole URL of another host', (own: string) => `GET https://other.example/x HTTP/1.1\r\nhost: ${own}\r\n\r\n`],
    ['a whole URL of another scheme', (own: string) => `GET http://${own}/x HTTP/1.1\r\nhost: ${own}\r\n\r\n`],
  ])('%s than the CONNECT request', async (_what, request) => {
    const one = await inside();
    const response = await one.send(request(host(secure))).response();
    expect([response.status, (JSON.parse(response.body) as { code: string }).code]).toEqual([400, 'ambiguous_request']);
    expect((await world.record(response.headers['hoop-call']!)).outcome).toMatchObject({ error: 'ambiguous_request' });
    expect(got).toEqual([]);
  });

  it('another name in TLS (SNI) than in the CONNECT request', async () => {
    const one = await inside('other.example');
    const response = await one.send(`GET /x HTTP/1.1\r\nhost: ${host(secure)}\r\n\r\n`).response();
    expect([response.status, (JSON.parse(response.body) as { code: string }).code]).toEqual([400, 'ambiguous_request']);
    expect(got).toEqual([]);
  });

  it('a tunnel inside of a tunnel', async () => {
    const one = await inside();
    const response = await one.send(`CONNECT other.example:443 HTTP/1.1\r\nhost: other.example:443\r\n\r\n`).response();
    expect(response.status).toBe(405);
  });

  it.each([
    ['a wildcard', '*.example:443'],
    ['a NUL', 'api.example\0.evil.example:443'],
    ['no port', 'api.example'],
    ['port 0', 'api.example:0'],
    ['a port that is none', 'api.example:65536'],
    ['a path', 'api.example:443/x'],
    ['user info', 'u@api.example:443'],
    ['an address in octal', '0177.0.0.1:443'],
    ['an address in one number', '2130706433:443'],
    ['a label that is too long', `${'a'.repeat(64)}.example:443`],
    ['an IPv4 address in IPv6', '[::ffff:127.0.0.1]:443'],
  ])('CONNECT to %s', async (_what, asked) => {
    const one = await client();
    const response = await one.connect(asked, await world.grant([any]));
    expect(response.status).toBe(400);
  });

  it('a CONNECT request with a body, or before earlier requests were answered', async () => {
    const one = await client();
    const response = await one.connect('localhost:443', await world.grant([any]), 'content-length: 5\r\n');
    expect(response.status).toBe(400);
  });
});

describe('the proxy port', () => {
  it('says whether it is alive, and gives the certificates to trust', async () => {
    expect(await (await globalThis.fetch(`${proxyUrl(world)}/-/healthz`)).text()).toBe('ok');
    const response = await globalThis.fetch(`${proxyUrl(world)}/-/ca.pem`);
    expect(response.headers.get('content-type')).toBe('application/x-pem-file');
    expect(await response.text()).toContain('BEGIN CERTIFICATE');
  });

  it('does not start where the key is not that of the certificate', async () => {
    const { generateAuthority } = await import('@hoop/certificates');
    const [one, other] = [await generateAuthority(Date.now()), await generateAuthority(Date.now())];
    const proxy = { host: '127.0.0.1', port: 0, certificates: one.certificate, key: other.key };
    await expect(startProxyWorld({ proxy })).rejects.toThrow(/belongs to its key/);
    expect(new AppError('destination_unknown', 'x').status).toBe(403);
  });
});
