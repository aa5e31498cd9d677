import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { createTestAuthority } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { answerJson, serve } from '../test/servers.ts';
import { failure, setUpCalls } from '../test/set-up-calls.ts';
import { HoopExchangeError, HoopUnreachableError } from './index.ts';

const world = await setUpCalls();
const secure = createServer((_request, response) => response.end('never reached without TLS'));
let securePort: number;
beforeAll(async () => {
  const { cert, key } = await (await createTestAuthority()).issue(['127.0.0.1']);
  secure.setSecureContext({ cert, key });
  secure.listen(0, '127.0.0.1');
  await once(secure, 'listening');
  securePort = (secure.address() as AddressInfo).port;
});
afterAll(() => {
  secure.closeAllConnections();
  secure.close();
});

const through = async (relayUrl: string, init: RequestInit = {}): Promise<unknown> =>
  failure(world.makeFetch({ relayUrl })(`${world.target.origin}/reason`, init));
const asTls = (url: string): string => url.replace('http:', 'https:');

describe('a relay that gives no answer is named, with its URL and the reason', () => {
  test('where nothing listens', async () => {
    const error = (await through('http://127.0.0.1:1')) as HoopUnreachableError;
    expect(error).toBeInstanceOf(HoopUnreachableError);
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ code: 'relay_unreachable', cause: { message: 'fetch failed' } });
    expect(error.message).toMatch(/^Hoop's relay gave no answer at http:\/\/127\.0\.0\.1:1: .*(?:ECONNREFUSED|bad port)/);
  });

  test('where its name is not known', async () => {
    expect(await through('http://relay.invalid')).toMatchObject({ message: expect.stringContaining('relay.invalid') });
  });

  test('where its URL says https and it speaks http', async () => {
    const message = expect.stringContaining('its URL must begin with http://');
    expect(await through(asTls(world.hoop.relayUrl))).toMatchObject({ name: 'HoopUnreachableError', message });
  });

  test('where its URL says http and it speaks TLS, whether it hangs up or says so', async () => {
    const message = expect.stringContaining('its URL must begin with https://');
    expect(await through(`http://127.0.0.1:${securePort}`)).toMatchObject({ name: 'HoopUnreachableError', message });
    const polite = await serve((request, response) => {
      request.resume();
      response.writeHead(400, { 'content-type': 'text/html' }).end('<title>400 The plain HTTP request was sent to HTTPS port</title>');
    });
    expect(await through(polite)).toMatchObject({
      name: 'HoopUnreachableError',
      message: expect.stringContaining('must begin with https://'),
    });
  });

  test('where it breaks off', async () => {
    const breaking = await serve((request) => void request.socket.destroy());
    expect(await through(breaking, { method: 'POST', body: 'text' })).toMatchObject({ name: 'HoopUnreachableError' });
  });

  test('but not for a failure that is not its own', async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new RangeError('the source broke')) });
    const error = (await through(world.hoop.relayUrl, { method: 'POST', body, duplex: 'half' } as RequestInit)) as Error;
    expect(error).not.toBeInstanceOf(HoopUnreachableError);
    expect(await through('http://127.0.0.1:1', { signal: AbortSignal.abort(new RangeError('gone')) })).toMatchObject({ message: 'gone' });
    const bad = await serve((_request, response) => answerJson(response, 400, {}, { 'hoop-call': 'call_1' }));
    expect((await world.makeFetch({ relayUrl: bad })(`${world.target.origin}/reason`)).status).toBe(400);
  });
});

test.each([
  ['https to a control plane that speaks http', () => asTls(world.hoop.url), 'its URL must begin with http://'],
  ['http to a control plane that speaks TLS', () => `http://127.0.0.1:${securePort}`, 'its URL must begin with https://'],
])('%s is named', async (_what, url, hint) => {
  const error = (await failure(world.makeFetch({ url: url() })(`${world.target.origin}/reason`))) as HoopExchangeError;
  expect(error).toBeInstanceOf(HoopExchangeError);
  expect(error.message).toContain(hint);
});
