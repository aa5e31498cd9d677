import { tryMasking as operation } from '@hoop/contract';
import { findIdentity } from '@hoop/database';
import { describeRule } from '@hoop/masking';

import { referred } from '../http/found.ts';
import { route } from '../http/route.ts';

export const tryMasking = route(operation, async ({ context, actor, body }) => {
  const { rules, contentType, sample } = body;
  const identity =
    body.identity === undefined
      ? undefined
      : referred(await findIdentity(context.database.prisma, body.identity), 'identity', 'identity', body.identity);
  const asSeen = identity && { name: identity.name, issuer: '', subject: '', claims: {}, labels: identity.labels };
  const masked = await context.computations.run(actor.id, 'tryMasking', { rules, identity: asSeen, contentType, sample });
  return { body: { before: sample, ...masked, rules: rules.map((rule, index) => ({ index, explanation: describeRule(rule) })) } };
});
