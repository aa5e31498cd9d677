import { describe, expect, test, vi } from 'vitest';

import { answerJson, serve } from '../test/servers.ts';
import { failure, setUpCalls } from '../test/set-up-calls.ts';
import { problem } from '../test/small-hoop.ts';
import { startTarget } from '../test/target.ts';
import { HoopExchangeError, HoopTargetError } from './index.ts';

const world = await setUpCalls();

test('keeps a question mark that nothing follows, where the platform sends one', async () => {
  const asked: string[] = [];
  const platform: typeof fetch = (input, init) => {
    asked.push(input instanceof Request ? input.url : input.toString());
    return fetch(input, init);
  };
  const ours = world.makeFetch({ fetch: platform });
  for (const end of ['', '?', '?#part', '?a=1#part?', '#part?']) await ours(`${world.target.origin}/echo${end}`);
  expect(asked.filter((url) => url.includes('/echo')).map((url) => url.slice(url.indexOf('/echo')))).toEqual([
    '/echo',
    '/echo?',
    '/echo?',
    '/echo?a=1',
    '/echo',
  ]);
});

describe('grants', () => {
  test.each([
    ['none', undefined],
    ['a text', 'text'],
    ['a form', new URLSearchParams('a=1')],
  ])('gets a new grant and sends once more where the relay says that it was revoked (body: %s)', async (_case, body) => {
    world.hoop.revoked.add('grant-1');
    const response = await world.fetch(`${world.target.origin}/echo`, { method: 'POST', body: body ?? null });
    expect(await response.json()).toMatchObject({ method: 'POST', body: body?.toString() ?? '' });
    expect([world.hoop.exchanges.length, world.hoop.relayed.map(({ headers }) => headers['hoop-grant'])]).toEqual([
      2,
      ['grant-1', 'grant-2'],
    ]);
  });

  test('gets a new grant where the policy reads a claim that the old one does not carry', async () => {
    world.hoop.intercept = (request, response) =>
      request.headers['hoop-grant'] === 'grant-1' && (request.resume(), problem(response, 401, 'grant_outdated'), true);
    const response = await world.fetch(`${world.target.origin}/echo`, { method: 'POST', body: 'text' });
    expect(await response.json()).toMatchObject({ method: 'POST', body: 'text' });
    expect(world.hoop.exchanges.map((one) => one['resource'])).toEqual([world.target.origin, world.target.origin]);
  });

  test('sends once more only once', async () => {
    world.hoop.revoked.add('grant-1').add('grant-2');
    const response = await world.fetch(`${world.target.origin}/reason`);
    expect([response.status, response.headers.get('hoop-error'), world.hoop.relayed.length]).toEqual([401, 'token_revoked', 2]);
  });

  test('does not send a stream twice, but uses a new grant for the next call', async () => {
    world.hoop.revoked.add('grant-1');
    const response = await world.fetch(`${world.target.origin}/echo`, {
      method: 'POST',
      body: new Blob(['x']).stream(),
      duplex: 'half',
    } as RequestInit);
    expect([response.status, world.hoop.relayed.length]).toEqual([401, 1]);
    expect((await world.fetch(`${world.target.origin}/reason`)).status).toBe(200);
    expect(world.hoop.exchanges).toHaveLength(2);
  });

  test('does not take a 401 of the target, or another of the relay, for an old grant', async () => {
    expect((await world.fetch(`${world.target.origin}/status?code=401`)).status).toBe(401);
    world.hoop.intercept = (_request, response) => (problem(response, 401, 'token_malformed'), true);
    expect((await world.fetch(`${world.target.origin}/reason`)).status).toBe(401);
    expect(world.hoop.exchanges).toHaveLength(1);
  });

  test('says why a revoked grant was not replaced', async () => {
    await world.fetch(`${world.target.origin}/reason`);
    world.hoop.revoked.add('grant-1');
    world.hoop.refusal = { status: 403, body: { code: 'identity_disabled', detail: 'The identity nightly is disabled.' } };
    await expect(world.fetch(`${world.target.origin}/reason`)).rejects.toMatchObject({
      name: 'HoopExchangeError',
      code: 'identity_disabled',
    });
  });
});

describe('targets', () => {
  test('refuses a URL that no connection serves, says what to do, and shows no query', async () => {
    const error = (await failure(world.fetch('http://unmanaged.example/path?key=secret'))) as HoopTargetError;
    expect(error).toBeInstanceOf(HoopTargetError);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(
      /^http:\/\/unmanaged\.example\/path: no connection that this identity may use serves this URL \(there are: target \(http/,
    );
    expect(error.message).toContain('HOOP_UNMANAGED=direct');
    expect(error.message).not.toContain('secret');
    expect(world.hoop.relayed).toHaveLength(0);
  });

  test('learns of a connection that was registered since, with a newer grant at most every ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      await world.fetch(`${world.target.origin}/reason`);
      const other = await startTarget();
      world.hoop.connections.set('other', other.origin);
      vi.setSystemTime(Date.now() + 9_999);
      expect(await failure(world.fetch(`${other.origin}/reason`))).toBeInstanceOf(HoopTargetError);
      vi.setSystemTime(Date.now() + 1);
      expect((await world.fetch(`${other.origin}/reason`)).status).toBe(200);
      expect(world.hoop.exchanges).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });

  test('refuses what is not http too', async () => {
    expect(await failure(world.fetch('ftp://unmanaged.example/'))).toBeInstanceOf(HoopTargetError);
  });

  test("calls it directly, with the caller's credentials and without Hoop's headers, where unmanaged is 'direct'", async () => {
    const other = await startTarget();
    const response = await world.fetch(`${other.origin}/echo`, {
      headers: { authorization: 'Bearer own' },
      hoop: { unmanaged: 'direct', context: { a: 'b' } },
    });
    const { headers } = (await response.json()) as { headers: Record<string, string> };
    expect(headers['authorization']).toBe('Bearer own');
    expect(Object.keys(headers).filter((name) => name.startsWith('hoop-'))).toEqual([]);
    expect(response.url).toBe(`${other.origin}/echo`);
    vi.stubEnv('HOOP_UNMANAGED', 'direct');
    expect((await world.makeFetch()(`${other.origin}/reason`)).status).toBe(200);
    vi.stubEnv('HOOP_UNMANAGED', 'yes');
    await expect(world.makeFetch()(`${other.origin}/reason`)).rejects.toThrow('HOOP_UNMANAGED must be refuse or direct, not "yes"');
  });

  test("calls nothing directly where it cannot know what is managed, even if unmanaged is 'direct'", async () => {
    const before = world.target.counts.get('/reason');
    world.hoop.refusal = { status: 503, body: {} };
    expect(await failure(world.makeFetch({ unmanaged: 'direct' })(`${world.target.origin}/reason`))).toBeInstanceOf(HoopExchangeError);
    expect(world.target.counts.get('/reason')).toBe(before);
  });

  test('does not believe the Hoop headers of a target that it calls directly', async () => {
    const liar = await serve((_request, response) => answerJson(response, 403, {}, { 'hoop-error': 'policy_denied' }));
    const response = await world.fetch(liar, { hoop: { unmanaged: 'direct', onDenied: 'throw' } });
    expect(response.status).toBe(403);
  });

  test('follows a redirect to a managed target through Hoop, and to another one only where that is allowed', async () => {
    const other = await startTarget();
    const url = `${world.target.origin}/redirect?status=307&to=${encodeURIComponent(`${other.origin}/echo`)}`;
    expect(await failure(world.fetch(url))).toBeInstanceOf(HoopTargetError);
    expect(other.counts.get('/echo')).toBeUndefined();

    const direct = await world.fetch(url, { headers: { authorization: 'Bearer own' }, hoop: { unmanaged: 'direct' } });
    expect([direct.url, direct.redirected]).toEqual([`${other.origin}/echo`, true]);
    expect(((await direct.json()) as { headers: object }).headers).not.toHaveProperty('authorization');

    world.hoop.connections.set('other', other.origin);
    const through = await world.makeFetch()(url, { hoop: { connection: 'target' } });
    expect([through.url, world.hoop.relayed.at(-1)!.url]).toEqual([`${other.origin}/echo`, '/other/echo']);
  });

  test('goes on through Hoop where a directly called target redirects to a managed one', async () => {
    const other = await startTarget();
    const url = `${other.origin}/redirect?status=302&to=${encodeURIComponent(`${world.target.origin}/reason`)}`;
    await world.fetch(url, { hoop: { unmanaged: 'direct' } });
    expect(world.hoop.relayed.map((one) => one.url)).toEqual(['/target/reason']);
  });

  test('asks which connection where two serve the URL, and uses the one that is named', async () => {
    world.hoop.connections.set('second', `${world.target.origin}/`);
    expect(await failure(world.fetch(`${world.target.origin}/reason`))).toMatchObject({
      message: expect.stringContaining("hoop: { connection: 'target' }"),
    });
    await world.fetch(`${world.target.origin}/reason`, { hoop: { connection: 'second' } });
    expect(world.hoop.relayed.map((one) => one.url)).toEqual(['/second/reason']);
  });

  test('refuses a named connection that is unknown or has another target', async () => {
    world.hoop.connections.set('elsewhere', 'https://elsewhere.example');
    const call = (connection: string): Promise<unknown> =>
      failure(world.fetch(`${world.target.origin}/reason`, { hoop: { connection, unmanaged: 'direct' } }));
    expect(await call('none')).toMatchObject({ message: expect.stringContaining('there is no connection "none"') });
    expect(await call('elsewhere')).toMatchObject({ message: expect.stringContaining('not under https://elsewhere.example') });
  });
});
