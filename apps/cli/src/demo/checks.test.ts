import { describe, expect, test } from 'vitest';

import { checkDemo, type Evidence } from './checks.ts';

const nothing: Evidence = {
  run: { exitCode: 1, steps: [], output: '', errors: 'it broke' },
  received: [],
  session: null,
  calls: [],
  approvals: [],
  har: '',
  paymentsClientSecret: 'pay_cs_secret',
  unmodified: { command: '', exitCode: 1, output: '', errors: 'it broke', call: null },
  unmodifiedCall: null,
};

const failedOf = (evidence: Partial<Evidence>): string[] =>
  checkDemo({ ...nothing, ...evidence })
    .filter(({ ok }) => !ok)
    .map(({ what }) => what);

describe("the demonstration's checks", () => {
  test('fail where nothing happened', () => {
    const failed = failedOf({});
    expect(failed).toContain('the function ran to its end');
    expect(failed).toContain('read the customers: the function gets 200');
    expect(failed).toContain('the session is recorded with every call');
    expect(failed).toContain('the payments API received 5 requests, and no delete');
    expect(failed).toContain('a client that knows nothing of Hoop gets the customers through the proxy, masked');
    expect(failed).toContain('its call is recorded under the function’s identity, as decided');
  });

  test('find a credential, a card and an address that the function got', () => {
    const run = { ...nothing.run, output: 'pay_at_abc 4111 1111 1111 1111 ada@customers.example' };
    expect(failedOf({ run })).toEqual(
      expect.arrayContaining([
        'emails and card numbers are masked',
        'no credential of the payments API is in what the function got or what was recorded',
      ]),
    );
  });

  test('find a credential and a card in what was recorded', () => {
    const failed = failedOf({ har: '{"text":"5555555555554444 pay_cs_secret"}' });
    expect(failed).toEqual(
      expect.arrayContaining([
        'the record holds what was masked for the function only as masked',
        'no credential of the payments API is in what the function got or what was recorded',
      ]),
    );
  });

  test('find a delete that reached the payments API, and a request without a live token', () => {
    const received = [
      {
        at: '',
        method: 'DELETE',
        path: '/v1/customers/cus_2',
        credentialFingerprint: null,
        isAccepted: false,
        headers: { 'hoop-grant': 'x' },
        body: null,
      },
    ];
    expect(failedOf({ received })).toEqual(
      expect.arrayContaining([
        'the payments API received 5 requests, and no delete',
        'each carried a live access token',
        "nothing of Hoop's own reached the payments API",
      ]),
    );
  });
});
