import zlib from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { decodeContent } from './content-coding.ts';

const text = `{"customers":"${'ada,'.repeat(5000)}"}`;
const encoders = {
  gzip: zlib.gzipSync,
  'x-gzip': zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync,
};
const coded = (coding: string): [string, string][] => [['content-encoding', coding]];
const asText = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe('decodeContent', () => {
  test.each(Object.entries(encoders))('undoes %s', async (coding, encode) => {
    const { bytes, remaining } = await decodeContent(encode(Buffer.from(text)), coded(coding));
    expect([asText(bytes), remaining]).toEqual([text, null]);
  });

  test('undoes deflate without its frame, and codings on top of each other in their order', async () => {
    expect(asText((await decodeContent(zlib.deflateRawSync(text), coded('deflate'))).bytes)).toBe(text);
    const twice = zlib.brotliCompressSync(zlib.gzipSync(text));
    expect(await decodeContent(twice, coded('gzip, br'))).toMatchObject({ undone: ['br', 'gzip'], remaining: null });
  });

  test('gives what came before a cut', async () => {
    const random = Array.from({ length: 4000 }, (_, n) => `${n * 7919}`).join();
    const whole = zlib.gzipSync(random);
    const { bytes, remaining } = await decodeContent(whole.subarray(0, whole.length >> 1), coded('gzip'));
    expect(remaining).toBeNull();
    expect(bytes.length).toBeGreaterThan(1000);
    expect(random.startsWith(asText(bytes))).toBe(true);
  });

  test('leaves alone, and names, what it cannot undo: unknown, broken, too large, too many', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(1_000_000));
    expect(await decodeContent(Buffer.from('x'), coded('aes128gcm'))).toMatchObject({ remaining: 'aes128gcm' });
    expect(await decodeContent(Buffer.from('not gzip'), coded('gzip'))).toMatchObject({
      bytes: Buffer.from('not gzip'),
      remaining: 'gzip',
    });
    expect(await decodeContent(bomb, coded('gzip'), { maxBytes: 1000 })).toMatchObject({ bytes: bomb, remaining: 'gzip' });
    expect((await decodeContent(bomb, coded('gzip,gzip,gzip,gzip,gzip'))).remaining).toContain('gzip');
    expect((await decodeContent(Buffer.from('x'), coded('constructor'))).remaining).toBe('constructor');
  });

  test('does nothing to a body without a coding', async () => {
    const body = Buffer.from(text);
    expect((await decodeContent(body, coded('identity'))).bytes).toBe(body);
    expect((await decodeContent(body, [])).bytes).toBe(body);
  });
});
