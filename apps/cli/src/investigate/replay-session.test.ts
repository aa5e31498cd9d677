import type { CallResource, ExportedLine } from '@hoop/contract';
import { expect, test } from 'vitest';

import { momentsOf, replaySession } from './replay-session.ts';

const call = (name: string, at: number, durationMs: number | null, over: Partial<CallResource> = {}): ExportedLine => {
  const base = {
    id: name,
    at: new Date(at).toISOString(),
    durationMs,
    method: 'GET',
    url: `https://a.example/${name}`,
    path: `/${name}`,
    state: 'completed',
    status: 200,
  };
  const none = {
    decision: null,
    error: null,
    errorDetail: null,
    requestHeaders: null,
    responseHeaders: null,
    requestBody: null,
    responseBody: null,
    concludedAt: null,
  };
  return { type: 'call', call: { ...base, ...none, ...over } as unknown as CallResource, request: null, response: null };
};

async function* of<T>(...items: T[]): AsyncGenerator<T, void, void> {
  yield* items;
}

const play = async (lines: ExportedLine[], over: { speed?: number; maxBody?: number; isJson?: boolean } = {}) => {
  const shown: string[] = [];
  const waits: number[] = [];
  await replaySession(of(...lines), {
    out: (text) => void shown.push(text),
    stop: new AbortController().signal,
    speed: 1,
    maxBody: 100,
    isJson: false,
    wait: async (ms) => void waits.push(ms),
    ...over,
  });
  return { shown, waits };
};

test('responses come when they came, between the requests of other calls', async () => {
  const order: string[] = [];
  for await (const { kind, line } of momentsOf(of(call('slow', 0, 100), call('quick', 10, 20), call('last', 50, 10))))
    order.push(`${kind} ${line.call.id}`);
  expect(order).toEqual(['request slow', 'request quick', 'response quick', 'request last', 'response last', 'response slow']);
});

test('time passes as it did, or scaled, or not at all', async () => {
  const lines = [call('a', 1000, 100), call('b', 3000, 0)];
  expect((await play(lines)).waits).toEqual([100, 1900]);
  expect((await play(lines, { speed: 10 })).waits).toEqual([10, 190]);
  expect((await play(lines, { speed: 0 })).waits).toEqual([]);
});

test('shows what was sent and what came, as far as it was kept', async () => {
  const facts = { bytes: 500, digest: null, keptBytes: 20, truncated: true, contentType: 'application/json' };
  const line = call('a', 0, 12, {
    decision: { effect: 'allow', rule: 'read', reason: '', policyId: null, policyRevision: null },
    requestHeaders: [['x-evil', '\u001b[2J']],
    requestBody: facts,
    responseBody: facts,
  });
  const body = { ...facts, encoding: 'utf8' as const, content: '{"a":\n"[redacted]"}' };
  const { shown } = await play([{ ...line, response: body } as ExportedLine]);
  expect(shown[0]).toContain('→ GET https://a.example/a');
  expect(shown[0]).toContain('allow by "read"');
  expect(shown[0]).toContain('x-evil: \\u{1b}[2J');
  expect(shown[0]).toContain('(500 bytes, not kept)');
  const withheld = { bytes: 500, keptBytes: 0, truncated: true, withheld: true } as CallResource['requestBody'];
  expect((await play([call('a', 0, 1, { requestBody: withheld })])).shown[0]).toContain(
    '(500 bytes, not kept: the masking rules cannot be applied to them)',
  );
  expect(shown[1]).toContain('← 200 in 12 ms');
  expect(shown[1]).toContain('"[redacted]"');
  expect(shown[1]).toContain('only 20 of 500 bytes were kept');
  expect((await play([{ ...line, response: body } as ExportedLine], { maxBody: 0 })).shown.join()).not.toContain('redacted');
});

test('says how a call without an answer ended, and shows calls whose content is gone', async () => {
  const { shown } = await play([call('a', 0, null, { state: 'unknown', status: null, url: null, path: null, method: null })]);
  expect(shown[0]).toContain('(removed by retention)');
  expect(shown[1]).toContain('← unknown');
  expect((await play([])).shown).toEqual(['The session has no calls.']);
});

test('stops when it is told to', async () => {
  const stop = AbortSignal.abort();
  const playing = replaySession(of(call('a', 0, 1)), { out: () => undefined, stop, speed: 0, maxBody: 0, isJson: false });
  await expect(playing).rejects.toThrow('Stopped.');
});
