/**
 * From when on (Unix seconds) grants hold, so that none that exists now does: the next whole second, as one of this very
 * second would pass otherwise. To be read under the configuration lock, not when the request came.
 */
export const grantsNotBefore = (nowMs: number): number => Math.floor(nowMs / 1000) + 1;
