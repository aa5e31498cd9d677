import { describe, expect, test } from 'vitest';

import { HoopReplayError, replayFetch } from '../testing.ts';

interface Made {
  readonly method?: string;
  readonly url?: string;
  readonly request?: Record<string, unknown>;
  readonly response?: Record<string, unknown>;
  readonly hoop?: Record<string, unknown>;
}

const entry = ({ method = 'GET', url = 'https://api.example/v1/x', request, response, hoop }: Made) => ({
  request: { method, url, headers: [], bodySize: 0, ...request },
  response: {
    status: 200,
    statusText: 'OK',
    headers: [],
    content: { size: 0, mimeType: '' },
    ...response,
  },
  ...(hoop === undefined ? {} : { _hoop: hoop }),
});
const text = (value: string) => ({
  content: { size: value.length, mimeType: 'text/plain', text: value },
});
const har = (...entries: Made[]) => ({ log: { version: '1.2', entries: entries.map(entry) } });
const post = (value: string) => ({
  method: 'POST',
  request: { postData: { mimeType: 'text/plain', text: value }, bodySize: value.length },
});

describe('replayFetch', () => {
  test('answers the same call in its recorded order, each once', async () => {
    const fetch = replayFetch(har({ response: text('first') }, { response: text('second') }));
    expect(await (await fetch('https://api.example/v1/x')).text()).toBe('first');
    expect(fetch.unused()).toEqual([{ method: 'GET', url: 'https://api.example/v1/x' }]);
    expect(await (await fetch(new URL('https://api.example/v1/x#part'))).text()).toBe('second');
    await expect(fetch('https://api.example/v1/x')).rejects.toThrow('no (further) GET https://api.example/v1/x. Left in it: nothing');
  });

  test('tells calls apart by method, URL and body, in whatever order they are made', async () => {
    const fetch = replayFetch(
      har({ ...post('one'), response: text('1') }, { ...post('two'), response: text('2') }, { response: text('got') }),
    );
    const send = async (body: string): Promise<string> => (await fetch('https://api.example/v1/x', { method: 'post', body })).text();
    expect(await send('two')).toBe('2');
    expect(await (await fetch(new Request('https://api.example/v1/x'))).text()).toBe('got');
    expect(await send('one')).toBe('1');
  });

  test('fails where the body differs, says so, and ignores bodies when told to', async () => {
    const recorded = har({ ...post('{"card":"[redacted]"}'), response: text('paid') });
    const call = { method: 'POST', body: '{"card":"4242"}' };
    await expect(replayFetch(recorded)('https://api.example/v1/x', call)).rejects.toThrow(/with another body.*matchBody: false/);
    expect(await (await replayFetch(recorded, { matchBody: false })('https://api.example/v1/x', call)).text()).toBe('paid');
  });

  test('fails on what is not recorded, by an error of its own that names the call', async () => {
    const error = await replayFetch(har({}))('https://api.example/v1/y?a=1').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HoopReplayError);
    expect(error).toMatchObject({
      code: 'not_recorded',
      message: expect.stringContaining('GET https://api.example/v1/y?a=1'),
    });
    expect((error as Error).message).toContain('Left in it: GET https://api.example/v1/x.');
  });

  test('takes any body where the recorded one was not kept whole, but an exact one first', async () => {
    const partial = {
      method: 'POST',
      request: { postData: { mimeType: '', text: 'begin' }, bodySize: 99 },
      hoop: { requestBody: { truncated: true } },
    };
    const fetch = replayFetch(har({ ...partial, response: text('partial') }, { ...post('exact'), response: text('exact') }));
    const send = async (body: string): Promise<string> => (await fetch('https://api.example/v1/x', { method: 'POST', body })).text();
    expect(await send('exact')).toBe('exact');
    expect(await send('anything')).toBe('partial');
    // Sent compressed and kept decoded.
    const decoded = replayFetch(har({ ...partial, hoop: { requestBody: { truncated: false, decoded: true } }, response: text('decoded') }));
    expect(await (await decoded('https://api.example/v1/x', { method: 'POST', body: 'compressed' })).text()).toBe('decoded');
  });

  test('gives status, headers, URL and bytes as they were, and none of the headers of the wire', async () => {
    const bytes = Uint8Array.from([0, 255, 10]);
    const headers = [
      { name: 'set-cookie', value: 'a=1' },
      { name: 'set-cookie', value: 'b=2' },
      { name: 'content-encoding', value: 'gzip' },
      { name: ':status', value: '200' },
    ];
    const content = {
      size: 3,
      mimeType: 'image/png',
      text: btoa(String.fromCharCode(...bytes)),
      encoding: 'base64',
    };
    const fetch = replayFetch(har({ response: { status: 201, statusText: 'Made', headers, content } }));
    const response = await fetch('https://api.example/v1/x');
    expect([response.status, response.statusText, response.url, response.redirected]).toEqual([
      201,
      'Made',
      'https://api.example/v1/x',
      false,
    ]);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect([...response.headers.keys()]).not.toContain('content-encoding');
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
  });

  test('follows redirects, or hands them out, as fetch does', async () => {
    const recorded = har(
      {
        ...post('x'),
        response: { status: 303, headers: [{ name: 'Location', value: '/v1/done' }] },
      },
      { url: 'https://api.example/v1/done', response: text('done') },
    );
    const followed = await replayFetch(recorded)('https://api.example/v1/x', {
      method: 'POST',
      body: 'x',
    });
    expect([followed.url, followed.redirected, await followed.text()]).toEqual(['https://api.example/v1/done', true, 'done']);
    const manual = await replayFetch(recorded)('https://api.example/v1/x', {
      method: 'POST',
      body: 'x',
      redirect: 'manual',
    });
    expect(manual.status).toBe(303);
    await expect(
      replayFetch(recorded)('https://api.example/v1/x', {
        method: 'POST',
        body: 'x',
        redirect: 'error',
      }),
    ).rejects.toThrow(TypeError);
  });

  test('rejects as fetch does where no response had come', async () => {
    const fetch = replayFetch(har({ response: { status: 0 }, hoop: { errorDetail: 'The target broke the connection.' } }));
    await expect(fetch('https://api.example/v1/x')).rejects.toMatchObject({
      name: 'TypeError',
      cause: { message: 'The target broke the connection.' },
    });
    const reset = replayFetch(
      har({
        response: { status: 502 },
        hoop: { state: 'failed', error: 'target_reset', targetStatus: null },
      }),
    );
    await expect(reset('https://api.example/v1/x')).rejects.toThrow(TypeError);
  });

  test('answers what Hoop refused with its problem document', async () => {
    const hoop = {
      error: 'policy_denied',
      errorDetail: 'Nobody deletes.',
      targetStatus: null,
      callId: 'call_1',
      decision: { rule: 'nobody deletes' },
    };
    const response = await replayFetch(har({ response: { status: 403 }, hoop }))('https://api.example/v1/x');
    expect([response.status, response.headers.get('content-type'), response.headers.get('hoop-error')]).toEqual([
      403,
      'application/problem+json; charset=utf-8',
      'policy_denied',
    ]);
    expect(await response.json()).toMatchObject({
      code: 'policy_denied',
      detail: 'Nobody deletes.',
      rule: 'nobody deletes',
      callId: 'call_1',
    });
  });

  test('does not pass off a part of a body as the whole', async () => {
    const truncated = { response: text('begi'), hoop: { responseBody: { truncated: true } } };
    const cut = {
      response: text('begi'),
      hoop: { state: 'failed', error: 'target_reset', targetStatus: 200 },
    };
    const fetch = replayFetch(har(truncated, { response: { content: { size: 9, mimeType: 'text/plain' } } }, cut));
    for (const why of ['only its beginning was recorded', 'it was not recorded', 'it was cut off']) {
      const response = await fetch('https://api.example/v1/x');
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow(why);
    }
  });

  test('has no body where the standard has none', async () => {
    const fetch = replayFetch(har({ response: { status: 204 } }, { method: 'HEAD', response: text('never sent') }));
    expect((await fetch('https://api.example/v1/x')).body).toBeNull();
    expect((await fetch('https://api.example/v1/x', { method: 'HEAD' })).body).toBeNull();
  });

  test('honours a signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const fetch = replayFetch(har({}));
    await expect(fetch('https://api.example/v1/x', { signal })).rejects.toThrow('enough');
    expect(fetch.unused()).toHaveLength(1);
  });

  test.each([
    ['nothing', null, 'log.entries'],
    ['no entries', { log: { version: '1.2' } }, 'log.entries'],
    ['an entry that is none', { log: { entries: [1] } }, 'log.entries[0]'],
    ['no request', { log: { entries: [{}] } }, 'log.entries[0].request'],
    ['a URL that is none', har({ url: '/v1' }), 'log.entries[0].request.url'],
    ['no status', { log: { entries: [{ request: entry({}).request, response: {} }] } }, 'log.entries[0].response'],
    ['headers that are none', har({ response: { headers: [{}] } }), 'log.entries[0].response.headers'],
    ['base64 that is none', har({ response: { content: { text: '%', encoding: 'base64' } } }), 'log.entries[0].response.content'],
  ])('refuses a HAR with %s, and names the place', (_name, value, place) => {
    expect(() => replayFetch(value)).toThrow(expect.objectContaining({ code: 'har_invalid', message: expect.stringContaining(place) }));
  });
});
