/** Bounds the work of a body by the stream's counters, as clocks say nothing on a busy machine. */
import { describe, expect, test } from 'vitest';

import { runMasker } from '../testing/run-masker.ts';
import { compileScrubber } from './scrubber.ts';

/** Numerical Recipes' generator. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * limit);
  };
}

const next = generator(7);
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const randomText = (length: number): string => Array.from({ length }, () => letters[next(letters.length)]!).join('');
const hex = (code: number, width: number): string => code.toString(16).padStart(width, '0');
const notations: readonly ((code: number) => string)[] = [
  (code) => String.fromCharCode(code),
  (code) => `%${hex(code, 2)}`,
  (code) => `\\u${hex(code, 4)}`,
  (code) => `&#${code};`,
  (code) => `&#x${hex(code, 2)}`,
  (code) => `${String.fromCharCode(code)}\0`,
  (code) => `\\\\x${hex(code, 2)}`,
  (code) => `=${hex(code, 2)}`,
  (code) => `%25${hex(code, 2)}`,
  (code) => `&#37;\0${hex(code, 2)}`,
  (code) => `${hex(code, 2)}`,
];
const size = 16_384;

function written(pick: (i: number) => number): Buffer {
  let text = '';
  for (let i = 0; text.length < size; i++) text += notations[next(notations.length)]!(pick(i));
  return Buffer.from(text.slice(0, size));
}

const long = randomText(600);
const jwt = `eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.${randomText(500)}`;
const header = jwt.slice(0, 37);
const prose = Buffer.from(
  'A customer who buys "things", and a sentence or two of text as support writes it into such fields. '.repeat(size / 64).slice(0, size),
);
const filled = (unit: string): Buffer => Buffer.alloc(size, unit);

const bodies: Readonly<Record<string, readonly [secret: string, body: Buffer]>> = {
  'its own characters in random notations': [long, written(() => long.charCodeAt(next(long.length)))],
  'all of it but the last character, again and again': [long, written((i) => long.charCodeAt(i % (long.length - 1)))],
  'the usual beginning of a JWT in random notations': [jwt, written((i) => header.charCodeAt(i % header.length))],
  'the usual beginning of a JWT as it is': [jwt, filled(header)],
  'the whole of it, raw, again and again': [long, filled(`${long} `)],
  'the whole of it in random notations': [long, written((i) => long.charCodeAt(i % long.length))],
  backslashes: [long, filled('\\')],
  'backslashes, and a secret with one': [`${long}\\\\`, filled('\\')],
  'percent signs that open others': [long, filled('%25%25')],
  'ampersands that open others': [long, filled('&#38;#38')],
  'references with zeros': [long, filled('&#x000000')],
  'soft line breaks': [long, Buffer.from(`${long.slice(0, 5)}${'=\r\n'.repeat(size / 3)}`)],
  'line breaks after the start of its base64': [long, Buffer.from(Buffer.from(long).toString('base64').slice(0, 8) + '\n'.repeat(size))],
  'line breaks in notations': [long, Buffer.from(Buffer.from(long).toString('base64').slice(0, 8) + '%0a&#10;'.repeat(size / 8))],
  'NULs after its start': [long, Buffer.concat([Buffer.from(long.slice(0, 9)), Buffer.alloc(size)])],
  'base64 of other things': [long, Buffer.from(randomText(size))],
  'one character': ['a'.repeat(300) + 'b', filled('a')],
  'one character in notations': ['a'.repeat(300) + 'b', written(() => 0x61)],
};

function scrub(secret: string, body: Buffer, chunkBytes = body.length): { work: number; held: number; isExhausted: boolean } {
  // a relay has seen other bodies before
  const scrubber = compileScrubber([secret]);
  const once = (): { work: number; held: number; isExhausted: boolean } => {
    const stream = scrubber.stream();
    let held = 0;
    let inside = 0;
    for (let at = 0; at < body.length; at += chunkBytes) {
      const chunk = body.subarray(at, at + chunkBytes);
      inside += chunk.length - (stream.write(chunk)?.length ?? 0);
      held = Math.max(held, inside);
    }
    stream.end();
    return { work: stream.work, held, isExhausted: stream.isExhausted };
  };
  once();
  return once();
}

describe('the work of looking for a secret', () => {
  const onProse = scrub(long, prose).work / prose.length;

  test.each(Object.entries(bodies))('is at most twenty times that of prose in a body of %s', (_name, [secret, body]) => {
    const { work, isExhausted } = scrub(secret, body);
    expect(work / body.length / onProse).toBeLessThan(20);
    expect(isExhausted).toBe(false);
  });

  test.each(Object.entries(bodies))(
    'does not grow with what came before, nor does what is held back, in a body of %s',
    (_name, [secret, body]) => {
      const twice = Buffer.concat([body, body, body, body]);
      const one = scrub(secret, body, 1024);
      const four = scrub(secret, twice, 1024);
      expect(four.work / twice.length).toBeLessThan((one.work / body.length) * 1.5 + 0.1);
      expect(four.held).toBeLessThan(secret.length * 40);
    },
  );

  test('has a limit: a body that goes past it is cut, and nothing more of it comes out', async () => {
    const few = { buildsPerNode: 0, buildsPerByte: 0, freeBuilds: 40 };
    const scrubber = compileScrubber([long], few);
    const stream = scrubber.stream();
    expect(stream.write(Buffer.from(long.slice(0, 30)))).toBeNull();
    expect(stream.isExhausted).toBe(false);
    expect(stream.write(Buffer.from(`${long.slice(30, 90)} and more`))).toBeNull();
    expect(stream.isExhausted).toBe(true);
    expect([stream.write(prose), stream.end()]).toEqual([null, null]);
    // what one stream computed, others need not
    expect(scrubber.text(long.slice(0, 30))).toBe(long.slice(0, 30));
    expect(scrubber.text(`x ${long}`)).toBe('***');

    const body = `${prose.toString('latin1', 0, 1000)}${long} and more`;
    const { text, error, report } = await runMasker({ scrub: compileScrubber([long], few), type: 'text/plain', body, chunks: [1000] });
    expect(error?.code).toBe('unmaskable_response');
    expect(report.cut).toEqual({ at: body.length, reason: expect.stringContaining('the credential cannot be looked for') });
    expect(text).toBe(body.slice(0, 1000));
  });

  test('leaves room for a long secret that comes back whole, the first time that it does', () => {
    const secret = randomText(20_000);
    const stream = compileScrubber([secret]).stream();
    const out = stream.write(Buffer.from(`x ${secret} y`));
    expect(Buffer.from(out!).toString()).toBe(`x ${'*'.repeat(20_000)} y`);
  });
});

test('a chunk that holds a secret is not written to: it is the reader of the socket that has it', () => {
  const chunk = Buffer.from(`x ${long} y`);
  const before = Buffer.from(chunk);
  const out = compileScrubber([long]).stream().write(chunk);
  expect(Buffer.from(out!).toString()).toBe(`x ${'*'.repeat(600)} y`);
  expect(chunk.equals(before)).toBe(true);
});

test('a header, of which bytes come as characters of Latin-1, is scrubbed of a secret that is not ASCII', () => {
  const scrubber = compileScrubber(['pässwörd-€1']);
  for (const written of [
    Buffer.from('pässwörd-€1').toString('latin1'),
    'p\xe4ssw\xf6rd-%E2%82%AC1',
    encodeURIComponent('pässwörd-€1'),
    'pässwörd-€1',
  ]) {
    expect(scrubber.text(`a ${written} b`)).toBe(
      `a ${'*'.repeat(written.length)} b`.replace(/\*+/, '*'.repeat(scrubber.text(`a ${written} b`).length - 4)),
    );
    expect(scrubber.text(`a ${written} b`)).toMatch(/^a \*+ b$/);
  }
});
