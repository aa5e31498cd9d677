/** Policies held against what was recorded: what a candidate would have changed, and what a least-privilege policy would be. */
import { z } from 'zod';

import { idSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { decisionEffectSchema, ruleSchema, rulesSchema } from '../policy.ts';
import { maskRulesSchema } from '../masking.ts';
import { overseers, namedSchema, referenceSchema, timeSchema } from './wire.ts';

const tag = 'Policies';
const instant = z.iso.datetime({ offset: true });

const selection = {
  connection: referenceSchema('connection'),
  /** @default all that may use the connection */
  identity: referenceSchema('identity').optional(),
  /** Calls from then on. @default 30 days ago */
  since: instant.optional(),
  /** Before then. @default now */
  until: instant.optional(),
};

/** The calls that were examined. */
const coverage = {
  connection: namedSchema('connection'),
  since: timeSchema,
  until: timeSchema,
  /** Calls of the period that were looked at, newest first. */
  scanned: z.int(),
  /** False: a limit ended it, and older calls of the period were not looked at. */
  isComplete: z.boolean(),
  /** The beginning of the oldest call that was looked at. */
  reached: timeSchema.nullable(),
  /** Sentences: what could not be known. */
  caveats: z.array(z.string()),
};

export const changedCallSchema = z.object({
  callId: idSchema('call'),
  method: z.string(),
  path: z.string(),
  before: decisionEffectSchema,
  /** Every effect that it could have: one, unless what was masked decides. */
  after: z.array(decisionEffectSchema),
  rule: z.string().nullable(),
  reason: z.string(),
});
const change = z.object({ count: z.int(), examples: z.array(changedCallSchema) });
export const backtestSchema = z.object({
  ...coverage,
  /** Calls that the candidate decided about. */
  total: z.int(),
  unchanged: z.int(),
  changes: z.object({
    newlyDenied: change,
    newlyAllowed: change,
    newlyNeedingApproval: change,
    newlyNeedingContext: change,
    /** Calls whose verdict depends on a value that was masked or not kept. */
    unknown: change,
  }),
  skipped: z.object({
    /** Retention has removed what a policy is asked about. */
    purged: z.int(),
    /** Refused before any policy was asked. */
    undecided: z.int(),
  }),
});
export type BacktestReport = z.infer<typeof backtestSchema>;

export const backtestPolicy = defineOperation({
  id: 'backtestPolicy',
  method: 'POST',
  path: '/v1/policies/backtest',
  tag,
  audience: overseers,
  summary: 'Backtest a candidate policy on the recorded calls of a connection; each backtest is an audit event',
  description:
    'Recorded bodies are opened only for admins and auditors; for operators a condition that reads a body is unknown. ' +
    'Masking rules of the candidate are accepted and change nothing.',
  body: z.strictObject({
    ...selection,
    rules: rulesSchema,
    mask: maskRulesSchema.optional(),
    /** @default 100000 */
    maxCalls: z.int().min(1).max(1_000_000).default(100_000),
    /** @default 60 */
    maxSeconds: z.int().min(1).max(300).default(60),
    /** Of each kind of change. @default 10 */
    maxExamples: z.int().min(0).max(100).default(10),
  }),
  status: 200,
  response: backtestSchema,
  errors: ['not_found', 'policy_invalid', 'unavailable', 'too_costly'],
});

export const proposalSchema = z.object({
  ...coverage,
  /** Calls that the proposal is made from: allowed by a rule, and answered by the target. */
  total: z.int(),
  skipped: z.object({
    purged: z.int(),
    /** Denied, or refused otherwise. */
    refused: z.int(),
    /** Went on under an approval: whether that should stay so is not for a proposal to say. */
    approved: z.int(),
    /** Sent, but not answered. */
    unanswered: z.int(),
  }),
  /** A policy as it can be written; a draft. */
  rules: z.array(ruleSchema),
  /** Each rule's calls, and up to three of their paths. */
  evidence: z.array(z.object({ rule: z.string(), calls: z.int(), examples: z.array(z.string()) })),
});
export type PolicyProposal = z.infer<typeof proposalSchema>;

export const proposePolicy = defineOperation({
  id: 'proposePolicy',
  method: 'POST',
  path: '/v1/policies/propose',
  tag,
  audience: overseers,
  summary: 'Propose a least-privilege policy from the recorded calls of a connection; a draft',
  body: z.strictObject({
    ...selection,
    /** @default 200 */
    maxRules: z.int().min(1).max(1000).default(200),
    /** @default 100000 */
    maxCalls: z.int().min(1).max(200_000).default(100_000),
    /** @default 60 */
    maxSeconds: z.int().min(1).max(300).default(60),
  }),
  status: 200,
  response: proposalSchema,
  errors: ['not_found', 'conflict', 'unavailable', 'too_costly'],
});
