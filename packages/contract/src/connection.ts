import { z } from 'zod';

import { recordingSettingsSchema } from './recording-settings.ts';

export const connectionLimitsSchema = z.strictObject({
  /** The largest request body, bytes. @default 1 GiB + 64 MiB, so that a 1 GiB upload passes */
  maxRequestBytes: z.int().min(0).default(1_140_850_688),
  /** The largest body that a condition or an approver can be shown, bytes. @default 1 MiB */
  maxInspectedBytes: z.int().min(0).max(16_777_216).default(1_048_576),
  /** The largest response body, bytes; 0: no limit. @default 0 */
  maxResponseBytes: z.int().min(0).default(0),
  /** DNS, TCP and TLS. @default 10000 */
  connectTimeoutMs: z.int().min(100).max(120_000).default(10_000),
  /** From the last request byte to the response head. @default 60000 */
  headTimeoutMs: z.int().min(100).max(600_000).default(60_000),
  /** Between two chunks of a body. @default 60000 */
  idleTimeoutMs: z.int().min(100).max(3_600_000).default(60_000),
  /** The whole of a body that a condition or an approver is shown, from the end of its head. @default 60000 */
  inspectTimeoutMs: z.int().min(100).max(3_600_000).default(60_000),
  /** Calls in flight on this connection in each relay process; 0: half of what is free there. @default 0 */
  maxCalls: z.int().min(0).max(1_000_000).default(0),
  /** Sockets to the target of each relay process; one identity gets half of those that are free. @default 2048 */
  maxSockets: z.int().min(1).max(16_384).default(2048),
  /** How long a call waits for one of them. @default 10000 */
  socketWaitMs: z.int().min(0).max(600_000).default(10_000),
  /** How long a request is held for an approval, before the caller has to retry; seconds. @default 60 */
  approvalWaitSeconds: z.int().min(0).max(600).default(60),
});
export type ConnectionLimits = z.infer<typeof connectionLimitsSchema>;

/**
 * How the target reads paths. A rule that restricts (deny, require_context, require_approval, and the masking of any
 * rule) covers every path that the target could read as one that it names; an allow covers what it names and nothing
 * else. `significant` narrows the former: only for a target that is known to tell such paths apart.
 */
export const pathSettingsSchema = z.strictObject({
  /** The target tells `/Refunds` from `/refunds`. @default false */
  caseSensitive: z.boolean().default(false),
  /** A slash at the end. @default "ignored" */
  trailingSlash: z.enum(['ignored', 'significant']).default('ignored'),
  /** The rest of a segment from an (encoded) `;` on. @default "ignored" */
  pathParameters: z.enum(['ignored', 'significant']).default('ignored'),
  /** Dots and spaces at the end of a segment. @default "ignored" */
  trailingDots: z.enum(['ignored', 'significant']).default('ignored'),
  /** A format at the end of the last segment, such as `.json`. @default "ignored" */
  formatSuffix: z.enum(['ignored', 'significant']).default('ignored'),
  /** `refused`: a path with `%2F` is refused; `data`: it is part of its segment. @default "refused" */
  encodedSlash: z.enum(['refused', 'data']).default('refused'),
});
export type PathSettings = z.infer<typeof pathSettingsSchema>;

export const connectionSettingsSchema = z.strictObject({
  /** Base URL of the target: scheme, host, optional port and path prefix. No user info, query or fragment. */
  target: z.string().min(1).max(2048),
  /** Further hosts (`host` or `host:port`) that the credential may be sent to. The target's own is always one. @default [] */
  allowedHosts: z.array(z.string().min(1).max(255)).max(50).default([]),
  /** Private, loopback or link-local ranges in which the target may be. @default [] */
  allowedCidrs: z.array(z.string().min(1).max(64)).max(20).default([]),
  /** Response media types that may pass although masking rules exist and they cannot be masked. @default [] */
  unmaskedContentTypes: z
    .array(z.string().regex(/^[a-z0-9.+*-]+\/[a-z0-9.+*-]+$/))
    .max(50)
    .default([]),
  /**
   * URLs in a response (`Location`, `Content-Location`, `Link`, `Refresh`) that are not under the target. `withhold`:
   * callers other than the SDK, which brings every redirect to Hoop, do not get them. `pass`: they do, and a client that
   * follows one may send its grant there. @default "withhold"
   */
  foreignLocations: z.enum(['withhold', 'pass']).default('withhold'),
  paths: pathSettingsSchema.default(() => pathSettingsSchema.parse({})),
  /**
   * Headers that targets trust from a proxy before them (`x-forwarded-for`, `cf-connecting-ip`, `remote-user` and their
   * like), and that pass from a function all the same; lower case. All others of them are dropped. @default []
   */
  proxyHeaders: z
    .array(z.string().regex(/^[a-z0-9!#$%&'*+.^`|~-]{1,64}$/))
    .max(50)
    .default([]),
  recording: recordingSettingsSchema.default(() => recordingSettingsSchema.parse({})),
  limits: connectionLimitsSchema.default(() => connectionLimitsSchema.parse({})),
});
export type ConnectionSettings = z.infer<typeof connectionSettingsSchema>;
