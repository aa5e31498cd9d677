/** The platform that runs the function: gives it a token that says who it is, starts it, and keeps what it printed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { nodeArguments } from '../start/supervisor.ts';
import { exampleMain } from './services.ts';
import type { DemoSettings } from './settings.ts';

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

const endWithinMs = 60_000;

/** RFC 6749 §4.4. */
async function platformToken({ identityProvider }: DemoSettings, issuer: string): Promise<string> {
  const { clientId, clientSecret } = identityProvider.machines[0]!;
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'machine' }),
    signal: AbortSignal.timeout(10_000),
  });
  const { access_token: token } = (await response.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`The identity provider gave no token (${response.status}).`);
  return token;
}

export async function runFunction(settings: DemoSettings, urls: { issuer: string; controlPlane: string; payments: string }): Promise<FunctionRun> {
  const child = spawn(process.execPath, [...nodeArguments, exampleMain('nightly-billing')], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOOP_URL: urls.controlPlane,
      HOOP_TOKEN: await platformToken(settings, urls.issuer),
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
