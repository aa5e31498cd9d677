/** A client that knows nothing of Hoop: curl, or Node where there is none, with the variables of `hoop exec` alone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { childEnvironment } from '../environment.ts';
import { nodeArguments } from '../start/supervisor.ts';
import { functionName } from './settings.ts';

export interface UnmodifiedRun {
  /** As a person would type it. */
  readonly command: string;
  readonly exitCode: number | null;
  /** The head of the response and its body. */
  readonly output: string;
  readonly errors: string;
  /** Id of the call. */
  readonly call: string | null;
}

/** Ends one that hangs, and not one that is slow. */
const endWithinMs = 300_000;

/** As curl prints an answer with -i. */
const asCurl =
  'const r = await fetch(process.argv[1]); console.log(`HTTP/1.1 ${r.status}\\n${[...r.headers].map(([n, v]) => `${n}: ${v}`).join("\\n")}\\n\\n${await r.text()}`)';

export async function runUnmodified(dataDir: string, url: string): Promise<UnmodifiedRun> {
  const curl = await execute(dataDir, ['curl', '-sS', '-i', url]);
  // As shells and `hoop exec` say that there is no such program.
  if (!/could not be started/.test(curl.errors)) return { ...curl, command: typed(`curl ${url}`) };
  const node = await execute(dataDir, [process.execPath, '--input-type=module', '-e', asCurl, url]);
  return { ...node, command: typed(`node -e 'fetch("${url}").then((r) => r.text()).then(console.log)'`) };
}

/** The payments API of the demonstration is on loopback, which is reached directly unless it is said otherwise. */
const options = ['--as', functionName, '--no-proxy='];
const typed = (program: string): string => `npm run hoop -- exec ${options.join(' ')} -- ${program}`;

async function execute(dataDir: string, command: readonly string[]): Promise<Omit<UnmodifiedRun, 'command'>> {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const child = spawn(process.execPath, [...nodeArguments, main, 'exec', '--data-dir', dataDir, ...options, '--', ...command], {
    env: childEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: endWithinMs,
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, output, errors, call: /^hoop-call: (\S+)$/im.exec(output)?.[1] ?? null };
}
