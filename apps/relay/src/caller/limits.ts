import { AppError } from '@hoop/contract';
import type { ErrorCode } from '@hoop/contract';

/** How much of one relay process callers may hold: docs/limits.md has the table, and names who is counted. */
export interface RelayLimits {
  /** Calls in flight. */
  readonly maxCalls: number;
  readonly maxCallsPerIdentity: number;
  /** Calls in flight of one address that nobody has been authenticated for. */
  readonly maxCallsPerAddress: number;
  /** Open sockets. */
  readonly maxSockets: number;
  readonly maxSocketsPerIdentity: number;
  /** Open sockets of one address on which no call has been authenticated. */
  readonly maxSocketsPerAddress: number;
  /** Those of them that have sent no whole head. */
  readonly maxHeads: number;
  readonly maxHeadsPerAddress: number;
  /** Calls under way on one socket. */
  readonly maxPipelined: number;
  /** Bytes of request bodies held whole, for a condition or for a person. */
  readonly maxHeldBytes: number;
  readonly maxHeldBytesPerIdentity: number;
  /** Bytes of bodies kept for records that are not durable yet. */
  readonly maxKeptBytesPerIdentity: number;
  /** Refusals that are recorded one by one and answered at once, for each identity. */
  readonly maxRefusalsPerSecond: number;
}

/** The environment variable of each limit. */
export const limitVariables = {
  maxCalls: 'HOOP_MAX_CALLS',
  maxCallsPerIdentity: 'HOOP_MAX_CALLS_PER_IDENTITY',
  maxCallsPerAddress: 'HOOP_MAX_CALLS_PER_ADDRESS',
  maxSockets: 'HOOP_MAX_SOCKETS',
  maxSocketsPerIdentity: 'HOOP_MAX_SOCKETS_PER_IDENTITY',
  maxSocketsPerAddress: 'HOOP_MAX_SOCKETS_PER_ADDRESS',
  maxHeads: 'HOOP_MAX_HEADS',
  maxHeadsPerAddress: 'HOOP_MAX_HEADS_PER_ADDRESS',
  maxPipelined: 'HOOP_MAX_PIPELINED',
  maxHeldBytes: 'HOOP_MAX_HELD_BYTES',
  maxHeldBytesPerIdentity: 'HOOP_MAX_HELD_BYTES_PER_IDENTITY',
  maxKeptBytesPerIdentity: 'HOOP_MAX_KEPT_BYTES_PER_IDENTITY',
  maxRefusalsPerSecond: 'HOOP_MAX_REFUSALS_PER_SECOND',
} as const satisfies Readonly<Record<keyof RelayLimits, string>>;

/**
 * Limits that are not given follow from the totals: an identity may hold half, strangers of one address an eighth.
 * @param openFiles the soft limit of open files; half of them are kept for targets and the queue @default 40000
 */
export function completeLimits(given: Partial<RelayLimits> = {}, openFiles = 40_000): RelayLimits {
  const maxCalls = given.maxCalls ?? 10_000;
  const maxSockets = given.maxSockets ?? Math.max(64, Math.min(20_000, Math.floor(openFiles / 2)));
  const maxHeldBytes = given.maxHeldBytes ?? 268_435_456;
  return {
    maxCalls,
    maxCallsPerIdentity: given.maxCallsPerIdentity ?? Math.ceil(maxCalls / 2),
    maxCallsPerAddress: given.maxCallsPerAddress ?? Math.ceil(maxCalls / 8),
    maxSockets,
    maxSocketsPerIdentity: given.maxSocketsPerIdentity ?? Math.ceil(maxSockets / 2),
    maxSocketsPerAddress: given.maxSocketsPerAddress ?? Math.ceil(maxSockets / 4),
    maxHeads: given.maxHeads ?? Math.ceil(maxSockets / 4),
    maxHeadsPerAddress: given.maxHeadsPerAddress ?? Math.ceil(maxSockets / 8),
    maxPipelined: given.maxPipelined ?? 16,
    maxHeldBytes,
    maxHeldBytesPerIdentity: given.maxHeldBytesPerIdentity ?? Math.ceil(maxHeldBytes / 2),
    maxKeptBytesPerIdentity: given.maxKeptBytesPerIdentity ?? 67_108_864,
    maxRefusalsPerSecond: given.maxRefusalsPerSecond ?? 200,
  };
}

export const settingOf = (limit: keyof RelayLimits): string => `the relay's setting ${limitVariables[limit]}`;

/** Nothing was sent; the same request may be sent again after a second. */
export function overLimit(code: ErrorCode, sentence: string, setting: string, headers: Record<string, string> = {}): AppError {
  return new AppError(code, `${sentence} Nothing was sent; try again shortly. The limit is ${setting}.`, {
    headers: { 'retry-after': '1', ...headers },
  });
}
