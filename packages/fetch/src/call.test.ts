import { beforeEach, describe, expect, test, vi } from 'vitest';

import { serve } from '../test/servers.ts';
import { failure, setUpCalls } from '../test/set-up-calls.ts';
import { problem } from '../test/small-hoop.ts';
import { createFetch, HoopDeniedError, HoopRelayError } from './index.ts';

const world = await setUpCalls();

describe('the way through Hoop', () => {
  test('exchanges the token once and calls RELAY/<connection>/<path> with the grant', async () => {
    await world.fetch(`${world.target.origin}/echo?a=1`);
    await world.fetch(`${world.target.origin}/reason`);
    expect(world.hoop.exchanges).toEqual([
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: 'identity-token',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        resource: world.target.origin,
      },
    ]);
    expect(world.hoop.relayed.map(({ method, url, headers }) => [method, url, headers['hoop-grant']])).toEqual([
      ['GET', '/target/echo?a=1', 'grant-1'],
      ['GET', '/target/reason', 'grant-1'],
    ]);
  });

  test("takes the target's path prefix away and finds a relay behind a path", async () => {
    world.hoop.connections.set('deep', `${world.target.origin}/redirect/`);
    const seen: string[] = [];
    const relayUrl = await serve((request, response) => (seen.push(request.url ?? ''), void response.end()));
    const response = await world.makeFetch({ relayUrl: `${relayUrl}/behind/` })(`${world.target.origin}/redirect/x?y`);
    expect(seen).toEqual(['/behind/deep/x?y']);
    expect(response.url).toBe(`${world.target.origin}/redirect/x?y`);
  });

  test("never sends the caller's credentials, host or Hoop headers to the relay", async () => {
    const headers = {
      authorization: 'Bearer sk_live',
      'proxy-authorization': 'Basic x',
      host: 'evil.example',
      'hoop-context': '{"ticket":"FORGED"}',
      'hoop-grant': 'x',
      'hoop-other': 'y',
      'x-own': '1',
    };
    await world.fetch(`${world.target.origin}/echo`, { headers });
    const seen = world.hoop.relayed[0]!.headers;
    expect(seen['host']).toBe(new URL(world.hoop.relayUrl).host);
    expect([
      seen['authorization'],
      seen['proxy-authorization'],
      seen['hoop-context'],
      seen['hoop-other'],
      seen['hoop-grant'],
      seen['x-own'],
    ]).toEqual([undefined, undefined, undefined, undefined, 'grant-1', '1']);
  });

  test('shares one exchange between calls that start together', async () => {
    await Promise.all(Array.from({ length: 10 }, () => world.fetch(`${world.target.origin}/reason`)));
    expect([world.hoop.exchanges.length, world.hoop.relayed.length]).toEqual([1, 10]);
  });

  test('lets one caller abort its waiting for a grant without disturbing the others', async () => {
    let give!: (token: string) => void;
    const slow = world.makeFetch({ token: () => new Promise<string>((resolve) => (give = resolve)) });
    const controller = new AbortController();
    const aborted = slow(`${world.target.origin}/reason`, { signal: controller.signal });
    const other = slow(`${world.target.origin}/reason`);
    await expect.poll(() => typeof give).toBe('function');
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    give('identity-token');
    expect((await other).status).toBe(200);
    expect(world.hoop.relayed).toHaveLength(1);
  });

  test('works in the place of globalThis.fetch without calling itself', async () => {
    vi.stubGlobal('fetch', createFetch({ url: world.hoop.url, token: () => 'identity-token' }));
    try {
      expect(await (await globalThis.fetch(`${world.target.origin}/reason`)).text()).toBe('ok');
    } finally {
      vi.unstubAllGlobals();
    }
    expect(world.hoop.relayed).toHaveLength(1);
  });

  test('sends with the fetch it is given', async () => {
    const urls: string[] = [];
    const carried = world.makeFetch({ fetch: (input, init) => (urls.push(new Request(input).url), globalThis.fetch(input, init)) });
    await carried(`${world.target.origin}/reason`);
    expect(urls).toEqual([`${world.hoop.url}/oauth/token`, `${world.hoop.relayUrl}/target/reason`]);
  });
});

describe('denials', () => {
  beforeEach(() => {
    world.hoop.intercept = (_request, response) => (
      problem(response, 403, 'context_required', { rule: 'small refunds', missing: ['ticket'] }),
      true
    );
  });

  test('are 403 responses with problem+json', async () => {
    const response = await world.fetch(`${world.target.origin}/refunds`, { method: 'POST' });
    expect([response.status, response.url, response.headers.get('content-type'), response.headers.get('hoop-error')]).toEqual([
      403,
      `${world.target.origin}/refunds`,
      'application/problem+json; charset=utf-8',
      'context_required',
    ]);
    expect(await response.json()).toMatchObject({ code: 'context_required', rule: 'small refunds' });
  });

  test("are thrown where onDenied is 'throw'", async () => {
    const error = (await failure(
      world.fetch(`${world.target.origin}/refunds`, { method: 'POST', hoop: { onDenied: 'throw' } }),
    )) as HoopDeniedError;
    expect(error).toBeInstanceOf(HoopDeniedError);
    expect([error.name, error.code, error.message, error.callId]).toEqual([
      'HoopDeniedError',
      'context_required',
      'Refused: context_required.',
      'call_1',
    ]);
    expect([error.request.url, error.request.method]).toEqual([`${world.target.origin}/refunds`, 'POST']);
    expect(error.problem).toMatchObject({ status: 403, rule: 'small refunds', missing: ['ticket'] });
  });

  test.each([
    [400, 'body_malformed'],
    [413, 'body_too_large'],
    [415, 'body_not_inspectable'],
    [422, 'body_ambiguous'],
  ])("are bodies that the policy could not decide about: %i %s is thrown where onDenied is 'throw'", async (status, code) => {
    world.hoop.intercept = (_request, response) => (problem(response, status, code), true);
    expect((await world.fetch(`${world.target.origin}/refunds`, { method: 'POST' })).status).toBe(status);
    const error = await failure(world.fetch(`${world.target.origin}/refunds`, { method: 'POST', hoop: { onDenied: 'throw' } }));
    expect(error).toBeInstanceOf(HoopDeniedError);
    expect(error).toMatchObject({ code, problem: { status } });
  });

  test("are not what the target itself forbids, nor what Hoop answers otherwise, even if onDenied is 'throw'", async () => {
    const throwing = world.makeFetch({ onDenied: 'throw' });
    world.hoop.intercept = undefined;
    expect((await throwing(`${world.target.origin}/status?code=403`)).status).toBe(403);
    world.hoop.intercept = (_request, response) => (problem(response, 503, 'recorder_unavailable'), true);
    expect((await throwing(`${world.target.origin}/reason`)).status).toBe(503);
  });

  test.each([
    [502, 'target_unreachable'],
    [502, 'target_reset'],
    [504, 'target_timeout'],
    [502, 'target_invalid_response'],
  ])('are not network errors: %i %s is thrown as one', async (status, code) => {
    world.hoop.intercept = (_request, response) => (problem(response, status, code), true);
    const error = (await failure(world.fetch(`${world.target.origin}/reason`))) as TypeError;
    expect([error.constructor, error.message]).toEqual([TypeError, 'fetch failed']);
    expect(error.cause).toBeInstanceOf(HoopRelayError);
    expect(error.cause).toMatchObject({ code, callId: 'call_1', problem: { status } });
  });
});
