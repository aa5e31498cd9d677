import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { closeServers, answerJson, serve } from '../test/servers.ts';
import { problem, type SmallHoop, startSmallHoop } from '../test/small-hoop.ts';
import { startTarget, type TestTarget } from '../test/target.ts';
import {
  createFetch,
  fetch as fetchByEnvironment,
  HoopConfigurationError,
  HoopDeniedError,
  HoopExchangeError,
  type HoopFetch,
  type HoopOptions,
  HoopRelayError,
  HoopTargetError,
  HoopTokenError,
} from './index.ts';

const target: TestTarget = await startTarget();
let hoop: SmallHoop;
let fetch: HoopFetch;

const makeFetch = (options: HoopOptions = {}): HoopFetch => createFetch({ url: hoop.url, token: () => 'identity-token', ...options });
const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable(),
    (reason: unknown) => reason,
  );

beforeEach(async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('HOOP_')) vi.stubEnv(name, undefined);
  hoop = await startSmallHoop({ target: target.origin });
  fetch = makeFetch();
});
afterEach(() => vi.unstubAllEnvs());
afterAll(closeServers);

describe('the way through Hoop', () => {
  test('exchanges the token once and calls RELAY/<connection>/<path> with the grant', async () => {
    await fetch(`${target.origin}/echo?a=1`);
    await fetch(`${target.origin}/reason`);
    expect(hoop.exchanges).toEqual([
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: 'identity-token',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      },
    ]);
    expect(hoop.relayed.map(({ method, url, headers }) => [method, url, headers['hoop-grant']])).toEqual([
      ['GET', '/target/echo?a=1', 'grant-1'],
      ['GET', '/target/reason', 'grant-1'],
    ]);
  });

  test("takes the target's path prefix away and finds a relay behind a path", async () => {
    hoop.connections.set('deep', `${target.origin}/redirect/`);
    const seen: string[] = [];
    const relayUrl = await serve((request, response) => (seen.push(request.url ?? ''), void response.end()));
    const response = await makeFetch({ relayUrl: `${relayUrl}/behind/` })(`${target.origin}/redirect/x?y`);
    expect(seen).toEqual(['/behind/deep/x?y']);
    expect(response.url).toBe(`${target.origin}/redirect/x?y`);
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
    await fetch(`${target.origin}/echo`, { headers });
    const seen = hoop.relayed[0]!.headers;
    expect(seen['host']).toBe(new URL(hoop.relayUrl).host);
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
    await Promise.all(Array.from({ length: 10 }, () => fetch(`${target.origin}/reason`)));
    expect([hoop.exchanges.length, hoop.relayed.length]).toEqual([1, 10]);
  });

  test('lets one caller abort its waiting for a grant without disturbing the others', async () => {
    let give!: (token: string) => void;
    const slow = makeFetch({ token: () => new Promise<string>((resolve) => (give = resolve)) });
    const controller = new AbortController();
    const aborted = slow(`${target.origin}/reason`, { signal: controller.signal });
    const other = slow(`${target.origin}/reason`);
    await vi.waitUntil(() => give !== undefined);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    give('identity-token');
    expect((await other).status).toBe(200);
    expect(hoop.relayed).toHaveLength(1);
  });

  test('works in the place of globalThis.fetch without calling itself', async () => {
    vi.stubGlobal('fetch', createFetch({ url: hoop.url, token: () => 'identity-token' }));
    try {
      expect(await (await globalThis.fetch(`${target.origin}/reason`)).text()).toBe('ok');
    } finally {
      vi.unstubAllGlobals();
    }
    expect(hoop.relayed).toHaveLength(1);
  });

  test('sends with the fetch it is given', async () => {
    const urls: string[] = [];
    const carried = makeFetch({ fetch: (input, init) => (urls.push(String(input)), globalThis.fetch(input, init)) });
    await carried(`${target.origin}/reason`);
    expect(urls).toEqual([`${hoop.url}/oauth/token`, `${hoop.relayUrl}/target/reason`]);
  });
});

describe('grants', () => {
  test.each([
    ['none', undefined],
    ['a text', 'text'],
    ['a form', new URLSearchParams('a=1')],
  ])('gets a new grant and sends once more where the relay says that it was revoked (body: %s)', async (_case, body) => {
    hoop.revoked.add('grant-1');
    const response = await fetch(`${target.origin}/echo`, { method: 'POST', body: body ?? null });
    expect(await response.json()).toMatchObject({ method: 'POST', body: body?.toString() ?? '' });
    expect([hoop.exchanges.length, hoop.relayed.map(({ headers }) => headers['hoop-grant'])]).toEqual([2, ['grant-1', 'grant-2']]);
  });

  test('sends once more only once', async () => {
    hoop.revoked.add('grant-1').add('grant-2');
    const response = await fetch(`${target.origin}/reason`);
    expect([response.status, response.headers.get('hoop-error'), hoop.relayed.length]).toEqual([401, 'token_revoked', 2]);
  });

  test('does not send a stream twice, but uses a new grant for the next call', async () => {
    hoop.revoked.add('grant-1');
    const response = await fetch(`${target.origin}/echo`, {
      method: 'POST',
      body: new Blob(['x']).stream(),
      duplex: 'half',
    } as RequestInit);
    expect([response.status, hoop.relayed.length]).toEqual([401, 1]);
    expect((await fetch(`${target.origin}/reason`)).status).toBe(200);
    expect(hoop.exchanges).toHaveLength(2);
  });

  test('does not take a 401 of the target, or another of the relay, for an old grant', async () => {
    expect((await fetch(`${target.origin}/status?code=401`)).status).toBe(401);
    hoop.intercept = (_request, response) => (problem(response, 401, 'token_malformed'), true);
    expect((await fetch(`${target.origin}/reason`)).status).toBe(401);
    expect(hoop.exchanges).toHaveLength(1);
  });

  test('says why a revoked grant was not replaced', async () => {
    await fetch(`${target.origin}/reason`);
    hoop.revoked.add('grant-1');
    hoop.refusal = { status: 403, body: { code: 'identity_disabled', detail: 'The identity nightly is disabled.' } };
    await expect(fetch(`${target.origin}/reason`)).rejects.toMatchObject({ name: 'HoopExchangeError', code: 'identity_disabled' });
  });
});

describe('context and session', () => {
  test('sends the context of the call over that of the fetch, in ASCII', async () => {
    const withContext = makeFetch({ context: { ticket: 'OPS-1', team: 'Zürich 🏔' } });
    await withContext(`${target.origin}/reason`, { hoop: { context: { ticket: 'OPS-2' } } });
    const header = String(hoop.relayed[0]!.headers['hoop-context']);
    expect(header).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(header)).toEqual({ ticket: 'OPS-2', team: 'Zürich 🏔' });
  });

  test('sends no context where there is none', async () => {
    await fetch(`${target.origin}/reason`);
    expect(hoop.relayed[0]!.headers).not.toHaveProperty('hoop-context');
  });

  test('refuses a context that is too long or not of texts, and a session that is none', async () => {
    const call = (options: object): Promise<unknown> => failure(fetch(`${target.origin}/reason`, { hoop: options }));
    expect(await call({ context: { a: 'x'.repeat(4089) } })).toMatchObject({
      message: 'hoop.context is 4097 bytes as JSON; at most 4096 are allowed',
    });
    expect(await call({ context: { amount: 7 } })).toMatchObject({ message: 'hoop.context.amount must be a string, not number' });
    for (const session of ['', 'a b', 'x'.repeat(65), 'a\r\nb']) expect(await call({ session })).toBeInstanceOf(HoopConfigurationError);
    expect(hoop.relayed).toHaveLength(0);
    expect((await fetch(`${target.origin}/reason`, { hoop: { context: { a: 'x'.repeat(4088) } } })).status).toBe(200);
  });

  test('keeps one session for a fetch, another for another, and the one that is named', async () => {
    await fetch(`${target.origin}/reason`);
    await fetch(`${target.origin}/reason`);
    await makeFetch()(`${target.origin}/reason`);
    vi.stubEnv('HOOP_SESSION', 'run-7');
    await makeFetch()(`${target.origin}/reason`);
    await makeFetch({ session: 'mine' })(`${target.origin}/reason`);
    await fetch(`${target.origin}/reason`, { hoop: { session: 'this-one' } });
    const [first, second, third, ...named] = hoop.relayed.map(({ headers }) => headers['hoop-session']);
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect([second, third === first]).toEqual([first, false]);
    expect(named).toEqual(['run-7', 'mine', 'this-one']);
  });

  test('extends a fetch with further defaults that share its grants', async () => {
    const base = makeFetch({ context: { team: 'billing' } });
    const invocation = base.extend({ session: 'invocation-1', context: { ticket: 'OPS-1' } });
    await base(`${target.origin}/reason`);
    await invocation(`${target.origin}/reason`);
    expect(hoop.exchanges).toHaveLength(1);
    const { headers } = hoop.relayed[1]!;
    expect([headers['hoop-session'], headers['hoop-context']]).toEqual(['invocation-1', '{"team":"billing","ticket":"OPS-1"}']);
  });
});

describe('targets', () => {
  test('refuses a URL that no connection serves, says what to do, and shows no query', async () => {
    const error = (await failure(fetch('http://unmanaged.example/path?key=secret'))) as HoopTargetError;
    expect(error).toBeInstanceOf(HoopTargetError);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(
      /^http:\/\/unmanaged\.example\/path: no connection that this identity may use serves this URL \(there are: target \(http/,
    );
    expect(error.message).toContain('HOOP_UNMANAGED=direct');
    expect(error.message).not.toContain('secret');
    expect(hoop.relayed).toHaveLength(0);
  });

  test('refuses what is not http too', async () => {
    expect(await failure(fetch('ftp://unmanaged.example/'))).toBeInstanceOf(HoopTargetError);
  });

  test("calls it directly, with the caller's credentials and without Hoop's headers, where unmanaged is 'direct'", async () => {
    const other = await startTarget();
    const response = await fetch(`${other.origin}/echo`, {
      headers: { authorization: 'Bearer own' },
      hoop: { unmanaged: 'direct', context: { a: 'b' } },
    });
    const { headers } = (await response.json()) as { headers: Record<string, string> };
    expect(headers['authorization']).toBe('Bearer own');
    expect(Object.keys(headers).filter((name) => name.startsWith('hoop-'))).toEqual([]);
    expect(response.url).toBe(`${other.origin}/echo`);
    vi.stubEnv('HOOP_UNMANAGED', 'direct');
    expect((await makeFetch()(`${other.origin}/reason`)).status).toBe(200);
    vi.stubEnv('HOOP_UNMANAGED', 'yes');
    await expect(makeFetch()(`${other.origin}/reason`)).rejects.toThrow('HOOP_UNMANAGED must be refuse or direct, not "yes"');
  });

  test("calls nothing directly where it cannot know what is managed, even if unmanaged is 'direct'", async () => {
    const before = target.counts.get('/reason');
    hoop.refusal = { status: 503, body: {} };
    expect(await failure(makeFetch({ unmanaged: 'direct' })(`${target.origin}/reason`))).toBeInstanceOf(HoopExchangeError);
    expect(target.counts.get('/reason')).toBe(before);
  });

  test('does not believe the Hoop headers of a target that it calls directly', async () => {
    const liar = await serve((_request, response) => answerJson(response, 403, {}, { 'hoop-error': 'policy_denied' }));
    const response = await fetch(liar, { hoop: { unmanaged: 'direct', onDenied: 'throw' } });
    expect(response.status).toBe(403);
  });

  test('follows a redirect to a managed target through Hoop, and to another one only where that is allowed', async () => {
    const other = await startTarget();
    const url = `${target.origin}/redirect?status=307&to=${encodeURIComponent(`${other.origin}/echo`)}`;
    expect(await failure(fetch(url))).toBeInstanceOf(HoopTargetError);
    expect(other.counts.get('/echo')).toBeUndefined();

    const direct = await fetch(url, { headers: { authorization: 'Bearer own' }, hoop: { unmanaged: 'direct' } });
    expect([direct.url, direct.redirected]).toEqual([`${other.origin}/echo`, true]);
    expect(((await direct.json()) as { headers: object }).headers).not.toHaveProperty('authorization');

    hoop.connections.set('other', other.origin);
    const through = await makeFetch()(url, { hoop: { connection: 'target' } });
    expect([through.url, hoop.relayed.at(-1)!.url]).toEqual([`${other.origin}/echo`, '/other/echo']);
  });

  test('goes on through Hoop where a directly called target redirects to a managed one', async () => {
    const other = await startTarget();
    const url = `${other.origin}/redirect?status=302&to=${encodeURIComponent(`${target.origin}/reason`)}`;
    await fetch(url, { hoop: { unmanaged: 'direct' } });
    expect(hoop.relayed.map((one) => one.url)).toEqual(['/target/reason']);
  });

  test('asks which connection where two serve the URL, and uses the one that is named', async () => {
    hoop.connections.set('second', `${target.origin}/`);
    expect(await failure(fetch(`${target.origin}/reason`))).toMatchObject({
      message: expect.stringContaining("hoop: { connection: 'target' }"),
    });
    await fetch(`${target.origin}/reason`, { hoop: { connection: 'second' } });
    expect(hoop.relayed.map((one) => one.url)).toEqual(['/second/reason']);
  });

  test('refuses a named connection that is unknown or has another target', async () => {
    hoop.connections.set('elsewhere', 'https://elsewhere.example');
    const call = (connection: string): Promise<unknown> =>
      failure(fetch(`${target.origin}/reason`, { hoop: { connection, unmanaged: 'direct' } }));
    expect(await call('none')).toMatchObject({ message: expect.stringContaining('there is no connection "none"') });
    expect(await call('elsewhere')).toMatchObject({ message: expect.stringContaining('not under https://elsewhere.example') });
  });
});

describe('denials', () => {
  beforeEach(() => {
    hoop.intercept = (_request, response) => (
      problem(response, 403, 'context_required', { rule: 'small refunds', missing: ['ticket'] }),
      true
    );
  });

  test('are 403 responses with problem+json', async () => {
    const response = await fetch(`${target.origin}/refunds`, { method: 'POST' });
    expect([response.status, response.url, response.headers.get('content-type'), response.headers.get('hoop-error')]).toEqual([
      403,
      `${target.origin}/refunds`,
      'application/problem+json',
      'context_required',
    ]);
    expect(await response.json()).toMatchObject({ code: 'context_required', rule: 'small refunds' });
  });

  test("are thrown where onDenied is 'throw'", async () => {
    const error = (await failure(fetch(`${target.origin}/refunds`, { method: 'POST', hoop: { onDenied: 'throw' } }))) as HoopDeniedError;
    expect(error).toBeInstanceOf(HoopDeniedError);
    expect([error.name, error.code, error.message, error.callId]).toEqual([
      'HoopDeniedError',
      'context_required',
      'Refused: context_required.',
      'call_1',
    ]);
    expect([error.request.url, error.request.method]).toEqual([`${target.origin}/refunds`, 'POST']);
    expect(error.problem).toMatchObject({ status: 403, rule: 'small refunds', missing: ['ticket'] });
  });

  test("are not what the target itself forbids, nor what Hoop answers otherwise, even if onDenied is 'throw'", async () => {
    const throwing = makeFetch({ onDenied: 'throw' });
    hoop.intercept = undefined;
    expect((await throwing(`${target.origin}/status?code=403`)).status).toBe(403);
    hoop.intercept = (_request, response) => (problem(response, 503, 'recorder_unavailable'), true);
    expect((await throwing(`${target.origin}/reason`)).status).toBe(503);
  });

  test.each([
    [502, 'target_unreachable'],
    [502, 'target_reset'],
    [504, 'target_timeout'],
    [502, 'target_invalid_response'],
  ])('are not network errors: %i %s is thrown as one', async (status, code) => {
    hoop.intercept = (_request, response) => (problem(response, status, code), true);
    const error = (await failure(fetch(`${target.origin}/reason`))) as TypeError;
    expect([error.constructor, error.message]).toEqual([TypeError, 'fetch failed']);
    expect(error.cause).toBeInstanceOf(HoopRelayError);
    expect(error.cause).toMatchObject({ code, callId: 'call_1', problem: { status } });
  });
});

describe('configuration', () => {
  test('is taken from the environment by the plain import', async () => {
    vi.stubEnv('HOOP_URL', `${hoop.url}/`);
    vi.stubEnv('HOOP_TOKEN', 'environment-token');
    expect((await fetchByEnvironment(`${target.origin}/reason`)).status).toBe(200);
    expect(hoop.exchanges[0]).toMatchObject({ subject_token: 'environment-token' });
  });

  test('names HOOP_URL where it is missing, and finds it later', async () => {
    const late = createFetch({ token: () => 'identity-token' });
    await expect(late(`${target.origin}/reason`)).rejects.toThrow(/^HOOP_URL is not set/);
    vi.stubEnv('HOOP_URL', hoop.url);
    expect((await late(`${target.origin}/reason`)).status).toBe(200);
  });

  test('takes the relay from HOOP_RELAY_URL before what the control plane says', async () => {
    const relayUrl = await serve((_request, response) => void response.end('other relay'));
    vi.stubEnv('HOOP_RELAY_URL', relayUrl);
    expect(await (await fetch(`${target.origin}/reason`)).text()).toBe('other relay');
  });

  test.each(['nonsense', 'ftp://hoop.example', 'https://user:pass@hoop.example', 'https://hoop.example?x=1', 'https://hoop.example#x'])(
    'refuses %s as a URL',
    async (url) => {
      expect(() => createFetch({ url })).toThrow(HoopConfigurationError);
      expect(() => createFetch({ relayUrl: url })).toThrow(/^relayUrl must be/);
      vi.stubEnv('HOOP_URL', url);
      expect(await failure(createFetch({ token: () => 'x' })(`${target.origin}/reason`))).toMatchObject({
        message: expect.stringMatching(/^HOOP_URL must be/),
      });
    },
  );

  test('sends no grant in the clear to a relay that an https control plane names', async () => {
    const calls: string[] = [];
    const carrier: typeof globalThis.fetch = async (input) => {
      calls.push(String(input));
      return Response.json({
        hoop_relay_url: 'http://relay.example',
        access_token: 'grant',
        expires_in: 300,
        hoop_connections: [{ name: 'target', target: target.origin }],
      });
    };
    const secure = createFetch({ url: 'https://hoop.example', token: () => 'identity-token', fetch: carrier });
    expect(await failure(secure(`${target.origin}/reason`))).toBeInstanceOf(HoopConfigurationError);
    expect(calls.some((url) => url.startsWith('http://relay.example'))).toBe(false);
  });

  test('tells the token source the audience: the option, HOOP_AUDIENCE, or the origin of the control plane', async () => {
    const audiences: string[] = [];
    const token: HoopOptions['token'] = ({ audience }) => (audiences.push(audience), 'identity-token');
    await makeFetch({ token })(`${target.origin}/reason`);
    vi.stubEnv('HOOP_AUDIENCE', 'from-environment');
    await makeFetch({ token })(`${target.origin}/reason`);
    await makeFetch({ token, audience: 'from-option' })(`${target.origin}/reason`);
    expect(audiences).toEqual([hoop.url, 'from-environment', 'from-option']);
  });
});

describe('the exchange', () => {
  test('fails with what the control plane says', async () => {
    hoop.refusal = {
      status: 403,
      body: {
        type: 'urn:hoop:error:identity_unmatched',
        code: 'identity_unmatched',
        title: 'No identity matches',
        status: 403,
        detail: 'No identity matches repository acme/x.',
      },
    };
    const error = (await failure(fetch(`${target.origin}/reason`))) as HoopExchangeError;
    expect(error).toBeInstanceOf(HoopExchangeError);
    expect([error.code, error.problem?.status]).toEqual(['identity_unmatched', 403]);
    expect(error.message).toBe(`Hoop's control plane answered 403 at ${hoop.url}/oauth/token: No identity matches repository acme/x.`);
  });

  test('fails with what an OAuth server says', async () => {
    hoop.refusal = { status: 400, body: { error: 'invalid_request', error_description: 'Nope.' } };
    expect(await failure(fetch(`${target.origin}/reason`))).toMatchObject({
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
    hoop.refusal = { status: 200, body };
    expect(await failure(fetch(`${target.origin}/reason`))).toBeInstanceOf(HoopExchangeError);
    expect(hoop.relayed).toHaveLength(0);
  });

  test('does not follow a redirect with the token', async () => {
    const thief = await startTarget();
    const url = await serve((_request, response) => void response.writeHead(307, { location: `${thief.origin}/echo` }).end());
    expect(await failure(createFetch({ url, token: () => 'identity-token' })(`${target.origin}/reason`))).toBeInstanceOf(HoopExchangeError);
    expect(thief.counts.size).toBe(0);
  });

  test('fails where the control plane cannot be reached or does not answer in time', async () => {
    const gone = createFetch({ url: 'http://127.0.0.1:1', token: () => 'x' });
    expect(await failure(gone(`${target.origin}/reason`))).toMatchObject({
      name: 'HoopExchangeError',
      code: 'unavailable',
      cause: { name: 'TypeError' },
    });
    const hanging = createFetch({ url: await serve(() => {}), token: () => 'x', exchangeTimeoutMs: 30 });
    expect(await failure(hanging(`${target.origin}/reason`))).toMatchObject({ name: 'HoopExchangeError', cause: { name: 'TimeoutError' } });
  });

  test('fails in time where the token source does not answer, and passes its failure on', async () => {
    const hanging = makeFetch({ token: () => new Promise(() => {}), exchangeTimeoutMs: 30 });
    expect(await failure(hanging(`${target.origin}/reason`))).toMatchObject({ name: 'HoopTokenError', cause: { name: 'TimeoutError' } });
    const broken = makeFetch({
      token: () => {
        throw new Error('no metadata server');
      },
    });
    await expect(broken(`${target.origin}/reason`)).rejects.toThrow('no metadata server');
    expect(await failure(makeFetch({ token: () => '' })(`${target.origin}/reason`))).toBeInstanceOf(HoopTokenError);
  });

  test('never shows the token in an error', async () => {
    hoop.refusal = { status: 401, body: { code: 'token_expired', detail: 'The token expired.' } };
    const error = (await failure(fetch(`${target.origin}/reason`))) as Error;
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('identity-token');
  });
});
