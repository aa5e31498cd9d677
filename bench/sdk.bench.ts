/**
 * `npm run bench -- sdk [--json]`: what `@hoop/fetch` costs its users: dependencies, bytes, import time, and time for each call.
 * Size and import time are held against a limit (`baseline`); a call against the platform's fetch with the same headers to the same server.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

import { createFetch } from '@hoop/fetch';
import { build } from 'esbuild';

const isJson = process.argv.includes('--json');
const packageFolder = fileURLToPath(new URL('../packages/fetch/', import.meta.url));
const entry = path.join(packageFolder, 'src/index.ts');
const sizeLimitBytes = 10_240;
const importLimitMs = 10;

interface Result {
  readonly bench: 'sdk';
  readonly case: string;
  readonly ratio: number;
  readonly goal: number;
  readonly value: number;
  readonly baseline: number;
  readonly unit: string;
  readonly lowerIsBetter: boolean;
}

function report(result: Omit<Result, 'bench'>): void {
  const { ratio, goal, lowerIsBetter, value, baseline, unit } = result;
  if (isJson) process.stdout.write(`${JSON.stringify({ bench: 'sdk', ...result } satisfies Result)}\n`);
  else {
    const isMet = lowerIsBetter ? ratio <= goal : ratio >= goal;
    const line = [
      result.case.padEnd(32),
      `${value} ${unit}`.padEnd(18),
      `of ${baseline}`.padEnd(12),
      `ratio ${ratio.toFixed(2)}`,
      `goal ${lowerIsBetter ? '<=' : '>='} ${goal}`,
      isMet ? 'met' : 'MISSED',
    ];
    process.stdout.write(`sdk  ${line.join('  ')}\n`);
  }
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

function reportDependencies(): void {
  const manifest = JSON.parse(readFileSync(path.join(packageFolder, 'package.json'), 'utf8')) as { dependencies?: object };
  const count = Object.keys(manifest.dependencies ?? {}).length;
  report({ case: 'runtime dependencies', value: count, baseline: 0, ratio: count, goal: 0, unit: 'packages', lowerIsBetter: true });
}

async function reportSize(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    write: false,
  });
  const bytes = gzipSync(outputFiles[0]!.contents, { level: 9 }).byteLength;
  report({
    case: 'minified and gzipped',
    value: bytes,
    baseline: sizeLimitBytes,
    ratio: bytes / sizeLimitBytes,
    goal: 1,
    unit: 'bytes',
    lowerIsBetter: true,
  });
}

/** Each import in a process of its own, of the file as it is published; the median of 11. */
async function reportImport(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hoop-bench-sdk-'));
  try {
    const outfile = path.join(folder, 'index.mjs');
    await build({ entryPoints: [entry], bundle: true, format: 'esm', platform: 'neutral', target: 'es2022', outfile });
    const url = JSON.stringify(pathToFileURL(outfile).href);
    const script = `const begun = performance.now(); await import(${url}); console.log(performance.now() - begun)`;
    const times: number[] = [];
    for (let i = 0; i < 11; i++) {
      const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
      if (status !== 0) throw new Error('the import failed');
      times.push(Number(stdout));
    }
    const ms = Math.round(median(times) * 100) / 100;
    report({ case: 'import', value: ms, baseline: importLimitMs, ratio: ms / importLimitMs, goal: 1, unit: 'ms', lowerIsBetter: true });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Calls through a server that answers in the relay's place: what is measured is the SDK's own part. Eleven pairs, A B A B …. */
async function reportCalls(): Promise<void> {
  const body = JSON.stringify({ text: 'x'.repeat(1000) });
  let origin = '';
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    response.setHeader('content-type', 'application/json');
    if (request.url === '/oauth/token') {
      response.end(
        JSON.stringify({ access_token: 'grant', expires_in: 300, hoop_connections: [{ name: 'target', target: 'http://target.example' }] }),
      );
    } else response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  origin = `http://127.0.0.1:${address.port}`;
  const hoopFetch = createFetch({ url: origin, relayUrl: origin, token: () => 'identity-token', session: 'bench' });
  const headers = { 'hoop-grant': 'grant', 'hoop-session': 'bench' };
  const sides = [
    () => globalThis.fetch(`${origin}/target/v1/customers`, { headers }),
    () => hoopFetch('http://target.example/v1/customers'),
  ];
  const measure = async (call: () => Promise<Response>): Promise<number> => {
    const begun = performance.now();
    for (let i = 0; i < 40; i++) await Promise.all(Array.from({ length: 10 }, async () => (await call()).text()));
    return (400 / (performance.now() - begun)) * 1000;
  };
  for (const side of sides) for (let i = 0; i < 3; i++) await measure(side);
  const pairs: [number, number][] = [];
  for (let i = 0; i < 11; i++) pairs.push([await measure(sides[0]!), await measure(sides[1]!)]);
  server.closeAllConnections();
  server.close();
  report({
    case: 'calls over the platform fetch',
    value: Math.round(median(pairs.map(([, ours]) => ours))),
    baseline: Math.round(median(pairs.map(([platform]) => platform))),
    ratio: median(pairs.map(([platform, ours]) => ours / platform)),
    goal: 0.8,
    unit: 'calls/s',
    lowerIsBetter: false,
  });
}

reportDependencies();
await reportSize();
await reportImport();
await reportCalls();
