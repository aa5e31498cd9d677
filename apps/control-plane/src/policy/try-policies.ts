import { lintPolicy as lintOperation, validatePolicy as validateOperation } from '@hoop/contract';
import { findConnection, findPolicy } from '@hoop/database';
import { lintPolicy as findingsOf } from '@hoop/policy';

import { found, referred } from '../http/found.ts';
import { route } from '../http/route.ts';
import { checkPolicy, policyFaults } from './check-policy.ts';

export const validatePolicy = route(validateOperation, async ({ body }) => {
  const errors = policyFaults(body);
  return { body: { valid: errors.length === 0, errors } };
});

export const lintPolicy = route(lintOperation, async ({ context, body }) => {
  if ('rules' in body) {
    checkPolicy(body);
    return { body: { findings: findingsOf(body.rules).map(toFinding) } };
  }
  const { prisma } = context.database;
  const connection = referred(await findConnection(prisma, body.connection), 'connection', 'connection', body.connection);
  const policy = found(await findPolicy(prisma, connection.id), 'policy');
  return { body: { findings: findingsOf(policy.rules, { paths: connection.paths }).map(toFinding) } };
});

const toFinding = ({ rules, ...finding }: ReturnType<typeof findingsOf>[number]) => ({ ...finding, rules: [...rules] });
