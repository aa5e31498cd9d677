/** The chaos run's own judgement: each breach that it must find, planted. */
import { expect, test } from 'vitest';

import { findBreaches, type Evidence, type Recorded } from './check.ts';
import type { Sent } from './load.ts';
import type { Received } from './target.ts';

const sentOne: Sent = {
  id: 'n1',
  kind: 'plain',
  connection: 'strict',
  bodyBytes: 0,
  ending: 'complete',
  status: 200,
  error: null,
  callId: 'call_1',
  body: '{}',
};
const receivedOne: Received = { times: 1, method: 'GET', hadCredential: true, bodyBytes: 0, status: 200, isAnswered: true };
const recordedOne: Recorded = {
  id: 'call_1',
  state: 'completed',
  hasHead: true,
  at: 1000,
  decision: 'allow',
  status: 200,
  targetStatus: 200,
  error: null,
  requestBytes: null,
  isResent: false,
};

interface Case {
  readonly sent?: Partial<Sent>;
  readonly received?: Partial<Received> | null;
  readonly recorded?: Partial<Recorded> | null;
  readonly relayKills?: readonly number[];
}

const evidence = ({ sent = {}, received = {}, recorded = {}, relayKills = [] }: Case): Evidence => ({
  sent: new Map([['n1', { ...sentOne, ...sent }]]),
  received: new Map(received === null ? [] : [['n1', { ...receivedOne, ...received }]]),
  recorded: new Map(recorded === null ? [] : [['n1', [{ ...recordedOne, ...recorded }]]]),
  relayKills,
  secrets: ['the canary'],
});

const broken = { ending: 'broken', status: null } as const;
const refusal = { ending: 'complete', status: 503, error: 'recorder_unavailable' } as const;

test.each<[string, Case]>([
  ['a call that was carried out', {}],
  [
    'a call that its function left',
    {
      sent: { ending: 'left' },
      recorded: { state: 'aborted', status: null, targetStatus: null },
      received: { status: null, isAnswered: false },
    },
  ],
  ['a call whose relay died', { sent: broken, recorded: { state: 'unknown', status: null, targetStatus: null }, relayKills: [1500] }],
  [
    'a relaxed call whose relay died after its answer',
    { sent: { connection: 'relaxed' }, recorded: { state: 'unknown', status: null, targetStatus: null }, relayKills: [1500] },
  ],
  [
    'a call that was refused',
    { sent: refusal, received: null, recorded: { state: 'refused', status: 503, targetStatus: null, error: 'recorder_unavailable' } },
  ],
  ['a GET that was sent again, as its record says', { received: { times: 2 }, recorded: { isResent: true } }],
])('finds nothing wrong with %s', (_what, one) => {
  expect(findBreaches(evidence(one))).toEqual([]);
});

test.each<[string, Case]>([
  ['n1: reached the target more than once', { received: { times: 2 } }],
  ['n1: reached the target more than once', { received: { times: 3 }, recorded: { isResent: true } }],
  ['n1: reached the target more than once', { received: { times: 2, method: 'POST', bodyBytes: 9 }, recorded: { isResent: true } }],
  ['n1: reached the target without its credential', { received: { hadCredential: false } }],
  ['n1: reached the target and has no record', { recorded: null }],
  ['n1: claims a whole response that the target did not send', { received: { isAnswered: false } }],
  ['n1: claims a whole response that the target did not send', { received: null }],
  ['n1: claims a status that the target did not send', { recorded: { targetStatus: 201 } }],
  ['n1: claims that nothing was sent', { sent: broken, recorded: { state: 'refused', targetStatus: null, error: 'recorder_unavailable' } }],
  ['n1: claims a failure that was none', { recorded: { state: 'failed', error: 'target_reset' } }],
  ['n1: claims that its function left', { recorded: { state: 'aborted' } }],
  ['n1: is unknown although no relay died under it', { sent: broken, recorded: { state: 'unknown' }, relayKills: [999, 90_000] }],
  ['n1: has no outcome', { sent: broken, recorded: { state: 'pending' } }],
  ['n1: has an outcome and no intent', { recorded: { hasHead: false } }],
  [
    'n1: has another size than the body that was sent',
    { sent: { kind: 'upload', bodyBytes: 9 }, received: { bodyBytes: 9 }, recorded: { requestBytes: 8 } },
  ],
  ['n1: gave its function the whole response, and the record does not say so', { recorded: { state: 'unknown' }, relayKills: [1500] }],
  ['n1: gave its function a response that no target sent', { received: null }],
  ['n1: names another record than its own', { sent: { callId: 'call_2' } }],
  ['n1: gave its function what is masked', { sent: { body: '{"note":"the canary"}' } }],
  ['n1: was denied, and the record does not say so', { sent: { error: 'policy_denied', status: 403 }, received: null, recorded: null }],
  ['n1: was told that it was not carried out, and it was', { sent: refusal, recorded: { state: 'completed' } }],
  [
    'n1: was told that it was carried out, and it was not',
    { sent: { ...refusal, error: 'outcome_not_recorded' }, received: null, recorded: null },
  ],
])('finds that a call %s', (sentence, one) => {
  expect(findBreaches(evidence(one)).some((breach) => breach.startsWith(`${sentence};`))).toBe(true);
});

test('finds a call that is recorded twice, and one that was never sent', () => {
  const twice = { ...evidence({}), recorded: new Map([['n1', [recordedOne, { ...recordedOne, id: 'call_2' }]]]) };
  expect(findBreaches(twice)[0]).toMatch(/^n1: is recorded more than once;/);
  expect(findBreaches({ ...evidence({}), sent: new Map() })[0]).toMatch(/^n1: is recorded and was never sent;/);
});
