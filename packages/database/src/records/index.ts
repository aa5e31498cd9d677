export * from './close-orphans.ts';
export { recordEntries, type RejectedEntry } from './record-entries.ts';
export * from './check-records.ts';
export * from './purge-calls.ts';
export type { CallFilter } from './call-filter.ts';
export { findCall, listCalls, listSessionCalls, readBodies, type SealedBody } from './read-calls.ts';
export { findSession, listSessions, type SessionFilter } from './read-sessions.ts';
