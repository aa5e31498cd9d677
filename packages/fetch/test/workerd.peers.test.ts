/** The SDK in workerd, the runtime of Cloudflare's workers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';

import { findPeer } from '@hoop/testkit';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { closeServers } from './servers.ts';
import { startSmallHoop } from './small-hoop.ts';
import { startTarget, type TestTarget } from './target.ts';

const workerd = findPeer('workerd', 'npm install --global workerd@1.20260730.1');
const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "internet", network = (allow = ["private", "public"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const worker :Workerd.Worker = (modules = [(name = "worker", esModule = embed "worker.js")], compatibilityDate = "2026-01-01");
`;

describe.skipIf(workerd === null)('workerd', () => {
  let folder: string;
  let target: TestTarget;
  let running: ChildProcess;
  let url: string;

  beforeAll(async () => {
    target = await startTarget();
    const hoop = await startSmallHoop({ target: target.origin });
    folder = await mkdtemp(path.join(tmpdir(), 'hoop-workerd-'));
    const source = `
      import { createFetch } from './index.ts';
      const hoop = createFetch({ url: ${JSON.stringify(hoop.url)}, token: () => 'identity-token' });
      export default {
        async fetch() {
          const read = async (...args) => {
            const r = await hoop(...args);
            return [r.status, r.url, r.redirected, r.clone().url, r instanceof Response, await r.text()];
          };
          const echoed = async (body) => JSON.parse((await read('${target.origin}/echo', { method: 'POST', body }))[5]).body;
          const shared = new AbortController();
          return Response.json({
            get: await read('${target.origin}/reason', { signal: shared.signal }),
            redirected: await read('${target.origin}/redirect?status=307&to=/reason', { method: 'POST', body: 'text' }),
            empty: (await read('${target.origin}/status?code=204'))[0],
            bodies: [await echoed('text'), await echoed(new URL('https://a.example/b')), await echoed(new Uint8Array([65, 66])), await echoed(new Blob(['stream']).stream())],
            file: await createFetch({ url: ${JSON.stringify(hoop.url)} })('${target.origin}').catch((error) => error.name),
          });
        },
      };`;
    const stdin = { contents: source, resolveDir: path.resolve(import.meta.dirname, '../src'), loader: 'ts' } as const;
    await build({ stdin, bundle: true, format: 'esm', platform: 'neutral', outfile: path.join(folder, 'worker.js') });
    await writeFile(path.join(folder, 'config.capnp'), config);
    running = spawn(workerd!, ['serve', '--control-fd=3', path.join(folder, 'config.capnp')], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    const [said] = (await once(running.stdio[3] as Readable, 'data')) as [Buffer];
    url = `http://127.0.0.1:${(JSON.parse(said.toString().split('\n')[0]!) as { port: number }).port}`;
  });
  afterAll(async () => {
    running.kill();
    await closeServers();
    await rm(folder, { recursive: true });
  });

  test('calls, follows, sends every kind of body and hands back its own responses', async () => {
    const { origin } = target;
    expect(await (await fetch(url)).json()).toEqual({
      get: [200, `${origin}/reason`, false, `${origin}/reason`, true, 'ok'],
      redirected: [200, `${origin}/reason`, true, `${origin}/reason`, true, 'ok'],
      empty: 204,
      bodies: ['text', 'https://a.example/b', 'AB', 'stream'],
      file: 'HoopTokenError',
    });
  });
});
