// The worker listens nowhere. Exit code 0 if Redis answers and somebody consumes the recordings queue.
import { createRequire } from 'node:module';

const { Redis } = createRequire(new URL('../packages/queue/package.json', import.meta.url))('ioredis');
const redis = new Redis(process.env.REDIS_URL, {
  maxRetriesPerRequest: 0,
  retryStrategy: () => null,
  connectTimeout: 3000,
  commandTimeout: 3000,
});
redis.on('error', () => {});
// BullMQ names a worker's connection after its queue.
const clients = await redis.client('LIST').catch(() => '');
redis.disconnect();
process.exit(String(clients).includes(`name=hoop:${Buffer.from('recordings').toString('base64')}`) ? 0 : 1);
