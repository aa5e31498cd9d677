import { describe, expect, test, vi } from 'vitest';

import { serve } from '../test/servers.ts';
import { failure, setUpCalls } from '../test/set-up-calls.ts';
import { startTarget } from '../test/target.ts';
import {
  createFetch,
  fetch as fetchByEnvironment,
  HoopConfigurationError,
  HoopExchangeError,
  HoopTokenError,
  type HoopOptions,
} from './index.ts';

const world = await setUpCalls();

describe('configuration', () => {
  test('is taken from the environment by the plain import', async () => {
    vi.stubEnv('HOOP_URL', `${world.hoop.url}/`);
    vi.stubEnv('HOOP_TOKEN', 'environment-token');
    expect((await fetchByEnvironment(`${world.target.origin}/reason`)).status).toBe(200);
    expect(world.hoop.exchanges[0]).toMatchObject({ subject_token: 'environment-token' });
  });

  test('names HOOP_URL where it is missing, and finds it later', async () => {
    const late = createFetch({ token: () => 'identity-token' });
    await expect(late(`${world.target.origin}/reason`)).rejects.toThrow(/^HOOP_URL is not set/);
    vi.stubEnv('HOOP_URL', world.hoop.url);
    expect((await late(`${world.target.origin}/reason`)).status).toBe(200);
  });

  test('takes the relay from HOOP_RELAY_URL before what the control plane says', async () => {
    const relayUrl = await serve((_request, response) => void response.end('other relay'));
    vi.stubEnv('HOOP_RELAY_URL', relayUrl);
    expect(await (await world.fetch(`${world.target.origin}/reason`)).text()).toBe('other relay');
  });

  test.each(['nonsense', 'ftp://hoop.example', 'https://user:pass@hoop.example', 'https://hoop.example?x=1', 'https://hoop.example#x'])(
    'refuses %s as a URL',
    async (url) => {
      expect(() => createFetch({ url })).toThrow(HoopConfigurationError);
      expect(() => createFetch({ relayUrl: url })).toThrow(/^relayUrl must be/);
      vi.stubEnv('HOOP_URL', url);
      expect(await failure(createFetch({ token: () => 'x' })(`${world.target.origin}/reason`))).toMatchObject({
        message: expect.stringMatching(/^HOOP_URL must be/),
      });
    },
  );

  test('sends no grant in the clear to a relay that an https control plane names', async () => {
    const calls: string[] = [];
    const carrier: typeof globalThis.fetch = async (input) => {
      calls.push(new Request(input).url);
      return Response.json({
        hoop_relay_url: 'http://relay.example',
        access_token: 'grant',
        expires_in: 300,
        hoop_connections: [{ name: 'target', target: world.target.origin }],
      });
    };
    const secure = createFetch({ url: 'https://hoop.example', token: () => 'identity-token', fetch: carrier });
    expect(await failure(secure(`${world.target.origin}/reason`))).toBeInstanceOf(HoopConfigurationError);
    expect(calls.some((url) => url.startsWith('http://relay.example'))).toBe(false);
  });

  test('tells the token source the audience: the option, HOOP_AUDIENCE, or the origin of the control plane', async () => {
    const audiences: string[] = [];
    const token: HoopOptions['token'] = ({ audience }) => (audiences.push(audience), 'identity-token');
    await world.makeFetch({ token })(`${world.target.origin}/reason`);
    vi.stubEnv('HOOP_AUDIENCE', 'from-environment');
    await world.makeFetch({ token })(`${world.target.origin}/reason`);
    await world.makeFetch({ token, audience: 'from-option' })(`${world.target.origin}/reason`);
    expect(audiences).toEqual([world.hoop.url, 'from-environment', 'from-option']);
  });
});

describe('the exchange', () => {
  test('fails with what the control plane says', async () => {
    world.hoop.refusal = {
      status: 403,
      body: {
        type: 'urn:hoop:error:identity_unmatched',
        code: 'identity_unmatched',
        title: 'No identity matches',
        status: 403,
        detail: 'No identity matches repository acme/x.',
      },
    };
    const error = (await failure(world.fetch(`${world.target.origin}/reason`))) as HoopExchangeError;
    expect(error).toBeInstanceOf(HoopExchangeError);
    expect([error.code, error.problem?.status]).toEqual(['identity_unmatched', 403]);
    expect(error.message).toBe(
      `Hoop's control plane answered 403 at ${world.hoop.url}/oauth/token: No identity matches repository acme/x.`,
    );
  });

  test('fails with what an OAuth server says', async () => {
    world.hoop.refusal = { status: 400, body: { error: 'invalid_request', error_description: 'Nope.' } };
    expect(await failure(world.fetch(`${world.target.origin}/reason`))).toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/: Nope\.$/),
    });
  });

  test.each([
    [{}],
    [{ access_token: 'x', expires_in: 300 }],
    [{ access_token: 'x', expires_in: 300, hoop_connections: [{ name: 'a', target: 'nonsense' }] }],
    [null],
    ['text'],
  ])('refuses the answer %j', async (body) => {
    world.hoop.refusal = { status: 200, body };
    expect(await failure(world.fetch(`${world.target.origin}/reason`))).toBeInstanceOf(HoopExchangeError);
    expect(world.hoop.relayed).toHaveLength(0);
  });

  test('does not follow a redirect with the token', async () => {
    const thief = await startTarget();
    const url = await serve((_request, response) => void response.writeHead(307, { location: `${thief.origin}/echo` }).end());
    expect(await failure(createFetch({ url, token: () => 'identity-token' })(`${world.target.origin}/reason`))).toBeInstanceOf(
      HoopExchangeError,
    );
    expect(thief.counts.size).toBe(0);
  });

  test('fails where the control plane cannot be reached or does not answer in time', async () => {
    const gone = createFetch({ url: 'http://127.0.0.1:1', token: () => 'x' });
    expect(await failure(gone(`${world.target.origin}/reason`))).toMatchObject({
      name: 'HoopExchangeError',
      code: 'unavailable',
      cause: { name: 'TypeError' },
    });
    const hanging = createFetch({ url: await serve(() => {}), token: () => 'x', exchangeTimeoutMs: 30 });
    expect(await failure(hanging(`${world.target.origin}/reason`))).toMatchObject({
      name: 'HoopExchangeError',
      cause: { name: 'TimeoutError' },
    });
  });

  test('fails in time where the token source does not answer, and passes its failure on', async () => {
    const hanging = world.makeFetch({ token: () => new Promise(() => {}), exchangeTimeoutMs: 30 });
    expect(await failure(hanging(`${world.target.origin}/reason`))).toMatchObject({
      name: 'HoopTokenError',
      cause: { name: 'TimeoutError' },
    });
    const broken = world.makeFetch({
      token: () => {
        throw new Error('no metadata server');
      },
    });
    await expect(broken(`${world.target.origin}/reason`)).rejects.toThrow('no metadata server');
    expect(await failure(world.makeFetch({ token: () => '' })(`${world.target.origin}/reason`))).toBeInstanceOf(HoopTokenError);
  });

  test('never shows the token in an error', async () => {
    world.hoop.refusal = { status: 401, body: { code: 'token_expired', detail: 'The token expired.' } };
    const error = (await failure(world.fetch(`${world.target.origin}/reason`))) as Error;
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('identity-token');
  });
});
