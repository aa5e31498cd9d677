import { backtestPolicy as operation, type BacktestReport, type CallResource, type MaskRule } from '@hoop/contract';
import { findIdentity, findRecordedPolicy, readBodies, readGrantClaims, readSessionClaims, scanCalls } from '@hoop/database';
import { compilePolicy, needsBody, type BacktestResult, type ChangedCall, type ChangeKind, type CompiledPolicy } from '@hoop/policy';

import { mutate } from '../audit/mutate.ts';
import { inGroups } from '../call/in-groups.ts';
import { openReadableBodies } from '../call/open-bodies.ts';
import type { Context } from '../context.ts';
import { route, type Call } from '../http/route.ts';
import { asScan, scanLimit } from '../http/scans.ts';
import { checkPolicy } from './check-policy.ts';
import type { RecordedParts } from './recorded-facts.ts';
import { readSelection } from './selection.ts';

/** Calls in memory at a time, with the bodies that conditions read. */
const callsAtOnce = 200;

export const backtestPolicy = route(operation, async (call) => {
  const { context, body } = call;
  await checkPolicy(call, { rules: body.rules, mask: body.mask ?? [] });
  const selection = await readSelection(context, body);
  const { connection, since, until } = selection;
  const candidate = compilePolicy({ id: '', revision: 0, rules: body.rules }, connection.paths);
  await mutate(call, { action: 'policy.backtest', isConfiguration: false }, async () => ({
    reply: {},
    target: { type: 'connection', id: connection.id, name: connection.name },
    before: null,
    after: { since: since.toISOString(), until: until.toISOString(), rules: body.rules.length },
  }));
  return { body: await asScan(context, () => run(call, candidate, selection)) };
});

async function run(
  call: Call<typeof operation>,
  candidate: CompiledPolicy,
  selection: Awaited<ReturnType<typeof readSelection>>,
): Promise<BacktestReport> {
  const { context, body, response } = call;
  const { connection, since, until, filter } = selection;
  const { maxInspectedBytes } = connection.limits;
  const test = createTally(body.maxExamples);
  const limit = scanLimit(context, response, body.maxSeconds);
  const recorded = createRecordedReader(context, { mayOpenBodies: call.actor.role === 'admin' || call.actor.role === 'auditor' });
  const skipped = { purged: 0, undecided: 0 };
  let scanned = 0;
  let repeats = 0;
  let last: CallResource | undefined;
  let isComplete = false;
  while (!isComplete && scanned < body.maxCalls && !limit.isUp() && !limit.isAbandoned()) {
    const wanted = Math.min(callsAtOnce, body.maxCalls - scanned);
    const calls = await scanCalls(context.database.prisma, filter, { before: last?.id, limit: wanted });
    isComplete = calls.length < wanted;
    last = calls.at(-1) ?? last;
    scanned += calls.length;
    const asked = calls.filter((one): one is RecordedParts['call'] => {
      if (one.purgedAt !== null) skipped.purged++;
      else if (one.decision === null || one.method === null || one.path === null) skipped.undecided++;
      else return true;
      return false;
    });
    for (const group of inGroups(asked, (one) => one.requestBody?.keptBytes ?? 0)) {
      const parts = await recorded.read(group, candidate);
      const calls = group.map((one) => ({
        parts: { ...parts(one), connectionName: connection.name, maxInspectedBytes },
        effect: one.decision!.effect,
      }));
      test.add(
        await context.computations.run(call.actor.id, 'backtest', {
          rules: body.rules,
          paths: connection.paths,
          maxExamples: body.maxExamples,
          calls,
        }),
      );
      repeats += group.reduce((sum, one) => sum + (one.repeats ?? 0), 0);
    }
  }
  const { total, unchanged, changes } = test.result();
  return {
    connection: { id: connection.id, name: connection.name },
    since: since.toISOString(),
    until: until.toISOString(),
    scanned,
    isComplete,
    reached: last?.at ?? null,
    total,
    unchanged,
    changes: changes as unknown as BacktestReport['changes'],
    skipped,
    caveats: [
      ...recorded.caveats(),
      ...(repeats === 0 ? [] : [`${repeats} further refusals were only counted when they happened, and are not in the totals.`]),
    ],
  };
}

/** Adds up the results of one page of calls after the other. */
function createTally(maxExamples: number) {
  let total = 0;
  let unchanged = 0;
  const kinds: readonly ChangeKind[] = ['newlyDenied', 'newlyAllowed', 'newlyNeedingApproval', 'newlyNeedingContext', 'unknown'];
  const changes = Object.fromEntries(kinds.map((kind) => [kind, { count: 0, examples: [] as ChangedCall[] }])) as Record<
    ChangeKind,
    { count: number; examples: ChangedCall[] }
  >;
  return {
    add(result: BacktestResult): void {
      total += result.total;
      unchanged += result.unchanged;
      for (const [kind, { count, examples }] of Object.entries(result.changes) as [ChangeKind, BacktestResult['changes'][ChangeKind]][]) {
        const sum = changes[kind];
        sum.count += count;
        sum.examples.push(...examples.slice(0, maxExamples - sum.examples.length));
      }
    },
    result: (): BacktestResult => ({ total, unchanged, changes }),
  };
}

/** Brings together what is on record of calls in different places, each place asked once for all of a page. */
function createRecordedReader(context: Context, options: { mayOpenBodies: boolean }) {
  const { prisma } = context.database;
  const labels = new Map<string, Readonly<Record<string, string>> | null>();
  const masks = new Map<string, readonly MaskRule[] | null>();
  const noted = new Set<string>();

  async function readLabels(id: string): Promise<void> {
    if (!labels.has(id)) labels.set(id, (await findIdentity(prisma, id))?.labels ?? null);
  }
  const maskKey = ({ decision }: CallResource): string => `${decision?.policyId}:${decision?.policyRevision}`;
  async function readMask(call: CallResource): Promise<void> {
    const { policyId, policyRevision } = call.decision!;
    if (masks.has(maskKey(call))) return;
    // Where there was no policy there were no masking rules either.
    const policy =
      policyId === null || policyRevision === null ? { rules: [], mask: [] } : await findRecordedPolicy(prisma, policyId, policyRevision);
    // Which rules with masking of their own it fell under is not on record: each may have hidden something.
    masks.set(maskKey(call), policy === null ? null : [...policy.mask, ...policy.rules.flatMap((rule) => rule.mask ?? [])]);
  }

  return {
    async read(calls: readonly RecordedParts['call'][], candidate: CompiledPolicy) {
      const without = calls.filter((one) => one.claims === null);
      const ofGrants = await readGrantClaims(prisma, [...new Set(without.flatMap((one) => (one.grantId === null ? [] : [one.grantId])))]);
      const ofSessions = await readSessionClaims(prisma, [...new Set(without.map((one) => one.sessionId))]);
      for (const one of calls) {
        if (one.identity !== null) await readLabels(one.identity.id);
        await readMask(one);
      }
      const withBody = calls.filter(
        (one) => one.requestBody !== null && one.requestBody.bytes > 0 && needsBody(candidate, one.method, one.path),
      );
      const ids = options.mayOpenBodies ? withBody.map((one) => one.id) : [];
      const opened =
        ids.length === 0 ? new Map<string, Buffer>() : await openReadableBodies(context, await readBodies(prisma, ids, context.blobs));
      if (withBody.length > 0 && !options.mayOpenBodies)
        noted.add('Conditions that read a body cannot be told: this role may not see recorded bodies.');
      if (withBody.length > 0)
        noted.add(
          'Bodies are on record masked; calls whose verdict depends on a masked value, or on a body that was not kept whole, are counted as unknown.',
        );
      noted.add(
        'Labels of identities are the current ones. Where neither a call nor its grant has claims on record, those of its session are used.',
      );
      return (call: RecordedParts['call']): Omit<RecordedParts, 'connectionName' | 'maxInspectedBytes'> => ({
        call,
        claims: call.claims ?? ofGrants.get(call.grantId ?? '') ?? ofSessions.get(call.sessionId) ?? null,
        labels: call.identity === null ? null : (labels.get(call.identity.id) ?? null),
        mask: masks.get(maskKey(call)) ?? null,
        body: opened.get(`${call.id}:request`) ?? (call.requestBody !== null && call.requestBody.bytes > 0 ? 'hidden' : null),
      });
    },
    caveats: (): string[] => [...noted],
  };
}
