/**
 * Flags of Node for a relay process, and for the shipper beside it.
 *
 * Its calls live for milliseconds: a nursery of 16 MiB from the start (V8 begins with one, and lets it grow) has most of
 * them die in it. It was better in most runs of `bench -- relay`, not in all.
 *
 * Bodies are buffers outside of V8's heap. By default V8 marks the whole heap after every 64 MiB of them, which was a
 * third of a relay's CPU time with bodies of 100 KB, and more than half of a shipper's; with the third flag they count into the limit
 * that the heap has anyway.
 */
export const relayNodeFlags: readonly string[] = [
  '--min-semi-space-size=16',
  '--max-semi-space-size=32',
  '--external-memory-accounted-in-global-limit',
];

/** What a relay process, or a shipper, that this process forks is started with. */
export const forkArguments = (): string[] => [...process.execArgv, ...relayNodeFlags.filter((flag) => !process.execArgv.includes(flag))];
