export { createRecorder } from './recorder.ts';
export type { Recorder, RecorderOptions } from './recorder.ts';
export { packEntry, packRecords, unpackRecordBatch } from './recorder-pack.ts';
export type { PackedEntry } from './recorder-pack.ts';
