import { once } from 'node:events';

import { describe, expect, test } from 'vitest';

import { echo, type Side, world } from './sides.ts';

export function testRedirects({ fetch, carriesCookies }: Side): void {
  describe('redirects', () => {
    const redirect = (status: number, to?: string, origin = world.target.origin): string =>
      `${origin}/redirect?status=${status}${to === undefined ? '' : `&to=${encodeURIComponent(to)}`}`;

    test.each([301, 302, 303])('follows a %i of a POST with a GET without body and its headers', async (status) => {
      const headers = { 'content-type': 'application/json', 'content-language': 'en', 'x-own': '1' };
      const response = await fetch(redirect(status, '/echo?a=1'), { method: 'POST', body: '{}', headers });
      expect([response.url, response.redirected, response.type]).toEqual([`${world.target.origin}/echo?a=1`, true, 'basic']);
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

    test.each([
      ['the origin for another origin', 'https://own.example/path?q', undefined, undefined, 'https://own.example/'],
      ['the whole URL for the same origin', 'same', undefined, undefined, 'same'],
      ['nothing, by policy of the request', 'same', 'no-referrer', undefined, undefined],
      ['the whole URL, by policy of the request', 'https://own.example/path?q', 'unsafe-url', undefined, 'https://own.example/path?q'],
      ['nothing, by policy of the redirect', 'same', undefined, 'no-referrer', undefined],
      ['the origin, by policy of the redirect', 'same', 'unsafe-url', 'unknown, origin', 'origin'],
      ['what the request says where the redirect says nothing known', 'same', 'unsafe-url', 'unknown', 'same'],
      ['nothing where the caller asks for none', '', undefined, 'unsafe-url', undefined],
    ] as const)('sends as referrer %s', async (_what, referrer, referrerPolicy, redirected, expected) => {
      const { origin } = world.target;
      const name = (value: string | undefined): string | undefined =>
        value === 'same' ? `${origin}/from?q` : value === 'origin' ? `${origin}/` : value;
      const url = redirected === undefined ? `${origin}/echo` : `${redirect(302, '/echo')}&policy=${encodeURIComponent(redirected)}`;
      const init = { referrer: name(referrer)!, ...(referrerPolicy === undefined ? {} : { referrerPolicy }) };
      expect((await echo(await fetch(url, init))).headers['referer']).toBe(name(expected));
      expect((await echo(await fetch(new Request(url, init)))).headers['referer']).toBe(name(expected));
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
      expect((await fetch(redirect(302, 'reason?x=1'))).url).toBe(`${world.target.origin}/reason?x=1`);
      expect((await fetch(redirect(302, '/echo?größe=1'))).url).toBe(`${world.target.origin}/echo?gr%C3%B6%C3%9Fe=1`);
    });

    test('follows to another origin without cookies, and to the same one with them', async () => {
      const headers = { cookie: 'a=1', 'x-own': '1' };
      const same = await echo(await fetch(redirect(302, '/echo'), { headers }));
      expect([same.headers['cookie'], same.headers['x-own']]).toEqual([carriesCookies ? 'a=1' : undefined, '1']);
      const response = await fetch(redirect(302, `${world.other.origin}/echo`), { headers });
      expect(response.url).toBe(`${world.other.origin}/echo`);
      const seen = await echo(response);
      expect([seen.headers['cookie'], seen.headers['x-own']]).toEqual([undefined, '1']);
    });

    test('follows twenty redirects and rejects the twenty-first', async () => {
      const response = await fetch(`${world.target.origin}/countdown?n=20`);
      expect([response.status, response.url]).toEqual([200, `${world.target.origin}/countdown?n=0`]);
      await expect(fetch(`${world.target.origin}/countdown?n=21`)).rejects.toMatchObject({ name: 'TypeError', message: 'fetch failed' });
    });

    test.each(['ftp://127.0.0.1/', 'data:text/plain,x', 'http://[', 'file:///etc/passwd'])('rejects a redirect to %s', async (to) => {
      await expect(fetch(redirect(302, to))).rejects.toMatchObject({ name: 'TypeError', message: 'fetch failed' });
    });

    test('rejects a redirect to a URL with a password', async () => {
      const to = world.other.origin.replace('http://', 'http://user:pass@');
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
      expect((await fetch(`${world.target.origin}/reason`, { redirect: 'error' })).status).toBe(200);
    });

    test('rejects with the reason where the signal fires between redirects', async () => {
      const controller = new AbortController();
      const promise = fetch(redirect(302, '/hang'), { signal: controller.signal });
      promise.catch(() => {});
      for (let path = ''; path !== '/hang';) [path] = (await once(world.target.events, 'request')) as [string];
      controller.abort();
      await expect(promise).rejects.toMatchObject({ name: 'AbortError' });
    });
  });
}
