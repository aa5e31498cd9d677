/**
 * Finds whether a queue's server could lose acknowledged writes. A call goes to its target on the word of the queue that the
 * call's record is durable, so a server that cannot keep that word is not used (docs/durability.md).
 */
import type { Redis } from 'ioredis';

import type { QueueConnection } from './connection.ts';
import { createQueuePool } from './postgres.ts';
import { createProducerRedis, redisReady } from './redis.ts';
import { within } from './within.ts';

export interface DurabilityFinding {
  readonly setting: string;
  /** Null where the server does not tell. */
  readonly value: string | null;
  /** True where the end of the server's process, or too little memory, is enough to lose what was acknowledged. */
  readonly isLossy: boolean;
  /** Says which writes may be lost, and the setting that prevents it. */
  readonly sentence: string;
}

/** As `CONFIG GET` and `INFO` tell them; null where neither may be asked. */
export interface RedisSettings {
  readonly appendonly: string | null;
  readonly appendfsync: string | null;
  readonly noAppendfsyncOnRewrite: string | null;
  readonly maxmemoryPolicy: string | null;
}

export function judgeRedis({ appendonly, appendfsync, noAppendfsyncOnRewrite, maxmemoryPolicy }: RedisSettings): DurabilityFinding[] {
  const findings: DurabilityFinding[] = [];
  const find = (setting: string, value: string | null, isLossy: boolean, sentence: string): void =>
    void findings.push({ setting, value, isLossy, sentence });
  if (appendonly === null)
    find(
      'appendonly',
      null,
      false,
      'Redis does not say whether it keeps an append-only file; without one, records are lost when it restarts. Set appendonly yes.',
    );
  else if (appendonly !== 'yes')
    find(
      'appendonly',
      appendonly,
      true,
      'Redis keeps no append-only file: records that wait in it are lost when it restarts. Set appendonly yes and appendfsync always.',
    );
  else if (appendfsync === null)
    find(
      'appendfsync',
      null,
      false,
      'Redis does not say when it syncs its append-only file: unless that is "always", a power loss can lose the last records. Set appendfsync always.',
    );
  else if (appendfsync === 'everysec')
    find(
      'appendfsync',
      appendfsync,
      false,
      'A power loss of the Redis host loses up to two seconds of records that were called durable. Set appendfsync always.',
    );
  else if (appendfsync !== 'always')
    find(
      'appendfsync',
      appendfsync,
      false,
      'A power loss of the Redis host loses all writes that were not on disk yet, half a minute or more. Set appendfsync always.',
    );
  else if (noAppendfsyncOnRewrite === 'yes')
    find(
      'no-appendfsync-on-rewrite',
      'yes',
      false,
      'While Redis rewrites its append-only file it does not sync: a power loss then loses records. Set no-appendfsync-on-rewrite no.',
    );
  if (maxmemoryPolicy === null)
    find(
      'maxmemory-policy',
      null,
      false,
      'Redis does not say what it does when its memory is full; with any policy but noeviction it drops records. Set maxmemory-policy noeviction.',
    );
  else if (maxmemoryPolicy !== 'noeviction')
    find('maxmemory-policy', maxmemoryPolicy, true, 'Redis may drop records when its memory is full. Set maxmemory-policy noeviction.');
  return findings;
}

export function judgePostgres(settings: { readonly fsync: string; readonly fullPageWrites: string }): DurabilityFinding[] {
  const findings: DurabilityFinding[] = [];
  if (settings.fsync !== 'on')
    findings.push({
      setting: 'fsync',
      value: settings.fsync,
      isLossy: false,
      sentence: 'Postgres does not sync: a power loss can lose records and damage the database. Set fsync on.',
    });
  if (settings.fullPageWrites !== 'on') {
    findings.push({
      setting: 'full_page_writes',
      value: settings.fullPageWrites,
      isLossy: false,
      sentence: 'A power loss can leave Postgres with torn pages. Set full_page_writes on.',
    });
  }
  return findings;
}

/** Managed servers often refuse `CONFIG`; `INFO` tells all but the sync. */
export async function readRedisSettings(redis: Redis): Promise<RedisSettings> {
  const ask = async (name: string): Promise<string | null> => {
    const answer = (await redis.config('GET', name).catch((error: Error) => (isRefused(error) ? [] : Promise.reject(error)))) as string[];
    return answer[1] ?? null;
  };
  const [appendonly, appendfsync, noAppendfsyncOnRewrite, maxmemoryPolicy] = (await Promise.all(
    ['appendonly', 'appendfsync', 'no-appendfsync-on-rewrite', 'maxmemory-policy'].map(ask),
  )) as [string | null, string | null, string | null, string | null];
  if (appendonly !== null && maxmemoryPolicy !== null) return { appendonly, appendfsync, noAppendfsyncOnRewrite, maxmemoryPolicy };
  const info = await redis.info().catch((error: Error) => (isRefused(error) ? '' : Promise.reject(error)));
  const told = (name: string): string | null => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? null;
  const isAppending = told('aof_enabled');
  return {
    appendonly: appendonly ?? (isAppending === null ? null : isAppending === '1' ? 'yes' : 'no'),
    appendfsync,
    noAppendfsyncOnRewrite,
    maxmemoryPolicy: maxmemoryPolicy ?? told('maxmemory_policy'),
  };
}

/** The server answered, and its answer was no. */
const isRefused = (error: Error): boolean =>
  error.name === 'ReplyError' &&
  /^(?:NOPERM|ERR unknown command|ERR unknown subcommand|ERR .*(?:not allowed|disabled))/i.test(error.message);

/** Reads the server's current weaknesses. @throws where the server does not answer within `timeoutMs` */
export async function findWeaknesses(connection: QueueConnection, timeoutMs = 5000): Promise<DurabilityFinding[]> {
  if (connection.kind === 'redis') {
    const redis = createProducerRedis(connection.url, timeoutMs);
    try {
      await redisReady(redis, timeoutMs);
      return judgeRedis(await within(timeoutMs, readRedisSettings(redis)));
    } finally {
      redis.disconnect();
    }
  }
  const pool = createQueuePool(connection.url, { max: 1, timeoutMs, applicationName: 'hoop-queue:durability' });
  try {
    const { rows } = (await within(
      timeoutMs,
      pool.query(`SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS "fullPageWrites"`),
    )) as { rows: { fsync: string; fullPageWrites: string }[] };
    return judgePostgres(rows[0]!);
  } finally {
    await within(timeoutMs, pool.end()).catch(() => undefined);
  }
}

/** A start does not wait longer for a server that is away. */
const startMs = 2000;

/**
 * For the start of a process that relies on the queue: tells every weakness, and throws where one is lossy and that was
 * not allowed. A server that is away cannot be asked; `openQueue` asks again when it is there.
 */
export async function requireDurableQueue(connection: QueueConnection, tell: (finding: DurabilityFinding) => void): Promise<void> {
  let findings: DurabilityFinding[];
  try {
    findings = await findWeaknesses(connection, startMs);
  } catch {
    return;
  }
  for (const finding of findings) tell(finding);
  refuseLossy(connection, findings);
}

/** @throws Error that names the setting */
export function refuseLossy(connection: QueueConnection, findings: readonly DurabilityFinding[]): void {
  const lossy = findings.find((finding) => finding.isLossy);
  if (lossy === undefined || (connection.kind === 'redis' && connection.allowLossy === true)) return;
  throw new Error(`The queue would lose records. ${lossy.sentence} (HOOP_ALLOW_LOSSY_QUEUE=yes uses it anyway.)`);
}
