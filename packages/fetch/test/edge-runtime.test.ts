/** The SDK in Vercel's edge runtime, whose fetch returns responses with a fixed `url`. */
import { EdgeVM } from '@edge-runtime/vm';
import { build } from 'esbuild';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { closeServers } from './servers.ts';
import { type SmallHoop, startSmallHoop } from './small-hoop.ts';
import { startTarget, type TestTarget } from './target.ts';

let target: TestTarget;
let hoop: SmallHoop;
const vm = new EdgeVM();
const evaluate = async (code: string): Promise<unknown> =>
  JSON.parse(await vm.evaluate<Promise<string>>(`(async () => JSON.stringify(${code}))()`));

beforeAll(async () => {
  target = await startTarget();
  hoop = await startSmallHoop({ target: target.origin });
  const { outputFiles } = await build({
    entryPoints: [path.resolve(import.meta.dirname, '../src/index.ts')],
    bundle: true,
    format: 'iife',
    globalName: 'hoopFetch',
    platform: 'neutral',
    write: false,
  });
  vm.evaluate(outputFiles[0]!.text);
  vm.evaluate(`globalThis.hoop = hoopFetch.createFetch({ url: ${JSON.stringify(hoop.url)}, token: () => 'identity-token' })`);
});
afterAll(closeServers);

test('a call is answered with the URL of its target, once', async () => {
  const answer = await evaluate(`await hoop('${target.origin}/echo', { method: 'POST', body: 'text' })
    .then(async (r) => [r.status, r.url, r.redirected, r.clone().url, r instanceof Response, (await r.json()).body])`);
  expect(answer).toEqual([200, `${target.origin}/echo`, false, `${target.origin}/echo`, true, 'text']);
  expect(target.counts.get('/echo')).toBe(1);
});

test('responses without a body, redirects and headers are as they are', async () => {
  expect(
    await evaluate(`await hoop('${target.origin}/status?code=204').then((r) => [r.status, r.body, r.headers.get('x-answer')])`),
  ).toEqual([204, null, 'yes']);
  expect(
    await evaluate(
      `await hoop('${target.origin}/redirect?status=302&to=/reason').then(async (r) => [r.url, r.redirected, await r.text()])`,
    ),
  ).toEqual([`${target.origin}/reason`, true, 'ok']);
  expect(await evaluate(`await hoop('${target.origin}/cookies').then((r) => r.headers.get('x-list'))`)).toBe('one, two');
});

test('where there are no files, a token file is not there', async () => {
  const code = `await hoopFetch.createFetch({ url: '${hoop.url}', token: hoopFetch.tokenFromFile('/x') })('${target.origin}').catch((error) => error.message)`;
  expect(await evaluate(code)).toBe('There is no token file /x.');
});
