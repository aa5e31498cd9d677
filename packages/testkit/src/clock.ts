/** A clock that moves only when a test moves it. Pass `clock.now` as `now`. */
export interface TestClock {
  /** Unix milliseconds. */
  readonly now: () => number;
  advance(ms: number): void;
  setTo(ms: number): void;
}

/** @param start Unix milliseconds. @default 2026-01-01T00:00:00Z */
export function testClock(start: number = Date.UTC(2026, 0, 1)): TestClock {
  let at = start;
  return {
    now: () => at,
    advance: (ms) => {
      at += ms;
    },
    setTo: (ms) => {
      at = ms;
    },
  };
}
