/** The servers under the product, as parts: the embedded Postgres with the settings that the product runs it with, and a Redis. */
import { setTimeout as delay } from 'node:timers/promises';

import { startPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from '@hoop/embedded-postgres';
import { signalIfPresent, startTestRedis } from '@hoop/testkit';

import type { Part } from './part.ts';

export interface ServerPart extends Part {
  readonly url: string;
  readonly pid: () => number;
}

const againAfterMs = 200;

/**
 * `fsync` and `synchronous_commit` stay on, as in the product: what is tested is what they promise. A server that ends by
 * itself is started again, as the product does.
 */
export async function startPostgresPart(options: Pick<EmbeddedPostgresOptions, 'folder' | 'password' | 'settings'>): Promise<ServerPart> {
  let ended = Promise.withResolvers<void>();
  let isWanted = true;
  const launch = async (port: number): Promise<EmbeddedPostgres> => {
    ended = Promise.withResolvers();
    const { resolve } = ended;
    return startPostgres({
      ...options,
      port,
      onExit: () => {
        resolve();
        if (isWanted) starting = again();
      },
    });
  };
  const again = async (): Promise<void> => {
    while (isWanted) {
      try {
        server = await launch(port);
        return;
      } catch {
        // Its disk may still be full.
        await delay(againAfterMs);
      }
    }
  };
  let server = await launch(0);
  let starting: Promise<void> = Promise.resolve();
  const { url, port } = server;
  return {
    name: 'Postgres',
    url,
    pid: () => server.pid,
    async kill() {
      await starting;
      isWanted = false;
      // With a full disk the server may have ended by itself.
      signalIfPresent(server.pid, 'SIGKILL');
      await ended.promise;
    },
    start() {
      isWanted = true;
      starting = again();
    },
    ready: () => starting,
    async stop() {
      isWanted = false;
      await starting;
      await server.stop();
      return 0;
    },
  };
}

/** Every write is synced before it is answered, and nothing is evicted: what docs/durability.md asks for. */
export async function startRedisPart(): Promise<ServerPart> {
  const redis = await startTestRedis();
  let starting: Promise<void> = Promise.resolve();
  return {
    name: 'Redis',
    url: redis.url,
    pid: () => redis.pid,
    async kill() {
      await starting;
      await redis.kill();
    },
    start() {
      starting = redis.restart();
      starting.catch(() => undefined);
    },
    ready: () => starting,
    async stop() {
      await starting;
      await redis.stop();
      return 0;
    },
  };
}
