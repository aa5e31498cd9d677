export { createRecorder } from './recorder.ts';
export type { Recorder, RecorderOptions } from './recorder.ts';
export { packEntry, packRecords, unpackRecordBatch } from './recorder-pack.ts';
export type { PackedEntry } from './recorder-pack.ts';
export { BodyCapture } from './body-capture.ts';
export { headersThatMatter, requestDigest } from './request-digest.ts';
export type { DigestedRequest } from './request-digest.ts';
export * from './merkle/index.ts';
export * from './log/leaf.ts';
