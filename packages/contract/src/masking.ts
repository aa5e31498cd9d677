/** Masking rules of a connection: what is redacted from a response before the function sees it. */
import { z } from 'zod';

export const maskActionSchema = z.enum(['redact', 'remove', 'partial', 'hash', 'null']);
export type MaskAction = z.infer<typeof maskActionSchema>;

/** Exactly one selector of `path`, `key`, `detect`, `pattern`, `words`. */
export const maskRuleSchema = z
  .strictObject({
    /** JSONPath (RFC 9535), the part that can be decided in one pass: child, wildcard, index ≥ 0, slice, descendant. */
    path: z.string().min(1).max(1024).optional(),
    /** A key name; case, `snake_case`, `camelCase` and separators are folded. */
    key: z.string().min(1).max(200).optional(),
    /** A detector's name, e.g. `payment_card`. */
    detect: z.string().min(1).max(64).optional(),
    /** An RE2 pattern; every match inside a string is masked. */
    pattern: z.string().min(1).max(1024).optional(),
    /** Literal words; every occurrence inside a string is masked. */
    words: z.array(z.string().min(1).max(200)).min(1).max(1000).optional(),
    /** @default "redact" */
    action: maskActionSchema.default('redact'),
    /** A CEL condition over `identity`; where it is true the rule does not apply. */
    unless: z.string().min(1).max(4096).optional(),
  })
  .refine((rule) => [rule.path, rule.key, rule.detect, rule.pattern, rule.words].filter((one) => one !== undefined).length === 1, {
    message: 'must have exactly one of path, key, detect, pattern, words',
  });
export type MaskRule = z.infer<typeof maskRuleSchema>;

export const maskRulesSchema = z.array(maskRuleSchema).max(1000);

/** A sensitive field that no rule covers, as discovery saw it. Never the value. */
export const maskSuggestionSchema = z.object({
  /** JSONPath, `[*]` for every element or for keys that are ids. A rule with this path covers it. */
  path: z.string().min(1).max(500),
  /** The detector that found it. */
  detector: z.string().min(1).max(64),
  /** Values that were seen. */
  count: z.int().min(1).max(1_000_000_000),
  /** Unix milliseconds. */
  firstSeen: z.int().min(0).max(8_640_000_000_000),
  lastSeen: z.int().min(0).max(8_640_000_000_000),
});
export type MaskSuggestion = z.infer<typeof maskSuggestionSchema>;

/** Rules and a sample to try them on; nothing is saved. */
export const maskTrialRequestSchema = z.strictObject({
  rules: maskRulesSchema,
  /** Content type of the sample, with its parameters. @default "application/json" */
  contentType: z.string().min(1).max(255).default('application/json'),
  /** At most 256 KiB. */
  sample: z.string().max(262_144),
});
export type MaskTrialRequest = z.infer<typeof maskTrialRequestSchema>;

export const maskTrialSchema = z.object({
  before: z.string(),
  /** The body that the function would get: truncated where the response would be cut, empty where it would be blocked. */
  after: z.string(),
  maskedCount: z.int(),
  /** Why the response would be blocked or cut; null where it would not. */
  refused: z.string().nullable(),
  /** Each rule in words, and how many places it masks alone. */
  rules: z.array(z.object({ index: z.int(), explanation: z.string(), maskedCount: z.int() })),
});
export type MaskTrial = z.infer<typeof maskTrialSchema>;
