import { once } from 'node:events';

import { describe, expect, test } from 'vitest';

import { type Echo, echo, type Side, world } from './sides.ts';

export function testRequests({ fetch }: Side): void {
  describe('request bodies', () => {
    const post = async (body: unknown, headers?: Record<string, string>): Promise<Echo> =>
      echo(await fetch(`${world.target.origin}/echo`, { method: 'POST', body: body as string, ...(headers && { headers }) }));

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
      const returned = await (await fetch(`${world.target.origin}/form`, { method: 'POST', body: form })).formData();
      expect(returned.getAll('name')).toEqual(['value', 'second']);
      const [file, blob] = [returned.get('file') as File, returned.get('blob') as File];
      expect([file.name, file.type, await file.text()]).toEqual(['a.txt', 'text/plain', 'content']);
      expect([blob.name, await blob.text()]).toEqual(['named.bin', 'bytes']);
    });

    test('sends what is no body of the standard as a text with its length', async () => {
      const odd = { toString: () => 'own text' };
      for (const body of [new URL('https://a.example/b?c'), 12.5, 0n, true, new Date(0), new String('boxed'), odd, {}, [1, 2], null]) {
        const seen = await post(body);
        expect([seen.body, seen.headers['content-length'], seen.headers['content-type']]).toEqual(
          body === null ? ['', '0', undefined] : [`${body as string}`, String(`${body as string}`.length), 'text/plain;charset=UTF-8'],
        );
        const again = await fetch(`${world.target.origin}/redirect?status=307&to=/echo`, { method: 'POST', body: body as string });
        expect((await echo(again)).body).toBe(seen.body);
      }
    });

    test('streams what can be iterated asynchronously', async () => {
      async function* parts() {
        yield new TextEncoder().encode('one ');
        yield new TextEncoder().encode('two');
      }
      const init = { method: 'POST', body: parts(), duplex: 'half' } as unknown as RequestInit;
      expect((await echo(await fetch(`${world.target.origin}/echo`, init))).body).toBe('one two');
    });

    test('rejects what cannot become a text, and sends memory that was given away as nothing', async () => {
      const detached = new ArrayBuffer(4);
      const view = new Uint8Array(new ArrayBuffer(4));
      structuredClone([detached, view.buffer], { transfer: [detached, view.buffer] });
      const broken = {
        toString() {
          throw new RangeError('no text');
        },
      };
      for (const body of [detached, view]) expect((await post(body)).headers['content-length']).toBe('0');
      await expect(post(Symbol('x'))).rejects.toBeInstanceOf(TypeError);
      await expect(post(broken)).rejects.toThrow('no text');
    });

    test('has read the memory when it returns, and a part of a stream when it was given', async () => {
      const bytes = new TextEncoder().encode('before');
      const sent = post(bytes);
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      expect((await sent).body).toBe('before');
    });

    test('is called with one argument at least', async () => {
      expect(fetch.length === 0 || fetch.length === 1).toBe(true);
      await expect((fetch as () => Promise<Response>)()).rejects.toBeInstanceOf(TypeError);
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
        fetch(`${world.target.origin}/echo`, { method: 'POST', body: bytes, headers }),
        fetch(`${world.target.origin}/echo`, { method: 'POST', body: params }),
        fetch(`${world.target.origin}/echo`, { method: 'POST', body: form }),
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
      const first = once(world.target.events, 'chunk');
      const call = fetch(`${world.target.origin}/slow-upload`, { method: 'POST', body, duplex: 'half' } as RequestInit);
      push('first');
      expect(await first).toEqual(['first']);
      const second = once(world.target.events, 'chunk');
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
      await expect(fetch(`${world.target.origin}/echo`, { method: 'POST', body, duplex: 'half' } as RequestInit)).rejects.toThrow();
    });
  });

  describe('requests', () => {
    test('takes a Request, sends its body with its length and uses it up', async () => {
      const request = new Request(`${world.target.origin}/echo`, { method: 'PUT', body: 'text', headers: { 'x-own': '1' } });
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
      const returned = await (await fetch(new Request(`${world.target.origin}/form`, { method: 'POST', body: form }))).formData();
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
      const first = once(world.target.events, 'chunk');
      const call = fetch(new Request(`${world.target.origin}/slow-upload`, { method: 'POST', body, duplex: 'half' } as RequestInit));
      push('first');
      expect(await first).toEqual(['first']);
      const second = once(world.target.events, 'chunk');
      push('second');
      expect(await second).toEqual(['second']);
      close();
      expect((await call).status).toBe(200);
    });

    test('sends a large body of a Request whole', async () => {
      const { headers, body } = await echo(
        await fetch(new Request(`${world.target.origin}/echo`, { method: 'POST', body: 'x'.repeat(3_000_000) })),
      );
      expect([headers['content-length'], body.length]).toEqual(['3000000', 3_000_000]);
    });

    test('lets init win over the Request', async () => {
      const request = new Request(`${world.target.origin}/echo`, { method: 'POST', body: 'request', headers: { 'x-own': 'request' } });
      const { method, headers, body } = await echo(await fetch(request, { method: 'PUT', body: 'init', headers: { 'x-init': '1' } }));
      expect([method, headers['x-own'], headers['x-init'], body]).toEqual(['PUT', undefined, '1', 'init']);
    });

    test('takes a Request as init', async () => {
      const request = new Request('http://elsewhere.example/', { method: 'POST', body: 'text', headers: { 'x-own': '1' } });
      const { method, url, headers, body } = await echo(await fetch(`${world.target.origin}/echo`, request));
      expect([method, url, headers['x-own'], body]).toEqual(['POST', '/echo', '1', 'text']);
    });

    test('normalises methods as the standard says', async () => {
      expect((await echo(await fetch(`${world.target.origin}/echo`, { method: 'post' }))).method).toBe('POST');
    });

    test.each([
      ['a URL that is not one', () => fetch('not a url')],
      ['a URL with a password', () => fetch('http://user:pass@127.0.0.1/')],
      // oxlint-disable-next-line unicorn/no-invalid-fetch-options
      ['GET with a body', () => fetch(`${world.target.origin}/echo`, { body: 'x' })],
      ['a stream without duplex', () => fetch(`${world.target.origin}/echo`, { method: 'POST', body: new ReadableStream() })],
      ['a header that cannot be one', () => fetch(`${world.target.origin}/echo`, { headers: { 'x-bad': 'a\r\nb: c' } })],
      ['a method that cannot be one', () => fetch(`${world.target.origin}/echo`, { method: 'A B' })],
      ['TRACE', () => fetch(`${world.target.origin}/echo`, { method: 'TRACE' })],
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
}
