import { lintPolicy as lintOperation, validatePolicy as validateOperation, type PathSettings, type Rule } from '@hoop/contract';
import { findConnection, findPolicy } from '@hoop/database';
import type { Finding } from '@hoop/policy';

import { found, referred } from '../http/found.ts';
import { route } from '../http/route.ts';
import { checkPolicy } from './check-policy.ts';

export const validatePolicy = route(validateOperation, async ({ context, actor, body }) => {
  const errors = await context.computations.run(actor.id, 'policyFaults', body);
  return { body: { valid: errors.length === 0, errors } };
});

export const lintPolicy = route(lintOperation, async (call) => {
  const { context, actor, body } = call;
  const findingsOf = (rules: readonly Rule[], paths?: PathSettings) =>
    context.computations.run(actor.id, 'lint', { rules, ...(paths === undefined ? {} : { paths }) });
  if ('rules' in body) {
    await checkPolicy(call, body);
    return { body: { findings: (await findingsOf(body.rules)).map(toFinding) } };
  }
  const { prisma } = context.database;
  const connection = referred(await findConnection(prisma, body.connection), 'connection', 'connection', body.connection);
  const policy = found(await findPolicy(prisma, connection.id), 'policy');
  return { body: { findings: (await findingsOf(policy.rules, connection.paths)).map(toFinding) } };
});

const toFinding = ({ rules, ...finding }: Finding) => ({ ...finding, rules: [...rules] });
