import { connectionUrl, oneOf, optional, readVariables, required, text } from '@hoop/environment';
import { z } from 'zod';

/** Where the queues live: Redis where it is configured, else the queue's own schema in Postgres. */
export type QueueConnection =
  | {
      readonly kind: 'postgres';
      /** `postgresql://…`. The schema is always `bullmq`: see `prepareQueueSchema`. */
      readonly url: string;
    }
  | {
      readonly kind: 'redis';
      /** `redis://…` or `rediss://…`. */
      readonly url: string;
      /** Use it although its settings lose acknowledged jobs. @default false */
      readonly allowLossy?: boolean;
    };

export interface QueueEnvironment {
  readonly REDIS_URL?: string | undefined;
  readonly HOOP_QUEUE_URL?: string | undefined;
  readonly DATABASE_URL?: string | undefined;
  /** `yes` or `no`. */
  readonly HOOP_ALLOW_LOSSY_QUEUE?: string | undefined;
}

const postgresUrl = connectionUrl(['postgres:', 'postgresql:']);

/** The variables of the queue alone, for the schemas of the processes that use one. */
export const queueVariables = {
  REDIS_URL: optional(
    connectionUrl(['redis:', 'rediss:']),
    'The Redis that holds the queues. May hold a password: containers can read it from the file that `REDIS_URL_FILE` names.',
    'the queues are in Postgres',
  ),
  HOOP_QUEUE_URL: optional(
    postgresUrl,
    'The Postgres that holds the queues where there is no Redis. May hold a password: containers can read it from the file that `HOOP_QUEUE_URL_FILE` names.',
    'the database of the worker; the relay needs either this or `REDIS_URL`',
  ),
  HOOP_ALLOW_LOSSY_QUEUE: optional(oneOf(['yes', 'no']), 'Use a Redis although its settings lose acknowledged records.', 'no'),
};

const environment = z.object({ ...queueVariables, DATABASE_URL: optional(text, 'The database.') });
/** Held to its form only where the queue is there. */
const database = z.object({ DATABASE_URL: required(postgresUrl, 'The database.') });

/**
 * Redis where `REDIS_URL` is set; otherwise Postgres at `HOOP_QUEUE_URL`, otherwise at `DATABASE_URL`.
 * Throws where none is set or a URL has the wrong scheme; the message never repeats the URL, which holds a password.
 */
export function queueConnectionFromEnv(env: QueueEnvironment): QueueConnection {
  const { REDIS_URL, HOOP_QUEUE_URL, HOOP_ALLOW_LOSSY_QUEUE, DATABASE_URL } = readVariables(environment, { ...env });
  if (REDIS_URL !== undefined) return { kind: 'redis', url: REDIS_URL, ...(HOOP_ALLOW_LOSSY_QUEUE === 'yes' ? { allowLossy: true } : {}) };
  if (HOOP_QUEUE_URL !== undefined) return { kind: 'postgres', url: HOOP_QUEUE_URL };
  if (DATABASE_URL === undefined) throw new Error('No queue is configured: set REDIS_URL, HOOP_QUEUE_URL or DATABASE_URL.');
  return { kind: 'postgres', url: readVariables(database, { DATABASE_URL }).DATABASE_URL };
}
