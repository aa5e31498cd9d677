/**
 * Random and mutated bodies of every format. Whatever comes, the masker ends in bounded time, throws nothing but its
 * own errors, gives the same in any chunks, and what it lets pass does not hold a value that was planted under a
 * masked key. `node --conditions=@hoop/source packages/masking/src/testing/fuzz.ts [--seconds 60] [--seed N]`
 */
import { AppError, parseJson } from '@hoop/contract';

import { compileScrubber } from '../scrubber/scrubber.ts';
import { runMasker } from './run-masker.ts';
import type { RuleInput } from './run-masker.ts';

const planted = 'Pl4nted-v4lue';
const rules: RuleInput[] = [
  { key: 'pin' },
  { path: '$..gone', action: 'remove' },
  { detect: 'personal' },
  { detect: 'financial' },
  { detect: 'credential' },
  { words: ['magenta'] },
];
const scrub = compileScrubber(['sk_live_4eC39HqLyjWDarjtT1zdp7dc']);

const seeds: readonly (readonly [type: string, body: string])[] = [
  [
    'application/json',
    `{"a":[1,-2.5e3,true,null,"x\\u0041\\n"],"pin":"${planted}","gone":{"b":[{}]},"s":"{\\"pin\\":\\"${planted}\\"}","e":"alice@example.com"}`,
  ],
  ['application/x-ndjson', `{"pin":"${planted}"}\n[1,2]\n"4242424242424242"\n`],
  ['text/event-stream', `event: x\ndata: {"pin":"${planted}"}\n\n: note\ndata: a\ndata: b\nid: 1\r\n\r\n`],
  ['application/x-www-form-urlencoded', `a=1&pin=${planted}&u%5Bpin%5D=${planted}&gone=1&x=%7B%22pin%22%3A1%7D`],
  ['text/csv', `id,pin,note\r\n1,${planted},"a ""b"", c"\r\n2,"${planted}",4242 4242 4242 4242\r\n`],
  ['application/xml', `<?xml version="1.0"?><a b="1"><pin>${planted}</pin><c><![CDATA[x]]>&amp;<!-- c --></c><gone x="1"/></a>`],
  [
    'text/html',
    `<!doctype html><p class=pin>${planted}</p><input name=pin value="${planted}"><script>var a = {"pin":"${planted}"}</script><b>x</b>`,
  ],
  ['text/plain', `pin=${planted} and alice@example.com\n-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n`],
  [
    'multipart/mixed; boundary=q',
    `--q\r\nContent-Type: application/json\r\n\r\n{"pin":"${planted}"}\r\n--q\r\nContent-Disposition: form-data; name=pin\r\n\r\n${planted}\r\n--q--\r\n`,
  ],
];
const splices = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '<',
  '>',
  '&',
  ';',
  '%',
  '=',
  '\n',
  '\r',
  '\0',
  '\u00ff',
  '\ufeff',
  '&#64;',
  '\\u0000',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '--q',
  '\r\n\r\n',
  'data:',
  'sk_live_4eC39',
  '4242',
  '@',
  '-----BEGIN',
];

/** Numerical Recipes' generator: the same runs from the same seed. */
function generator(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * limit);
  };
}

function mutate(body: Uint8Array, next: (limit: number) => number): Uint8Array {
  let bytes = Array.from(body);
  for (let edits = next(5); edits > 0; edits--) {
    const at = next(bytes.length + 1);
    const kind = next(5);
    if (kind === 0) bytes.splice(at, 1 + next(4));
    else if (kind === 1) bytes.splice(at, 0, ...new TextEncoder().encode(splices[next(splices.length)]));
    else if (kind === 2) bytes[Math.min(at, bytes.length - 1)] = next(256);
    else if (kind === 3) bytes.splice(at, 0, ...bytes.slice(next(bytes.length), next(bytes.length)));
    else bytes = bytes.slice(0, at);
  }
  return Uint8Array.from(bytes);
}

/** One run; throws where a promise is broken. */
export async function fuzzOnce(seed: number): Promise<void> {
  const next = generator(seed);
  for (let i = 0; i < 4; i++) next(1);
  const [type, text] = seeds[next(seeds.length)]!;
  const isMutated = next(8) > 0;
  const body = isMutated ? mutate(new TextEncoder().encode(text), next) : new TextEncoder().encode(text);
  const chunks = Array.from({ length: 1 + next(4) }, () => 1 + next(16));
  try {
    const whole = await runMasker({ rules, type, body, scrub });
    const pieces = await runMasker({ rules, type, body, chunks, scrub });
    const differ = whole.error?.code !== pieces.error?.code || (whole.error === null && whole.text !== pieces.text);
    if (differ)
      throw new Error(
        `seed ${seed}: ${type} in chunks of ${chunks.join()} differs:\n${whole.error?.detail ?? whole.text}\n${pieces.error?.detail ?? pieces.text}`,
      );
    if (!isMutated && (whole.error !== null || whole.text.includes(planted)))
      throw new Error(`seed ${seed}: ${type} let the planted value pass, or cut a sound body`);
    // strict formats: what passes was understood, so its keys were
    if (whole.error === null && type === 'application/json' && whole.text !== '') assertMasked(parseJson(whole.text), seed);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
}

function assertMasked(value: unknown, seed: number): void {
  if (value === null || typeof value !== 'object') return;
  for (const [key, member] of Object.entries(value)) {
    if (key === 'pin' && member !== '[redacted]') throw new Error(`seed ${seed}: a masked key kept ${JSON.stringify(member)}`);
    if (key === 'gone') throw new Error(`seed ${seed}: a removed key stayed`);
    assertMasked(member, seed);
  }
}

if (process.argv[1] === import.meta.filename) {
  const argument = (name: string, otherwise: number): number => {
    const at = process.argv.indexOf(name);
    return at < 0 ? otherwise : Number(process.argv[at + 1]);
  };
  const end = performance.now() + argument('--seconds', 60) * 1000;
  let seed = argument('--seed', Date.now() % 1_000_000_000);
  const first = seed;
  for (; performance.now() < end; seed++) await fuzzOnce(seed);
  process.stdout.write(`${seed - first} bodies from seed ${first}, none broke a promise\n`);
}
