export * from './connection.ts';
export { prepareQueueSchema } from './prepare-queue-schema.ts';
export type { PrepareQueueSchemaOptions } from './prepare-queue-schema.ts';
export { isOutage, queueSchema } from './postgres.ts';
export { openQueue } from './queue.ts';
export type { AddOptions, FailedJob, JobQueue, QueueCounts, QueueOptions } from './queue.ts';
export { deadLetter, openQueueWorker } from './worker.ts';
export type { JobHandler, QueueJob, QueueWorker, QueueWorkerOptions } from './worker.ts';
