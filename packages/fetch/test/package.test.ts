/** The published package: its contents, types and size, and that it runs where only web APIs exist. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import vm from 'node:vm';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { packInto } from './packed.ts';
import { closeServers } from './servers.ts';
import { type SmallHoop, startSmallHoop } from './small-hoop.ts';
import { startTarget, type TestTarget } from './target.ts';

const packageFolder = path.resolve(import.meta.dirname, '..');
const entry = path.join(packageFolder, 'src/index.ts');

const runAside = promisify(execFile);
let scratch: string;
let installed: string;
let target: TestTarget;
let hoop: SmallHoop;

function run(command: string, args: string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    ...options,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed (${status ?? error}):\n${stdout}\n${stderr}`);
  return stdout;
}

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'hoop-fetch-package-'));
  ({ installed } = await packInto(scratch));
  target = await startTarget();
  hoop = await startSmallHoop({ target: target.origin });
});
afterAll(async () => {
  await closeServers();
  await rm(scratch, { recursive: true });
});

describe('the published package', () => {
  test('has its code, types, readme and licence, and nothing else', async () => {
    const files = (await readdir(installed, { recursive: true })).sort();
    const code = files.filter((name) => !name.endsWith('.d.ts') && !['dist', 'dist/replay', 'dist/tokens'].includes(name));
    expect(code).toEqual(['LICENSE', 'README.md', 'dist/helper.js', 'dist/index.js', 'dist/testing.js', 'package.json']);
    expect(files).toContain('dist/index.d.ts');
  });

  test('depends on nothing, and points at built files only', async () => {
    const manifest = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
    for (const member of ['dependencies', 'peerDependencies', 'optionalDependencies', 'private'])
      expect(manifest).not.toHaveProperty(member);
    expect(manifest['exports']).toEqual({
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './grants': { types: './dist/helper.d.ts', default: './dist/helper.js' },
      './testing': { types: './dist/testing.d.ts', default: './dist/testing.js' },
    });
    for (const file of ['dist/helper.js', 'dist/index.js', 'dist/testing.js'])
      expect(await readFile(path.join(installed, file), 'utf8'), file).not.toMatch(/\b(?:from|require\()\s*["']|^import\b/m);
  });

  test.each([
    ['nodenext', ['--module', 'nodenext', '--lib', 'es2022,dom,dom.iterable']],
    ['bundler', ['--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2022,dom,dom.iterable']],
  ])('has types that a strict project with %s resolution accepts', async (_name, options) => {
    const source = `
      import { createFetch, fetch, HoopDeniedError, tokenFromFile, type HoopFetch, type Problem } from '@hoop/fetch';
      import { HoopReplayError, replayFetch, type ReplayFetch } from '@hoop/fetch/testing';
      const replayed: ReplayFetch = replayFetch({}, { matchBody: false });
      export const asPlatform: typeof globalThis.fetch = replayed;
      export const left: number = replayed.unused().length;
      export const isMissing = (error: unknown): boolean => error instanceof HoopReplayError && error.code === 'not_recorded';
      const platform: typeof globalThis.fetch = fetch;
      const own: HoopFetch = createFetch({ token: tokenFromFile('/x'), context: { ticket: 'OPS-1' } }).extend({ onDenied: 'throw' });
      export const answer: Promise<Response> = own(new Request('https://a.example'), { method: 'POST', hoop: { context: { a: 'b' } } });
      export const code = (problem: Problem): string => problem.code;
      export const isDenied = (error: unknown): boolean => error instanceof HoopDeniedError && error.problem.status === 403;
      // @ts-expect-error: a context holds texts
      export const wrong = fetch('https://a.example', { hoop: { context: { amount: 7 } } });
      void platform;
    `;
    const file = path.join(scratch, 'consumer.mts');
    await writeFile(file, source);
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false'];
    const check = (): string =>
      run('tsc', ['--noEmit', ...strict, '--types', '', '--target', 'es2022', ...options, file], {
        cwd: scratch,
      });
    expect(check).not.toThrow();
  });

  /** This Node, and every other on the PATH that the package supports. */
  function supportedNodes(): string[] {
    const found = (process.env['PATH'] ?? '')
      .split(path.delimiter)
      .map((folder) => path.join(folder, 'node'))
      .filter((file) => existsSync(file));
    const all = new Set([process.execPath, ...found].map((file) => realpathSync(file)));
    return [...all].filter((file) => Number(run(file, ['-p', 'process.versions.node.split(".")[0]'], { cwd: scratch })) >= 20);
  }

  test('works on every supported Node of this machine, configured by the environment alone', async () => {
    const script = `
      import { fetch } from '@hoop/fetch';
      const read = async (...args) => (await fetch(...args)).json();
      const redirected = await fetch(new Request(process.env.TARGET + '/redirect?status=307&to=/echo', { method: 'POST', body: 'text' }));
      const form = new FormData();
      form.append('file', new Blob(['content']), 'a.txt');
      console.log(JSON.stringify({
        get: (await read(process.env.TARGET + '/echo')).method,
        request: await read(new Request(process.env.TARGET + '/echo', { method: 'POST', body: 'text' })),
        stream: (await read(process.env.TARGET + '/echo', { method: 'POST', body: new Blob(['stream']).stream(), duplex: 'half' })).body,
        form: await (await (await fetch(process.env.TARGET + '/form', { method: 'POST', body: form })).formData()).get('file').text(),
        redirected: [redirected.url, redirected.clone().url, redirected.redirected, redirected instanceof Response, redirected.status],
        refused: await fetch('http://unmanaged.example/').catch((error) => error.name),
      }));
    `;
    await writeFile(path.join(scratch, 'script.mjs'), script);
    const tokenFile = path.join(scratch, 'token');
    await writeFile(tokenFile, 'identity-token\n');
    const offline = `
      import { replayFetch } from '@hoop/fetch/testing';
      const request = { method: 'GET', url: 'https://api.example/' };
      const fetch = replayFetch({ log: { entries: [{ request, response: { status: 200, content: { text: 'aGVsbG8=', encoding: 'base64' } } }] } });
      console.log(await (await fetch('https://api.example')).text());
    `;
    await writeFile(path.join(scratch, 'offline.mjs'), offline);
    for (const node of supportedNodes()) {
      expect((await runAside(node, ['offline.mjs'], { cwd: scratch, env: {} })).stdout, node).toBe('hello\n');
      const env = { TARGET: target.origin, HOOP_URL: hoop.url, HOOP_TOKEN_FILE: tokenFile };
      const { stdout } = await runAside(node, ['script.mjs'], { cwd: scratch, env });
      expect(JSON.parse(stdout), node).toEqual({
        get: 'GET',
        request: expect.objectContaining({
          method: 'POST',
          body: 'text',
          headers: expect.objectContaining({ 'content-length': '4' }),
        }),
        stream: 'stream',
        form: 'content',
        redirected: [`${target.origin}/echo`, `${target.origin}/echo`, true, true, 200],
        refused: 'HoopTargetError',
      });
    }
  });
});

describe('the code', () => {
  test('is under 10 KB minified and gzipped, and imports nothing', async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'neutral',
      write: false,
      metafile: true,
    });
    expect(Object.values(metafile.outputs).flatMap((output) => output.imports)).toEqual([]);
    expect(Object.keys(metafile.inputs).filter((file) => !file.startsWith('packages/fetch/src/') && !file.startsWith('src/'))).toEqual([]);
    expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).byteLength).toBeLessThan(10_240);
  });

  test('runs where there is nothing but web APIs: no process, no Buffer, no files', async () => {
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      format: 'iife',
      globalName: 'hoopFetch',
      platform: 'neutral',
      write: false,
    });
    const { AbortController, AbortSignal, Blob, clearTimeout, crypto, fetch, File, FormData, Headers } = globalThis;
    const { ReadableStream, Request, Response, setTimeout, TextDecoder, TextEncoder, URL, URLSearchParams } = globalThis;
    const web = {
      AbortController,
      AbortSignal,
      Blob,
      clearTimeout,
      crypto,
      fetch,
      File,
      FormData,
      Headers,
    };
    const moreWeb = {
      ReadableStream,
      Request,
      Response,
      setTimeout,
      TextDecoder,
      TextEncoder,
      URL,
      URLSearchParams,
    };
    const context = vm.createContext({
      ...web,
      ...moreWeb,
      target: target.origin,
      hoopUrl: hoop.url,
    });
    vm.runInContext(outputFiles[0]!.text, context);
    const result: unknown = await vm.runInContext(
      `(async () => {
        const { createFetch, detectToken, tokenFromFile } = hoopFetch;
        const fetch = createFetch({ url: hoopUrl, token: () => 'identity-token' });
        const post = async (body) => (await (await fetch(target + '/echo', { method: 'POST', body })).json());
        const response = await fetch(target + '/reason');
        return JSON.stringify({
          response: [response.url, await response.text()],
          bytes: (await post(new TextEncoder().encode('bytes'))).headers['content-length'],
          ownBytes: (await post(new Uint8Array([65, 66]))).body,
          ownBuffer: (await post(new Uint8Array([65, 66]).buffer)).body,
          detect: await createFetch({ url: hoopUrl })(target).catch((error) => error.message.split('\\n')[0]),
          file: await createFetch({ url: hoopUrl, token: tokenFromFile('/x') })(target).catch((error) => error.message),
        });
      })()`,
      context,
    );
    expect(JSON.parse(result as string)).toEqual({
      response: [`${target.origin}/reason`, 'ok'],
      bytes: '5',
      ownBytes: 'AB',
      ownBuffer: 'AB',
      detect: 'No identity token was found. Tried:',
      file: 'There is no token file /x.',
    });
  });
});
