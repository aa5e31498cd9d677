import type { ServerResponse } from 'node:http';

import { beforeEach, describe, expect, test } from 'vitest';

import { answerJson } from '../test/servers.ts';
import { failure, setUpCalls } from '../test/set-up-calls.ts';
import { problem } from '../test/small-hoop.ts';
import { HoopTargetError } from './index.ts';

const world = await setUpCalls();
const callId = `call_${'1'.repeat(26)}`;

/** The relay's answers in order; the last one answers all further questions. */
let answers: ((response: ServerResponse) => void)[];
const open = (response: ServerResponse): void =>
  answerJson(response, 202, { callId, approvalId: null, state: 'waiting' }, { 'hoop-call': callId });
const done = (response: ServerResponse): void => answerJson(response, 200, { id: 're_1' }, { 'hoop-call': callId });

beforeEach(() => {
  answers = [done];
  world.hoop.intercept = (request, response) => {
    if (request.headers['prefer'] === 'respond-async') {
      request.resume();
      open(response);
      return true;
    }
    if (!request.url?.startsWith(`/-/calls/${callId}?`)) return false;
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
    answer(response);
    return true;
  };
});

describe('a deferred call', () => {
  test('is answered with its id at once', async () => {
    const response = await world.fetch(`${world.target.origin}/echo`, { method: 'POST', body: 'text', hoop: { defer: true } });
    expect([response.status, response.url]).toEqual([202, `${world.target.origin}/echo`]);
    expect(await response.json()).toMatchObject({ callId });
    expect(world.hoop.relayed[0]!.headers).not.toHaveProperty('hoop-channel');
  });

  test('names the channel that is to be told, beside the preferences of the caller', async () => {
    const headers = { prefer: 'return=minimal' };
    await world.fetch(`${world.target.origin}/echo`, { method: 'POST', headers, hoop: { defer: { channel: 'billing' } } });
    const seen = world.hoop.relayed[0]!.headers;
    expect([seen['prefer'], seen['hoop-channel'], seen['hoop-wait']]).toEqual(['return=minimal, respond-async', 'billing', undefined]);
  });

  test('is refused where it would not go through Hoop', async () => {
    const call = world.fetch('http://unmanaged.example/', { hoop: { defer: true, unmanaged: 'direct' } });
    expect(await failure(call)).toBeInstanceOf(HoopTargetError);
  });
});

describe('collect', () => {
  test('waits until the call has finished and gives its response', async () => {
    answers = [open, done];
    const response = await world.fetch.collect(callId);
    expect([response.status, response.headers.get('hoop-call'), await response.json()]).toEqual([200, callId, { id: 're_1' }]);
    expect(world.hoop.relayed.map(({ url }) => url)).toEqual([`/-/calls/${callId}?wait=30`, `/-/calls/${callId}?wait=30`]);
  });

  test('works in a later process of the same identity', async () => {
    expect((await world.makeFetch().collect(callId, { waitSeconds: 5 })).status).toBe(200);
  });

  test('only looks where waitSeconds is 0, and says that the call has not finished', async () => {
    answers = [open];
    const response = await world.fetch.collect(callId, { waitSeconds: 0 });
    expect([response.status, await response.json()]).toEqual([202, expect.objectContaining({ state: 'waiting' })]);
    expect(world.hoop.relayed.map(({ url }) => url)).toEqual([`/-/calls/${callId}?wait=0`]);
  });

  test('gives what was refused, unknown or of another identity as the relay says it', async () => {
    for (const [status, code] of [
      [403, 'policy_denied'],
      [502, 'outcome_unknown'],
      [404, 'not_found'],
    ] as const) {
      answers = [(response) => problem(response, status, code)];
      const response = await world.fetch.collect(callId);
      expect([response.status, response.headers.get('hoop-error')]).toEqual([status, code]);
    }
  });

  test('asks again where the relay cannot answer now, and gives a call that itself ended with 503 at once', async () => {
    const refusal = (about: string) => (response: ServerResponse) =>
      answerJson(response, 503, { code: 'unavailable' }, { 'hoop-error': 'unavailable', 'hoop-call': about });
    answers = [refusal(`call_${'2'.repeat(26)}`), open, refusal(callId), done];
    const ended = await world.fetch.collect(callId);
    expect([ended.status, ended.headers.get('hoop-call')]).toEqual([503, callId]);
    expect(world.hoop.relayed).toHaveLength(3);
    answers = [refusal(`call_${'2'.repeat(26)}`)];
    expect((await world.fetch.collect(callId, { waitSeconds: 0 })).status).toBe(503);
  });

  test('asks again where the relay breaks off, and rejects where it never answered in time', async () => {
    answers = [(response) => response.destroy(), done];
    expect((await world.fetch.collect(callId)).status).toBe(200);
    answers = [(response) => response.destroy()];
    await expect(world.fetch.collect(callId, { waitSeconds: 0 })).rejects.toMatchObject({
      name: 'HoopUnreachableError',
      cause: { message: 'fetch failed' },
    });
  });

  test('stops waiting where the signal fires, and leaves the call alone', async () => {
    const controller = new AbortController();
    answers = [() => controller.abort(new Error('enough'))];
    await expect(world.fetch.collect(callId, { signal: controller.signal })).rejects.toThrow('enough');
    expect(world.hoop.relayed.map(({ method }) => method)).toEqual(['GET']);
  });

  test('takes no id that is none', async () => {
    for (const id of ['', 'call_1', '../oauth/token', `${callId}?wait=1`]) {
      await expect(world.fetch.collect(id)).rejects.toMatchObject({ name: 'HoopConfigurationError' });
    }
    expect(world.hoop.relayed).toHaveLength(0);
  });
});
