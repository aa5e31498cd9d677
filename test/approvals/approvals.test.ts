/** Approvals and deferred calls end to end, for clients that know nothing of Hoop's SDK: plain HTTP against a relay. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { openDatabase } from '@hoop/database';
import { eventually } from '@hoop/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { startRealHoop } from '../../packages/fetch/test/real-hoop.ts';
import type { RealHoop } from '../../packages/fetch/test/real-hoop.ts';

type Json = Record<string, any>;

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let hoop: RealHoop;
let target: Server;
const seen: Seen[] = [];
let ann: string;
let grant: string;
let otherGrant: string;
let names = 0;

const rule = (changes: Json = {}, members: Json = {}): Json => ({
  name: 'refunds need a person',
  effect: 'require_approval',
  match: { methods: ['POST'] },
  approval: { reviewers: ['group:payments'], validity: ['once', '10m'], ...changes },
  ...members,
});

beforeAll(async () => {
  hoop = await startRealHoop({ worker: true });
  target = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({ method: request.method!, path: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      response.writeHead(201, { 'content-type': 'application/json', 'x-from': 'target' });
      response.end(JSON.stringify({ id: seen.length, authorization: request.headers.authorization }));
    });
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  await hoop.change('POST', '/v1/identities', { name: 'other', provider: 'ci', match: 'claims.repository == "acme/other"', owner: 'ops' });
  ann = (await hoop.ask('POST', '/v1/admin-tokens', { name: 'ann', role: 'approver', user: 'ann', groups: ['payments'] }))[
    'token'
  ] as string;
});
afterEach(() => seen.splice(0));
afterAll(async () => {
  await hoop.close();
  target.close();
  target.closeAllConnections();
});

async function connection(rules: Json[] = [rule()], settings: Json = {}): Promise<string> {
  const name = `payments-${++names}`;
  const first = { 'if-none-match': '*' };
  await hoop.change('POST', '/v1/connections', {
    name,
    target: `http://127.0.0.1:${(target.address() as AddressInfo).port}/base`,
    allowedCidrs: ['127.0.0.0/8'],
    identities: ['nightly', 'other'],
    ...settings,
  });
  await hoop.change(
    'PUT',
    `/v1/connections/${name}/credential`,
    { settings: { type: 'static', injection: { into: 'header' } }, secrets: { secret: 'sk_live_1' } },
    first,
  );
  await hoop.change('PUT', `/v1/connections/${name}/policy`, { rules }, first);
  grant = await grantFor('acme/billing', name);
  otherGrant = await grantFor('acme/other', name);
  return name;
}

async function grantFor(repository: string, scope: string): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: await hoop.identityToken({ repository }),
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    scope,
  });
  return ((await (await fetch(`${hoop.url}/oauth/token`, { method: 'POST', body })).json()) as Json)['access_token'] as string;
}

interface Sending {
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly token?: string;
  readonly signal?: AbortSignal;
  readonly method?: string;
}
const send = (path: string, { body = '{"amount":20000}', headers = {}, token = grant, ...rest }: Sending = {}): Promise<Response> =>
  fetch(`${hoop.relayUrl}/${path}`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    ...rest,
  });
const follow = (path: string, token = grant, method = 'GET'): Promise<Response> =>
  fetch(`${hoop.relayUrl}${path}`, { method, headers: { authorization: `Bearer ${token}` } });
const json = async (response: Response): Promise<Json> => (await response.json()) as Json;

const pendingOf = async (name: string): Promise<Json[]> =>
  (await hoop.ask('GET', `/v1/approvals?state=pending&connection=${name}`))['items'] as Json[];
const onePending = (name: string): Promise<Json> =>
  eventually(async () => {
    const [one] = await pendingOf(name);
    expect(one).toBeDefined();
    return one!;
  });
const review = (approval: Json, body: Json = {}): Promise<unknown> =>
  hoop.ask('POST', `/v1/approvals/${approval['id']}/reviews`, { decision: 'approve', digest: approval['digest'], ...body }, { token: ann });

describe('a call that needs an approval', () => {
  it('is held, sent once exactly as it was approved, and recorded with its approval', async () => {
    const name = await connection();
    const waiting = send(`${name}/v1/refunds?customer=7`, { headers: { 'x-tenant': 'acme' } });
    const approval = await onePending(name);
    expect(seen).toEqual([]);
    const shown = await hoop.ask('GET', `/v1/approvals/${approval['id']}`, undefined, { token: ann });
    expect(shown['request']).toMatchObject({ method: 'POST', body: '{"amount":20000}' });
    expect((shown['request'] as Json)['headers']).toContainEqual(['x-tenant', 'acme']);
    expect(JSON.stringify(shown)).not.toContain(grant);
    await review(approval);
    const response = await waiting;
    expect(response.status).toBe(201);
    expect(seen.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/base/v1/refunds?customer=7', '{"amount":20000}'],
    ]);
    const callId = response.headers.get('hoop-call')!;
    await eventually(async () =>
      expect(await hoop.ask('GET', `/v1/calls/${callId}`)).toMatchObject({ state: 'completed', approvalId: approval['id'], status: 201 }),
    );
    // The credential is the relay's, and not in the answer.
    expect(seen[0]!.headers.authorization).toBe('Bearer sk_live_1');
    expect(await response.text()).not.toContain('sk_live_1');
  });

  it('is told to come back when its time is up, and the same request sent again uses the approval, once', async () => {
    const name = await connection();
    const first = await send(`${name}/v1/refunds`, { headers: { prefer: 'wait=0' } });
    expect(first.status).toBe(403);
    expect(first.headers.get('retry-after')).toBe('5');
    const problem = await json(first);
    expect(problem).toMatchObject({
      code: 'approval_pending',
      rule: 'refunds need a person',
      follow: `/-/approvals/${problem['approvalId']}`,
    });
    expect(await json(await follow(problem['follow'] as string))).toMatchObject({ state: 'pending' });
    await review(await onePending(name));
    expect(await json(await follow(`${problem['follow']}?wait=10`))).toMatchObject({ state: 'approved' });

    const changed = await send(`${name}/v1/refunds`, { body: '{"amount":20001}', headers: { 'hoop-wait': '0' } });
    expect(await json(changed)).toMatchObject({ code: 'approval_pending' });
    const again = await send(`${name}/v1/refunds`, { headers: { 'hoop-wait': '0', 'user-agent': 'another' } });
    expect(again.status).toBe(201);
    const third = await send(`${name}/v1/refunds`, { headers: { 'hoop-wait': '0' } });
    expect(await json(third)).toMatchObject({ code: 'approval_pending' });
    expect(seen).toHaveLength(1);
  });

  it('reaches the target with the headers that the approver saw, and with no other', async () => {
    const name = await connection();
    const own = { 'x-tenant': 'acme', prefer: 'wait=0, return=minimal' };
    expect((await send(`${name}/v1/refunds`, { headers: own })).status).toBe(403);
    const approval = await onePending(name);
    const shown = ((await hoop.ask('GET', `/v1/approvals/${approval['id']}`, undefined, { token: ann }))['request'] as Json)['headers'] as [
      string,
      string,
    ][];
    expect(Object.fromEntries(shown)).toMatchObject({ 'x-tenant': 'acme', prefer: 'return=minimal', 'user-agent': 'hoop' });
    await review(approval);

    // A header that makes it another request needs an approval of its own.
    const merging = { ...own, prefer: 'wait=0, return=minimal, resolution=merge-duplicates' };
    expect(await json(await send(`${name}/v1/refunds`, { headers: merging }))).toMatchObject({ code: 'approval_pending' });
    const added = {
      date: 'Thu, 01 Jan 1970 00:00:00 GMT',
      baggage: 'tenant=other',
      tracestate: 'a=b',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'x-request-id': '7',
      'user-agent': 'another',
      'accept-encoding': 'zstd',
      'true-client-ip': '203.0.113.7',
    };
    expect((await send(`${name}/v1/refunds`, { headers: { ...own, ...added } })).status).toBe(201);
    expect(seen).toHaveLength(1);
    const { host, connection: hop, 'content-length': length, authorization, ...rest } = seen[0]!.headers;
    expect([host !== undefined, hop, length, authorization]).toEqual([true, 'keep-alive', '16', 'Bearer sk_live_1']);
    expect(rest).toEqual(Object.fromEntries(shown));
  });

  it('goes on under a window without asking, for a like request only', async () => {
    const name = await connection();
    const waiting = send(`${name}/v1/refunds`);
    await review(await onePending(name), { validity: '10m' });
    const response = await waiting;
    expect(response.status, await response.text()).toBe(201);
    expect((await send(`${name}/v1/refunds`, { body: '{"amount":5}' })).status).toBe(201);
    expect(await json(await send(`${name}/v1/refunds`, { token: otherGrant, headers: { 'hoop-wait': '0' } }))).toMatchObject({
      code: 'approval_pending',
    });
  });

  it.each<[string, number, (approval: Json, name: string) => Promise<unknown>, Json?]>([
    ['approval_denied', 403, (approval) => review(approval, { decision: 'deny', comment: 'wrong customer' })],
    ['approval_withdrawn', 403, (approval) => hoop.ask('POST', `/v1/approvals/${approval['id']}/withdraw`, { reason: 'a mistake' })],
    ['approval_withdrawn', 403, (approval) => follow(`/-/approvals/${approval['id']}`, grant, 'DELETE')],
    ['approval_expired', 403, () => Promise.resolve(), { ttl: '1s' }],
  ])('ends with %s (%i) when that is what comes of it', async (code, status, act, changes) => {
    const name = await connection([rule(changes)]);
    const waiting = send(`${name}/v1/refunds`);
    await act(await onePending(name), name);
    const response = await waiting;
    expect(response.status).toBe(status);
    expect(await json(response)).toMatchObject({ code });
    expect(seen).toEqual([]);
  });

  it('is void when policy or identity change while it waits', async () => {
    const name = await connection();
    const waiting = send(`${name}/v1/refunds`);
    await onePending(name);
    await hoop.change('PUT', `/v1/connections/${name}/policy`, { rules: [rule({ quorum: 2 })] }, { 'if-match': '*' });
    expect(await json(await waiting)).toMatchObject({ code: 'approval_voided' });
    expect(seen).toEqual([]);
  });

  it('is never approved on a prefix: what cannot be shown whole is refused', async () => {
    const name = await connection([rule()], { limits: { maxInspectedBytes: 1000 } });
    const large = await send(`${name}/v1/refunds`, { body: JSON.stringify({ note: 'x'.repeat(1000) }) });
    expect(large.status).toBe(413);
    expect(await json(large)).toMatchObject({ code: 'body_too_large' });
    const packed = await send(`${name}/v1/refunds`, { headers: { 'content-encoding': 'gzip' } });
    expect(packed.status).toBe(415);
    expect(await json(packed)).toMatchObject({ code: 'body_not_inspectable' });
    expect(await pendingOf(name)).toEqual([]);
  });

  it('takes its request back when the caller leaves, where it said so, and leaves it open where not', async () => {
    const name = await connection();
    for (const [headers, state] of [
      [{ 'hoop-withdraw-on-abort': '1' }, 'withdrawn'],
      [{}, 'pending'],
    ] as const) {
      const abort = new AbortController();
      const waiting = send(`${name}/v1/refunds`, { headers, signal: abort.signal }).catch((error: Error) => error.name);
      const approval = await onePending(name);
      abort.abort();
      expect(await waiting).toBe('AbortError');
      await eventually(async () =>
        expect(await hoop.ask('GET', `/v1/approvals/${approval['id']}`, undefined, { token: ann })).toMatchObject({ state }),
      );
    }
    expect(seen).toEqual([]);
  });

  it('shows nothing of it to another identity: its id looks like one that does not exist', async () => {
    const name = await connection();
    const { approvalId } = await json(await send(`${name}/v1/refunds`, { headers: { 'hoop-wait': '0' } }));
    const strip = async (response: Response): Promise<Json> => ({ ...(await json(response)), requestId: '', callId: '' });
    const [foreign, unknown] = [
      await follow(`/-/approvals/${approvalId}`, otherGrant),
      await follow('/-/approvals/apr_00000000000000000000000000'),
    ];
    expect([foreign.status, await strip(foreign)]).toEqual([unknown.status, await strip(unknown)]);
    expect(foreign.status).toBe(404);
    expect((await follow(`/-/approvals/${approvalId}`, 'nonsense')).status).toBe(401);
  });
});

describe('a deferred call', () => {
  const deferred = { prefer: 'respond-async' };

  it('is accepted at once, sent after its approval, and collected by a later process of the same identity', async () => {
    const name = await connection();
    const accepted = await send(`${name}/v1/refunds`, { headers: deferred });
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('preference-applied')).toBe('respond-async');
    const { callId, approvalId, state } = await json(accepted);
    expect(state).toBe('waiting');
    expect(accepted.headers.get('location')).toBe(`/-/calls/${callId}`);
    const early = await follow(`/-/calls/${callId}`);
    expect([early.status, (await json(early))['state']]).toEqual([202, 'waiting']);
    expect(seen).toEqual([]);

    const waiting = follow(`/-/calls/${callId}?wait=20`);
    await review(await onePending(name));
    const collected = await waiting.then((response) =>
      response.status === 202
        ? eventually(async () => {
            const next = await follow(`/-/calls/${callId}?wait=10`);
            expect(next.status).toBe(201);
            return next;
          })
        : response,
    );
    expect(collected.status).toBe(201);
    expect(collected.headers.get('x-from')).toBe('target');
    expect(await collected.text()).not.toContain('sk_live_1');
    expect(seen.map(({ body, headers }) => [body, headers.prefer, headers['hoop-deferred']])).toEqual([
      ['{"amount":20000}', undefined, undefined],
    ]);
    await eventually(async () => expect(await hoop.ask('GET', `/v1/calls/${callId}`)).toMatchObject({ state: 'completed', approvalId }));
    // Again and again, and for nobody else.
    expect((await follow(`/-/calls/${callId}`)).status).toBe(201);
    const strip = async (response: Response): Promise<Json> => ({ ...(await json(response)), requestId: '', callId: '' });
    const [foreign, unknown] = [await follow(`/-/calls/${callId}`, otherGrant), await follow('/-/calls/call_00000000000000000000000000')];
    expect([foreign.status, await strip(foreign)]).toEqual([unknown.status, await strip(unknown)]);
  });

  it('keeps the preferences that are meant for its target', async () => {
    const name = await connection([{ name: 'all', effect: 'allow' }]);
    const { callId } = await json(await send(`${name}/x`, { headers: { prefer: 'respond-async, return=minimal; x="a,b", wait=5' } }));
    await eventually(async () => expect((await follow(`/-/calls/${callId}?wait=10`)).status).toBe(201));
    expect(seen[0]!.headers.prefer).toBe('return=minimal; x="a,b"');
  });

  it('needs no approval to be deferred', async () => {
    const name = await connection([{ name: 'all', effect: 'allow' }]);
    const { callId } = await json(await send(`${name}/v1/refunds`, { headers: deferred }));
    await eventually(async () => expect((await follow(`/-/calls/${callId}?wait=10`)).status).toBe(201));
    expect(seen).toHaveLength(1);
  });

  it('is refused at once where the policy denies it', async () => {
    const name = await connection([]);
    const response = await send(`${name}/v1/refunds`, { headers: deferred });
    expect([response.status, (await json(response))['code']]).toEqual([403, 'policy_denied']);
  });

  it('is not sent when its identity was disabled meanwhile, and says why', async () => {
    const name = await connection();
    const { callId, approvalId } = await json(await send(`${name}/v1/refunds`, { headers: deferred, token: otherGrant }));
    await hoop.change('POST', '/v1/identities/other/disable');
    await expect(review({ id: approvalId, digest: 'a'.repeat(64) })).rejects.toThrow('approval_voided');
    await hoop.change('POST', '/v1/identities/other/enable');
    const collected = await follow(`/-/calls/${callId}`, await grantFor('acme/other', name));
    expect([collected.status, (await json(collected))['code'], collected.headers.get('hoop-call')]).toEqual([
      409,
      'approval_voided',
      callId,
    ]);
    expect(seen).toEqual([]);
  });

  it.each([
    ['denied', 403, 'approval_denied', (approval: Json) => review(approval, { decision: 'deny', comment: 'no' })],
    ['withdrawn by the function', 403, 'approval_withdrawn', (approval: Json) => follow(`/-/calls/${approval['callId']}`, grant, 'DELETE')],
  ] as const)('is never sent when it is %s', async (_, status, code, act) => {
    const name = await connection();
    const { callId } = await json(await send(`${name}/v1/refunds`, { headers: deferred }));
    await act(await onePending(name));
    await eventually(async () => {
      const collected = await follow(`/-/calls/${callId}`);
      expect([collected.status, (await json(collected))['code']]).toEqual([status, code]);
    });
    expect(seen).toEqual([]);
  });

  it('is kept sealed: neither its body nor its credential is readable in any table', async () => {
    const name = await connection();
    const canary = `canary-${crypto.randomUUID()}`;
    const { callId } = await json(await send(`${name}/v1/refunds`, { headers: deferred, body: JSON.stringify({ note: canary }) }));
    await review(await onePending(name));
    await eventually(async () => expect((await follow(`/-/calls/${callId}?wait=10`)).status).toBe(201));
    const db = openDatabase(hoop.databaseUrl);
    try {
      const tables = await db.pool.query<{ name: string }>(
        `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'bullmq')`,
      );
      for (const table of tables.rows) {
        const { rows } = await db.pool.query<{ text: string }>(`select t::text as text from ${table.name} t`);
        for (const { text } of rows) {
          expect(text, table.name).not.toContain(canary);
          expect(text, table.name).not.toContain('sk_live_1');
          expect(text, table.name).not.toContain(Buffer.from(canary).toString('hex'));
        }
      }
    } finally {
      await db.close();
    }
  });
});
