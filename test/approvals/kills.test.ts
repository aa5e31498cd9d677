/** Sixty functions wait for approvals while everything but the database is killed; `kills.peers.test.ts` and `kill.ts` do more. */
import { expect, test } from 'vitest';

import { findApprovalBreaches, type Evidence } from './breaches.ts';
import { killsTest } from './kills-test.ts';

killsTest('postgres', 60, 4);

/** One call that was approved, sent and answered; each test changes one thing of it. */
const fine: Evidence = {
  approvals: [{ id: 'apr_1', state: 'consumed', path: '/plain/n1', consumed_by: 'call_1', decisions: ['approve'] }],
  calls: [{ id: 'call_1', state: 'completed', error: null, target_status: 200, approval_id: 'apr_1', path: '/plain/n1' }],
  deferred: [],
  asked: [{ id: 'n1', kind: 'waiting', status: 200, error: null, callId: null, isOpen: false }],
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
