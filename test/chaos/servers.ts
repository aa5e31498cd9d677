/** The servers under the product, as parts: the embedded Postgres with the settings that the product runs it with, and a Redis. */

import { startPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from '@hoop/embedded-postgres';
import { startTestRedis } from '@hoop/testkit';

import type { Part } from './part.ts';

export interface PostgresPart extends Part {
  readonly url: string;
  readonly pid: () => number;
  /** What its log said. */
  readonly log: () => string;
}

/** `fsync` and `synchronous_commit` stay on, as in the product: what is tested is what they promise. */
export async function startPostgresPart(options: Pick<EmbeddedPostgresOptions, 'folder' | 'password' | 'settings'>): Promise<PostgresPart> {
  let said = '';
  let ended = Promise.withResolvers<void>();
  const launch = (port: number): Promise<EmbeddedPostgres> =>
    startPostgres({
      ...options,
      port,
      onLog: (line) => (said += `${line}\n`),
      onExit: () => ended.resolve(),
    });
  let server = await launch(0);
  const { url, port } = server;
  let starting: Promise<void> = Promise.resolve();
  return {
    name: 'Postgres',
    url,
    pid: () => server.pid,
    log: () => said,
    async kill() {
      await starting;
      process.kill(server.pid, 'SIGKILL');
      await ended.promise;
    },
    start() {
      ended = Promise.withResolvers();
      starting = launch(port).then((next) => {
        server = next;
      });
      // `ready` tells.
      starting.catch(() => undefined);
    },
    ready: () => starting,
    async stop() {
      await starting;
      await server.stop();
      return 0;
    },
  };
}

export interface RedisPart extends Part {
  readonly url: string;
}

/** Every write is synced before it is answered, and nothing is evicted: what docs/durability.md asks for. */
export async function startRedisPart(): Promise<RedisPart> {
  const redis = await startTestRedis();
  let starting: Promise<void> = Promise.resolve();
  return {
    name: 'Redis',
    url: redis.url,
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

