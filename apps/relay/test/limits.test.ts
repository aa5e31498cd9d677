/** No caller takes what others need: each limit refuses its caller in words, with nothing sent, and leaves the rest alone. */
import http from 'node:http';

import type { ConnectionSnapshot, IdentitySnapshot, Rule } from '@hoop/contract';
import { errorKinds, newId } from '@hoop/contract';
import { startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { RelayLimits } from '../src/caller/limits.ts';
import { RawConnection } from './raw.ts';
import type { RawResponse } from './raw.ts';
import { World } from './world.ts';

const seesBody: Rule[] = [{ name: 'small', effect: 'allow', when: 'request.body.amount < 10' }];

let world: World;
let target: TestTarget;
let other: IdentitySnapshot;
let requests: string[];
/** Answers that the target keeps back. */
let held: http.ServerResponse[];
let wake: () => void;
const open: RawConnection[] = [];

beforeEach(async () => {
  requests = [];
  held = [];
  wake = () => undefined;
  target = await startTarget((req, res) => {
    requests.push(req.url!);
    req.resume();
    if (req.url!.startsWith('/hold')) held.push(res);
    else res.end('ok');
    wake();
  });
});
afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  for (const res of held) res.end('late');
  await world.close();
  await target.close();
});

async function startWorld(limits: Partial<RelayLimits>): Promise<void> {
  world = await World.start({ limits });
  other = { ...world.identity, id: newId('identity'), name: 'somebody-else' };
  await world.publish((snapshot) => snapshot.identities.push(other));
}

const connect = (settings: Parameters<World['connect']>[0]['settings'] = {}, rules?: Rule[]): Promise<ConnectionSnapshot> =>
  world.connect({ target: target.url, settings, identities: [world.identity.id, other.id], ...(rules ? { rules } : {}) });

async function untilHeld(count: number): Promise<void> {
  while (held.length < count) await new Promise<void>((resolve) => (wake = resolve));
}

function raw(bytes = ''): RawConnection {
  const one = new RawConnection(world.relay.url);
  if (bytes !== '') one.send(bytes);
  open.push(one);
  return one;
}

const request = (connection: ConnectionSnapshot, grant: string, rest: string, more = ''): string =>
  `GET /${connection.name}${rest} HTTP/1.1\r\nhost: x\r\nhoop-grant: ${grant}\r\n${more}\r\n`;
const post = (connection: ConnectionSnapshot, grant: string, length: number): string =>
  `POST /${connection.name}/x HTTP/1.1\r\nhost: x\r\nhoop-grant: ${grant}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

function expectRefusal(response: RawResponse, code: keyof typeof errorKinds, setting: string): void {
  expect({ status: response.status, code: response.headers['hoop-error'] }).toEqual({ status: errorKinds[code].status, code });
  expect(response.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  expect(response.headers['hoop-sent']).toBeUndefined();
  const { detail } = JSON.parse(response.body) as { detail: string };
  expect(detail).toContain(setting);
  expect(detail).toContain('Nothing was sent');
}

async function refused(response: Response, code: keyof typeof errorKinds, setting: string): Promise<void> {
  expectRefusal({ status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }, code, setting);
}

const asOther = async (connection: ConnectionSnapshot): Promise<Record<string, string>> => ({
  'hoop-grant': await world.grant([connection], { sub: other.id }),
});

describe('calls in flight', () => {
  it('of one identity are half of what is free, whatever it holds; another identity is served', async () => {
    await startWorld({ maxCalls: 4, maxCallsPerIdentity: 4, maxCallsPerAddress: 4 });
    const mine = await connect();
    const theirs = await connect();
    const parked = [world.call(mine, '/hold'), world.call(mine, '/hold')];
    await untilHeld(2);
    await refused(await world.call(mine, '/more'), 'caller_overloaded', 'HOOP_MAX_CALLS_PER_IDENTITY');
    expect(requests).toEqual(['/hold', '/hold']);
    const response = await world.call(theirs, '/theirs', { headers: await asOther(theirs) });
    expect(await response.text()).toBe('ok');
    for (const res of held.splice(0)) res.end('late');
    for (const call of parked) expect(await (await call).text()).toBe('late');
    expect(await (await world.call(mine, '/again')).text()).toBe('ok');
  });

  it('of one identity have a limit of their own', async () => {
    await startWorld({ maxCallsPerIdentity: 1 });
    const connection = await connect();
    void world.call(connection, '/hold').catch(() => undefined);
    await untilHeld(1);
    const response = await world.call(connection, '/more');
    const callId = response.headers.get('hoop-call');
    await refused(response, 'caller_overloaded', 'HOOP_MAX_CALLS_PER_IDENTITY');
    expect(await world.record(callId)).toMatchObject({ outcome: { state: 'refused', error: 'caller_overloaded' }, intent: null });
    expect((await world.call(connection, '/theirs', { headers: await asOther(connection) })).status).toBe(200);
  });

  it('of one connection have a limit, whoever calls; another connection is served', async () => {
    await startWorld({});
    const narrow = await connect({ limits: { maxCalls: 1 } });
    void world.call(narrow, '/hold').catch(() => undefined);
    await untilHeld(1);
    await refused(await world.call(narrow, '/x', { headers: await asOther(narrow) }), 'connection_overloaded', 'limits.maxCalls');
    const wide = await connect();
    expect((await world.call(wide, '/x')).status).toBe(200);
  });

  it('of all together are refused above the total, with nothing sent', async () => {
    await startWorld({ maxCalls: 1, maxCallsPerIdentity: 9, maxCallsPerAddress: 9 });
    const connection = await connect();
    void world.call(connection, '/hold').catch(() => undefined);
    await untilHeld(1);
    await refused(await world.call(connection, '/x', { headers: await asOther(connection) }), 'relay_overloaded', 'HOOP_MAX_CALLS');
    expect(requests).toEqual(['/hold']);
  });

  it('of strangers at one address have a limit; those who are known there are served', async () => {
    await startWorld({ maxCallsPerAddress: 1 });
    const issuer = await startHangingIssuer();
    await world.publish((snapshot) => {
      snapshot.providers[0]!.settings = { ...(snapshot.providers[0]!.settings as object), issuer: issuer.url } as never;
    });
    const connection = await connect();
    const token = providerToken(issuer.url);
    const headers = { authorization: `Bearer ${token}`, 'hoop-grant': '' };
    const knownGrant = await world.grant([connection]);
    const known = raw(request(connection, knownGrant, '/first'));
    await known.response();
    const asStranger = `GET /${connection.name}/x HTTP/1.1\r\nhost: x\r\nauthorization: ${headers.authorization}\r\n\r\n`;
    raw(asStranger);
    await issuer.asked;
    expectRefusal(await raw(asStranger).response(), 'too_many_requests', 'HOOP_MAX_CALLS_PER_ADDRESS');
    known.send(request(connection, knownGrant, '/second'));
    await known.until((text) => text.split('HTTP/1.1 200').length === 3);
    issuer.close();
  });
});

const unfinished = 'GET /a HTTP/1.1\r\nhos';

/** Opens sockets that send so little, until the first is answered; a caller that comes after each is served. */
async function pushedOut(bytes: string): Promise<RawResponse> {
  const connection = await connect();
  const grant = await world.grant([connection]);
  const first = raw(bytes);
  while (first.text === '') {
    expect((await served(connection, grant)).status).toBe(200);
    raw(bytes);
  }
  return first.response();
}

async function served(connection: ConnectionSnapshot, grant: string): Promise<RawResponse> {
  const one = raw(request(connection, grant, '/newcomer', 'connection: close\r\n'));
  const response = await one.response();
  await one.closed();
  return response;
}

describe('sockets', () => {
  it('with an unfinished head: the oldest of an address is refused, and a newcomer is served', async () => {
    await startWorld({ maxHeadsPerAddress: 3 });
    const response = await pushedOut(unfinished);
    expectRefusal(response, 'too_many_requests', 'HOOP_MAX_HEADS_PER_ADDRESS');
    expect(await world.record(response.headers['hoop-call']!)).toMatchObject({ outcome: { error: 'too_many_requests' } });
  });

  it('with an unfinished head have a limit for all addresses together', async () => {
    await startWorld({ maxHeads: 3, maxHeadsPerAddress: 100 });
    expectRefusal(await pushedOut(unfinished), 'too_many_requests', 'HOOP_MAX_HEADS');
  });

  it('of one address that have authenticated nobody have a limit, which does not count those that have', async () => {
    await startWorld({ maxSocketsPerAddress: 3 });
    const connection = await connect();
    const grant = await world.grant([connection]);
    for (let i = 0; i < 4; i++) expect((await raw(request(connection, grant, '/known')).response()).status).toBe(200);
    const known = open.slice();
    expectRefusal(await pushedOut(''), 'too_many_requests', 'HOOP_MAX_SOCKETS_PER_ADDRESS');
    expect(known.filter((one) => one.isClosed)).toEqual([]);
  });

  it('of all together: the one that has waited longest for its head makes room', async () => {
    await startWorld({ maxSockets: 4, maxSocketsPerIdentity: 4, maxHeads: 100, maxHeadsPerAddress: 100, maxSocketsPerAddress: 100 });
    expectRefusal(await pushedOut(unfinished), 'relay_overloaded', 'HOOP_MAX_SOCKETS');
  });

  it('of one identity have a limit; another identity is served', async () => {
    await startWorld({ maxSocketsPerIdentity: 1 });
    const connection = await connect();
    const grant = await world.grant([connection]);
    expect((await raw(request(connection, grant, '/1')).response()).status).toBe(200);
    const second = raw(request(connection, grant, '/2'));
    expectRefusal(await second.response(), 'caller_overloaded', 'HOOP_MAX_SOCKETS_PER_IDENTITY');
    await second.closed();
    expect(requests).toEqual(['/1']);
    expect((await world.call(connection, '/3', { headers: await asOther(connection) })).status).toBe(200);
    open.shift()!.close();
    // The socket of the first is given back once the relay has seen its end.
    let status = 429;
    while (status === 429) {
      const again = raw(request(connection, grant, '/4'));
      status = (await again.response()).status;
    }
    expect(status).toBe(200);
  });
});

describe('a socket', () => {
  it('may have so many requests under way; the next is refused, and the socket is closed after its answers', async () => {
    await startWorld({ maxPipelined: 2 });
    const connection = await connect();
    const grant = await world.grant([connection]);
    const one = raw(request(connection, grant, '/hold'));
    await untilHeld(1);
    one.send(request(connection, grant, '/2') + request(connection, grant, '/3') + request(connection, grant, '/4'));
    await world.recorded(() => [...world.calls.values()].find((call) => call.outcome?.error === 'too_many_requests'));
    held.shift()!.end('first');
    const text = await one.closed();
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 429']);
    expect(text).toContain('HOOP_MAX_PIPELINED');
    expect(requests).toEqual(['/hold', '/2']);
  });
});

describe('a body that has to be seen', () => {
  it('counts for its identity while it is held, byte by byte; another identity is served', async () => {
    await startWorld({ maxHeldBytes: 100_000, maxHeldBytesPerIdentity: 20_000 });
    const connection = await connect({}, seesBody);
    const grant = await world.grant([connection]);
    const body = `{"amount":1,"x":"${'x'.repeat(15_000)}"}`;
    const slow = raw(post(connection, grant, body.length) + body.slice(0, -1));
    const refusal = await (async () => {
      // Whichever of the two arrives second is refused.
      const second = raw(post(connection, grant, body.length) + body.slice(0, -1));
      return Promise.race([slow.response(), second.response()]);
    })();
    expectRefusal(refusal, 'caller_overloaded', 'HOOP_MAX_HELD_BYTES_PER_IDENTITY');
    expect(requests).toEqual([]);
    const theirs = await world.call(connection, '/x', {
      method: 'POST',
      body,
      headers: { ...(await asOther(connection)), 'content-type': 'application/json' },
    });
    expect(theirs.status).toBe(200);
    const rest = open.find((one) => one.text === '')!;
    rest.send('}');
    expect((await rest.response()).status).toBe(200);
  });

  it('has a total time, however often a byte of it arrives', async () => {
    await startWorld({});
    const connection = await connect({ limits: { inspectTimeoutMs: 400, idleTimeoutMs: 300 } }, seesBody);
    const one = raw(post(connection, await world.grant([connection]), 1000));
    const dripping = setInterval(() => one.send(' '), 40);
    const response = await one.response().finally(() => clearInterval(dripping));
    expect({ status: response.status, code: response.headers['hoop-error'] }).toEqual({ status: 408, code: 'request_timeout' });
    expect(response.body).toContain('limits.inspectTimeoutMs');
    expect(requests).toEqual([]);
  });

  it('has a total time that is shorter than its gaps may be', async () => {
    await startWorld({});
    const connection = await connect({ limits: { inspectTimeoutMs: 100, idleTimeoutMs: 60_000 } }, seesBody);
    const response = await raw(post(connection, await world.grant([connection]), 1000)).response();
    expect(response.body).toContain('limits.inspectTimeoutMs');
  });
});

describe('sockets to a target', () => {
  it('are waited for within a limit, with nothing sent; the target that hangs keeps no other identity from it', async () => {
    await startWorld({});
    const connection = await connect({ limits: { maxSockets: 4, socketWaitMs: 100 } });
    const parked = [world.call(connection, '/hold'), world.call(connection, '/hold')];
    await untilHeld(2);
    const late = await world.call(connection, '/late');
    const callId = late.headers.get('hoop-call');
    await refused(late, 'target_busy', 'limits.socketWaitMs');
    expect(await world.record(callId)).toMatchObject({ outcome: { state: 'refused', error: 'target_busy' } });
    const theirs = await world.call(connection, '/theirs', { headers: await asOther(connection) });
    expect(theirs.status).toBe(200);
    expect(requests).toEqual(['/hold', '/hold', '/theirs']);
    for (const res of held.splice(0)) res.end('late');
    for (const call of parked) expect(await (await call).text()).toBe('late');
    expect((await world.call(connection, '/again')).status).toBe(200);
  });

  it('are given back by a call whose caller leaves, and by one that is revoked while it waits', async () => {
    await startWorld({});
    const connection = await connect({ limits: { maxSockets: 1, socketWaitMs: 60_000 } });
    const grant = await world.grant([connection]);
    const first = raw(request(connection, grant, '/hold'));
    await untilHeld(1);
    const waiting = world.call(connection, '/waiting');
    await world.recorded(() => [...world.calls.values()].find((call) => call.intent?.path === '/waiting'));
    first.close();
    expect(await (await waiting).text()).toBe('ok');
    const again = raw(request(connection, grant, '/hold'));
    await untilHeld(2);
    const revoked = world.call(connection, '/revoked');
    await world.recorded(() => [...world.calls.values()].find((call) => call.intent?.path === '/revoked'));
    await world.publish((snapshot) => {
      snapshot.connections[0]!.disabled = true;
    });
    expect((await revoked).headers.get('hoop-error')).toBe('call_revoked');
    await again.response();
    expect(requests).toEqual(['/hold', '/waiting', '/hold']);
  });
});

it('bodies that are kept for the record are so many bytes of one identity at a time; beyond, a record has their digest and beginning', async () => {
  await startWorld({ maxKeptBytesPerIdentity: 1000 });
  const connection = await connect();
  const send = async (headers: Record<string, string> = {}): Promise<{ keptBytes: number; truncated: boolean; bytes: number }> => {
    const response = await world.call(connection, '/x', { method: 'POST', body: 'x'.repeat(900), headers });
    const { outcome } = await world.record(response.headers.get('hoop-call'));
    const { keptBytes, truncated, bytes, digest } = outcome!.requestBody!;
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    return { keptBytes, truncated, bytes };
  };
  expect(await send()).toEqual({ keptBytes: 900, truncated: false, bytes: 900 });
  const parked = world.call(connection, '/hold', { method: 'POST', body: 'x'.repeat(900) });
  await untilHeld(1);
  expect(await send()).toEqual({ keptBytes: 0, truncated: true, bytes: 900 });
  expect(await send(await asOther(connection))).toEqual({ keptBytes: 900, truncated: false, bytes: 900 });
  held.shift()!.end();
  await (await parked).text();
  expect(await send()).toEqual({ keptBytes: 900, truncated: false, bytes: 900 });
});

it('refusals of a known caller above a rate become a few records that count the rest', async () => {
  await startWorld({ maxRefusalsPerSecond: 5 });
  const connection = await connect({}, [{ name: 'nobody', effect: 'deny' }]);
  const grant = await world.grant([connection]);
  const headers = { 'hoop-grant': grant };
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => world.call(connection, '/x', { headers }).then((answer) => answer.status)),
  );
  expect(answers.every((status) => status === 403)).toBe(true);
  const { records } = await world.recorded(() => {
    const denied = [...world.calls.values()].filter((call) => call.outcome?.error === 'policy_denied');
    const counted = denied.reduce((sum, call) => sum + 1 + call.repeats, 0);
    return counted === 200 ? { records: denied.length } : undefined;
  });
  expect(records).toBeLessThan(100);
});

/** Takes the question for its keys and never answers. */
async function startHangingIssuer(): Promise<{ url: string; asked: Promise<void>; close(): void }> {
  const asked = Promise.withResolvers<void>();
  const issuer = await startTarget(() => asked.resolve());
  return { url: issuer.url, asked: asked.promise, close: () => void issuer.close() };
}

function providerToken(issuer: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: 'ES256', kid: 'k', typ: 'JWT' })}.${part({ iss: issuer, aud: 'hoop', sub: 's', iat: now, exp: now + 60 })}.${'A'.repeat(86)}`;
}
