import { openDatabase } from '@hoop/database';
import type { Database } from '@hoop/database';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

import type { WorkerConfig } from './config.ts';
import { raiseIntegrityAlarm } from './log/integrity-alarm.ts';

/** The dependencies of every part of the worker. */
export interface WorkerContext {
  readonly config: WorkerConfig;
  readonly db: Database;
  readonly log: Logger;
  readonly now: () => number;
}

/** A running part. On close it takes no new work and finishes the work that it began. */
export interface Part {
  close(): Promise<void>;
}

export interface WorkerOptions {
  /** Where the log goes. @default standard output */
  readonly logTo?: DestinationStream;
}

export function openContext(config: WorkerConfig, options: WorkerOptions = {}): WorkerContext {
  const log = pino({ name: 'hoop-worker', level: config.logLevel }, options.logTo ?? pino.destination(1));
  const db = openDatabase(config.databaseUrl, {
    maxConnections: 10,
    onError: (error) => log.warn({ event: 'database_connection_lost', error: error.message }),
    rows: { controlPlane: config.rowKeys, worker: config.logKeys },
    onRowFault: (fault) => void raiseIntegrityAlarm(context, 'row_not_authentic', fault.detail),
  });
  const context: WorkerContext = { config, db, log, now: Date.now };
  return context;
}
