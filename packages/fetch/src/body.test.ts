import { describe, expect, test } from 'vitest';

import { readPayload } from './body.ts';

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const post = (body: BodyInit): Request => new Request('http://target.example/', { method: 'POST', body, duplex: 'half' } as RequestInit);

describe('the body of a Request', () => {
  test('is held whole, and can be sent again, where it is there at once', async () => {
    const payload = await readPayload(undefined, post('text'));
    expect(payload).toEqual({ value: encode('text'), isReplayable: true });
  });

  test('is streamed, with nothing lost, where it takes its time', async () => {
    let go!: () => void;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const texts = ['one ', 'two ', 'three'];
    const body = new ReadableStream({
      async pull(controller) {
        if (texts.length < 3) await gate;
        controller.enqueue(encode(texts.shift()!));
        if (texts.length === 0) controller.close();
      },
    });
    const payload = await readPayload(undefined, post(body));
    expect(payload.isReplayable).toBe(false);
    go();
    expect(await new Response(payload.value).text()).toBe('one two three');
  });

  test('is streamed, with nothing lost, where it comes in many pieces and is long', async () => {
    let left = 40;
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(100_000).fill(left));
        if (--left === 0) controller.close();
      },
    });
    const payload = await readPayload(undefined, post(body));
    expect(payload.isReplayable).toBe(false);
    expect(left).toBeGreaterThan(20);
    const bytes = new Uint8Array(await new Response(payload.value).arrayBuffer());
    expect(bytes.byteLength).toBe(4_000_000);
    for (let piece = 0; piece < 40; piece++) expect(bytes[piece * 100_000]).toBe(40 - piece);
  });

  test('passes on the failure and the cancellation of a stream', async () => {
    let fail!: (error: Error) => void;
    const failing = await readPayload(
      undefined,
      post(new ReadableStream({ start: (controller) => void (fail = (error) => controller.error(error)) })),
    );
    fail(new Error('the source broke'));
    await expect(new Response(failing.value).text()).rejects.toThrow('the source broke');

    const cancelled = Promise.withResolvers<unknown>();
    const { value } = await readPayload(undefined, post(new ReadableStream({ cancel: cancelled.resolve })));
    await (value as ReadableStream).cancel('enough');
    expect(await cancelled.promise).toBe('enough');
  });
});

describe('the body of init', () => {
  test('is taken for a stream, which cannot be sent again, where it is not one of the standard in-memory ones', async () => {
    const request = post('whatever');
    expect(await readPayload(new ReadableStream(), request)).toEqual({ value: request.body, isReplayable: false });
  });

  test('is copied where its owner could change it', async () => {
    for (const body of [encode('x'), encode('x').buffer, new DataView(encode('x').buffer), new URLSearchParams('a=1'), new FormData()]) {
      const { value, isReplayable } = await readPayload(body, post(body));
      expect(isReplayable).toBe(true);
      expect(value).not.toBe(body);
    }
  });
});
