/** The published package as its users' tools see it: package checkers and bundlers. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { build } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { rollup } from 'rollup';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import webpack from 'webpack';

import { packInto } from './packed.ts';

const packageFolder = path.resolve(import.meta.dirname, '..');
let scratch: string;
let archive: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'hoop-fetch-tools-'));
  ({ archive } = await packInto(scratch));
  await writeFile(path.join(scratch, 'package.json'), '{"type":"module"}');
});
afterAll(() => rm(scratch, { recursive: true }));

describe('the packed package', () => {
  test('has nothing that publint objects to', async () => {
    const { messages, pkg } = await publint({ pkgDir: path.join(scratch, 'node_modules/@hoop/fetch'), pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg!))).toEqual([]);
  });

  test('has types that attw finds right, but for CommonJS, for which there is no build', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(await readFile(archive))));
    if (analysis.types === false) throw new Error('there are no types');
    const problems = analysis.problems.map((problem) => `${problem.kind} ${'resolutionKind' in problem ? problem.resolutionKind : ''}`);
    expect([...new Set(problems)].sort()).toEqual([
      // `require` of it works from Node 20.19 on; without exports, only the root would resolve.
      'CJSResolvesToESM node16-cjs',
      'NoResolution node10',
    ]);
  });

  test('carries the licence of the project, and is packed by nothing that would name its sources', async () => {
    expect(await readFile(path.join(packageFolder, 'LICENSE'), 'utf8')).toBe(
      await readFile(path.join(packageFolder, '../../LICENSE'), 'utf8'),
    );
    expect(await readFile(path.join(scratch, 'node_modules/@hoop/fetch/package.json'), 'utf8')).not.toContain('@hoop/source');
    const env = { ...process.env, npm_config_user_agent: 'npm/10.9.0 node/v22.0.0 linux x64' };
    const { status, stderr } = spawnSync(process.execPath, ['prepack.mjs'], { cwd: packageFolder, env, encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, expect.stringContaining('with pnpm')]);
  });
});

/** The code of `source` and all that it needs, by each bundler, for a runtime that has nothing of Node's. */
const bundlers: Record<string, (source: string) => Promise<string>> = {
  esbuild: async (file) => {
    const { outputFiles, warnings } = await build({
      entryPoints: [file],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      write: false,
    });
    expect(warnings).toEqual([]);
    return outputFiles[0]!.text;
  },
  rollup: async (file) => {
    const warnings: string[] = [];
    const resolve = {
      name: 'installed',
      resolveId: (name: string) => (name === '@hoop/fetch' ? path.join(scratch, 'node_modules/@hoop/fetch/dist/index.js') : null),
    };
    const bundle = await rollup({ input: file, plugins: [resolve], onwarn: ({ message }) => void warnings.push(message) });
    const { output } = await bundle.generate({ format: 'es' });
    expect(warnings).toEqual([]);
    return output[0].code;
  },
  webpack: async (file) => {
    const compiler = webpack({
      mode: 'production',
      target: 'web',
      entry: file,
      context: scratch,
      output: { path: path.join(scratch, 'webpack') },
    });
    const stats = await promisify(compiler.run.bind(compiler))();
    await promisify(compiler.close.bind(compiler))();
    expect(stats!.toJson({ errors: true, warnings: true })).toMatchObject({ errors: [], warnings: [] });
    return readFile(path.join(scratch, 'webpack/main.js'), 'utf8');
  },
};

describe.each(Object.keys(bundlers))('%s', (name) => {
  const bundle = async (source: string): Promise<string> => {
    const file = path.join(scratch, `${name}-${crypto.randomUUID()}.js`);
    await writeFile(file, source);
    return bundlers[name]!(file);
  };

  test('bundles the whole for a runtime without Node', async () => {
    const code = await bundle(`import { fetch } from '@hoop/fetch'; globalThis.result = fetch;`);
    expect(code).toContain('/oauth/token');
    expect(code).not.toMatch(/\bimport\(|\brequire\(/);
  });

  test('leaves out all but an error class where that is all that is imported', async () => {
    const code = await bundle(
      `import { HoopDeniedError } from '@hoop/fetch'; globalThis.isDenied = (error) => error instanceof HoopDeniedError;`,
    );
    expect(code).toContain('HoopDeniedError');
    expect(code).not.toContain('/oauth/token');
    expect(code).not.toContain('HoopTargetError');
    expect(code.length).toBeLessThan(1200);
  });
});
