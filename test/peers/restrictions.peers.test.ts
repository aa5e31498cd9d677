/** Real targets read a path and a body in ways of their own: none of them does what a rule restricts. */
import { findPeer } from '@hoop/testkit';
import type { Rule } from '@hoop/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { RawConnection } from '../../apps/relay/test/raw.ts';
import { closeServers } from '../../packages/fetch/test/servers.ts';
import { type PeerHoop, startPeerHoop } from './peer-hoop.ts';
import { type PeerTarget, startExpress, startGo } from './targets.ts';

const go = findPeer('go', 'apt-get install golang-go');
const names = ['Express', ...(go === null ? [] : ['Go', 'Go that tidies paths'])];

let hoop: PeerHoop;
let grant: string;
let stopGo = async (): Promise<void> => {};
const targets = new Map<string, PeerTarget>();

const connectionOf = (name: string, kind: string): string => `${kind}-${names.indexOf(name)}`;

beforeAll(async () => {
  hoop = await startPeerHoop();
  targets.set('Express', await startExpress());
  if (go !== null) {
    const started = await startGo();
    stopGo = started.close;
    targets.set('Go', started.targets[0]).set('Go that tidies paths', started.targets[1]);
  }
  const approval = { reviewers: ['group:payments'], quorum: 1, ttl: '10m', validity: ['once'] };
  const match = { methods: ['POST'], paths: ['/v1/refunds'] };
  const below: Rule = { name: 'v1', effect: 'allow', match: { paths: ['/v1/*'] } };
  const anyPath: Rule = { name: 'any', effect: 'allow', match: {} };
  const noWait = { limits: { approvalWaitSeconds: 0 } };
  for (const [name, { url }] of targets) {
    const approved = [below, { name: 'refunds', effect: 'require_approval', match, approval }] as Rule[];
    await hoop.connectMasked(connectionOf(name, 'approved'), url, approved, [], noWait);
    await hoop.connect(connectionOf(name, 'denied'), url, [anyPath, { name: 'refunds', effect: 'deny', match, reason: 'no' }]);
    await hoop.connect(connectionOf(name, 'large'), url, [
      anyPath,
      { name: 'large', effect: 'deny', match: { methods: ['POST'] }, when: 'has(request.body.amount) && request.body.amount > 10000' },
      { name: 'risky', effect: 'deny', match: { methods: ['POST'] }, when: 'has(request.body.risk) && request.body.risk == "high"' },
    ] as Rule[]);
  }
});
// A new one each time: a grant lives for five minutes, and all tests together take longer on a slow machine.
beforeEach(async () => {
  grant = await hoop.grant(names.flatMap((name) => ['approved', 'denied', 'large'].map((kind) => connectionOf(name, kind))));
});
afterAll(async () => {
  await hoop?.close();
  await stopGo();
  await closeServers();
});

/** As bytes on the wire: a client library would tidy the path up. */
async function post(base: string, path: string, body = ''): Promise<{ status: number; code: string | undefined }> {
  const { pathname } = new URL(base);
  const socket = new RawConnection(base);
  const head = `POST ${pathname === '/' ? '' : pathname}${path} HTTP/1.1\r\nhost: relay\r\nhoop-grant: ${grant}\r\ncontent-type: application/json\r\n`;
  socket.send(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`).send(Buffer.from(body));
  // Not every answer of a target has a length; the relay and the targets close after it.
  const text = await socket.closed();
  socket.close();
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]), code: /^hoop-error: (\S+)/im.exec(text)?.[1] };
}

const relayed = (name: string, kind: string): string => `${hoop.relayUrl}/${connectionOf(name, kind)}`;

const words = ['refunds', 'Refunds', 'REFUNDS', '%72efunds', 'refund%73', '%52EFUNDS', 'refund%C5%BF', '%2572efunds', 'ref%75nds'];
const before = [
  '/v1/',
  '/V1/',
  '//v1/',
  '/v1//',
  '/./v1/',
  '/v1/./',
  '/x/../v1/',
  '/v1/x/../',
  '/v1/%2e/',
  '/%76%31/',
  '/v1/x/%2e%2e/',
  '/v1;x/',
];
const after = [
  '',
  '/',
  '//',
  '/.',
  '/x/..',
  '.',
  '%20',
  ';v=1',
  '%3Bv=1',
  '?',
  '?x=1',
  '%3F',
  '%00',
  '%2F',
  '%5C',
  '/%2e',
  '#x',
  '.json',
  '%09',
];
/** Each word with each of the other two parts, and some of all three. */
const spellings = [
  ...new Set([
    ...words.flatMap((word) => after.map((end) => `/v1/${word}${end}`)),
    ...before.flatMap((start) => words.map((word) => start + word)),
    ...before.flatMap((start) => after.map((end) => `${start}Refunds${end}`)),
  ]),
];

describe.each(names)('%s', (name) => {
  const refundsSeen = async (): Promise<string[]> =>
    (await targets.get(name)!.seen()).filter((act) => act.handler === 'refund').map((act) => act.url);

  test('reads many spellings alike, where nothing stands before it', async () => {
    await targets.get(name)!.seen();
    for (const spelling of spellings) await post(targets.get(name)!.url, spelling, '{}');
    expect((await refundsSeen()).length).toBeGreaterThan({ Express: 20, Go: 12 }[name] ?? 80);
  });

  test.each(['approved', 'denied'])('makes no refund by any spelling where refunds are to be %s', async (kind) => {
    await targets.get(name)!.seen();
    const passed: string[] = [];
    const codes: Record<string, number> = {};
    for (const spelling of spellings) {
      const { code = 'none' } = await post(relayed(name, kind), spelling, '{}');
      codes[code] = (codes[code] ?? 0) + 1;
      if ((await refundsSeen()).length > 0) passed.push(spelling);
    }
    expect(passed).toEqual([]);
    // Not all were refused for being no clean path.
    expect(codes[kind === 'approved' ? 'approval_pending' : 'policy_denied']).toBeGreaterThan(90);
  });

  test('is still reached by what no rule restricts', async () => {
    await targets.get(name)!.seen();
    for (const path of ['/v1/refund', '/v1/refunds/re_1', '/v1/customers'])
      expect(await post(relayed(name, 'denied'), path, '{}')).toMatchObject({ status: 200 });
    expect((await targets.get(name)!.seen()).map((act) => act.handler)).toEqual(['other', 'other', 'other']);
  });

  test('makes no refund that a condition forbids, however its members are spelt', async () => {
    await targets.get(name)!.seen();
    const amounts = ['amount', 'Amount', 'AMOUNT', 'amoun\\u0074', 'aMOUNT'];
    const risks = ['risk', 'Risk', 'ri\u017fk', 'ris\u212a', 'RI\u017f\u212a', 'r\\u0069sk', 'ri\\u017fk'];
    const bodies = [
      '{"amount":5,"Amount":50000}',
      ...amounts.flatMap((one) => amounts.map((other) => `{"${one}":5,"${other}":50000}`)),
      ...amounts.flatMap((one) => ['50000', '5e4', '10000.0000000000001', '10001', '1e308'].map((amount) => `{"${one}":${amount}}`)),
      ...risks.flatMap((one) => risks.map((other) => `{"amount":1,"${one}":"low","${other}":"high"}`)),
      ...risks.flatMap((one) => [`{"${one}":"high"}`, `{"${one}":"h\\u0069gh"}`, ` \n{"${one}":"high"} {"amount":1}`]),
    ];
    for (const body of bodies) await post(relayed(name, 'large'), '/v1/refunds', body);
    const refunds = (await targets.get(name)!.seen()).filter((act) => act.handler === 'refund');
    expect(refunds.filter(({ amount, risk }) => (amount ?? 0) > 10_000 || risk === 'high')).toEqual([]);
    expect(await post(relayed(name, 'large'), '/v1/refunds', '{"amount":5,"risk":"low"}')).toMatchObject({ status: 200 });
    expect(await targets.get(name)!.seen()).toMatchObject([{ handler: 'refund', amount: 5, risk: 'low' }]);
  });
});
