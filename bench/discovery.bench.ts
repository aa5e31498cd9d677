/**
 * Measures discovery in a relay: CPU time of a response through the masker with ten rules, with a share of the responses
 * looked at and without, in one process and in turn. "As configured": one in 50, ten in a second at most. Then the same
 * share without that limit, and every response looked at: what one look costs.
 */
import { setImmediate as turn } from 'node:timers/promises';

import type { HeaderList, MaskRule } from '@hoop/contract';
import { compileMasking, createResponseMasker } from '@hoop/masking';

import { createMaskDiscovery } from '../apps/relay/src/discovery/mask-discovery.ts';
import type { MaskDiscovery, MaskDiscoveryOptions } from '../apps/relay/src/discovery/mask-discovery.ts';
import { openBench } from './measure.ts';
import type { Sample } from './measure.ts';

const rule = (part: Partial<MaskRule>): MaskRule => ({ action: 'redact', ...part }) as MaskRule;
const rules: readonly MaskRule[] = [
  ...['$..email', '$.data[*].address.line1', '$.data[*].phone', '$..metadata.order_id', '$.data[0:100].name'].map((path) => rule({ path })),
  ...['ssn', 'card_number', 'password', 'iban', 'date_of_birth'].map((key) => rule({ key })),
];
const masking = compileMasking(rules);
const headers: HeaderList = [['content-type', 'application/json']];
const identity = { name: 'nightly', issuer: 'https://issuer.example', subject: 'machine', claims: {}, labels: {} };
const describeResponse = () => ({ masking, identity, status: 200 });

/** Customers, among them fields that the rules hide and one that they do not know. */
function bodyOf(bytes: number): Buffer {
  const customer = (i: number): object => ({
    id: `cus_${(i * 7919).toString(36)}Q8fj2k`,
    created: 1_700_000_000 + i * 977,
    email: `user.${i}@example.com`,
    name: `Jane Customer ${i}`,
    phone: `+1 415 555 ${String(i % 10_000).padStart(4, '0')}`,
    address: { line1: `${i} Main Street`, city: 'Springfield', country: 'US' },
    backup_contact: `other.${i}@example.org`,
    description: 'A customer who buys "things", and a sentence or two of text as support writes it into such fields.',
    updated_at: new Date(1_700_000_000_000 + i * 60_000).toISOString(),
    metadata: { order_id: String(6735 + i), tier: 'gold', source: 'web' },
  });
  const one = JSON.stringify(customer(100)).length + 1;
  return Buffer.from(JSON.stringify({ data: Array.from({ length: Math.max(1, Math.round(bytes / one)) }, (_, i) => customer(i + 100)) }));
}

function respond(body: Buffer, discovery: MaskDiscovery | null): void {
  const masker = createResponseMasker({
    masking,
    identity,
    unmaskedContentTypes: [],
    requestMethod: 'GET',
    status: 200,
    headers,
    scrub: null,
    sink: {
      data() {},
      end() {},
      error(error) {
        throw error;
      },
      drain() {},
    },
  });
  const sample = discovery?.sample('con_1', rules, headers, describeResponse) ?? null;
  sample?.take(body);
  masker.write(body);
  masker.end();
  sample?.finish();
}

const forMs = 300;
let found = 0;
const open = (options: Pick<MaskDiscoveryOptions, 'sampleEvery' | 'gapMs'>): MaskDiscovery =>
  createMaskDiscovery({
    ...options,
    now: Date.now,
    reportEveryMs: 100,
    report: (observations) => Promise.resolve(void (found += observations.length)),
    onTrouble(error) {
      throw error;
    },
  });

/** CPU microseconds per response. */
async function measure(body: Buffer, discovery: MaskDiscovery | null): Promise<Sample> {
  const atOnce = Math.max(1, Math.round(32_768 / body.length));
  const start = process.cpuUsage();
  const until = performance.now() + forMs;
  let responses = 0;
  while (performance.now() < until) {
    for (let i = 0; i < atOnce; i++) respond(body, discovery);
    responses += atOnce;
    await turn();
  }
  const { user, system } = process.cpuUsage(start);
  return { value: (user + system) / responses };
}

const bench = openBench('discovery');
const settings: [string, Parameters<typeof open>[0], number?][] = [
  ['as configured', {}, 1.05],
  ['1 in 50, however many come', { gapMs: 0 }],
  ['every response', { sampleEvery: 1, gapMs: 0 }],
];
for (const [size, bytes] of [
  ['1 KB', 1024],
  ['64 KB', 65_536],
] as const) {
  const body = bodyOf(bytes);
  for (const [name, options, goal] of settings) {
    const discovery = open(options);
    found = 0;
    await bench.compare({
      case: `${size}, ${name}`,
      unit: 'us CPU',
      lowerIsBetter: true,
      ...(goal === undefined ? {} : { goal }),
      pairs: goal === undefined ? 7 : 25,
      candidate: () => measure(body, discovery),
      baseline: () => measure(body, null),
    });
    await discovery.close();
    if (found === 0) throw new Error('discovery found nothing');
  }
}
