import { z } from 'zod';

import { durationSchema } from './policy.ts';

export const recordingSettingsSchema = z.strictObject({
  /** Which parts of a request and its response are kept: everything, heads only, or no body. @default "full" */
  capture: z.enum(['full', 'heads', 'none']).default('full'),
  /** How long content is kept. @default "90d" */
  retention: durationSchema.default('90d'),
  /** `strict`: the outcome is durable before the last byte is released; `relaxed`: after. @default "strict" */
  durability: z.enum(['strict', 'relaxed']).default('strict'),
  /** Bytes of each body that are kept at most. @default 1048576 */
  maxBodyBytes: z.int().min(0).max(16_777_216).default(1_048_576),
});
export type RecordingSettings = z.infer<typeof recordingSettingsSchema>;
