import { gzipSync } from 'node:zlib';

import { maskRuleSchema, reportMaskObservations } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';
import { compileMasking } from '@hoop/masking';
import { startTarget } from '@hoop/testkit';
import { describe, expect, it } from 'vitest';

import { World } from '../../test/world.ts';
import { createMaskDiscovery } from './mask-discovery.ts';
import type { MaskDiscovery, MaskDiscoveryOptions } from './mask-discovery.ts';

type Observations = Parameters<MaskDiscoveryOptions['report']>[0];
const rules = [maskRuleSchema.parse({ path: '$.covered' })];
const json: HeaderList = [['content-type', 'application/json']];
const identity = { name: 'nightly', issuer: '', subject: '', claims: {}, labels: {} };
const describeOf = () => ({ masking: compileMasking(rules), identity, status: 200 });

function start(options: Partial<MaskDiscoveryOptions> = {}): {
  discovery: MaskDiscovery;
  reports: Observations[];
  told: () => Promise<Map<string, number>>;
} {
  const reports: Observations[] = [];
  const discovery = createMaskDiscovery({
    sampleEvery: 1,
    gapMs: 0,
    reportEveryMs: 3_600_000,
    now: Date.now,
    report: async (observations) => void reports.push(observations),
    onTrouble: (error) => {
      throw error;
    },
    ...options,
  });
  const told = async (): Promise<Map<string, number>> => {
    await discovery.close();
    return new Map(reports.flat().flatMap((one) => one.suggestions.map((found) => [`${found.detector} ${found.path}`, found.count])));
  };
  return { discovery, reports, told };
}

function feed(discovery: MaskDiscovery, body: string | Uint8Array, headers: HeaderList = json, id = 'con_1'): boolean {
  const sample = discovery.sample(id, rules, headers, describeOf);
  sample?.take(Buffer.from(body));
  sample?.finish();
  return sample !== null;
}

describe('discovery', () => {
  it('finds in JSON, compressed or not, what no rule of the call covers', async () => {
    const { discovery, told } = start();
    feed(discovery, '{"covered":"a@example.com","open":[{"mail":"b@example.com"}]}');
    feed(discovery, gzipSync('{"open":[{"mail":"c@example.com"},{"mail":"d@example.com"}]}'), [...json, ['content-encoding', 'gzip']]);
    expect(await told()).toEqual(new Map([['email $.open[*].mail', 3]]));
  });

  it.each<[string, string, string[]]>([
    ['text/event-stream', 'data: {"a":"a@example.com"}\n\ndata: {"b":"b@example.com"}\n\n', ['email $.a', 'email $.b']],
    ['text/csv; charset=utf-8', 'id,mail\n1,a@example.com\n', ['email $[*].mail']],
    ['application/x-www-form-urlencoded', 'mail=a%40example.com', ['email $.mail']],
    ['application/json-seq', '\u001e{"a":"a@example.com"}\n', ['email $.a']],
    ['application/xml', '<a><b>a@example.com</b></a>', ['email $.a.b']],
    ['text/plain', '{"a":"a@example.com"}', ['email $.a']],
    [
      'multipart/mixed; boundary=b',
      '--b\r\ncontent-type: image/png\r\n\r\n\0\r\n--b\r\ncontent-type: application/json\r\n\r\n{"a":"a@example.com"}\r\n--b--\r\n',
      ['email $.a'],
    ],
  ])('finds in %s, compressed or not', async (type, body, expected) => {
    for (const coding of ['identity', 'gzip']) {
      const { discovery, told } = start();
      expect(
        feed(discovery, coding === 'gzip' ? gzipSync(body) : body, [
          ['content-type', type],
          ['content-encoding', coding],
        ]),
      ).toBe(true);
      expect([...(await told()).keys()].toSorted(), coding).toEqual(expected);
    }
  });

  it('does not wait for the end of a stream, and makes room for the next', async () => {
    const { discovery, told } = start({ takeMs: 20 });
    const events: HeaderList = [['content-type', 'text/event-stream']];
    const streams = Array.from({ length: 4 }, () => discovery.sample('con_1', rules, events, describeOf)!);
    for (const stream of streams) stream.take(Buffer.from('data: {"a":"a@example.com"}\n\ndata: {"b":"b@exam'));
    expect(discovery.sample('con_1', rules, events, describeOf)).toBeNull();
    await expect.poll(() => discovery.sample('con_1', rules, events, describeOf)).not.toBeNull();
    // Those that were looked at take no more, whatever comes.
    for (const stream of streams) {
      stream.take(Buffer.from('ple.com"}\n\n'));
      stream.finish();
      stream.drop();
    }
    expect(await told()).toEqual(new Map([['email $.a', 4]]));
  });

  it('looks at what came of a response that broke off', async () => {
    const { discovery, told } = start();
    const sample = discovery.sample('con_1', rules, [['content-type', 'text/event-stream']], describeOf)!;
    sample.take(Buffer.from('data: {"a":"a@example.com"}\n\ndata: {"b":'));
    sample.drop();
    expect(await told()).toEqual(new Map([['email $.a', 1]]));
  });

  it('takes no value that is cut off for a whole one', async () => {
    const { discovery, told } = start();
    feed(discovery, `filler=${'x'.repeat(262_144 - 7 - 6 - 13)}&mail=a@example.comic&last=1`, [
      ['content-type', 'application/x-www-form-urlencoded'],
    ]);
    expect(await told()).toEqual(new Map());
  });

  it('looks at what there is of bodies that are malformed, cut or too large, and at no other types', async () => {
    const { discovery, told } = start();
    feed(discovery, '{"first":"a@example.com", oops');
    feed(discovery, `{"early":"a@example.com","filler":"${'x'.repeat(400_000)}","late":"a@example.com"}`);
    feed(discovery, gzipSync('{"packed":"a@example.com"}').subarray(0, 30), [...json, ['content-encoding', 'gzip']]);
    expect(feed(discovery, '{"x":"a@example.com"}', [['content-type', 'text/html']])).toBe(false);
    const found = await told();
    expect([...found.keys()]).toEqual(expect.arrayContaining(['email $.first', 'email $.early']));
    expect([...found.keys()].join()).not.toMatch(/late|\$\.x\b/);
  });

  it('stops at what unfolds into far more than it was', async () => {
    const { discovery, told } = start();
    const bomb = gzipSync(
      JSON.stringify({ first: 'a@example.com', rest: Array.from({ length: 3_000_000 }, () => 'xxxxxxx'), last: 'a@example.com' }),
    );
    expect(bomb.length).toBeLessThan(262_144);
    feed(discovery, bomb, [...json, ['content-encoding', 'gzip']]);
    const found = [...(await told()).keys()];
    expect(found).toContain('email $.first');
    expect(found).not.toContain('email $.last');
  });

  it('has few responses in hand at a time, and takes the next when those are over', async () => {
    const { discovery, told } = start();
    const body = '{"a":"a@example.com"}';
    const inHand = Array.from({ length: 6 }, () => discovery.sample('con_1', rules, json, describeOf));
    expect(inHand.map((sample) => sample !== null)).toEqual([true, true, true, true, false, false]);
    inHand[0]!.drop();
    await expect.poll(() => feed(discovery, body)).toBe(true);
    for (const sample of inHand.slice(1)) sample?.drop();
    expect(await told()).toEqual(new Map([['email $.a', 1]]));
  });

  it('tells in parts that the contract takes, whatever a target makes up', async () => {
    const { discovery, reports, told } = start();
    const keys = Array.from({ length: 300 }, (_, i) => [`k${i.toString(26).replace(/\d/g, 'x')}y${'z'.repeat(i % 7)}`, 'a@example.com']);
    const deep = `${'{"level":'.repeat(200)}"a@example.com"${'}'.repeat(200)}`;
    const many = JSON.stringify({ ...Object.fromEntries(keys), '\ud800\0': 'a@example.com' });
    for (let n = 0; n < 45; n++) {
      const id = `con_${'0123456789abcdefghjkmnpqrstvwxyz'[n % 32]}${'01'[Math.floor(n / 32)]}${'0'.repeat(24)}`;
      // Not taken while others are in hand.
      while (!feed(discovery, many, json, id)) await new Promise((resolve) => setImmediate(resolve));
    }
    feed(discovery, deep);
    await told();
    expect(reports.length).toBeGreaterThanOrEqual(3);
    for (const observations of reports) expect(reportMaskObservations.body.safeParse({ observations }).error).toBeUndefined();
    expect(JSON.stringify(reports)).not.toContain('example.com');
  });

  it('drops what cannot be told, says so, and goes on', async () => {
    let troubles = 0;
    let isDown = true;
    const reports: Observations[] = [];
    const { discovery } = start({
      reportEveryMs: 5,
      report: (observations) => (isDown ? Promise.reject(new Error('away')) : Promise.resolve(void reports.push(observations))),
      onTrouble: () => void troubles++,
    });
    feed(discovery, '{"a":"a@example.com"}');
    await expect.poll(() => troubles).toBe(1);
    isDown = false;
    feed(discovery, '{"b":"a@example.com"}');
    await expect.poll(() => reports.flat().flatMap((one) => one.suggestions.map((found) => found.path))).toEqual(['$.b']);
    await discovery.close();
  });

  it('looks at one response in a tenth of a second at most, however many come', () => {
    let now = 0;
    const { discovery } = start({ gapMs: 100, now: () => now });
    const taken: number[] = [];
    for (; now < 350; now += 10) if (feed(discovery, '{"a":"a@example.com"}')) taken.push(now);
    expect(taken).toEqual([0, 100, 200, 300]);
  });

  it('can be switched off', () => {
    expect(feed(start({ sampleEvery: 0 }).discovery, '{"a":"a@example.com"}')).toBe(false);
  });
});

it('through a relay: the function gets what it would have got, and the control plane hears of the field and of no value', async () => {
  const world = await World.start({ discovery: { sampleEvery: 1, gapMs: 0, reportEveryMs: 20 } });
  const body = JSON.stringify({ id: 1, owner: { contact: 'ada@example.com' }, phone: '+41 44 668 18 00' });
  const target = await startTarget((_req, res) => res.writeHead(200, { 'content-type': 'application/json', etag: '"v1"' }).end(body));
  try {
    for (const connection of [
      await world.connect({ target: target.url, credential: null }),
      await world.connect({ target: target.url, mask: [maskRuleSchema.parse({ key: 'phone' })] }),
    ]) {
      const response = await world.call(connection, '/x');
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ owner: { contact: 'ada@example.com' } });
      const report = await world.recorded(() => world.observations.find((one) => one.includes(connection.id) && one.includes('contact')));
      const { observations } = reportMaskObservations.body.parse(JSON.parse(report));
      const found = observations.find((one) => one.connectionId === connection.id)!.suggestions;
      expect(found).toContainEqual(expect.objectContaining({ path: '$.owner.contact', detector: 'email', count: 1 }));
      expect(found.some((one) => one.path === '$.phone')).toBe(connection.policy!.mask.length === 0);
      if (connection.credential === null) {
        expect(text).toBe(body);
        expect(response.headers.get('etag')).toBe('"v1"');
      }
    }
    expect(world.observations.join()).not.toMatch(/ada@|668 18/);
  } finally {
    await target.close();
    await world.close();
  }
});
