import type { Detector } from './detector.ts';

/** Every detector by name. */
export const detectors: ReadonlyMap<string, Detector> = new Map<string, Detector>();

/** Names that stand for several detectors. */
export const detectorGroups: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>();
