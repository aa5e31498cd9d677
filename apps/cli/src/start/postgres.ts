/** The embedded Postgres of an all-in-one Hoop: started again when it dies. */
import { appendFileSync } from 'node:fs';
import path from 'node:path';

import { EmbeddedPostgresError, startPostgres, type EmbeddedPostgres } from '@hoop/embedded-postgres';

import { StartError } from '../start-error.ts';
import type { DataFolder } from './data-folder.ts';

export interface RunningPostgres {
  /** Of the owner role. */
  readonly url: string;
  readonly port: number;
  /** From now on it is not started again when it ends. */
  letEnd(): void;
  stop(): Promise<void>;
}

const restartDelayMs = 200;

export async function runPostgres(
  folder: DataFolder,
  port: number,
  password: string,
  say: (sentence: string) => void,
): Promise<RunningPostgres> {
  const logFile = path.join(folder.logs, 'postgres.log');
  let isStopping = false;
  let restarting: Promise<void> | undefined;

  const launch = (): Promise<EmbeddedPostgres> =>
    startPostgres({
      folder: folder.postgres,
      port: server?.port ?? port,
      password,
      onLog: (line) => appendFileSync(logFile, `${line}\n`, { mode: 0o600 }),
      onExit: (sentence) => {
        if (isStopping) return;
        say(`${sentence} It starts again. Its log: ${logFile}`);
        restarting = restart();
      },
    });

  async function restart(): Promise<void> {
    for (let delayMs = restartDelayMs; !isStopping; delayMs = Math.min(delayMs * 2, 10_000)) {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      if (isStopping) return;
      try {
        server = await launch();
        say('Postgres is back.');
        return;
      } catch (error) {
        say((error as Error).message);
      }
    }
  }

  let server: EmbeddedPostgres | undefined;
  try {
    server = await launch();
  } catch (error) {
    if (!(error instanceof EmbeddedPostgresError)) throw error;
    throw new StartError(error.message.startsWith('Port ') ? `${error.message} Choose another with --postgres-port.` : error.message, {
      cause: error,
    });
  }
  if (server.leftover === 'server') say('A Postgres that an earlier run left behind was stopped.');
  const { url, port: bound } = server;
  return {
    url,
    port: bound,
    letEnd: () => {
      isStopping = true;
    },
    stop: async () => {
      isStopping = true;
      await restarting;
      await server?.stop();
    },
  };
}
