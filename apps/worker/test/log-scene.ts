/** A database with a queue, and workers on it, in this process or in ones that can be killed. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { newId } from '@hoop/contract';
import type { RecordEntry } from '@hoop/contract';
import { insertAuditEvent, recordEntries } from '@hoop/database';
import type { Database } from '@hoop/database';
import { prepareQueueSchema } from '@hoop/queue';
import { generateLogKeys, logSigner } from '@hoop/recording';
import { generateRecordingKeys } from '@hoop/sealing';
import type { JwkSet } from '@hoop/sealing';
import { bareEnvironment, createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';

import { sampleCall } from '../../../packages/database/test/sample-entries.ts';
import { startWorker } from '../src/index.ts';
import type { RunningWorker, WorkerConfig } from '../src/index.ts';
import { openSignedDatabase, rowKeys } from '../../../packages/database/test/row-keys.ts';

const killable = fileURLToPath(new URL('./worker-process.ts', import.meta.url));

export interface LogScene {
  readonly database: TestDatabase;
  readonly db: Database;
  readonly config: WorkerConfig;
  readonly verifierKey: string;
  readonly notificationPublicKey: JwkSet['keys'][number];
  work(changes?: Partial<WorkerConfig>): Promise<RunningWorker>;
  /** A worker in a process of its own. */
  fork(changes?: Partial<WorkerConfig>): Promise<ChildProcess>;
  kill(child: ChildProcess): Promise<void>;
  /** Records calls; resolves to their ids. */
  record(count: number, bodyBytes?: number): Promise<string[]>;
  audit(): Promise<string>;
  size(): Promise<number>;
  /** Stops every worker. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function openLogScene(): Promise<LogScene> {
  const database = await createTestDatabase();
  await prepareQueueSchema({ ownerUrl: database.url, role: `hoop_log_${process.pid}`, password: 'a-password-for-tests' });
  const db = openSignedDatabase(database.url);
  const keys = generateLogKeys();
  const notification = await generateRecordingKeys();
  const config: WorkerConfig = {
    databaseUrl: database.url,
    queue: { kind: 'postgres', url: database.url },
    orphanSeconds: 3600,
    deferredLostSeconds: 3600,
    lockMs: 2000,
    logLevel: 'silent',
    rowKeys: rowKeys.publicJwks,
    logKeys: keys.privateJwks,
    logOrigin: 'hoop.example/audit',
    sequenceMs: 20,
    notificationKeys: notification.privateJwks,
    eventSinkRetryMs: [20, 100],
  };
  const workers = new Set<RunningWorker>();
  const children = new Set<ChildProcess>();
  const kill = async (child: ChildProcess): Promise<void> => {
    children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...children].map(kill));
    await Promise.all([...workers].map((worker) => worker.close()));
    workers.clear();
  };
  return {
    database,
    db,
    config,
    verifierKey: logSigner(keys.privateJwks, 'hoop.example/audit').verifierKey,
    notificationPublicKey: notification.publicJwks.keys[0]!,
    async work(changes = {}) {
      const worker = await startWorker({ ...config, ...changes });
      workers.add(worker);
      return worker;
    },
    async fork(changes = {}) {
      const child = fork(killable, [JSON.stringify({ ...config, ...changes })], {
        execArgv: ['--conditions=@hoop/source'],
        env: bareEnvironment(),
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      children.add(child);
      const gone = once(child, 'exit').then(() => {
        throw new Error('The worker ended before it ran.');
      });
      await Promise.race([once(child, 'message'), gone]);
      gone.catch(() => undefined);
      return child;
    },
    kill,
    async record(count, bodyBytes = 64) {
      const calls = Array.from({ length: count }, () => sampleCall({ bodyBytes }));
      await recordEntries(
        db.pool,
        calls.flatMap((call): RecordEntry[] => [call.intent, call.outcome]),
      );
      return calls.map((call) => call.outcome.callId);
    },
    async audit() {
      const id = newId('audit_event');
      await insertAuditEvent(db.prisma, {
        id,
        at: new Date(),
        actor: { id: 'tok_1', name: 'ops', role: 'admin' },
        action: 'a.b',
        target: { type: 'a', id: 'b', name: null },
        change: {},
        requestId: 'r',
        remote: '',
      });
      return id;
    },
    size: async () => Number((await db.prisma.logState.findUniqueOrThrow({ where: { id: 1 } })).size),
    stop,
    async close() {
      await stop();
      await db.close();
      await database.drop();
    },
  };
}
