export * from './close-orphans.ts';
export { recordEntries, type RejectedEntry } from './record-entries.ts';
export * from './purge-calls.ts';
