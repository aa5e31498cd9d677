/** The REST API as commands for investigators and CI use it: where it is, who asks, and answers that are streams. */
import { createReadStream } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import path from 'node:path';

import { ApiError, createClient, type Client } from '@hoop/client';
import type { Command } from 'commander';

import { readAddresses } from '../start/addresses.ts';
import { StartError } from '../start-error.ts';

/** Ends a request that hangs; a control plane on a loaded machine may be slow. */
export const answerWithinMs = 120_000;

/** Values of the options that `addApiOptions` adds. */
export interface ApiFlags {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly dataDir: string;
  readonly json?: true;
}

/** The options of every command that speaks to the API. */
export function addApiOptions(command: Command): Command {
  return command
    .option('--url <url>', 'of the control plane (default HOOP_URL, else of the Hoop on the data folder)')
    .option('--token-file <file>', 'with an admin token (default the variable HOOP_ADMIN_TOKEN)')
    .option('--data-dir <folder>', 'of a Hoop on this machine', '.hoop')
    .option('--json', 'one JSON value a line, for programs');
}

/** @throws StartError where it is not said who asks, or whom */
export async function openAdminApi(flags: Omit<ApiFlags, 'json'>, env: NodeJS.ProcessEnv, stop: AbortSignal): Promise<Client> {
  const given = flags.url ?? env['HOOP_URL'];
  const url = (given || (await readAddresses(path.resolve(flags.dataDir))).controlPlane).replace(/\/+$/, '');
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw new StartError(`${url} is not an http or https URL.`);
  const token = await readToken(flags.tokenFile, env);
  return createClient({ url, token, signal: stop, timeoutMs: answerWithinMs });
}

async function readToken(file: string | undefined, env: NodeJS.ProcessEnv): Promise<string> {
  let token = env['HOOP_ADMIN_TOKEN'] ?? '';
  if (file !== undefined) {
    token = await readAll(createReadStream(file, { end: 4096 })).catch((error: NodeJS.ErrnoException) => {
      throw new StartError(`The token file ${file} cannot be read (${error.code}).`, { cause: error });
    });
  }
  token = token.trim();
  if (token === '') throw new StartError('An admin token is needed: set HOOP_ADMIN_TOKEN, or name a file with --token-file.');
  return token;
}

/** The values of NDJSON. @throws StartError where a line is cut short */
export async function* readLines<T>(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<T, void, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line) as T;
  }
  if (rest !== '') throw new StartError('The answer was cut off.');
}

/** Runs what speaks to the API; what it is refused, or cannot reach, is one sentence. @throws StartError */
export async function speaking<T>(work: () => Promise<T>, stop: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (stop.aborted) throw new StartError('Stopped.', { cause: error });
    if (error instanceof ApiError) {
      const { problem } = error;
      const errors = Array.isArray(problem.errors) ? (problem.errors as { path?: string; message?: string }[]) : [];
      const places = errors.map((one) => `\n  ${one.path ?? ''}: ${one.message ?? ''}`).join('');
      throw new StartError(`${problem.detail ?? problem.title ?? error.message} (${error.status} ${problem.code ?? ''})${places}`, {
        cause: error,
      });
    }
    if (error instanceof TypeError && error.cause instanceof Error)
      throw new StartError(`Hoop cannot be reached: ${error.cause.message || String((error.cause as NodeJS.ErrnoException).code)}.`, {
        cause: error,
      });
    throw error;
  }
}
