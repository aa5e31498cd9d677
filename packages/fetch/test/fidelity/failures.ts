import { once } from 'node:events';

import { describe, expect, test } from 'vitest';

import { type Side, world } from './sides.ts';

export function testFailures({ fetch }: Side): void {
  describe('failures', () => {
    test('rejects with a TypeError that has a cause where the target resets the connection', async () => {
      const error: Error = await fetch(`${world.target.origin}/reset`).then(
        () => expect.unreachable(),
        (reason) => reason,
      );
      expect(error).toBeInstanceOf(TypeError);
      expect([error.message, error.cause instanceof Error]).toEqual(['fetch failed', true]);
    });

    test('gives what came of a body and then a TypeError where the target resets the connection in it', async () => {
      const response = await fetch(`${world.target.origin}/begin-then-reset`);
      world.target.events.emit('go on');
      await expect(response.text()).rejects.toBeInstanceOf(TypeError);
    });
  });

  describe('abort', () => {
    test('rejects with the reason and sends nothing where the signal has fired before', async () => {
      const before = world.target.counts.get('/hang') ?? 0;
      await expect(fetch(`${world.target.origin}/hang`, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
      const reason = new Error('mine');
      await expect(fetch(`${world.target.origin}/hang`, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      await expect(fetch(new Request(`${world.target.origin}/hang`, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
      expect(world.target.counts.get('/hang') ?? 0).toBe(before);
    });

    test.each([
      ['init', (signal: AbortSignal) => fetch(`${world.target.origin}/hang`, { signal })],
      ['a Request', (signal: AbortSignal) => fetch(new Request(`${world.target.origin}/hang`, { signal }))],
      [
        'a Request as init',
        (signal: AbortSignal) => fetch(`${world.target.origin}/hang`, new Request('http://elsewhere.example/', { signal })),
      ],
    ])('rejects and closes the connection where the signal of %s fires before the head', async (_case, call) => {
      const controller = new AbortController();
      const arrived = once(world.target.events, 'request');
      const promise = call(controller.signal);
      promise.catch(() => {});
      await arrived;
      const closed = once(world.target.events, 'closed');
      controller.abort();
      await expect(promise).rejects.toMatchObject({ name: 'AbortError' });
      expect(await closed).toEqual(['/hang']);
    });

    test('ignores the signal of a Request where init says null', async () => {
      const request = new Request(`${world.target.origin}/reason`, { signal: AbortSignal.abort() });
      expect((await fetch(request, { signal: null })).status).toBe(200);
    });

    test('breaks the body and closes the connection where the signal fires in it', async () => {
      const controller = new AbortController();
      const response = await fetch(`${world.target.origin}/begin-then-hang`, { signal: controller.signal });
      const reader = response.body!.getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toBe('begun');
      const closed = once(world.target.events, 'closed');
      controller.abort();
      await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' });
      expect(await closed).toEqual(['/begin-then-hang']);
    });

    test('closes the connection where the body is cancelled', async () => {
      const response = await fetch(`${world.target.origin}/begin-then-hang`);
      const closed = once(world.target.events, 'closed');
      await response.body!.cancel();
      expect(await closed).toEqual(['/begin-then-hang']);
    });

    test('rejects with a TimeoutError where the time of AbortSignal.timeout is over', async () => {
      await expect(fetch(`${world.target.origin}/hang`, { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({
        name: 'TimeoutError',
      });
    });

    test('cancels the stream that was to be sent', async () => {
      const cancelled = Promise.withResolvers<unknown>();
      const body = new ReadableStream({ cancel: cancelled.resolve });
      const reason = new Error('mine');
      const init = { method: 'POST', body, duplex: 'half', signal: AbortSignal.abort(reason) } as RequestInit;
      await expect(fetch(`${world.target.origin}/echo`, init)).rejects.toBe(reason);
      await cancelled.promise;
    });
  });
}
