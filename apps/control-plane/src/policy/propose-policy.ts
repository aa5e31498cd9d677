import { proposePolicy as operation, type PolicyProposal } from '@hoop/contract';
import { scanPaths, type ScannedPath } from '@hoop/database';
import type { ObservedCall } from '@hoop/policy';

import { route, type Call } from '../http/route.ts';
import { asScan, scanLimit } from '../http/scans.ts';
import { readSelection } from './selection.ts';

const callsAtOnce = 5000;
const caveats = [
  'It allows every call that was made, intended or not: review it before you save it.',
  'Requirements of the current policy (context, approvals, conditions) are not included.',
];

export const proposePolicy = route(operation, async (call) => ({ body: await asScan(call.context, () => propose(call)) }));

async function propose({ context, actor, body, response }: Call<typeof operation>): Promise<PolicyProposal> {
  const { connection, since, until, filter } = await readSelection(context, body);
  const limit = scanLimit(context, response, body.maxSeconds);
  const skipped = { purged: 0, refused: 0, approved: 0, unanswered: 0 };
  const observed: ObservedCall[] = [];
  let scanned = 0;
  let last: ScannedPath | undefined;
  let isComplete = false;
  while (!isComplete && scanned < body.maxCalls && !limit.isUp() && !limit.isAbandoned()) {
    const wanted = Math.min(callsAtOnce, body.maxCalls - scanned);
    const page = await scanPaths(context.database.prisma, filter, { before: last?.id, limit: wanted });
    isComplete = page.length < wanted;
    last = page.at(-1) ?? last;
    scanned += page.length;
    for (const one of page) {
      if (one.isPurged || one.path === null || one.method === null) skipped.purged++;
      else if (one.approvalId !== null || one.decision === 'require_approval') skipped.approved++;
      else if (one.decision !== 'allow') skipped.refused++;
      else if (one.targetStatus === null) skipped.unanswered++;
      else observed.push({ method: one.method, path: one.path });
    }
  }
  const proposed = await context.computations.run(actor.id, 'propose', { observed, maxRules: body.maxRules });
  return {
    connection: { id: connection.id, name: connection.name },
    since: since.toISOString(),
    until: until.toISOString(),
    scanned,
    isComplete,
    reached: last?.at.toISOString() ?? null,
    caveats,
    total: observed.length,
    skipped,
    rules: proposed.map(({ rule }) => rule),
    evidence: proposed.map(({ rule, calls, examples }) => ({ rule: rule.name, calls, examples: [...examples] })),
  };
}
