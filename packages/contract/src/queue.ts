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
