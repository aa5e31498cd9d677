/** The platform that runs the function: gives it a token that says who it is, starts it, and keeps what it printed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { childEnvironment } from '../environment.ts';
import { nodeArguments } from '../start/supervisor.ts';
import { platformToken } from './platform-token.ts';
import { exampleMain } from './services.ts';
import { functionName, type DemoSettings } from './settings.ts';

/** One line of the function's log. */
export interface FunctionStep {
  readonly step: string;
  readonly status: number;
  /** Id of the call. */
  readonly call: string | null;
  readonly body: unknown;
}

export interface FunctionRun {
  readonly exitCode: number | null;
  readonly steps: readonly FunctionStep[];
  /** Everything that it printed, to search in. */
  readonly output: string;
  readonly errors: string;
}

/** Its calls have limits of their own; this ends one that hangs, and not one that is slow. */
const endWithinMs = 900_000;

export async function runFunction(settings: DemoSettings, urls: { controlPlane: string; payments: string }): Promise<FunctionRun> {
  const child = spawn(process.execPath, [...nodeArguments, exampleMain('nightly-billing')], {
    env: {
      ...childEnvironment(),
      HOOP_URL: urls.controlPlane,
      HOOP_TOKEN: await platformToken(settings, functionName),
      PAYMENTS_URL: urls.payments,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: endWithinMs,
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  const steps = output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as FunctionStep);
  return { exitCode, steps, output, errors };
}
