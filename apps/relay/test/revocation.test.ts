/** Revocations act at once, on calls in flight too; a relay without news refuses. */
import { newId } from '@hoop/contract';
import type { ConnectionSnapshot, Snapshot } from '@hoop/contract';
import { startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { World } from './world.ts';

let world: World;
let target: TestTarget;
/** Told when the target has a request that it will not answer. */
let onHanging = (): void => undefined;

beforeAll(async () => {
  world = await World.start();
  target = await startTarget((req, res) => {
    if (req.url === '/stream') res.write('first');
    else if (req.url === '/hang') onHanging();
    else res.end('ok');
  });
});
afterAll(async () => {
  await target?.close();
  await world?.close();
});

type Change = (snapshot: Snapshot, connection: ConnectionSnapshot, jti: string) => void;

const connectionIn = (snapshot: Snapshot, { id }: ConnectionSnapshot): ConnectionSnapshot =>
  snapshot.connections.find((one) => one.id === id)!;

const cases: [what: string, code: string, status: number, take: Change, giveBack: Change][] = [
  [
    'a disabled identity',
    'identity_disabled',
    403,
    (snapshot) => void (snapshot.identities[0]!.disabled = true),
    (snapshot) => void (snapshot.identities[0]!.disabled = false),
  ],
  [
    'a removed identity',
    'token_revoked',
    401,
    (snapshot) => void (snapshot.identities = []),
    (snapshot) => void (snapshot.identities = [world.identity]),
  ],
  [
    'a disabled identity provider',
    'provider_disabled',
    403,
    (snapshot) => void (snapshot.providers[0]!.disabled = true),
    (snapshot) => void (snapshot.providers[0]!.disabled = false),
  ],
  [
    'a disabled connection',
    'connection_unknown',
    404,
    (snapshot, one) => void (connectionIn(snapshot, one).disabled = true),
    (snapshot, one) => void (connectionIn(snapshot, one).disabled = false),
  ],
  [
    'a removed connection',
    'connection_unknown',
    404,
    (snapshot, one) => void (snapshot.connections = snapshot.connections.filter(({ id }) => id !== one.id)),
    () => undefined,
  ],
  [
    'a connection that is taken from the identity',
    'connection_unknown',
    404,
    (snapshot, one) => void (connectionIn(snapshot, one).identityIds = []),
    (snapshot, one) => void (connectionIn(snapshot, one).identityIds = [world.identity.id]),
  ],
  [
    'a revoked grant',
    'token_revoked',
    401,
    (snapshot, _one, jti) => void snapshot.revokedGrants.push({ jti, exp: Math.floor(Date.now() / 1000) + 300 }),
    () => undefined,
  ],
  [
    'all grants of an identity',
    'token_revoked',
    401,
    (snapshot) => void (snapshot.identities[0]!.grantsNotBefore = Math.floor(Date.now() / 1000) + 1),
    (snapshot) => void (snapshot.identities[0]!.grantsNotBefore = 0),
  ],
];

describe.each(cases)('%s', (_what, code, status, take, giveBack) => {
  it('is refused at once, and cuts calls in flight', async () => {
    const connection = await world.connect({ target: target.url });
    const jti = newId('grant');
    const grant = await world.grant([connection], { jti });
    const call = (path: string) => world.call(connection, path, { headers: { 'hoop-grant': grant } });
    expect((await call('/x')).status).toBe(200);
    const streaming = await call('/stream');
    const reader = streaming.body!.getReader();
    await reader.read();
    const arrived = new Promise<void>((resolve) => (onHanging = resolve));
    const hanging = call('/hang');
    // A call that is refused never arrives.
    expect(await Promise.race([arrived, hanging.then((response) => response.status)])).toBeUndefined();

    const rest = reader.read().then(
      () => 'a clean end',
      () => 'a cut',
    );
    await world.publish((snapshot) => take(snapshot, connection, jti));
    // The target would go on with both for ever.
    expect(await rest).toBe('a cut');
    const revoked = await hanging;
    expect({ status: revoked.status, code: revoked.headers.get('hoop-error') }).toEqual({ status: 400, code: 'call_revoked' });
    expect((await world.record(revoked.headers.get('hoop-call'))).outcome).toMatchObject({ state: 'failed', error: 'call_revoked' });
    expect((await world.record(streaming.headers.get('hoop-call'))).outcome).toMatchObject({
      state: 'failed',
      error: 'call_revoked',
      targetStatus: 200,
    });

    const refused = await call('/x');
    expect({ status: refused.status, code: refused.headers.get('hoop-error') }).toEqual({ status, code });
    await world.publish((snapshot) => giveBack(snapshot, connection, jti));
  });
});

it('a connection of another identity looks like one that does not exist', async () => {
  const connection = await world.connect({ target: target.url, identities: [] });
  const grant = await world.grant([connection]);
  const get = async (name: string): Promise<string> => {
    const response = await fetch(`${world.relay.url}/${name}/x`, { headers: { 'hoop-grant': grant } });
    const text = await response.text();
    return `${response.status} ${text.replaceAll(response.headers.get('hoop-call')!, 'ID').replaceAll(name, 'NAME')}`;
  };
  expect(await get(connection.name)).toBe(await get('nosuch'));
});

it('a grant is good only for the connections that it names', async () => {
  const one = await world.connect({ target: target.url });
  const other = await world.connect({ target: target.url });
  const response = await world.call(one, '/x', { headers: { 'hoop-grant': await world.grant([other]) } });
  expect({ status: response.status, code: response.headers.get('hoop-error') }).toEqual({ status: 404, code: 'connection_unknown' });
});

it('a policy that changes decides the next call', async () => {
  const connection = await world.connect({ target: target.url });
  expect((await world.call(connection, '/x')).status).toBe(200);
  await world.publish((snapshot) => {
    const { policy } = connectionIn(snapshot, connection);
    policy!.revision++;
    policy!.rules = [{ name: 'nothing', effect: 'deny', reason: 'Closed.' }];
  });
  const response = await world.call(connection, '/x');
  expect(await response.json()).toMatchObject({ code: 'policy_denied', rule: 'nothing', reason: 'Closed.', policyRevision: 2 });
});

it('without word from the control plane the relay refuses, and goes on when it hears again', async () => {
  const cut = await World.start({ snapshotMaxAgeMs: 1500 });
  try {
    const connection = await cut.connect({ target: target.url });
    const grant = await cut.grant([connection]);
    const call = () => cut.call(connection, '/x', { headers: { 'hoop-grant': grant } });
    const untilStatus = async (status: number): Promise<Response> => {
      for (;;) {
        if (cut.trouble === 'none') cut.announce();
        const response = await call();
        if (response.status === status) return response;
        await response.text();
      }
    };
    await untilStatus(200);
    cut.trouble = 'down';
    cut.dropStreams();
    expect((await untilStatus(503)).headers.get('hoop-error')).toBe('snapshot_stale');
    expect((await fetch(`${cut.relay.url}/-/readyz`)).status).toBe(503);
    expect((await fetch(`${cut.relay.url}/-/healthz`)).status).toBe(200);
    cut.trouble = 'none';
    await untilStatus(200);
  } finally {
    await cut.close();
  }
});
