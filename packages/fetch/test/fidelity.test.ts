/** What holds for the platform's fetch holds for ours: every test here runs against both. */
import { once } from 'node:events';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createFetch } from '../src/index.ts';
import { closeServers } from './servers.ts';
import { startSmallHoop } from './small-hoop.ts';
import { type Echo, startTarget, type TestTarget } from './target.ts';

let target: TestTarget;
let other: TestTarget;
let ours: typeof globalThis.fetch;

beforeAll(async () => {
  target = await startTarget();
  other = await startTarget();
  const hoop = await startSmallHoop({ target: target.origin, other: other.origin });
  ours = createFetch({ url: hoop.url, token: () => 'identity-token' });
});
afterAll(closeServers);

const sides: [string, typeof globalThis.fetch][] = [
  ['the platform', (...args) => globalThis.fetch(...args)],
  ['@hoop/fetch', (...args) => ours(...args)],
];

const echo = async (response: Response): Promise<Echo> => (await response.json()) as Echo;

describe.each(sides)('%s', (_name, fetch) => {
  describe('answers', () => {
    test('hands back a genuine Response with the URL, status and headers of the target', async () => {
      const response = await fetch(`${target.origin}/reason?a=1&b=%20`);
      expect(response).toBeInstanceOf(Response);
      expect(response.url).toBe(`${target.origin}/reason?a=1&b=%20`);
      expect([response.status, response.statusText, response.ok, response.redirected, response.type]).toEqual([
        200,
        'All Is Well',
        true,
        false,
        'basic',
      ]);
      expect(response.headers.get('x-answer')).toBe('yes');
      expect(response.bodyUsed).toBe(false);
      expect(await response.text()).toBe('ok');
      expect(response.bodyUsed).toBe(true);
    });

    test('leaves the fragment out of the URL', async () => {
      expect((await fetch(`${target.origin}/reason#part`)).url).toBe(`${target.origin}/reason`);
    });

    test('takes a URL object', async () => {
      expect((await fetch(new URL('/reason', target.origin))).url).toBe(`${target.origin}/reason`);
    });

    test.each([404, 429, 500, 503])('returns a %i of the target', async (code) => {
      const response = await fetch(`${target.origin}/status?code=${code}`);
      expect([response.status, response.ok]).toEqual([code, false]);
    });

    test.each([204, 205, 304])('gives a %i without a body', async (code) => {
      const response = await fetch(`${target.origin}/status?code=${code}`);
      expect([response.status, response.body, await response.text()]).toEqual([code, null, '']);
    });

    test('sends HEAD and gives its headers without a body', async () => {
      const response = await fetch(`${target.origin}/large`, { method: 'HEAD' });
      expect(response.headers.get('content-length')).toBe('5000000');
      expect(await response.text()).toBe('');
    });

    test('keeps header fields that came more than once', async () => {
      const { headers } = await fetch(`${target.origin}/cookies`);
      expect(headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2']);
      expect(headers.get('x-list')).toBe('one, two');
    });

    test('gives headers that cannot be changed', async () => {
      const { headers } = await fetch(`${target.origin}/reason`);
      expect(() => headers.set('x-answer', 'no')).toThrow(TypeError);
    });

    test('decodes content codings', async () => {
      expect(await (await fetch(`${target.origin}/gzip`)).text()).toBe('zipped text');
    });

    test('reads a large body whole', async () => {
      expect((await (await fetch(`${target.origin}/large`)).arrayBuffer()).byteLength).toBe(5_000_000);
    });

    test('gives clones that keep the URL and can both be read', async () => {
      const response = await fetch(`${target.origin}/reason`);
      const clone = response.clone();
      const cloneOfClone = clone.clone();
      expect([clone.url, cloneOfClone.url]).toEqual([response.url, response.url]);
      expect(cloneOfClone).toBeInstanceOf(Response);
      expect(await Promise.all([response.text(), clone.text(), cloneOfClone.text()])).toEqual(['ok', 'ok', 'ok']);
      expect(() => response.clone()).toThrow(TypeError);
    });

    test('gives a response from which another can be made', async () => {
      const response = await fetch(`${target.origin}/reason`);
      const made = new Response(response.body, response);
      expect([made.status, made.statusText, made.headers.get('x-answer'), await made.text()]).toEqual([200, 'All Is Well', 'yes', 'ok']);
    });

    test('streams server-sent events as they come', async () => {
      const response = await fetch(`${target.origin}/events`);
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      expect((await reader.read()).value).toBe('data: first\n\n');
      target.events.emit('go on');
      expect((await reader.read()).value).toBe('data: second\n\n');
      expect((await reader.read()).done).toBe(true);
    });

    test('keeps fifty calls at once apart', async () => {
      const urls = Array.from({ length: 50 }, (_, i) => `/echo?n=${i}`);
      const bodies = await Promise.all(urls.map(async (url) => echo(await fetch(target.origin + url))));
      expect(bodies.map((body) => body.url)).toEqual(urls);
    });
  });

  describe('request bodies', () => {
    const post = async (body: unknown, headers?: Record<string, string>): Promise<Echo> =>
      echo(await fetch(`${target.origin}/echo`, { method: 'POST', body: body as string, ...(headers && { headers }) }));

    test('sends a text with its length', async () => {
      const { method, headers, body } = await post('häh');
      expect([method, headers['content-type'], headers['content-length'], Buffer.from(body, 'latin1').toString()]).toEqual([
        'POST',
        'text/plain;charset=UTF-8',
        '4',
        'häh',
      ]);
    });

    test("keeps the caller's content type", async () => {
      const { headers, body } = await post('{"a":1}', { 'Content-Type': 'application/json' });
      expect([headers['content-type'], body]).toEqual(['application/json', '{"a":1}']);
    });

    test('sends URLSearchParams', async () => {
      const { headers, body } = await post(new URLSearchParams({ a: '1 2', b: '&' }));
      expect([headers['content-type'], body]).toEqual(['application/x-www-form-urlencoded;charset=UTF-8', 'a=1+2&b=%26']);
    });

    test('sends a Blob with its type and length', async () => {
      const { headers, body } = await post(new Blob(['blob'], { type: 'application/x-thing' }));
      expect([headers['content-type'], headers['content-length'], body]).toEqual(['application/x-thing', '4', 'blob']);
    });

    test('sends bytes: a buffer, and a view of a part of one', async () => {
      const bytes = new TextEncoder().encode('0123456789');
      expect((await post(bytes.buffer)).body).toBe('0123456789');
      const view = await post(bytes.subarray(2, 5));
      expect([view.body, view.headers['content-length'], view.headers['content-type']]).toEqual(['234', '3', undefined]);
      expect((await post(new DataView(bytes.buffer, 8))).body).toBe('89');
    });

    test('sends FormData with fields and files', async () => {
      const form = new FormData();
      form.append('name', 'value');
      form.append('name', 'second');
      form.append('file', new File(['content'], 'a.txt', { type: 'text/plain' }));
      form.append('blob', new Blob(['bytes']), 'named.bin');
      const returned = await (await fetch(`${target.origin}/form`, { method: 'POST', body: form })).formData();
      expect(returned.getAll('name')).toEqual(['value', 'second']);
      const [file, blob] = [returned.get('file') as File, returned.get('blob') as File];
      expect([file.name, file.type, await file.text()]).toEqual(['a.txt', 'text/plain', 'content']);
      expect([blob.name, await blob.text()]).toEqual(['named.bin', 'bytes']);
    });

    test('sends an empty text as an empty body', async () => {
      const { headers, body } = await post('');
      expect([headers['content-length'], body]).toEqual(['0', '']);
    });

    test('sends what the body was when fetch was called, whatever the caller does to it afterwards', async () => {
      const bytes = new TextEncoder().encode('before');
      const params = new URLSearchParams({ state: 'before' });
      const headers = new Headers({ 'x-state': 'before' });
      const form = new FormData();
      form.set('state', 'before');
      const calls = [
        fetch(`${target.origin}/echo`, { method: 'POST', body: bytes, headers }),
        fetch(`${target.origin}/echo`, { method: 'POST', body: params }),
        fetch(`${target.origin}/echo`, { method: 'POST', body: form }),
      ];
      bytes.fill(0);
      params.set('state', 'after');
      headers.set('x-state', 'after');
      form.set('state', 'after');
      const [first, second, third] = await Promise.all(calls.map(async (call) => echo(await call)));
      expect([first!.body, first!.headers['x-state'], second!.body]).toEqual(['before', 'before', 'state=before']);
      expect(third!.body).toContain('before');
    });

    test('streams a body as it is made', async () => {
      let push!: (text: string) => void;
      let close!: () => void;
      const body = new ReadableStream({
        start(controller) {
          push = (text) => controller.enqueue(new TextEncoder().encode(text));
          close = () => controller.close();
        },
      });
      const first = once(target.events, 'chunk');
      const call = fetch(`${target.origin}/slow-upload`, { method: 'POST', body, duplex: 'half' } as RequestInit);
      push('first');
      expect(await first).toEqual(['first']);
      const second = once(target.events, 'chunk');
      push('second');
      expect(await second).toEqual(['second']);
      close();
      const { headers } = (await (await call).json()) as Echo;
      expect([headers['transfer-encoding'], headers['content-length']]).toEqual(['chunked', undefined]);
    });

    test('fails with the failure of a stream', async () => {
      const body = new ReadableStream({
        pull(controller) {
          controller.error(new Error('the source broke'));
        },
      });
      await expect(fetch(`${target.origin}/echo`, { method: 'POST', body, duplex: 'half' } as RequestInit)).rejects.toThrow();
    });
  });

  describe('requests', () => {
    test('takes a Request, sends its body with its length and uses it up', async () => {
      const request = new Request(`${target.origin}/echo`, { method: 'PUT', body: 'text', headers: { 'x-own': '1' } });
      const { method, headers, body } = await echo(await fetch(request));
      expect([method, headers['x-own'], headers['content-type'], headers['content-length'], body]).toEqual([
        'PUT',
        '1',
        'text/plain;charset=UTF-8',
        '4',
        'text',
      ]);
      expect(request.bodyUsed).toBe(true);
      await expect(fetch(request)).rejects.toThrow(TypeError);
    });

    test('takes a Request with FormData', async () => {
      const form = new FormData();
      form.append('file', new File(['content'], 'a.txt'));
      const returned = await (await fetch(new Request(`${target.origin}/form`, { method: 'POST', body: form }))).formData();
      expect(await (returned.get('file') as File).text()).toBe('content');
    });

    test('streams the body of a Request as it is made', async () => {
      let push!: (text: string) => void;
      let close!: () => void;
      const body = new ReadableStream({
        start(controller) {
          push = (text) => controller.enqueue(new TextEncoder().encode(text));
          close = () => controller.close();
        },
      });
      const first = once(target.events, 'chunk');
      const call = fetch(new Request(`${target.origin}/slow-upload`, { method: 'POST', body, duplex: 'half' } as RequestInit));
      push('first');
      expect(await first).toEqual(['first']);
      const second = once(target.events, 'chunk');
      push('second');
      expect(await second).toEqual(['second']);
      close();
      expect((await call).status).toBe(200);
    });

    test('sends a large body of a Request whole', async () => {
      const { headers, body } = await echo(
        await fetch(new Request(`${target.origin}/echo`, { method: 'POST', body: 'x'.repeat(3_000_000) })),
      );
      expect([headers['content-length'], body.length]).toEqual(['3000000', 3_000_000]);
    });

    test('lets init win over the Request', async () => {
      const request = new Request(`${target.origin}/echo`, { method: 'POST', body: 'request', headers: { 'x-own': 'request' } });
      const { method, headers, body } = await echo(await fetch(request, { method: 'PUT', body: 'init', headers: { 'x-init': '1' } }));
      expect([method, headers['x-own'], headers['x-init'], body]).toEqual(['PUT', undefined, '1', 'init']);
    });

    test('takes a Request as init', async () => {
      const request = new Request('http://elsewhere.example/', { method: 'POST', body: 'text', headers: { 'x-own': '1' } });
      const { method, url, headers, body } = await echo(await fetch(`${target.origin}/echo`, request));
      expect([method, url, headers['x-own'], body]).toEqual(['POST', '/echo', '1', 'text']);
    });

    test('normalises methods as the standard says', async () => {
      expect((await echo(await fetch(`${target.origin}/echo`, { method: 'post' }))).method).toBe('POST');
    });

    test.each([
      ['a URL that is not one', () => fetch('not a url')],
      ['a URL with a password', () => fetch('http://user:pass@127.0.0.1/')],
      // oxlint-disable-next-line unicorn/no-invalid-fetch-options
      ['GET with a body', () => fetch(`${target.origin}/echo`, { body: 'x' })],
      ['a stream without duplex', () => fetch(`${target.origin}/echo`, { method: 'POST', body: new ReadableStream() })],
      ['a header that cannot be one', () => fetch(`${target.origin}/echo`, { headers: { 'x-bad': 'a\r\nb: c' } })],
      ['a method that cannot be one', () => fetch(`${target.origin}/echo`, { method: 'A B' })],
      ['TRACE', () => fetch(`${target.origin}/echo`, { method: 'TRACE' })],
    ])('rejects %s with a TypeError, and does not throw at once', async (_case, call) => {
      let promise!: Promise<Response>;
      expect(() => (promise = call())).not.toThrow();
      await expect(promise).rejects.toBeInstanceOf(TypeError);
    });

    test('reads data and blob URLs, which are no network', async () => {
      expect(await (await fetch('data:text/plain,hello')).text()).toBe('hello');
      const url = URL.createObjectURL(new Blob(['blob']));
      expect(await (await fetch(url)).text()).toBe('blob');
      URL.revokeObjectURL(url);
    });
  });

  describe('failures', () => {
    test('rejects with a TypeError that has a cause where the target resets the connection', async () => {
      const error: Error = await fetch(`${target.origin}/reset`).then(
        () => expect.unreachable(),
        (reason) => reason,
      );
      expect(error).toBeInstanceOf(TypeError);
      expect([error.message, error.cause instanceof Error]).toEqual(['fetch failed', true]);
    });

    test('gives what came of a body and then a TypeError where the target resets the connection in it', async () => {
      const response = await fetch(`${target.origin}/begin-then-reset`);
      await expect(response.text()).rejects.toBeInstanceOf(TypeError);
    });
  });

  describe('abort', () => {
    test('rejects with the reason and sends nothing where the signal has fired before', async () => {
      const before = target.counts.get('/hang') ?? 0;
      await expect(fetch(`${target.origin}/hang`, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
      const reason = new Error('mine');
      await expect(fetch(`${target.origin}/hang`, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      await expect(fetch(new Request(`${target.origin}/hang`, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
      expect(target.counts.get('/hang') ?? 0).toBe(before);
    });

    test.each([
      ['init', (signal: AbortSignal) => fetch(`${target.origin}/hang`, { signal })],
      ['a Request', (signal: AbortSignal) => fetch(new Request(`${target.origin}/hang`, { signal }))],
      ['a Request as init', (signal: AbortSignal) => fetch(`${target.origin}/hang`, new Request('http://elsewhere.example/', { signal }))],
    ])('rejects and closes the connection where the signal of %s fires before the head', async (_case, call) => {
      const controller = new AbortController();
      const arrived = once(target.events, 'request');
      const promise = call(controller.signal);
      promise.catch(() => {});
      await arrived;
      const closed = once(target.events, 'closed');
      controller.abort();
      await expect(promise).rejects.toMatchObject({ name: 'AbortError' });
      expect(await closed).toEqual(['/hang']);
    });

    test('ignores the signal of a Request where init says null', async () => {
      const request = new Request(`${target.origin}/reason`, { signal: AbortSignal.abort() });
      expect((await fetch(request, { signal: null })).status).toBe(200);
    });

    test('breaks the body and closes the connection where the signal fires in it', async () => {
      const controller = new AbortController();
      const response = await fetch(`${target.origin}/begin-then-hang`, { signal: controller.signal });
      const reader = response.body!.getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toBe('begun');
      const closed = once(target.events, 'closed');
      controller.abort();
      await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' });
      expect(await closed).toEqual(['/begin-then-hang']);
    });

    test('closes the connection where the body is cancelled', async () => {
      const response = await fetch(`${target.origin}/begin-then-hang`);
      const closed = once(target.events, 'closed');
      await response.body!.cancel();
      expect(await closed).toEqual(['/begin-then-hang']);
    });

    test('rejects with a TimeoutError where the time of AbortSignal.timeout is over', async () => {
      await expect(fetch(`${target.origin}/hang`, { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({ name: 'TimeoutError' });
    });

    test('cancels the stream that was to be sent', async () => {
      const cancelled = Promise.withResolvers<unknown>();
      const body = new ReadableStream({ cancel: cancelled.resolve });
      const reason = new Error('mine');
      const init = { method: 'POST', body, duplex: 'half', signal: AbortSignal.abort(reason) } as RequestInit;
      await expect(fetch(`${target.origin}/echo`, init)).rejects.toBe(reason);
      await cancelled.promise;
    });
  });

  describe('redirects', () => {
    const redirect = (status: number, to?: string, origin = target.origin): string =>
      `${origin}/redirect?status=${status}${to === undefined ? '' : `&to=${encodeURIComponent(to)}`}`;

    test.each([301, 302, 303])('follows a %i of a POST with a GET without body and its headers', async (status) => {
      const headers = { 'content-type': 'application/json', 'content-language': 'en', 'x-own': '1' };
      const response = await fetch(redirect(status, '/echo?a=1'), { method: 'POST', body: '{}', headers });
      expect([response.url, response.redirected, response.type]).toEqual([`${target.origin}/echo?a=1`, true, 'basic']);
      const seen = await echo(response);
      expect([seen.method, seen.body, seen.headers['content-type'], seen.headers['content-language'], seen.headers['x-own']]).toEqual([
        'GET',
        '',
        undefined,
        undefined,
        '1',
      ]);
    });

    test.each([301, 302])('follows a %i of a PUT with a PUT', async (status) => {
      const seen = await echo(await fetch(redirect(status, '/echo'), { method: 'PUT', body: 'text' }));
      expect([seen.method, seen.body]).toEqual(['PUT', 'text']);
    });

    test('follows a 303 of a PUT with a GET, and of a HEAD with a HEAD', async () => {
      expect((await echo(await fetch(redirect(303, '/echo'), { method: 'PUT', body: 'text' }))).method).toBe('GET');
      const head = await fetch(redirect(303, '/large'), { method: 'HEAD' });
      expect([head.headers.get('content-length'), await head.text()]).toEqual(['5000000', '']);
    });

    test.each([307, 308])('follows a %i with the same method and body, whatever the kind of body', async (status) => {
      const form = new FormData();
      form.append('a', '1');
      const bodies = ['text', new TextEncoder().encode('bytes'), new Blob(['blob']), new URLSearchParams('a=1'), form];
      for (const body of bodies) {
        const response = await fetch(redirect(status, '/form'), { method: 'POST', body });
        expect(response.status).toBe(200);
        const expected = await new Response(body).text();
        const seen = await response.text();
        // The boundary is another each time.
        const plain = (text: string): string => text.replaceAll(/----[-\w]+/g, '');
        expect(plain(seen)).toBe(plain(expected));
        if (body === form) expect(seen).toContain(/boundary=(.+)/.exec(response.headers.get('content-type')!)![1]);
      }
    });

    test('follows a 307 of a Request with a text', async () => {
      const seen = await echo(await fetch(new Request(redirect(307, '/echo'), { method: 'POST', body: 'text' })));
      expect([seen.method, seen.body, seen.headers['content-length']]).toEqual(['POST', 'text', '4']);
    });

    test.each([301, 302, 307, 308])('rejects a %i of a stream, which cannot be sent again', async (status) => {
      const body = new Blob(['text']).stream();
      const promise = fetch(redirect(status, '/echo'), { method: 'POST', body, duplex: 'half' } as RequestInit);
      await expect(promise).rejects.toMatchObject({ name: 'TypeError', message: 'fetch failed' });
    });

    test('follows a 303 of a stream', async () => {
      const body = new Blob(['text']).stream();
      const seen = await echo(await fetch(redirect(303, '/echo'), { method: 'POST', body, duplex: 'half' } as RequestInit));
      expect([seen.method, seen.body]).toEqual(['GET', '']);
    });

    test('resolves relative locations and decodes those in UTF-8', async () => {
      expect((await fetch(redirect(302, 'reason?x=1'))).url).toBe(`${target.origin}/reason?x=1`);
      expect((await fetch(redirect(302, '/echo?größe=1'))).url).toBe(`${target.origin}/echo?gr%C3%B6%C3%9Fe=1`);
    });

    test('follows to another origin without cookies, and to the same one with them', async () => {
      const headers = { cookie: 'a=1', 'x-own': '1' };
      const same = await echo(await fetch(redirect(302, '/echo'), { headers }));
      expect([same.headers['cookie'], same.headers['x-own']]).toEqual(['a=1', '1']);
      const response = await fetch(redirect(302, `${other.origin}/echo`), { headers });
      expect(response.url).toBe(`${other.origin}/echo`);
      const seen = await echo(response);
      expect([seen.headers['cookie'], seen.headers['authorization'], seen.headers['x-own']]).toEqual([undefined, undefined, '1']);
    });

    test('follows twenty redirects and rejects the twenty-first', async () => {
      const response = await fetch(`${target.origin}/countdown?n=20`);
      expect([response.status, response.url]).toEqual([200, `${target.origin}/countdown?n=0`]);
      await expect(fetch(`${target.origin}/countdown?n=21`)).rejects.toMatchObject({ name: 'TypeError', message: 'fetch failed' });
    });

    test.each(['ftp://127.0.0.1/', 'data:text/plain,x', 'http://[', 'file:///etc/passwd'])('rejects a redirect to %s', async (to) => {
      await expect(fetch(redirect(302, to))).rejects.toMatchObject({ name: 'TypeError', message: 'fetch failed' });
    });

    test('rejects a redirect to a URL with a password', async () => {
      const to = other.origin.replace('http://', 'http://user:pass@');
      await expect(fetch(redirect(302, `${to}/echo`))).rejects.toMatchObject({ name: 'TypeError', message: 'fetch failed' });
    });

    test('hands back a redirect without a location', async () => {
      const response = await fetch(redirect(302));
      expect([response.status, response.redirected, await response.text()]).toEqual([302, false, 'moved']);
    });

    test("hands back the redirect itself where redirect is 'manual'", async () => {
      for (const response of [
        await fetch(redirect(302, '/echo'), { redirect: 'manual' }),
        await fetch(new Request(redirect(302, '/echo'), { redirect: 'manual' })),
      ]) {
        expect([response.status, response.headers.get('location'), response.redirected, response.type]).toEqual([
          302,
          '/echo',
          false,
          'basic',
        ]);
        expect(response.url).toBe(redirect(302, '/echo'));
        expect(await response.text()).toBe('moved');
      }
    });

    test("rejects a redirect where redirect is 'error'", async () => {
      await expect(fetch(redirect(302, '/echo'), { redirect: 'error' })).rejects.toMatchObject({
        name: 'TypeError',
        message: 'fetch failed',
      });
      expect((await fetch(`${target.origin}/reason`, { redirect: 'error' })).status).toBe(200);
    });

    test('rejects with the reason where the signal fires between redirects', async () => {
      const controller = new AbortController();
      const promise = fetch(redirect(302, '/hang'), { signal: controller.signal });
      promise.catch(() => {});
      for (let path = ''; path !== '/hang';) [path] = (await once(target.events, 'request')) as [string];
      controller.abort();
      await expect(promise).rejects.toMatchObject({ name: 'AbortError' });
    });
  });
});
