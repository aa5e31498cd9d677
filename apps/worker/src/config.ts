/** The worker's configuration. The one file of the worker that reads the environment. */
import { queueConnectionFromEnv } from '@hoop/queue';
import type { QueueConnection } from '@hoop/queue';

export interface WorkerConfig {
  readonly databaseUrl: string;
  readonly queue: QueueConnection;
  /** Seconds after which a call without an outcome is closed as `unknown`. @default 120 */
  readonly orphanSeconds: number;
  /** Milliseconds after which the job of a worker that died may be taken by another. @default 15000 */
  readonly lockMs?: number;
  /** pino's level. @default "info" */
  readonly logLevel: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Error with a sentence that names the variable */
export function readConfig(env: Environment): WorkerConfig {
  const databaseUrl = env['DATABASE_URL'];
  if (!databaseUrl) throw new Error('DATABASE_URL is not set; the worker cannot start without it.');
  return {
    databaseUrl,
    queue: queueConnectionFromEnv({ REDIS_URL: env['REDIS_URL'], HOOP_QUEUE_URL: env['HOOP_QUEUE_URL'], DATABASE_URL: databaseUrl }),
    orphanSeconds: whole(env, 'HOOP_ORPHAN_SECONDS', 120, 1, 86_400),
    logLevel: env['HOOP_LOG_LEVEL'] || 'info',
  };
}

function whole(env: Environment, name: string, fallback: number, least: number, most: number): number {
  const text = env[name];
  if (!text) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) throw new Error(`${name} must be a whole number from ${least} to ${most}.`);
  return value;
}
