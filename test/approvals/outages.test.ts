/** Waiting functions while the control plane restarts, and while a relay shuts down. */
import { eventually } from '@hoop/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { startProduct, type Product } from '../chaos/product.ts';

/** How long a call waits for an approval where nothing ends the wait: a start of the control plane on a slow machine is shorter. */
const holdMs = 600_000;

let product: Product;
let approver: string;
let grant: string;
const rules = [
  { name: 'a person decides', effect: 'require_approval', match: { methods: ['POST'] }, approval: { reviewers: ['group:payments'] } },
];

beforeAll(async () => {
  product = await startProduct({ queue: 'postgres', relays: 2, orphanSeconds: 2 });
  const { ask, target, secrets } = product;
  const first = { 'if-none-match': '*' };
  await ask('POST', '/v1/connections', {
    name: 'approved',
    target: target.url,
    allowedCidrs: ['127.0.0.0/8'],
    identities: ['nightly'],
    limits: { approvalWaitSeconds: holdMs / 1000 },
  });
  await ask(
    'PUT',
    '/v1/connections/approved/credential',
    { settings: { type: 'static', injection: { into: 'header' } }, secrets: { secret: secrets.credential } },
    first,
  );
  await ask('PUT', '/v1/connections/approved/policy', { rules }, first);
  approver = (
    (await ask('POST', '/v1/admin-tokens', { name: 'ann', role: 'approver', user: 'ann', groups: ['payments'] })) as { token: string }
  ).token;
});
// A new one each time: a grant lives for five minutes, and all tests together take longer on a slow machine.
beforeEach(async () => {
  grant = await product.grant();
});
afterAll(() => product.close());

const send = (path: string, headers: Record<string, string> = {}, relay = 0): Promise<Response> =>
  fetch(`${product.relayUrls[relay]}/${path}`, {
    method: 'POST',
    body: '{"amount":20000}',
    headers: { 'hoop-grant': grant, 'content-type': 'application/json', ...headers },
  });

/** Once the relay knows the connection and the call waits. */
async function pending(path: string): Promise<{ id: string; digest: string }> {
  return eventually(async () => {
    const { items } = (await product.ask('GET', '/v1/approvals?state=pending')) as {
      items: { id: string; digest: string; url: string }[];
    };
    const one = items.find(({ url }) => url.endsWith(path));
    expect(one).toBeDefined();
    return one!;
  });
}
async function approve({ id, digest }: { id: string; digest: string }): Promise<void> {
  const response = await fetch(`${product.controlPlaneUrl}/v1/approvals/${id}/reviews`, {
    method: 'POST',
    headers: { authorization: `Bearer ${approver}`, 'content-type': 'application/json' },
    body: JSON.stringify({ decision: 'approve', digest }),
  });
  expect(response.status, await response.text()).toBe(200);
}

test('a call that is held goes on waiting while the control plane starts again, and is sent once', async () => {
  const waiting = send('approved/plain/held');
  const one = await pending('/plain/held');
  await product.controlPlane.kill();
  product.controlPlane.start();
  await product.controlPlane.ready();
  await approve(one);
  const response = await waiting;
  expect(response.status, await response.text()).toBe(200);
  expect(product.target.received.get('held')?.times).toBe(1);
});

test('a relay that shuts down lets go of those that wait at once, and another relay takes the same request', async () => {
  const waiting = send('approved/plain/moved');
  const one = await pending('/plain/moved');
  const from = performance.now();
  const stopping = product.relays[0]!.stop();
  const response = await waiting;
  expect([response.status, response.headers.get('hoop-error')]).toEqual([403, 'approval_pending']);
  expect(await stopping).toBe(0);
  // The connection would have it wait for longer; the hold is what must not be sat out.
  expect(performance.now() - from).toBeLessThan(holdMs);
  product.relays[0]!.start();
  await approve(one);
  expect((await send('approved/plain/moved', {}, 1)).status).toBe(200);
  expect(product.target.received.get('moved')?.times).toBe(1);
  await product.relays[0]!.ready();
});

// All wait for as long as the relay goes on asking, so they wait together.
test('while nobody can be asked, a call that may not wait is refused in bounded time, one that may waits for the control plane, and a deferral of which nobody knows whether it was kept says so, and where to ask', async () => {
  // So that the relay has this caller and its session's key.
  expect((await send('strict/plain/before', {}, 1)).status).toBe(200);
  await product.controlPlane.kill();
  try {
    const from = performance.now();
    const patient = send('approved/plain/patient', {}, 1);
    const needing = send('approved/plain/nobody', { 'hoop-wait': '0' }, 1).then((refused) => ({ refused, ms: performance.now() - from }));
    const [response, { refused, ms }] = await Promise.all([send('strict/plain/later', { prefer: 'respond-async' }, 1), needing]);
    expect(refused.headers.get('hoop-error')).toMatch(/^(?:unavailable|snapshot_stale)$/);
    expect(ms).toBeLessThan(holdMs);
    expect(product.target.received.has('nobody')).toBe(false);

    const problem = (await response.json()) as Record<string, string>;
    expect([response.status, problem['code']]).toEqual([400, 'outcome_unknown']);
    product.controlPlane.start();
    await product.controlPlane.ready();
    await approve(await pending('/plain/patient'));
    expect((await patient).status).toBe(200);
    expect(product.target.received.get('patient')?.times).toBe(1);
    const look = await fetch(`${product.relayUrls[1]}${problem['location']}`, { headers: { 'hoop-grant': grant } });
    expect(look.status).toBe(404);
    expect(product.target.received.has('later')).toBe(false);
    // Its record does not claim to know better.
    await eventually(async () =>
      expect(await product.ask('GET', `/v1/calls/${response.headers.get('hoop-call')}`)).toMatchObject({ state: 'unknown' }),
    );
  } finally {
    product.controlPlane.start();
  }
});
