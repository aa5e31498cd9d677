import { describe, expect, test, vi } from 'vitest';

import { failure, setUpCalls } from '../test/set-up-calls.ts';
import { HoopConfigurationError } from './index.ts';

const world = await setUpCalls();

describe('context and session', () => {
  test('sends the context of the call over that of the fetch, in ASCII', async () => {
    const withContext = world.makeFetch({ context: { ticket: 'OPS-1', team: 'Zürich 🏔' } });
    await withContext(`${world.target.origin}/reason`, { hoop: { context: { ticket: 'OPS-2' } } });
    const header = String(world.hoop.relayed[0]!.headers['hoop-context']);
    expect(header).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(header)).toEqual({ ticket: 'OPS-2', team: 'Zürich 🏔' });
  });

  test('sends no context where there is none', async () => {
    await world.fetch(`${world.target.origin}/reason`);
    expect(world.hoop.relayed[0]!.headers).not.toHaveProperty('hoop-context');
  });

  test('refuses a context that is too long or not of texts, and a session that is none', async () => {
    const call = (options: object): Promise<unknown> => failure(world.fetch(`${world.target.origin}/reason`, { hoop: options }));
    expect(await call({ context: { a: 'x'.repeat(4089) } })).toMatchObject({
      message: 'hoop.context is 4097 bytes as JSON; at most 4096 are allowed',
    });
    expect(await call({ context: { amount: 7 } })).toMatchObject({ message: 'hoop.context.amount must be a string, not number' });
    for (const session of ['', 'a b', 'x'.repeat(65), 'a\r\nb']) expect(await call({ session })).toBeInstanceOf(HoopConfigurationError);
    expect(world.hoop.relayed).toHaveLength(0);
    expect((await world.fetch(`${world.target.origin}/reason`, { hoop: { context: { a: 'x'.repeat(4088) } } })).status).toBe(200);
  });

  test('keeps one session for a fetch, another for another, and the one that is named', async () => {
    await world.fetch(`${world.target.origin}/reason`);
    await world.fetch(`${world.target.origin}/reason`);
    await world.makeFetch()(`${world.target.origin}/reason`);
    vi.stubEnv('HOOP_SESSION', 'run-7');
    await world.makeFetch()(`${world.target.origin}/reason`);
    await world.makeFetch({ session: 'mine' })(`${world.target.origin}/reason`);
    await world.fetch(`${world.target.origin}/reason`, { hoop: { session: 'this-one' } });
    const [first, second, third, ...named] = world.hoop.relayed.map(({ headers }) => headers['hoop-session']);
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect([second, third === first]).toEqual([first, false]);
    expect(named).toEqual(['run-7', 'mine', 'this-one']);
  });

  test('extends a fetch with further defaults that share its grants', async () => {
    const base = world.makeFetch({ context: { team: 'billing' } });
    const invocation = base.extend({ session: 'invocation-1', context: { ticket: 'OPS-1' } });
    await base(`${world.target.origin}/reason`);
    await invocation(`${world.target.origin}/reason`);
    expect(world.hoop.exchanges).toHaveLength(1);
    const { headers } = world.hoop.relayed[1]!;
    expect([headers['hoop-session'], headers['hoop-context']]).toEqual(['invocation-1', '{"team":"billing","ticket":"OPS-1"}']);
  });
});
