/** Policies: rules attached to a connection. The order of rules means nothing. */
import { z } from 'zod';

import { idSchema } from './ids.ts';
import { maskRulesSchema } from './masking.ts';

/** `30s`, `10m`, `12h`, `90d`. */
export const durationSchema: z.ZodString = z
  .string()
  .regex(/^[1-9][0-9]{0,5}(?:s|m|h|d)$/, 'must be a duration such as 30s, 10m, 12h or 90d');

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Seconds of a duration that has the form of `durationSchema`. */
export function durationSeconds(duration: string): number {
  return Number(duration.slice(0, -1)) * unitSeconds[duration.slice(-1) as keyof typeof unitSeconds];
}

export const effectSchema = z.enum(['allow', 'deny', 'require_context', 'require_approval']);
export type Effect = z.infer<typeof effectSchema>;

export const ruleMatchSchema = z.strictObject({
  /** Upper-case HTTP methods; absent: every method. */
  methods: z
    .array(z.string().regex(/^[A-Z]{1,20}$/, 'must be an upper-case HTTP method'))
    .min(1)
    .max(20)
    .optional(),
  /** Path patterns in URLPattern syntax (WHATWG), of the path below the connection's base URL; absent: every path. */
  paths: z.array(z.string().min(1).max(1024).startsWith('/')).min(1).max(100).optional(),
});

export const approvalRuleSchema = z.strictObject({
  /** `group:NAME` or `user:NAME`. */
  reviewers: z
    .array(z.string().regex(/^(?:group|user):[A-Za-z0-9._@-]{1,100}$/, 'must be group:NAME or user:NAME'))
    .min(1)
    .max(20),
  /** Distinct reviewers that must approve. @default 1 */
  quorum: z.int().min(1).max(10).default(1),
  /** How long a request for approval stays open. @default "30m" */
  ttl: durationSchema.default('30m'),
  /** The validities that an approver may grant: `once`, or a window for like requests. @default ["once"] */
  validity: z
    .array(z.union([z.literal('once'), durationSchema]))
    .min(1)
    .max(5)
    .default(['once']),
  /** The owner of the identity may not review. @default false */
  fourEyes: z.boolean().default(false),
  /** A review needs a comment. @default false */
  requireComment: z.boolean().default(false),
  /** Whom to ask as well when nobody has decided after `escalateAfter`. */
  escalateTo: z
    .array(z.string().regex(/^(?:group|user):[A-Za-z0-9._@-]{1,100}$/))
    .min(1)
    .max(20)
    .optional(),
  escalateAfter: durationSchema.optional(),
});
export type ApprovalRule = z.infer<typeof approvalRuleSchema>;

export const ruleSchema = z
  .strictObject({
    name: z.string().min(1).max(200),
    effect: effectSchema,
    match: ruleMatchSchema.optional(),
    /** A CEL condition of type bool over `request`, `identity`, `connection`, `context`, `now`. */
    when: z.string().min(1).max(4096).optional(),
    /** `require_context`: key -> RE2 pattern that the whole value must match. */
    context: z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/), z.string().max(1024)).optional(),
    approval: approvalRuleSchema.optional(),
    /** A deferred call with an `Idempotency-Key` may be sent once more where its outcome is unknown. @default false */
    retryUnknown: z.boolean().optional(),
    /** Shown to the function when the rule denies or requires. */
    reason: z.string().max(1000).optional(),
    /** Masking of the calls that this rule covers: beside the policy's own, and that of every other rule that matches. */
    mask: maskRulesSchema.optional(),
  })
  .superRefine((rule, ctx) => {
    const belongs = (member: 'context' | 'approval', effect: Effect): void => {
      const present = rule[member] !== undefined;
      if (present === (rule.effect === effect)) return;
      const message = present ? `belongs to ${effect} only` : `is needed with the effect ${effect}`;
      ctx.addIssue({ code: 'custom', path: [member], message });
    };
    belongs('context', 'require_context');
    belongs('approval', 'require_approval');
    if (rule.mask !== undefined && rule.effect === 'deny')
      ctx.addIssue({ code: 'custom', path: ['mask'], message: 'does not go with deny: a call that is denied has no response' });
    if (rule.context !== undefined && Object.keys(rule.context).length === 0)
      ctx.addIssue({ code: 'custom', path: ['context'], message: 'must name at least one key' });
    if (rule.context !== undefined && Object.keys(rule.context).length > 20)
      ctx.addIssue({ code: 'custom', path: ['context'], message: 'must name at most 20 keys' });
    if (rule.approval !== undefined && rule.approval.escalateTo !== undefined && rule.approval.escalateAfter === undefined)
      ctx.addIssue({ code: 'custom', path: ['approval', 'escalateAfter'], message: 'is needed with escalateTo' });
  });
export type Rule = z.infer<typeof ruleSchema>;

export const rulesSchema = z.array(ruleSchema).max(1000);

/** The content of a policy. Conditions and patterns are checked by `parsePolicy` of @hoop/policy. */
export const policyContentSchema = z.strictObject({ rules: rulesSchema, mask: maskRulesSchema.default([]) });
export type PolicyContent = z.infer<typeof policyContentSchema>;

/** The four outcomes of the decide step. */
export const decisionEffectSchema = z.enum(effectSchema.options);

export const decisionSchema = z.object({
  effect: decisionEffectSchema,
  /** The name of the rule that decided; null where no rule matched. */
  rule: z.string().nullable(),
  reason: z.string(),
  policyId: idSchema('policy').nullable(),
  policyRevision: z.int().nullable(),
});
export type Decision = z.infer<typeof decisionSchema>;
