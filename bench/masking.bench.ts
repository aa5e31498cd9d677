/**
 * Masking against `JSON.parse` + `JSON.stringify` of the same bytes (bytes in, bytes out), in one process and in turn;
 * memory on streams of 1 GiB, each in a process of its own; set-up per response; time of the first masked bytes.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

import { compileMasking, compileScrubber, createResponseMasker } from '@hoop/masking';
import type { CompiledMasking, Scrubber } from '@hoop/masking';
import type { MaskRule } from '@hoop/contract';

import { cores, openBench, startProcess, timeCalls } from './measure.ts';

const chunkBytes = 65_536;

// ---------------------------------------------------------------- what is masked

function customer(i: number): unknown {
  return {
    id: `cus_${(i * 7919).toString(36)}Q8fj2k`,
    object: 'customer',
    created: 1_700_000_000 + i * 977,
    email: `user.${i}@example.com`,
    name: `Jane Customer ${i}`,
    phone: i % 3 === 0 ? null : `+1 415 555 ${String(i % 10_000).padStart(4, '0')}`,
    livemode: true,
    address: { line1: `${i} Main Street`, city: 'Springfield', postal_code: '62704', country: 'US' },
    balance: (i * 13) % 997,
    description: 'A customer who buys "things", and a sentence or two of text as support writes it into such fields.',
    request: `req_${(i * 104_729).toString(36)}`,
    trace: `${(i * 2_654_435_761).toString(16).padStart(8, '0').slice(-8)}-1c2d-4e3f-8a9b-0123456789ab`,
    updated_at: new Date(1_700_000_000_000 + i * 60_000).toISOString(),
    url: `https://api.example.com/v1/customers/${i}/subscriptions?expand=items`,
    metadata: { order_id: String(6735 + i), tier: 'gold', source: 'web' },
  };
}

export function document(bytes: number): Buffer {
  const one = JSON.stringify(customer(12_345)).length + 1;
  return Buffer.from(
    JSON.stringify({ object: 'list', has_more: false, data: Array.from({ length: Math.ceil(bytes / one) }, (_, i) => customer(i)) }),
  );
}

const rule = (part: Partial<MaskRule>): MaskRule => ({ action: 'redact', ...part }) as MaskRule;
const paths = ['$..email', '$.data[*].address.line1', '$.data[*].phone', '$..metadata.order_id', '$.data[0:100].name'];
const keys = ['ssn', 'card_number', 'password', 'iban', 'date_of_birth'];
export const tenRules: MaskRule[] = [...paths.map((path) => rule({ path })), ...keys.map((key) => rule({ key }))];
export const fiveHundredRules: MaskRule[] = [
  ...tenRules,
  ...Array.from({ length: 245 }, (_, i) => rule({ path: `$.data[*].section_${i}.field_${i}` })),
  ...Array.from({ length: 245 }, (_, i) => rule({ key: `sensitive_field_${i}` })),
];
export const tenDetectors: MaskRule[] = [
  'payment_card',
  'iban',
  'email',
  'phone',
  'us_ssn',
  'ip_address',
  'jwt',
  'aws_key',
  'stripe_key',
  'private_key',
].map((detect) => rule({ detect }));

export interface MaskOptions {
  readonly type?: string;
  readonly headers?: [string, string][];
  readonly scrub?: Scrubber | null;
}

let released = 0;

/** One body through the masker, synchronously. */
function mask(masking: CompiledMasking | null, body: Buffer, options: MaskOptions = {}): void {
  const masker = createResponseMasker({
    masking,
    unmaskedContentTypes: [],
    requestMethod: 'GET',
    status: 200,
    headers: options.headers ?? [['content-type', options.type ?? 'application/json']],
    scrub: options.scrub ?? null,
    sink: {
      data(chunk) {
        released += chunk.length;
      },
      end() {},
      error(error) {
        throw error;
      },
      drain() {},
    },
  });
  for (let at = 0; at < body.length; at += chunkBytes) masker.write(body.subarray(at, at + chunkBytes));
  masker.end();
}

// ---------------------------------------------------------------- the benchmark

async function main(): Promise<void> {
  const bench = openBench('masking');
  const body = document(2_097_152);
  const perSecond = (nsPerCall: number, bytes: number): number => (bytes / nsPerCall) * 1e3;
  const timed = (call: () => void, bytes: number) => () => ({
    value: perSecond(timeCalls(call, { forMs: 400, warmUpMs: 150 }).value, bytes),
  });
  const parse = (bytes: Buffer) => () => {
    released += Buffer.from(JSON.stringify(JSON.parse(bytes.toString()))).length;
  };
  const ten = compileMasking(tenRules);
  const many = compileMasking(fiveHundredRules);
  const detecting = compileMasking(tenDetectors);
  const scrub = compileScrubber(['sk_live_4eC39HqLyjWDarjtT1zdp7dc', 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl']);

  await bench.compare({
    case: '10 path and key rules, 2 MB JSON',
    unit: 'MB/s',
    goal: 2,
    pairs: 9,
    candidate: timed(() => mask(ten, body), body.length),
    baseline: timed(parse(body), body.length),
  });
  await bench.compare({
    case: '10 detectors on all strings, 2 MB JSON',
    unit: 'MB/s',
    goal: 0.7,
    pairs: 9,
    candidate: timed(() => mask(detecting, body), body.length),
    baseline: timed(parse(body), body.length),
  });
  await bench.compare({
    case: 'time with 500 rules over 10 rules',
    unit: 's/GB',
    goal: 1.5,
    lowerIsBetter: true,
    pairs: 9,
    candidate: () => ({ value: timeCalls(() => mask(many, body), { forMs: 400, warmUpMs: 150 }).value / body.length }),
    baseline: () => ({ value: timeCalls(() => mask(ten, body), { forMs: 400, warmUpMs: 150 }).value / body.length }),
  });
  const large = document(16_777_216);
  await bench.compare({
    case: 'time per byte at 16 MB over that at 2 MB',
    unit: 's/GB',
    goal: 1.2,
    lowerIsBetter: true,
    candidate: () => ({ value: timeCalls(() => mask(ten, large), { forMs: 400, warmUpMs: 100 }).value / large.length }),
    baseline: () => ({ value: timeCalls(() => mask(ten, body), { forMs: 400, warmUpMs: 100 }).value / body.length }),
  });
  await bench.compare({
    case: 'scrubbing alone, 2 MB JSON',
    unit: 'MB/s',
    candidate: timed(() => mask(null, body, { scrub }), body.length),
    baseline: timed(parse(body), body.length),
  });
  await compareHostile(bench, body);
  const small = document(1024).subarray(0);
  const headers: [string, string][] = [
    ['content-type', 'application/json'],
    ['content-length', String(small.length)],
    ['date', 'Tue, 24 Nov 2026 07:00:00 GMT'],
    ['x-request-id', 'req_8sd7f6'],
    ['cache-control', 'no-store'],
  ];
  bench.report({
    case: `whole response of ${small.length} bytes, 10 rules and scrubbing`,
    unit: 'us',
    value: timeCalls(() => mask(ten, small, { headers, scrub }), { forMs: 600, warmUpMs: 300 }).value / 1e3,
  });
  bench.report({
    case: `whole response of ${small.length} bytes, scrubbing alone`,
    unit: 'us',
    value: timeCalls(() => mask(null, small, { headers, scrub }), { forMs: 600, warmUpMs: 300 }).value / 1e3,
  });
  reportFirstBytes(bench, ten, body);
  for (const kind of ['json', 'event-stream', 'gzip'] as const) await reportMemory(bench, kind);
}

const hex = (code: number, width: number): string => code.toString(16).padStart(width, '0');
const notations: readonly ((code: number) => string)[] = [
  (code) => String.fromCharCode(code),
  (code) => `%${hex(code, 2)}`,
  (code) => `\\u${hex(code, 4)}`,
  (code) => `&#${code};`,
  (code) => `${String.fromCharCode(code)}\0`,
];

/** English as people write it, with its markup: what this project says of itself. */
function prose(length: number): Buffer {
  const docs = new URL('../docs/', import.meta.url);
  const pages = readdirSync(docs).filter((name) => name.endsWith('.md'));
  const text = pages.map((name) => readFileSync(new URL(name, docs), 'utf8')).join('\n');
  return Buffer.from(text.repeat(Math.ceil(length / text.length)).slice(0, length));
}

/**
 * Looking for a secret of 600 characters: in bodies that are made to be expensive, in prose, and in JSON, most of which
 * is skipped since its pairs of bytes are in no secret.
 */
async function compareHostile(bench: ReturnType<typeof openBench>, json: Buffer): Promise<void> {
  let state = 1;
  const next = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * limit);
  };
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const secret = `eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.${Array.from({ length: 563 }, () => letters[next(letters.length)]).join('')}`;
  const write = (pick: (i: number) => number): Buffer =>
    Buffer.from(Array.from({ length: 8192 }, (_, i) => notations[next(notations.length)]!(pick(i))).join(''));
  const bodies: Readonly<Record<string, Buffer>> = {
    'its characters in random notations': write(() => secret.charCodeAt(next(secret.length))),
    'the beginning of a JWT in random notations': write((i) => secret.charCodeAt(i % 37)),
    'all of it but its end in random notations': write((i) => secret.charCodeAt(i % 599)),
  };
  const scrub = compileScrubber([secret]);
  const nsPerByte = (body: Buffer) => () => ({
    value: timeCalls(() => mask(null, body, { scrub }), { forMs: 150, warmUpMs: 100 }).value / body.length,
  });
  const text = prose(json.length);
  for (const [name, body] of Object.entries(bodies)) {
    await bench.compare({
      case: `scrubbing ${name}, over prose`,
      unit: 'ns/byte',
      goal: 20,
      lowerIsBetter: true,
      candidate: nsPerByte(body),
      baseline: nsPerByte(text),
    });
    await bench.compare({
      case: `scrubbing ${name}, over JSON`,
      unit: 'ns/byte',
      lowerIsBetter: true,
      candidate: nsPerByte(body),
      baseline: nsPerByte(json),
    });
  }
}

function reportFirstBytes(bench: ReturnType<typeof openBench>, masking: CompiledMasking, body: Buffer): void {
  let out = 0;
  const sink = { data: (chunk: Uint8Array) => void (out += chunk.length), end() {}, error() {}, drain() {} };
  const masker = createResponseMasker({
    masking,
    unmaskedContentTypes: [],
    requestMethod: 'GET',
    status: 200,
    headers: [['content-type', 'application/json']],
    scrub: null,
    sink,
  });
  masker.write(body.subarray(0, chunkBytes));
  bench.report({ case: 'masked bytes out before the second chunk of 64 KiB', unit: 'bytes', value: out });
  masker.abort();
}

const gibibyte = 1_073_741_824;

/** A child process masks 1 GiB and tells how its memory grew. */
async function reportMemory(bench: ReturnType<typeof openBench>, kind: 'json' | 'event-stream' | 'gzip'): Promise<void> {
  const child = startProcess(import.meta.filename, {
    core: cores.underTest,
    args: ['--memory', kind],
    execArgv: ['--conditions=@hoop/source', '--expose-gc'],
  });
  const told = await new Promise<{ baseBytes: number; peakBytes: number; bytes: number; seconds: number }>((resolve, reject) => {
    child.child.once('message', (message) => resolve(message as never));
    child.child.once('exit', (code) => reject(new Error(`the memory run of ${kind} ended with ${code}`)));
  });
  await child.close();
  const grew = (told.peakBytes - told.baseBytes) / 1_048_576;
  bench.report({
    case: `memory growth on 1 GiB of ${kind}`,
    unit: 'MiB',
    value: grew,
    ratio: grew / 32,
    goal: 1,
    lowerIsBetter: true,
    decodedMiB: told.bytes / 1_048_576,
    seconds: told.seconds,
  });
}

async function memory(kind: 'json' | 'event-stream' | 'gzip'): Promise<void> {
  const rules = [...tenRules, ...tenDetectors.slice(0, 3)];
  const unit =
    kind === 'event-stream'
      ? Buffer.from(Array.from({ length: 64 }, (_, i) => `id: ${i}\ndata: ${JSON.stringify(customer(i))}\n\n`).join(''))
      : Buffer.from(Array.from({ length: 64 }, (_, i) => `${JSON.stringify(customer(i))}\n`).join(''));
  const type = kind === 'event-stream' ? 'text/event-stream' : 'application/x-ndjson';
  const wire = kind === 'gzip' ? gzipSync(Buffer.concat(Array.from({ length: 16 }, () => unit))) : unit;
  const decodedPerTurn = kind === 'gzip' ? unit.length * 16 : unit.length;
  const pass = (total: number): Promise<void> =>
    new Promise((resolve, reject) => {
      let drained: (() => void) | null = null;
      const masker = createResponseMasker({
        masking: compileMasking(rules),
        unmaskedContentTypes: [],
        requestMethod: 'GET',
        status: 200,
        headers: [['content-type', type], ...(kind === 'gzip' ? ([['content-encoding', 'gzip']] as [string, string][]) : [])],
        scrub: compileScrubber(['sk_live_4eC39HqLyjWDarjtT1zdp7dc']),
        sink: { data() {}, end: () => resolve(), error: reject, drain: () => drained?.() },
      });
      void (async () => {
        for (let sent = 0; sent < total; sent += decodedPerTurn) {
          for (let at = 0; at < wire.length; at += chunkBytes) {
            if (!masker.write(wire.subarray(at, at + chunkBytes))) await new Promise<void>((done) => (drained = done));
          }
          // as between two reads of a socket
          await new Promise((done) => setImmediate(done));
        }
        masker.end();
      })();
    });
  // the peak of 512 MiB, when code is compiled and as many buffers wait for their collection as ever do (some 30 MiB of
  // them, which takes a while to come about), against the peak of 1 GiB after it
  let peakBytes = 0;
  const watch = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage.rss())), 20);
  await pass(gibibyte / 2);
  const baseBytes = Math.max(peakBytes, process.memoryUsage.rss());
  const start = performance.now();
  await pass(gibibyte);
  clearInterval(watch);
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  process.send!({ baseBytes, peakBytes, bytes: gibibyte, seconds: (performance.now() - start) / 1000 });
}

const memoryAt = process.argv.indexOf('--memory');
if (memoryAt > 0) await memory(process.argv[memoryAt + 1] as 'json' | 'event-stream' | 'gzip');
else await main();
