import { Redis } from 'ioredis';

/**
 * For producers: a command that cannot be sent now fails now, one that is not answered fails after `timeoutMs`,
 * and nothing is kept back to be sent later behind the caller's back. Reconnecting goes on without end.
 */
export function createProducerRedis(url: string, timeoutMs: number): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    keepAlive: 10_000,
    retryStrategy: reconnectDelay,
  });
  redis.on('error', () => undefined);
  return redis;
}

/** For workers: BullMQ's blocking reads wait, and commands wait for the server to come back. */
export function createWorkerRedis(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, connectTimeout: 5000, keepAlive: 10_000, retryStrategy: reconnectDelay });
  redis.on('error', () => undefined);
  return redis;
}

const reconnectDelay = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 6), 2000);

/** Resolves once commands can be sent; rejects after `timeoutMs` or when the client is closed. */
export function redisReady(redis: Redis, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      redis.off('end', onEnd);
      if (error) reject(error);
      else resolve();
    };
    const onReady = (): void => settle();
    const onEnd = (): void => settle(new Error('The connection to Redis is closed.'));
    const timer = setTimeout(() => settle(new Error(`Redis was not reached within ${timeoutMs} ms.`)), timeoutMs);
    redis.on('ready', onReady);
    redis.on('end', onEnd);
  });
}
