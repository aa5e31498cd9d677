export * from './append.ts';
export * from './export-log.ts';
export * from './log.ts';
export { readLoggedRecords, readStoredCalls, type BlobSource, type DigestedRecord } from './logged-records.ts';
export * from './sequence-log.ts';
export * from './tampered.ts';
export * from './witness.ts';
