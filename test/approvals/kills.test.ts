/** 200 functions wait for approvals while everything but the database is killed. What fails is repeated with the seed that the test prints; `kill.ts` does more. */
import { randomInt } from 'node:crypto';

import { expect, test } from 'vitest';

import { findApprovalBreaches, type Evidence } from './breaches.ts';
import { runApprovalKills } from './kill-run.ts';

const calls = 200;
const kills = 6;
const seed = Number(process.env['HOOP_CHAOS_SEED'] ?? randomInt(2 ** 31));

test(`every approval ends once, what was approved is sent once or unknown, and what was not never (seed ${seed})`, async () => {
  const result = await runApprovalKills({ queue: 'postgres', calls, kills, seed });
  expect(
    result.breaches,
    `repeat with: node --conditions=@hoop/source test/approvals/kill.ts --calls ${calls} --kills ${kills} --seed ${seed}\n${JSON.stringify(result)}`,
  ).toEqual([]);
  expect(Object.keys(result.kills).sort()).toEqual(['control-plane', 'relay-1', 'relay-2', 'worker']);
  // What was looked at was there to be looked at.
  expect(Object.values(result.approvals).reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(calls);
  expect(result.used['completed']).toBeGreaterThan(20);
  expect(result.approvals['denied']).toBeGreaterThan(10);
  expect(result.deferred['done']).toBeGreaterThan(0);
  expect(result.received).toBeGreaterThan(20);
});

/** One call that was approved, sent and answered; each test changes one thing of it. */
const fine: Evidence = {
  approvals: [{ id: 'apr_1', state: 'consumed', path: '/plain/n1', consumed_by: 'call_1', decisions: ['approve'] }],
  calls: [{ id: 'call_1', state: 'completed', error: null, target_status: 200, approval_id: 'apr_1', path: '/plain/n1' }],
  deferred: [],
  asked: [{ id: 'n1', kind: 'waiting', status: 200, error: null, callId: null }],
  decided: new Map([['apr_1', 'approve']]),
  received: new Map([['n1', { times: 1 }]]),
};
const approval = fine.approvals[0]!;

test('nothing is found where all is well', () => expect(findApprovalBreaches(fine)).toEqual([]));

test.each<[string, Partial<Evidence>, RegExp]>([
  ['a call that was sent twice', { received: new Map([['n1', { times: 2 }]]) }, /reached the target 2 times/],
  ['a call that was answered and never sent', { received: new Map() }, /reached the target 0 times/],
  [
    'a call that a refusal says was not sent',
    { calls: [{ ...fine.calls[0]!, state: 'refused', error: 'unavailable', target_status: null }] },
    /reached the target 1 times.*refused/,
  ],
  ['a call that used an approval and left no record', { calls: [] }, /there is no record/],
  [
    'a denied call that was sent',
    { approvals: [{ ...approval, state: 'denied', consumed_by: null, decisions: ['deny'] }], decided: new Map() },
    /used by calls that are none/,
  ],
  ['a decision that is lost', { decided: new Map([['apr_1', 'deny']]) }, /"deny" about apr_1 was taken and is lost/],
  ['an approval that nobody gave', { approvals: [{ ...approval, decisions: null }], decided: new Map() }, /nobody approved it/],
  ['two reviews of one person', { approvals: [{ ...approval, decisions: ['approve', 'approve'] }] }, /2 reviews of one person/],
  ['a deferred call that is gone', { asked: [{ ...fine.asked[0]!, callId: 'call_9' }] }, /was accepted and is not there/],
  [
    'a refused deferred call that was sent',
    {
      asked: [{ ...fine.asked[0]!, callId: 'call_1' }],
      deferred: [{ call_id: 'call_1', state: 'refused', status: 403, approval_id: null, error: 'x' }],
    },
    /is refused and reached/,
  ],
])('%s is found', (_, change, breach) => {
  expect(findApprovalBreaches({ ...fine, ...change }).join('\n')).toMatch(breach);
});
