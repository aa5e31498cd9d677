export { HoopReplayError } from './replay/hoop-replay-error.ts';
export { replayFetch } from './replay/replay-fetch.ts';
export type { ReplayFetch, ReplayOptions } from './replay/replay-fetch.ts';
