import { getEventListeners } from 'node:events';

import { describe, expect, test } from 'vitest';

import { whileNotAborted } from './abort.ts';

describe('whileNotAborted', () => {
  test('gives what the work gives, and leaves no listener behind', async () => {
    const { signal } = new AbortController();
    expect(await whileNotAborted(Promise.resolve('done'), signal)).toBe('done');
    await expect(whileNotAborted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(await whileNotAborted(Promise.resolve('done'), null)).toBe('done');
  });

  test('rejects with the reason when the signal fires, or has fired, and lets the work go on', async () => {
    const controller = new AbortController();
    const { promise, resolve } = Promise.withResolvers<string>();
    const waiting = whileNotAborted(promise, controller.signal);
    controller.abort('enough');
    await expect(waiting).rejects.toBe('enough');
    await expect(whileNotAborted(promise, controller.signal)).rejects.toBe('enough');
    resolve('done');
    expect(await promise).toBe('done');
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  test('prefers the abort where the work is done as well', async () => {
    await expect(whileNotAborted(Promise.resolve('done'), AbortSignal.abort('enough'))).rejects.toBe('enough');
  });

  test('leaves no failure of the work unhandled that nobody waits for any longer', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    const { promise, reject } = Promise.withResolvers<string>();
    await expect(whileNotAborted(promise, AbortSignal.abort('enough'))).rejects.toBe('enough');
    reject(new Error('broken'));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});
