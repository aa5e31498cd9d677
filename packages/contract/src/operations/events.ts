import { z } from 'zod';

import { idSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { errorCodeQuery, instantQuery, listQuery, overseers, pageOf, timeSchema } from './wire.ts';

const period = { since: instantQuery.optional(), until: instantQuery.optional() };

export const auditEventSchema = z.object({
  id: idSchema('audit_event'),
  at: timeSchema,
  actor: z.object({ id: z.string(), name: z.string(), role: z.string() }),
  /** `connection.update` */
  action: z.string(),
  target: z.object({ type: z.string(), id: z.string(), name: z.string().nullable() }),
  /** Only the members that differ; secrets never. */
  change: z.object({ before: z.record(z.string(), z.unknown()).optional(), after: z.record(z.string(), z.unknown()).optional() }),
  /** Signed rows of the database that were written with it, by the SHA-256 (hex) of what they say; null: removed. */
  rows: z.array(z.object({ kind: z.string(), id: z.string(), digest: z.string().nullable() })),
  requestId: z.string(),
  remote: z.string(),
});
export type AuditEvent = z.infer<typeof auditEventSchema>;

export const listAuditEvents = defineOperation({
  id: 'listAuditEvents',
  method: 'GET',
  path: '/v1/audit-events',
  tag: 'Audit events',
  audience: overseers,
  summary: 'List audit events, newest first',
  query: listQuery({
    ...period,
    actor: z.string().max(100).optional(),
    action: z.string().max(100).optional(),
    target: z.string().max(100).optional(),
  }),
  status: 200,
  response: pageOf(auditEventSchema),
  errors: [],
});
export const getAuditEvent = defineOperation({
  id: 'getAuditEvent',
  method: 'GET',
  path: '/v1/audit-events/{eventId}',
  tag: 'Audit events',
  audience: overseers,
  summary: 'Get an audit event',
  params: z.object({ eventId: idSchema('audit_event') }),
  status: 200,
  response: auditEventSchema,
  errors: ['not_found'],
});

export const securityEventKindSchema = z.enum([
  'token_exchange',
  'grant_revocation',
  'admin_authentication',
  'relay_authentication',
  'log_integrity',
]);
export const securityEventSchema = z.object({
  id: idSchema('security_event'),
  at: timeSchema,
  kind: securityEventKindSchema,
  code: z.string(),
  detail: z.string(),
  /** Whether the token's signature was good; if not, issuer, subject and claims are what it said of itself. */
  verified: z.boolean(),
  issuer: z.string().nullable(),
  subject: z.string().nullable(),
  claims: z.record(z.string(), z.unknown()).nullable(),
  /** The identity that came nearest, and the comparisons of its `match` that do not hold. */
  nearest: z
    .object({
      identity: z.object({ id: z.string(), name: z.string() }),
      /** E.g. `claims.ref == "refs/heads/main" (claims.ref is "refs/heads/dev")`. */
      differences: z.array(z.string()),
    })
    .nullable(),
  /** Events of the same kind, code and origin that this one stands for. */
  count: z.int(),
  remote: z.string(),
  requestId: z.string(),
});
export type SecurityEvent = z.infer<typeof securityEventSchema>;

export const listSecurityEvents = defineOperation({
  id: 'listSecurityEvents',
  method: 'GET',
  path: '/v1/security-events',
  tag: 'Security events',
  audience: overseers,
  summary: 'Refused authentications and token exchanges',
  query: listQuery({
    ...period,
    kind: securityEventKindSchema.optional(),
    code: errorCodeQuery.optional(),
    issuer: z.string().max(2048).optional(),
  }),
  status: 200,
  response: pageOf(securityEventSchema),
  errors: [],
});
export const getSecurityEvent = defineOperation({
  id: 'getSecurityEvent',
  method: 'GET',
  path: '/v1/security-events/{eventId}',
  tag: 'Security events',
  audience: overseers,
  summary: 'Get a security event, with the nearest identity and the claim that differs',
  params: z.object({ eventId: idSchema('security_event') }),
  status: 200,
  response: securityEventSchema,
  errors: ['not_found'],
});
