import { openSecrets } from '@hoop/sealing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startHarness, unique, type Harness } from './harness.ts';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

const snapshotOf = async (id: string): Promise<any> => {
  const { body } = await h.call('GET', '/internal/relay/snapshot', { token: h.relayToken });
  return (body['connections'] as { id: string }[]).find((one) => one.id === id);
};

describe('updates', () => {
  it('need the ETag that was read, and give the next one', async () => {
    const identity = await h.makeIdentity();
    const path = `/v1/identities/${identity['id']}`;
    const read = await h.call('GET', path);
    expect(read.headers.get('etag')).toBe('"1"');
    const changed = await h.call('PATCH', path, { body: { owner: 'dev' }, headers: { 'if-match': '"1"' } });
    expect(changed.headers.get('etag')).toBe('"2"');
    expect(changed.body).toMatchObject({ owner: 'dev', version: 2, name: identity['name'], match: identity['match'] });
    const stale = await h.call('PATCH', path, { body: { owner: 'x' }, headers: { 'if-match': '"1"' } });
    expect(stale.status).toBe(412);
  });

  it('do not take a weak tag for the same', async () => {
    const identity = await h.makeIdentity();
    const answer = await h.call('PATCH', `/v1/identities/${identity['id']}`, { body: { owner: 'x' }, headers: { 'if-match': 'W/"1"' } });
    expect(answer.status).toBe(412);
  });

  it('let exactly one of many at once through', async () => {
    const { id } = await h.makeIdentity();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        h.call('PATCH', `/v1/identities/${id}`, { body: { owner: `owner-${i}` }, headers: { 'if-match': '"1"' } }),
      ),
    );
    expect(answers.map((one) => one.status).toSorted()).toEqual([200, ...Array.from({ length: 11 }, () => 412)]);
    expect((await h.call('GET', `/v1/identities/${id}`)).body['version']).toBe(2);
    expect((await h.call('GET', `/v1/audit-events?target=${id}&action=identity.update`)).body['items']).toHaveLength(1);
  });

  it.each([{}, { nothing: 1 }, { disabled: 'yes' }])('refuse the body %j', async (body) => {
    const { id } = await h.makeIdentity();
    const answer = await h.call('PATCH', `/v1/identities/${id}`, { body, headers: { 'if-match': '"1"' } });
    expect(answer.body['code']).toBe('invalid_request');
  });
});

describe('creation', () => {
  it('with an idempotency key happens once, however often and at once it is asked for', async () => {
    const provider = await h.makeProvider();
    const body = { name: unique('once'), provider: provider['id'], match: 'true', owner: 'ops' };
    const headers = { 'idempotency-key': unique('key') };
    const answers = await Promise.all(Array.from({ length: 8 }, () => h.call('POST', '/v1/identities', { body, headers })));
    expect(answers.map((one) => one.status)).toEqual(Array.from({ length: 8 }, () => 201));
    expect(new Set(answers.map((one) => one.body['id'])).size).toBe(1);
    expect(answers.filter((one) => one.headers.get('idempotency-replayed') === null)).toHaveLength(1);
    for (const one of answers) expect(one.headers.get('etag')).toBe('"1"');
  });

  it('does not share keys between tokens', async () => {
    const headers = { 'idempotency-key': 'shared' };
    const [a, b] = await Promise.all(
      [await h.tokenOf('operator'), h.adminToken].map((token) =>
        h.call('POST', '/v1/connections', { body: { name: unique('x'), target: 'https://api.example' }, headers, token }),
      ),
    );
    expect([a!.status, b!.status]).toEqual([201, 201]);
  });

  it('that failed is not remembered', async () => {
    const headers = { 'idempotency-key': unique('key') };
    const body = { name: unique('x'), provider: 'not-yet', match: 'true', owner: 'ops' };
    expect((await h.call('POST', '/v1/identities', { body, headers })).status).toBe(404);
    await h.makeProvider({ name: 'not-yet' });
    expect((await h.call('POST', '/v1/identities', { body, headers })).status).toBe(201);
  });

  it('names every unknown field with its path', async () => {
    const { body } = await h.call('POST', '/v1/connections', {
      body: { name: 'x', target: 'https://api.example', recording: { capture: 'full', oops: 1 }, limits: { bogus: 2 } },
    });
    expect(body['errors']).toEqual([
      { path: 'recording.oops', message: 'is not a known field' },
      { path: 'limits.bogus', message: 'is not a known field' },
    ]);
  });
});

describe('lists', () => {
  it('go on where the page before ended, each item once, newest first', async () => {
    const made: string[] = [];
    for (let i = 0; i < 7; i++) made.push((await h.makeConnection({ name: unique(`page-${i}`) }))['id'] as string);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: any = (await h.call('GET', `/v1/connections?limit=3${cursor === null ? '' : `&cursor=${cursor}`}`)).body;
      seen.push(...page.items.map((one: { id: string }) => one.id));
      cursor = page.next;
    } while (cursor !== null);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.toSorted().toReversed()).toEqual(seen);
    for (const id of made) expect(seen).toContain(id);
  });

  it.each([
    'cursor=x',
    'cursor=',
    'limit=0',
    'limit=201',
    'limit=x',
    'limit=1&limit=2',
    'bogus=1',
    '__proto__=1',
    `cursor=${Buffer.from("1:' or 1=1").toString('base64url')}`,
  ])('refuse the query %s', async (query) => {
    expect((await h.call('GET', `/v1/identities?${query}`)).body['code']).toBe('invalid_request');
  });
});

describe('what is in use', () => {
  it('cannot be deleted, and the refusal says by what', async () => {
    const identity = await h.makeIdentity();
    const connection = await h.makeConnection({ identities: [identity['name']] });
    const provider = await h.call('DELETE', `/v1/identity-providers/${identity['provider'].id}`);
    expect(provider.status).toBe(409);
    expect(provider.body['usedBy']).toEqual([{ type: 'identity', id: identity['id'], name: identity['name'] }]);
    const refused = await h.call('DELETE', `/v1/identities/${identity['id']}`);
    expect(refused.body).toMatchObject({ code: 'in_use', usedBy: [{ type: 'connection', id: connection['id'] }] });
  });

  it('goes once nothing uses it, and relays learn that it is gone', async () => {
    const identity = await h.makeIdentity();
    const connection = await h.makeConnection({ identities: [identity['id']] });
    const before = (await h.call('GET', '/internal/relay/snapshot', { token: h.relayToken })).body['revision'];
    await h.call('PATCH', `/v1/connections/${connection['id']}`, { body: { identities: [] }, headers: { 'if-match': '*' } });
    expect((await h.call('DELETE', `/v1/connections/${connection['id']}`)).status).toBe(204);
    expect((await h.call('DELETE', `/v1/identities/${identity['id']}`)).status).toBe(204);
    const { body } = await h.call('GET', `/internal/relay/snapshot?since=${before}`, { token: h.relayToken });
    expect(body['removed'].toSorted()).toEqual([connection['id'], identity['id']].toSorted());
    expect((await h.call('GET', `/v1/connections/${connection['id']}`)).status).toBe(404);
  });
});

describe('a credential', () => {
  const secret = `sk_live_${'7'.repeat(24)}`;
  const body = { settings: { type: 'static', injection: { into: 'header' } }, secrets: { secret } };

  it('is sealed to the relay for this connection and its hosts, and returned to nobody', async () => {
    const connection = await h.makeConnection();
    const path = `/v1/connections/${connection['id']}/credential`;
    const put = await h.call('PUT', path, { body, headers: { 'if-none-match': '*' } });
    expect(put.status).toBe(200);
    const { credential } = await snapshotOf(connection['id'] as string);
    const opened = await openSecrets(h.sealingKeys, credential.sealed, {
      connectionId: connection['id'] as string,
      credentialSourceId: credential.id,
      hosts: ['https://api.payments.example'],
    });
    expect(opened.reveal()).toEqual({ secret });

    const everything = [
      put.text,
      (await h.call('GET', path)).text,
      (await h.call('GET', `/v1/connections/${connection['id']}`)).text,
      (await h.call('GET', '/v1/audit-events?limit=200')).text,
      (await h.call('GET', '/internal/relay/snapshot', { token: h.relayToken })).text,
      h.logged(),
      await everyTable(h),
    ].join('\n');
    for (const form of [secret, Buffer.from(secret).toString('base64').slice(0, 20), Buffer.from(secret).toString('hex')]) {
      expect(everything).not.toContain(form);
    }
  });

  it('cannot be led to other hosts: neither by the target, nor the scheme, nor allowed hosts, nor the token URL', async () => {
    const connection = await h.makeConnection();
    const path = `/v1/connections/${connection['id']}`;
    await h.call('PUT', `${path}/credential`, { body, headers: { 'if-none-match': '*' } });
    for (const change of [
      { target: 'https://evil.example' },
      { target: 'http://api.payments.example' },
      { allowedHosts: ['evil.example'] },
    ]) {
      const refused = await h.call('PATCH', path, { body: change, headers: { 'if-match': '*' } });
      expect(refused.body['code']).toBe('credential_bound_to_hosts');
    }
    expect(
      (await h.call('PATCH', path, { body: { target: 'https://api.payments.example/v2' }, headers: { 'if-match': '*' } })).status,
    ).toBe(200);
    const settingsOnly = await h.call('PUT', `${path}/credential`, { body: { settings: body.settings }, headers: { 'if-match': '*' } });
    expect(settingsOnly.body['code']).toBe('invalid_request');
    expect((await h.call('DELETE', `${path}/credential`)).status).toBe(204);
    expect((await h.call('PATCH', path, { body: { target: 'https://other.example' }, headers: { 'if-match': '*' } })).status).toBe(200);
  });

  it('is replaced with If-Match only, and a second first one is refused', async () => {
    const connection = await h.makeConnection();
    const path = `/v1/connections/${connection['id']}/credential`;
    const put = (headers: Record<string, string>) => h.call('PUT', path, { body, headers });
    expect((await put({ 'if-match': '*' })).status).toBe(412);
    expect((await put({ 'if-none-match': '*' })).status).toBe(200);
    expect((await put({ 'if-none-match': '*' })).status).toBe(412);
    expect((await put({ 'if-match': '"1"' })).headers.get('etag')).toBe('"2"');
    expect((await snapshotOf(connection['id'] as string)).credential.revision).toBe(2);
  });

  it('does not quote a secret in a refusal', async () => {
    const connection = await h.makeConnection();
    const path = `/v1/connections/${connection['id']}/credential`;
    const bad = [
      JSON.stringify({ ...body, settings: { type: 'nonsense' } }),
      JSON.stringify({ ...body, secrets: { secret, clientSecret: secret } }),
      JSON.stringify({ ...body, secrets: { secret: `${secret}\r\nx: y` } }),
      JSON.stringify({ ...body, secrets: { [secret.slice(0, 3)]: secret } }),
      `{"secrets":{"secret":"${secret}"`,
      `{"secrets":{"secret":"${secret}"}} x`,
    ];
    for (const text of bad) {
      const answer = await h.call('PUT', path, { body: text, headers: { 'if-none-match': '*' } });
      expect(answer.status).toBe(400);
      expect(answer.text).not.toContain(secret);
    }
    expect(h.logged()).not.toContain(secret);
  });
});

async function everyTable({ database }: Harness): Promise<string> {
  const { rows } = await database.pool.query<{ table_name: string }>(
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
  );
  let text = '';
  for (const { table_name } of rows) text += JSON.stringify((await database.pool.query(`SELECT t::text FROM "${table_name}" t`)).rows);
  return text;
}

describe('a policy', () => {
  const rules = [{ name: 'read', effect: 'allow', match: { methods: ['GET'] } }];
  const write = (path: string, body: unknown, headers: Record<string, string>) => h.call('PUT', path, { body, headers });

  it('gets a new revision with each PUT, and keeps the old ones for ever', async () => {
    const connection = await h.makeConnection();
    const path = `/v1/connections/${connection['id']}/policy`;
    expect((await write(path, { rules, comment: 'first' }, { 'if-none-match': '*' })).body['revision']).toBe(1);
    const second = await write(path, { rules: [], comment: 'nothing any more' }, { 'if-match': '"1"' });
    expect(second.body).toMatchObject({ revision: 2, rules: [], comment: 'nothing any more', createdBy: 'bootstrap' });
    expect((await write(path, { rules }, { 'if-match': '"1"' })).status).toBe(412);
    expect((await h.call('GET', `${path}/revisions/1`)).body['rules']).toEqual(rules);
    const page = await h.call('GET', `${path}/revisions?limit=1`);
    expect(page.body['items'][0].revision).toBe(2);
    expect((await h.call('GET', `${path}/revisions?limit=1&cursor=${page.body['next']}`)).body).toMatchObject({
      items: [{ revision: 1 }],
      next: null,
    });
    await expect(h.database.pool.query("UPDATE policy_revisions SET rules = '[]'")).rejects.toThrow(/immutable/);
    expect((await snapshotOf(connection['id'] as string)).policy.revision).toBe(2);
  });

  it('outlives its connection, because records name it', async () => {
    const connection = await h.makeConnection();
    const { body } = await write(`/v1/connections/${connection['id']}/policy`, { rules }, { 'if-none-match': '*' });
    await h.call('DELETE', `/v1/connections/${connection['id']}`);
    expect(await h.database.prisma.policyRevision.count({ where: { policyId: body['id'] } })).toBe(1);
  });

  it('is refused with the place of each fault', async () => {
    const connection = await h.makeConnection();
    const faulty = [
      { name: 'a', effect: 'allow', when: 'request.nothing == 1' },
      { name: 'b', effect: 'allow', match: { paths: ['/a/{{'] } },
    ];
    const { status, body } = await write(
      `/v1/connections/${connection['id']}/policy`,
      { rules: faulty, mask: [{ path: '$[' }] },
      { 'if-none-match': '*' },
    );
    expect(status).toBe(422);
    expect((body['errors'] as { path: string }[]).map((one) => one.path)).toEqual([
      'rules[0].when',
      'rules[1].match.paths[0]',
      'mask[0].path',
    ]);
    const tried = await h.call('POST', '/v1/policies/validate', { body: { rules: faulty } });
    expect(tried.body['valid']).toBe(false);
    expect(tried.body['errors']).toHaveLength(2);
  });

  it('of 10 MB, or with a condition that is too long or too deep, is refused at once', async () => {
    const connection = await h.makeConnection();
    const path = `/v1/connections/${connection['id']}/policy`;
    const big = { rules: Array.from({ length: 1000 }, (_, i) => ({ name: `r${i}`, effect: 'allow', reason: 'x'.repeat(10_000) })) };
    expect((await write(path, big, { 'if-none-match': '*' })).body['code']).toBe('payload_too_large');
    const long = { rules: [{ name: 'x', effect: 'allow', when: `true${' && true'.repeat(2000)}` }] };
    expect((await write(path, long, { 'if-none-match': '*' })).body['code']).toBe('invalid_request');
    const deep = { rules: [{ name: 'x', effect: 'allow', when: `${'('.repeat(2000)}true${')'.repeat(2000)}` }] };
    expect((await write(path, deep, { 'if-none-match': '*' })).body['code']).toBe('policy_invalid');
    const nested = await write(path, `{"rules":${'['.repeat(100_000)}`, { 'if-none-match': '*' });
    expect(nested.body['code']).toBe('invalid_request');
    expect((await h.call('GET', '/healthz', { token: null })).status).toBe(200);
  });

  it('is explained for a described request', async () => {
    const identity = await h.makeIdentity();
    const connection = await h.makeConnection({ identities: [identity['id']] });
    const withContext = [
      ...rules,
      {
        name: 'ticket',
        effect: 'require_context',
        match: { methods: ['POST'], paths: ['/v1/refunds'] },
        context: { ticket: '^OPS-[0-9]+$' },
      },
    ];
    await write(`/v1/connections/${connection['id']}/policy`, { rules: withContext }, { 'if-none-match': '*' });
    const ask = (request: object, more: object = {}) =>
      h.call('POST', '/v1/policies/explain', { body: { connection: connection['name'], identity: identity['name'], request, ...more } });
    expect((await ask({ method: 'GET', path: '/x' })).body).toMatchObject({
      effect: 'allow',
      rule: 'read',
      policyRevision: 1,
      caveats: [],
    });
    const lacking = await ask({ method: 'POST', path: '/v1/refunds' });
    expect(lacking.body).toMatchObject({ effect: 'require_context', missingContext: [{ key: 'ticket', pattern: '^OPS-[0-9]+$' }] });
    expect(lacking.body['rules'].find((one: { rule: string }) => one.rule === 'read').outcome).toBe('method_differs');
    expect((await ask({ method: 'POST', path: '/v1/refunds' }, { context: { ticket: 'OPS-1' } })).body['effect']).toBe('allow');
    const trial = await ask({ method: 'GET', path: '/x' }, { rules: [] });
    expect(trial.body).toMatchObject({ effect: 'deny', policyRevision: null });
  });

  it('is held against paths as the connection’s target reads them, in explanations and lint', async () => {
    const spelled = [
      { name: 'all', effect: 'allow', match: { paths: ['/v1/*'] } },
      { name: 'secrets', effect: 'deny', match: { paths: ['/v1/secrets'] } },
    ];
    const connection = await h.makeConnection();
    expect(connection['paths']).toMatchObject({ caseSensitive: false, trailingSlash: 'ignored', encodedSlash: 'refused' });
    await write(`/v1/connections/${connection['id']}/policy`, { rules: spelled }, { 'if-none-match': '*' });
    const ask = async (path: string) =>
      (await h.call('POST', '/v1/policies/explain', { body: { connection: connection['name'], request: { method: 'GET', path } } })).body;
    const severity = async () =>
      (await h.call('POST', '/v1/policies/lint', { body: { connection: connection['name'] } })).body['findings'].find(
        (one: { code: string }) => one.code === 'restricted_spelling',
      )?.severity;
    expect(await ask('/v1/Secrets')).toMatchObject({ effect: 'deny', rule: 'secrets' });
    expect(await ask('/v1/%73ecrets/')).toMatchObject({ effect: 'deny', rule: 'secrets', caveats: [] });
    expect((await ask('/v1/a%2Fb'))['caveats']).toEqual([expect.stringContaining('paths.encodedSlash')]);
    expect((await ask('/v1/../x'))['caveats']).toEqual([expect.stringContaining('would be refused')]);
    expect(await severity()).toBe('notice');

    const current = await h.call('GET', `/v1/connections/${connection['id']}`);
    const changed = await h.call('PATCH', `/v1/connections/${connection['id']}`, {
      body: { paths: { caseSensitive: true, encodedSlash: 'data' } },
      headers: { 'if-match': current.headers.get('etag')! },
    });
    expect(changed.body['paths']).toEqual({
      caseSensitive: true,
      trailingSlash: 'ignored',
      pathParameters: 'ignored',
      trailingDots: 'ignored',
      formatSuffix: 'ignored',
      encodedSlash: 'data',
    });
    expect(await ask('/v1/Secrets')).toMatchObject({ effect: 'allow', rule: 'all' });
    expect(await ask('/v1/secrets/')).toMatchObject({ effect: 'deny', rule: 'secrets' });
    expect(await ask('/v1/a%2Fb')).toMatchObject({ effect: 'allow', caveats: [] });
    expect(await severity()).toBe('warning');
  });

  it('may mask by rule: faults are told with their place, and an explanation says what applies to whom', async () => {
    const identity = await h.makeIdentity();
    const connection = await h.makeConnection({ identities: [identity['id']] });
    const path = `/v1/connections/${connection['id']}/policy`;
    const masking = [
      {
        name: 'customers',
        effect: 'allow',
        match: { paths: ['/customers'] },
        mask: [{ path: '$.iban' }, { key: 'email', unless: `identity.name == "${identity['name']}"` }],
      },
      { name: 'orders', effect: 'allow', match: { paths: ['/orders'] }, mask: [{ detect: 'payment_card' }] },
    ];
    const broken = await write(
      path,
      { rules: [masking[0], { ...masking[1], mask: [{ key: 'x' }, { path: '$[?@.a]' }] }] },
      { 'if-none-match': '*' },
    );
    expect(broken.status).toBe(422);
    expect(broken.body['errors']).toEqual([{ path: 'rules[1].mask[1].path', message: expect.any(String) }]);
    const denied = await write(path, { rules: [{ name: 'no', effect: 'deny', mask: [{ key: 'x' }] }] }, { 'if-none-match': '*' });
    expect(JSON.stringify(denied.body)).toContain('does not go with deny');

    await write(path, { rules: masking, mask: [{ key: 'phone' }] }, { 'if-none-match': '*' });
    const ask = async (request: string) =>
      (
        await h.call('POST', '/v1/policies/explain', {
          body: { connection: connection['name'], identity: identity['name'], request: { method: 'GET', path: request } },
        })
      ).body;
    expect((await ask('/customers'))['masking']).toMatchObject([
      { rule: null, mask: { key: 'phone' }, applies: true, explanation: expect.stringContaining('"phone"') },
      { rule: 'customers', mask: { path: '$.iban' }, applies: true },
      { rule: 'customers', mask: { key: 'email' }, applies: false },
    ]);
    expect((await ask('/orders'))['masking']).toMatchObject([{ rule: null }, { rule: 'orders', mask: { detect: 'payment_card' } }]);
    expect((await ask('/other'))['masking']).toEqual([]);
  });

  it('is linted', async () => {
    const { body } = await h.call('POST', '/v1/policies/lint', { body: { rules: [{ name: 'everything', effect: 'allow' }] } });
    expect((body['findings'] as { code: string }[]).map((one) => one.code)).toContain('allow_all');
  });
});
