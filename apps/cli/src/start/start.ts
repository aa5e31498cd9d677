/** `hoop start`: everything on one machine, and on an empty data folder the demonstration. */
import { readFile, rm } from 'node:fs/promises';

import { ApiError, createClient, type Client } from '@hoop/client';
import { answerWithinMs } from '../investigate/admin-api.ts';
import { startDemoFirst } from '../demo/first-start.ts';
import { runDemo } from '../demo/run.ts';
import { startDemoServices, type DemoServices } from '../demo/services.ts';
import { readDemoSettings } from '../demo/settings.ts';
import { transcriptText } from '../demo/transcript.ts';
import { writeAddresses } from './addresses.ts';
import { openDataFolder, type DataFolder } from './data-folder.ts';
import { makeKeys, type Keys } from './keys.ts';
import { checkOpenFiles, openFilesLimit } from './open-files.ts';
import type { StartOptions } from './options.ts';
import { startStack, type Stack } from './stack.ts';

export interface StartIo {
  readonly env: NodeJS.ProcessEnv;
  /** For results. */
  readonly out: (text: string) => void;
  /** For progress. */
  readonly say: (sentence: string) => void;
  /** Asks the person at the terminal; absent where there is none. Resolves to what they typed, empty where they left. */
  readonly ask?: (question: string) => Promise<string>;
  /** Aborted when everything is to stop; aborted a second time never: see `kill`. */
  readonly stop: AbortSignal;
  /** Aborted when everything is to end at once. */
  readonly kill: AbortSignal;
}

/** Runs until it is told to stop, or with `once` until all is done. Resolves to the exit code. @throws StartError */
export async function start(options: StartOptions, io: StartIo): Promise<number> {
  checkOpenFiles(openFilesLimit(), io.say);
  const folder = openDataFolder(options.dataDir);
  let stack: Stack | undefined;
  let demo: DemoServices | undefined;
  const killAll = (): void => {
    demo?.kill();
    stack?.kill();
  };
  io.kill.addEventListener('abort', killAll);
  try {
    const keys = await makeKeys(folder.keys);
    io.say(`Starting on the data folder ${folder.path}…`);
    stack = await startStack({ options, folder, keys, env: io.env, say: io.say });
    if (io.kill.aborted) killAll();
    const token = await takeBootstrapToken(stack, keys);
    await writeAddresses(folder.path, { controlPlane: stack.controlPlaneUrl, relay: stack.relayUrl, proxy: stack.proxyUrl });
    announce(options, stack, token, io);

    let exitCode = 0;
    if (!io.stop.aborted) {
      const ran = await demonstrate(options, folder, stack, token, io);
      demo = ran.services;
      exitCode = ran.exitCode;
    }
    if (!options.once && !io.stop.aborted) {
      io.say('Ready. Ctrl-C stops everything.');
      await new Promise<void>((resolve) => io.stop.addEventListener('abort', () => resolve(), { once: true }));
      exitCode = 0;
    }
    return exitCode;
  } finally {
    if (stack !== undefined) io.say('Stopping…');
    await demo?.stop();
    await stack?.stop();
    io.kill.removeEventListener('abort', killAll);
    folder.unlock();
  }
}

/**
 * The bootstrap admin token, which the control plane has stored (hashed) by now. Its file is removed: it is shown once. A
 * file that is there although the database had a token already is of a start that ended before it was shown.
 */
async function takeBootstrapToken(stack: Stack, { bootstrapTokenFile }: Keys): Promise<string | undefined> {
  const token = await readFile(bootstrapTokenFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (token === undefined) return undefined;
  const isStored = await createClient({ url: stack.controlPlaneUrl, token: token.trim(), timeoutMs: answerWithinMs })
    .call('getCurrentAdminToken', {})
    .then(
      () => true,
      (error: unknown) => {
        if (error instanceof ApiError && error.status === 401) return false;
        throw error;
      },
    );
  stack.forgetBootstrapToken();
  await rm(bootstrapTokenFile, { force: true });
  return isStored ? token.trim() : undefined;
}

function announce(options: StartOptions, stack: Stack, token: string | undefined, { out, say }: StartIo): void {
  const lines = [
    `Control plane  ${stack.controlPlaneUrl}`,
    `Relay          ${stack.relayUrl}`,
    `Proxy          ${stack.proxyUrl}`,
    ...(stack.postgresPort === null ? [] : [`Postgres       127.0.0.1:${stack.postgresPort}`]),
    ...(token === undefined ? [] : [`Admin token    ${token}   (shown this once: keep it)`]),
  ];
  (options.json ? say : out)(`\n${lines.join('\n')}\n`);
}

interface Demonstrated {
  readonly services: DemoServices | undefined;
  readonly exitCode: number;
}

async function demonstrate(
  options: StartOptions,
  folder: DataFolder,
  stack: Stack,
  token: string | undefined,
  io: StartIo,
): Promise<Demonstrated> {
  const nothing = { services: undefined, exitCode: 0 };
  const finish = (document: object): void => {
    if (options.json)
      io.out(JSON.stringify({ controlPlane: stack.controlPlaneUrl, relay: stack.relayUrl, proxy: stack.proxyUrl, ...document }));
  };
  if (!options.demo) {
    finish({ ok: true });
    return nothing;
  }
  const earlier = await readDemoSettings(folder.demo);
  if (earlier !== undefined) {
    const services = await startDemoServices(earlier, folder.logs, io.say).catch((error: Error) => {
      io.say(`The demonstration's services do not run: ${error.message}`);
      return undefined;
    });
    if (services !== undefined)
      io.say(
        `The demonstration was run on an earlier start. Its identity provider: ${services.issuer}, its payments API: ${services.paymentsUrl}`,
      );
    finish({ ok: true });
    return { services, exitCode: 0 };
  }
  if (token === undefined) {
    finish({ ok: true });
    return nothing;
  }
  const api: Client = createClient({ url: stack.controlPlaneUrl, token, timeoutMs: answerWithinMs });
  const { settings, paymentsClientSecret, services } = await startDemoFirst({
    folder: folder.demo,
    controlPlaneUrl: stack.controlPlaneUrl,
    logs: folder.logs,
    say: io.say,
  });
  try {
    const transcript = await runDemo({
      api,
      controlPlaneUrl: stack.controlPlaneUrl,
      relayUrl: stack.relayUrl,
      dataDir: folder.path,
      settings,
      services,
      paymentsClientSecret,
      say: io.say,
    });
    if (options.json) finish(transcript);
    else io.out(`\n${transcriptText(transcript)}`);
    const failed = transcript.checks.filter(({ ok }) => !ok);
    for (const { what, detail } of failed) io.say(`FAILED: ${what}: ${detail}`);
    io.say(
      failed.length === 0
        ? `All ${transcript.checks.length} checks hold.`
        : `${failed.length} of ${transcript.checks.length} checks FAILED.`,
    );
    return { services, exitCode: transcript.ok ? 0 : 1 };
  } catch (error) {
    io.say(`The demonstration failed: ${(error as Error).message}`);
    finish({ ok: false, error: (error as Error).message });
    return { services, exitCode: 1 };
  }
}
