import { getEventListeners } from 'node:events';

import { expect, test } from 'vitest';

import { setUpCalls } from '../test/set-up-calls.ts';
import { problem } from '../test/small-hoop.ts';

const world = await setUpCalls();

/** Listeners that 20 calls leave on a signal that they share. */
async function leftBy(call: (signal: AbortSignal) => Promise<Response>): Promise<number> {
  const { signal } = new AbortController();
  for (let i = 0; i < 20; i++) await (await call(signal)).arrayBuffer();
  return getEventListeners(signal, 'abort').length;
}

test('calls leave no more on a signal that they share than the platform does', async () => {
  const url = `${world.target.origin}/echo`;
  const post = { method: 'POST', body: 'text' };
  const platform = await leftBy((signal) => globalThis.fetch(url, { ...post, signal }));
  expect(await leftBy((signal) => world.fetch(url, { ...post, signal }))).toBeLessThanOrEqual(platform);
  expect(await leftBy((signal) => world.fetch(new Request(url, post), { signal }))).toBeLessThanOrEqual(platform);
  const redirect = `${world.target.origin}/redirect?status=307&to=/echo`;
  expect(await leftBy((signal) => world.fetch(redirect, { ...post, signal }))).toBeLessThanOrEqual(platform);
  const stream = (signal: AbortSignal) =>
    world.fetch(url, { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half', signal } as RequestInit);
  expect(await leftBy(stream)).toBeLessThanOrEqual(platform);
  expect(await leftBy((signal) => world.fetch(url, { hoop: { unmanaged: 'direct' }, signal }))).toBeLessThanOrEqual(platform);
});

test('calls that wait for an approval, and those that collect a response, leave none either', async () => {
  const approvalId = `apr_${'1'.repeat(26)}`;
  world.hoop.intercept = (request, response) => {
    request.resume();
    if (request.url!.startsWith('/-/')) response.end(JSON.stringify({ state: 'denied' }));
    else problem(response, 403, 'approval_pending', { approvalId });
    return true;
  };
  expect(await leftBy((signal) => world.fetch(`${world.target.origin}/x`, { method: 'POST', signal }))).toBeLessThanOrEqual(1);
  expect(await leftBy((signal) => world.fetch.collect(`call_${'1'.repeat(26)}`, { signal }))).toBeLessThanOrEqual(1);
});

test('a signal still ends a call at every point: before it, while it waits, and in its body', async () => {
  const gone = AbortSignal.abort(new Error('gone'));
  await expect(world.fetch(`${world.target.origin}/reason`, { signal: gone })).rejects.toThrow('gone');
  await expect(world.fetch(new Request(`${world.target.origin}/reason`, { signal: gone }))).rejects.toThrow('gone');
  const controller = new AbortController();
  const response = await world.fetch(`${world.target.origin}/begin-then-hang`, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(response.text()).rejects.toThrow('enough');
});
