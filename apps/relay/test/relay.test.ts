import { openBody, openDataKey } from '@hoop/sealing';
import { startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { World } from './world.ts';

let world: World;
let target: TestTarget;
const seen: { method: string; url: string; headers: NodeJS.Dict<string | string[]> }[] = [];

beforeAll(async () => {
  world = await World.start();
  target = await startTarget((req, res) => {
    seen.push({ method: req.method!, url: req.url!, headers: req.headers });
    res.setHeader('content-type', 'application/json');
    res.setHeader('hoop-forged', 'by the target');
    res.end(JSON.stringify({ email: 'ada@example.com', id: 1 }));
  });
});
afterAll(async () => {
  await target?.close();
  await world?.close();
});

const kinds = (head: object): Record<string, string> =>
  Object.fromEntries(
    Object.entries(head)
      .map(([name, value]): [string, string] => [name, Array.isArray(value) ? 'array' : value === null ? 'object' : typeof value])
      .sort(),
  );

describe('a call', () => {
  it('has the same head in its intent, which is written by hand, as in a refusal', async () => {
    const connection = await world.connect({
      target: target.url,
      rules: [{ name: 'reads', effect: 'allow', match: { methods: ['GET'] } }],
    });
    const headers = {
      'hoop-context': '{"ticket":"OPS-\\"1\\""}',
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      'x-odd': 'a "quoted" \\ value',
    };
    const allowed = await world.call(connection, '/v1/x?a=%22', { headers });
    const denied = await world.call(connection, '/v1/x?a=%22', { headers, method: 'DELETE' });
    const { intent } = await world.record(allowed.headers.get('hoop-call'), (call) => call.intent !== null);
    const { head } = await world.record(denied.headers.get('hoop-call'));
    expect(kinds(intent!)).toEqual(kinds(head!));
    expect(intent).toMatchObject({
      context: { ticket: 'OPS-"1"' },
      traceId: 'a'.repeat(32),
      url: `${target.url}/v1/x?a=%22`,
      subject: { identityName: 'nightly-billing' },
    });
    expect(intent!.requestHeaders.find(([name]) => name === 'x-odd')).toEqual(['x-odd', 'a "quoted" \\ value']);
    expect(JSON.stringify(intent!.requestHeaders)).not.toContain('eyJ');
    expect(denied.status).toBe(403);
    expect(await denied.json()).toMatchObject({ code: 'policy_denied', rule: null });
  });

  it('reaches the target with the credential and without the grant, and comes back masked and recorded', async () => {
    const connection = await world.connect({ target: target.url, mask: [{ path: '$.email', action: 'redact' }] });
    const response = await world.call(connection, '/v1/customers?page=2', { headers: { 'x-trace': 'a' } });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).not.toContain('ada@example.com');
    expect(JSON.parse(text)).toMatchObject({ id: 1 });
    expect(response.headers.get('hoop-forged')).toBeNull();
    expect(response.headers.get('hoop-error')).toBeNull();
    const got = seen.at(-1)!;
    expect(got).toMatchObject({ method: 'GET', url: '/v1/customers?page=2' });
    expect(got.headers['authorization']).toBe('Bearer test-secret-value-1234567890');
    expect(got.headers['hoop-grant']).toBeUndefined();
    expect(got.headers['x-trace']).toBe('a');

    const { intent, outcome } = await world.record(
      response.headers.get('hoop-call'),
      (call) => call.outcome !== null && call.intent !== null,
    );
    expect(intent).toMatchObject({
      method: 'GET',
      path: '/v1/customers',
      url: `${target.url}/v1/customers?page=2`,
      decision: { effect: 'allow' },
    });
    expect(outcome).toMatchObject({ state: 'completed', status: 200, targetStatus: 200, error: null, maskedCount: 1 });
    const key = await openDataKey(world.recordingKeys.privateJwks, outcome!.dataKey!.wrapped);
    expect(openBody(key, outcome!.responseBody!.sealed!, `${outcome!.callId}:response`).toString()).toBe(text);
  });
});
