import { z } from 'zod';

/** Queue names, and which room consumes each. */
export const queueNames = {
  /** Relay: deferred calls, lease revocation. */
  relay: 'relay',
  /** Worker: batches of records. */
  recordings: 'recordings',
  approvals: 'approvals',
  notifications: 'notifications',
  maintenance: 'maintenance',
} as const;
export type QueueName = (typeof queueNames)[keyof typeof queueNames];

/** The recurring tasks of the worker, each on its own schedule. */
export const maintenanceTaskSchema = z.enum([
  'orphans',
  'retention',
  'partitions',
  'approvals',
  'deliveries',
  'deferred',
  'record_check',
  'integrity_check',
  'blobs',
]);
export type MaintenanceTask = z.infer<typeof maintenanceTaskSchema>;

/** The payload of one `maintenance` job. */
export const maintenanceJobSchema = z.object({ version: z.literal(1), task: maintenanceTaskSchema });
export type MaintenanceJob = z.infer<typeof maintenanceJobSchema>;
