/**
 * Flags of Node for a relay process. Its calls live for milliseconds: a nursery of 16 MiB from the start (V8 begins with
 * one, and lets it grow) has most of them die in it. It was better in most runs of `bench -- relay`, not in all.
 */
export const relayNodeFlags: readonly string[] = ['--min-semi-space-size=16', '--max-semi-space-size=32'];
