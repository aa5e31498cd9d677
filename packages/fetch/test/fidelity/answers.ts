import { describe, expect, test } from 'vitest';

import { echo, type Side, world } from './sides.ts';

export function testAnswers({ fetch, carriesCookies, reasonPhrase }: Side): void {
  describe('answers', () => {
    test('hands back a genuine Response with the URL, status and headers of the target', async () => {
      const response = await fetch(`${world.target.origin}/reason?a=1&b=%20`);
      expect(response).toBeInstanceOf(Response);
      expect(response.url).toBe(`${world.target.origin}/reason?a=1&b=%20`);
      expect([response.status, response.statusText, response.ok, response.redirected, response.type]).toEqual([
        200,
        reasonPhrase,
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
      expect((await fetch(`${world.target.origin}/reason#part`)).url).toBe(`${world.target.origin}/reason`);
    });

    test('takes a URL object', async () => {
      expect((await fetch(new URL('/reason', world.target.origin))).url).toBe(`${world.target.origin}/reason`);
    });

    test.each([404, 429, 500, 503])('returns a %i of the target', async (code) => {
      const response = await fetch(`${world.target.origin}/status?code=${code}`);
      expect([response.status, response.ok]).toEqual([code, false]);
    });

    test.each([204, 205, 304])('gives a %i without a body', async (code) => {
      const response = await fetch(`${world.target.origin}/status?code=${code}`);
      expect([response.status, response.body, await response.text()]).toEqual([code, null, '']);
    });

    test('sends HEAD and gives its headers without a body', async () => {
      const response = await fetch(`${world.target.origin}/large`, { method: 'HEAD' });
      expect(response.headers.get('content-length')).toBe('5000000');
      expect(await response.text()).toBe('');
    });

    test('keeps header fields that came more than once', async () => {
      const { headers } = await fetch(`${world.target.origin}/cookies`);
      expect(headers.getSetCookie()).toEqual(carriesCookies ? ['a=1; Path=/', 'b=2'] : []);
      expect(headers.get('x-list')).toBe('one, two');
    });

    test('gives headers that cannot be changed', async () => {
      const { headers } = await fetch(`${world.target.origin}/reason`);
      expect(() => headers.set('x-answer', 'no')).toThrow(TypeError);
    });

    test('decodes content codings', async () => {
      expect(await (await fetch(`${world.target.origin}/gzip`)).text()).toBe('zipped text');
    });

    test('reads a large body whole', async () => {
      expect((await (await fetch(`${world.target.origin}/large`)).arrayBuffer()).byteLength).toBe(5_000_000);
    });

    test('gives clones that keep the URL and can both be read', async () => {
      const response = await fetch(`${world.target.origin}/reason`);
      const clone = response.clone();
      const cloneOfClone = clone.clone();
      expect([clone.url, cloneOfClone.url]).toEqual([response.url, response.url]);
      expect(cloneOfClone).toBeInstanceOf(Response);
      expect(await Promise.all([response.text(), clone.text(), cloneOfClone.text()])).toEqual(['ok', 'ok', 'ok']);
      expect(() => response.clone()).toThrow(TypeError);
    });

    test('gives a response from which another can be made', async () => {
      const response = await fetch(`${world.target.origin}/reason`);
      const made = new Response(response.body, response);
      expect([made.status, made.statusText, made.headers.get('x-answer'), await made.text()]).toEqual([200, reasonPhrase, 'yes', 'ok']);
    });

    test('streams server-sent events as they come', async () => {
      const response = await fetch(`${world.target.origin}/events`);
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      expect((await reader.read()).value).toBe('data: first\n\n');
      world.target.events.emit('go on');
      expect((await reader.read()).value).toBe('data: second\n\n');
      expect((await reader.read()).done).toBe(true);
    });

    test('keeps fifty calls at once apart', async () => {
      const urls = Array.from({ length: 50 }, (_, i) => `/echo?n=${i}`);
      const bodies = await Promise.all(urls.map(async (url) => echo(await fetch(world.target.origin + url))));
      expect(bodies.map((body) => body.url)).toEqual(urls);
    });
  });
}
