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

/**
 * Redis where `REDIS_URL` is set; otherwise Postgres at `HOOP_QUEUE_URL`, otherwise at `DATABASE_URL`.
 * Throws where none is set or a URL has the wrong scheme; the message never repeats the URL, which holds a password.
 */
export function queueConnectionFromEnv(env: QueueEnvironment): QueueConnection {
  const allowance = env.HOOP_ALLOW_LOSSY_QUEUE || 'no';
  if (allowance !== 'yes' && allowance !== 'no') throw new Error('HOOP_ALLOW_LOSSY_QUEUE must be yes or no.');
  if (env.REDIS_URL) {
    return {
      kind: 'redis',
      url: withScheme('REDIS_URL', env.REDIS_URL, ['redis:', 'rediss:']),
      ...(allowance === 'yes' ? { allowLossy: true } : {}),
    };
  }
  const name = env.HOOP_QUEUE_URL ? 'HOOP_QUEUE_URL' : 'DATABASE_URL';
  const url = env[name];
  if (!url) throw new Error('No queue is configured: set REDIS_URL, HOOP_QUEUE_URL or DATABASE_URL.');
  return { kind: 'postgres', url: withScheme(name, url, ['postgres:', 'postgresql:']) };
}

function withScheme(name: string, url: string, schemes: readonly string[]): string {
  if (!URL.canParse(url) || !schemes.includes(new URL(url).protocol)) {
    throw new Error(`${name} must be a URL that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}.`);
  }
  return url;
}
