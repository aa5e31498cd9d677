import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  createDataKey,
  createDataKeyUnder,
  createWrappingKey,
  generateRecordingKeys,
  openBody,
  openDataKey,
  rotateKeys,
  sealBody,
} from './index.ts';

describe('recorded bodies', () => {
  it('open with the data key that the recording key unwraps, after a rotation too', async () => {
    const keys = await generateRecordingKeys();
    const dataKey = await createDataKey(keys.publicJwks.keys[0]!);
    const sealed = sealBody(dataKey.key, Buffer.from('{"amount":1}'), 'call_1:request');
    const rotated = rotateKeys(keys.privateJwks, (await generateRecordingKeys()).privateJwks);
    expect(openBody(await openDataKey(rotated, dataKey.wrapped), sealed, 'call_1:request').toString()).toBe('{"amount":1}');
  });

  it('open with a data key under a wrapping key, each with its own', async () => {
    const keys = await generateRecordingKeys();
    const wrapping = await createWrappingKey(keys.publicJwks.keys[0]!);
    const [one, other] = [createDataKeyUnder(wrapping), createDataKeyUnder(wrapping)];
    expect(one.wrapped).toBe(wrapping.wrapped + one.inner);
    const sealed = sealBody(one.key, Buffer.from('x'), 'call_1:request');
    expect(openBody(await openDataKey(keys.privateJwks, one.wrapped), sealed, 'call_1:request').toString()).toBe('x');
    const wrong = await openDataKey(keys.privateJwks, other.wrapped);
    expect(() => openBody(wrong, sealed, 'call_1:request')).toThrow();
    // Neither half alone is a data key, and a change of either is detected.
    const [jwe = '', inner = ''] = one.wrapped.split('~');
    const { wrapped: plain } = await createDataKey(keys.publicJwks.keys[0]!);
    const changed = Buffer.from(inner, 'base64url');
    changed[7]! ^= 1;
    for (const bad of [jwe, `${plain}~${inner}`, `${jwe}~`, `${jwe}~${inner.slice(4)}`, `${jwe}~${changed.toString('base64url')}`]) {
      await expect(openDataKey(keys.privateJwks, bad)).rejects.toThrow();
    }
    await expect(createWrappingKey(keys.privateJwks.keys[0]!)).rejects.toThrow('private key');
  });

  it('do not open as the body of another call or as the other half of the pair', async () => {
    const { key } = await createDataKey((await generateRecordingKeys()).publicJwks.keys[0]!);
    const sealed = sealBody(key, Buffer.from('x'), 'call_1:request');
    expect(() => openBody(key, sealed, 'call_1:response')).toThrow();
    expect(() => openBody(key, sealed, 'call_2:request')).toThrow();
  });

  it('never use a nonce twice', async () => {
    const { key } = await createDataKey((await generateRecordingKeys()).publicJwks.keys[0]!);
    const nonces = Array.from({ length: 2000 }, () => sealBody(key, Buffer.from('same'), 'call_1:request').slice(0, 16));
    expect(new Set(nonces).size).toBe(2000);
  });

  it('refuse keys that do not fit', async () => {
    const keys = await generateRecordingKeys();
    const { wrapped } = await createDataKey(keys.publicJwks.keys[0]!);
    await expect(openDataKey((await generateRecordingKeys()).privateJwks, wrapped)).rejects.toThrow('No recording key');
    await expect(openDataKey(keys.publicJwks, wrapped)).rejects.toThrow();
    await expect(createDataKey(keys.privateJwks.keys[0]!)).rejects.toThrow('private key');
  });

  it('open to the same bytes, and to nothing after a change of any byte (property)', async () => {
    const { key } = await createDataKey((await generateRecordingKeys()).publicJwks.keys[0]!);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, aad, at, flip) => {
        const sealed = sealBody(key, bytes, aad);
        expect(openBody(key, sealed, aad).equals(bytes)).toBe(true);
        const damaged = Buffer.from(sealed, 'base64');
        damaged[at % damaged.length]! ^= flip;
        expect(() => openBody(key, damaged.toString('base64'), aad)).toThrow();
        expect(() => openBody(key, damaged.subarray(0, at % damaged.length).toString('base64'), aad)).toThrow();
      }),
    );
  });
});
