export * from './close-orphans.ts';
export { recordEntries, type RejectedEntry } from './record-entries.ts';
export * from './check-records.ts';
export * from './purge-calls.ts';
export { callsChannel, changedCallIds } from './call-changes.ts';
export type { CallFilter } from './call-filter.ts';
export { findCall, listCalls, listSessionCalls, readBodies, type SealedBody } from './read-calls.ts';
export { listCallsById, listCallsChangedSince, readSessionClaims, scanCalls, scanPaths, type ScannedPath } from './scan-calls.ts';
export { findSession, listSessions, type SessionFilter } from './read-sessions.ts';
