import type { IncomingMessage, ServerResponse } from 'node:http';

import { errorKinds } from '@hoop/contract';
import { beforeEach, describe, expect, test } from 'vitest';

import { answerJson } from '../test/servers.ts';
import { failure, setUpCalls } from '../test/set-up-calls.ts';
import { problem } from '../test/small-hoop.ts';
import { approvalEnds } from './constants.ts';
import { type ApprovalProgress, HoopDeniedError } from './index.ts';

const world = await setUpCalls();
const approvalId = `apr_${'1'.repeat(26)}`;
const expiresAt = '2030-01-01T00:00:00.000Z';

/** The relay's state of the test's approval. */
let state: string;
let reason: string | null;
/** Questions that the relay holds back until the state changes. */
let held: (() => void)[];
let asked: string[];
/** Answers of the relay to the next questions about the approval, instead of its state. */
let trouble: ((response: ServerResponse) => void)[];
const gotAQuestion = (): Promise<void> => new Promise((resolve) => (onQuestion = resolve));
let onQuestion: () => void;

function decide(next: string, why: string | null = null): void {
  state = next;
  reason = why;
  for (const answer of held.splice(0)) answer();
}

function relay(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.url?.startsWith('/-/approvals/')) {
    asked.push(`${request.method} ${request.url}`);
    const answer = (): void => answerJson(response, 200, { approvalId, state, expiresAt, validity: null, reason });
    const failing = trouble.shift();
    if (failing !== undefined) failing(response);
    else if (request.method === 'DELETE') {
      decide('withdrawn');
      answer();
    } else if (state === 'pending' && !request.url.endsWith('?wait=0')) held.push(answer);
    else answer();
    onQuestion();
    return true;
  }
  if (state === 'approved') {
    state = 'consumed';
    return false;
  }
  if (state === 'consumed') state = 'pending';
  request.resume();
  problem(response, 403, 'approval_pending', { approvalId, expiresAt, rule: 'large refunds' });
  return true;
}

beforeEach(() => {
  [state, reason, held, asked, trouble, onQuestion] = ['pending', null, [], [], [], () => {}];
  world.hoop.intercept = relay;
});

const refund = (hoop: object = {}, init: RequestInit = {}): Promise<Response> =>
  world.fetch(`${world.target.origin}/echo`, { method: 'POST', body: '{"amount":70000}', ...init, hoop });

describe('a call that needs an approval', () => {
  test('waits for it, is sent again and then behaves as plain fetch', async () => {
    const progress: ApprovalProgress[] = [];
    const question = gotAQuestion();
    const call = refund({ onProgress: (step: ApprovalProgress) => progress.push(step) });
    await question;
    expect(progress).toEqual([{ approvalId, state: 'pending', expiresAt, reason: undefined }]);
    decide('approved');
    const response = await call;
    expect([response.status, response.url]).toEqual([200, `${world.target.origin}/echo`]);
    expect(await response.json()).toMatchObject({ body: '{"amount":70000}' });
    expect(progress.at(-1)).toEqual({ approvalId, state: 'approved', expiresAt, reason: undefined });
    expect(asked).toEqual([`GET /-/approvals/${approvalId}?wait=30`]);
    expect(world.hoop.relayed.map(({ headers }) => headers['hoop-wait'])).toEqual(['0', undefined, '0']);
  });

  test.each([
    ['denied', 403],
    ['expired', 403],
    ['withdrawn', 403],
    ['voided', 409],
  ] as const)('is refused, and not sent again, where the approval was %s', async (end, status) => {
    const question = gotAQuestion();
    const call = refund();
    await question;
    decide(end, 'not this customer');
    const response = await call;
    expect([response.status, response.url]).toEqual([status, `${world.target.origin}/echo`]);
    expect([response.headers.get('hoop-error'), response.headers.get('hoop-call')]).toEqual([`approval_${end}`, 'call_1']);
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({
      code: `approval_${end}`,
      status,
      approvalId,
      rule: 'large refunds',
      detail: expect.stringContaining('not this customer'),
    });
    expect(body['error']).toMatchObject({ code: `approval_${end}` });
    expect(world.hoop.relayed.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test("is thrown with onDenied 'throw' however the approval ended", async () => {
    for (const end of ['denied', 'voided']) {
      state = 'pending';
      const question = gotAQuestion();
      const call = failure(refund({ onDenied: 'throw' }));
      await question;
      decide(end);
      expect(await call).toBeInstanceOf(HoopDeniedError);
    }
  });

  test('asks for its own approval where another call with the same bytes was faster to use it', async () => {
    const first = gotAQuestion();
    const call = refund();
    await first;
    const second = gotAQuestion();
    decide('consumed');
    await second;
    decide('approved');
    expect((await call).status).toBe(200);
  });

  test('does not wait where waitSeconds is 0', async () => {
    const response = await refund({ waitSeconds: 0 });
    expect([response.status, response.headers.get('hoop-error'), asked]).toEqual([403, 'approval_pending', []]);
    expect(await response.json()).toMatchObject({ approvalId });
  });

  test('is handed back as pending where nobody decides in time', async () => {
    const response = await refund({ waitSeconds: 0.05 });
    expect([response.status, response.headers.get('hoop-error')]).toEqual([403, 'approval_pending']);
    expect(new Set(asked)).toEqual(new Set([`GET /-/approvals/${approvalId}?wait=0`]));
    expect(await response.json()).toMatchObject({ approvalId });
  });

  test('withdraws its request where the signal fires while it waits', async () => {
    const controller = new AbortController();
    const question = gotAQuestion();
    const call = refund({}, { signal: controller.signal });
    await question;
    const withdrawal = gotAQuestion();
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await withdrawal;
    expect(asked.at(-1)).toBe(`DELETE /-/approvals/${approvalId}`);
    expect(state).toBe('withdrawn');
  });

  test('goes on waiting through a relay that breaks off or cannot answer, with a new grant where its own ended', async () => {
    trouble = [
      (response) => response.destroy(),
      (response) => problem(response, 503, 'unavailable'),
      (response) => problem(response, 401, 'token_expired'),
    ];
    const call = refund();
    for (let questions = 0; questions < 4; questions++) await gotAQuestion();
    decide('approved');
    expect((await call).status).toBe(200);
    expect(world.hoop.exchanges).toHaveLength(2);
  });

  test('is handed back as pending where the relay does not know the approval', async () => {
    trouble = [(response) => problem(response, 404, 'not_found')];
    expect((await refund()).headers.get('hoop-error')).toBe('approval_pending');
  });

  test('is not followed anywhere else than to an approval', async () => {
    world.hoop.intercept = (request, response) => {
      if (request.url?.startsWith('/-/')) asked.push(request.url);
      problem(response, 403, 'approval_pending', { approvalId: '../../oauth' });
      return true;
    };
    expect((await refund()).status).toBe(403);
    expect(asked).toEqual([]);
  });

  test('is held by the relay where its body is a stream, which cannot be sent again', async () => {
    const response = await refund({ waitSeconds: 20 }, { body: new Blob(['x']).stream(), duplex: 'half' } as RequestInit);
    expect(response.headers.get('hoop-error')).toBe('approval_pending');
    const { headers } = world.hoop.relayed[0]!;
    expect([headers['hoop-wait'], headers['hoop-withdraw-on-abort'], asked]).toEqual(['20', '1', []]);
  });

  test('is not sent where waitSeconds is no such number', async () => {
    for (const waitSeconds of [-1, Number.NaN, 86_401])
      expect(await failure(refund({ waitSeconds }))).toMatchObject({ name: 'HoopConfigurationError' });
    expect(world.hoop.relayed).toHaveLength(0);
  });
});

test("what is said of an approval's end is what the relay says", async () => {
  for (const state of approvalEnds) {
    world.hoop.intercept = (request, response) => {
      request.resume();
      if (request.url!.startsWith('/-/')) answerJson(response, 200, { state });
      else problem(response, 403, 'approval_pending', { approvalId: `apr_${'1'.repeat(26)}` });
      return true;
    };
    const { code, status, title } = (await (await world.fetch(`${world.target.origin}/x`)).json()) as {
      code: string;
      status: number;
      title: string;
    };
    expect({ status, title }).toEqual(errorKinds[code as keyof typeof errorKinds]);
    expect(code).toBe(`approval_${state}`);
  }
});
