/** An API begins to answer with a field that no rule covers: Hoop sees it, a person decides, and the next answer is masked. */
import { eventually, startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startRealHoop } from '../../packages/fetch/test/real-hoop.ts';
import type { RealHoop } from '../../packages/fetch/test/real-hoop.ts';
import { searchDatabase } from './canary.ts';

type Json = Record<string, any>;

const contact = 'ada.lovelace@canary.example';
const iban = 'GB82WEST12345698765432';
const path = '/v1/connections/crm';
const suggestions = `${path}/mask-suggestions`;

let hoop: RealHoop;
let target: TestTarget;
let customer: Json = { id: 7, plan: 'gold' };

beforeAll(async () => {
  hoop = await startRealHoop({ worker: true, discovery: { sampleEvery: 1, gapMs: 0, reportEveryMs: 50 } });
  target = await startTarget((_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data: [customer] })),
  );
  await hoop.connect('crm', target.url, [{ name: 'read', effect: 'allow', match: { methods: ['GET'] } }]);
});
afterAll(async () => {
  await hoop.close();
  await target.close();
});

async function customers(): Promise<{ text: string; callId: string }> {
  const response = await fetch(`${hoop.relayUrl}/crm/v1/customers`, { headers: { authorization: `Bearer ${await hoop.identityToken()}` } });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return { text, callId: response.headers.get('hoop-call')! };
}

const listed = async (state: string): Promise<Json[]> => (await hoop.ask('GET', `${suggestions}?state=${state}`))['items'] as Json[];

test('a field that an API begins to send is suggested, masked once that is accepted, and not suggested again when dismissed', async () => {
  const started = Date.now();
  expect((await customers()).text).toBe('{"data":[{"id":7,"plan":"gold"}]}');
  expect(await listed('open')).toEqual([]);

  customer = { ...customer, contact, account: { iban } };
  const calls = [await customers(), await customers()];
  expect(calls.map(({ text }) => JSON.parse(text) as Json)).toEqual([{ data: [customer] }, { data: [customer] }]);
  const open = await eventually(async () => {
    const found = await listed('open');
    expect(found.map(({ count }) => count as number)).toEqual([2, 2]);
    return found;
  });
  expect(new Map(open.map((one) => [one['path'], one['detector']]))).toEqual(
    new Map([
      ['$.data[*].contact', 'email'],
      ['$.data[*].account.iban', 'iban'],
    ]),
  );
  for (const { firstSeen, lastSeen } of open) {
    expect(Date.parse(firstSeen as string)).toBeGreaterThanOrEqual(started);
    expect(Date.parse(lastSeen as string)).toBeGreaterThanOrEqual(Date.parse(firstSeen as string));
    expect(Date.parse(lastSeen as string)).toBeLessThanOrEqual(Date.now());
  }

  // One is accepted: that is the next revision of the policy, and the relay has it when `change` is over.
  const [email, account] = ['email', 'iban'].map((detector) => open.find((one) => one['detector'] === detector)!);
  await hoop.change('POST', `${suggestions}/${email!['id']}/accept`, { action: 'partial' }, { 'if-match': '"1"' });
  expect(await hoop.ask('GET', `${path}/policy`)).toMatchObject({ revision: 2, mask: [{ path: '$.data[*].contact', action: 'partial' }] });
  const masked = await customers();
  expect(JSON.parse(masked.text)).toEqual({ data: [{ ...customer, contact: '****mple' }] });
  await hoop.ask('POST', `${suggestions}/${account!['id']}/dismiss`);
  expect(await listed('open')).toEqual([]);

  // The relay goes on looking: the dismissed field is counted and stays away, the masked one is not seen any more.
  const last = await customers();
  await eventually(async () => expect((await listed('dismissed'))[0]!['count']).toBe(4));
  expect(await listed('open')).toEqual([]);
  expect(await listed('dismissed')).toMatchObject([
    { id: account!['id'], path: '$.data[*].account.iban', detector: 'iban', decidedBy: 'bootstrap' },
  ]);
  expect(await listed('accepted')).toMatchObject([{ id: email!['id'], path: '$.data[*].contact', count: 2, decidedBy: 'bootstrap' }]);

  // With all of it recorded, the values are in no table, job, audit event or log.
  for (const { callId } of [...calls, masked, last])
    await eventually(async () => expect(await hoop.ask('GET', `/v1/calls/${callId}`)).toMatchObject({ state: 'completed' }));
  const { seen, rows } = await searchDatabase(hoop.databaseUrl, [contact, iban]);
  expect(seen).toEqual([]);
  expect(rows).toBeGreaterThan(20);
  expect((await searchDatabase(hoop.databaseUrl, ['$.data[*].contact'])).seen).not.toEqual([]);
  expect(hoop.logged()).toContain('listening');
  expect(hoop.logged()).not.toMatch(/ada\.lovelace|GB82WEST/i);
});
