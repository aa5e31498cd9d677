import { generateRecordingKeys, openBody, openDataKey, sealBody } from '@hoop/sealing';
import { afterEach, expect, it, vi } from 'vitest';

import { Sessions } from './sessions.ts';
import type { SessionKeys } from './sessions.ts';

afterEach(() => vi.useRealTimers());

const keys = await generateRecordingKeys();
const recordingKey = keys.publicJwks.keys[0]! as Record<string, unknown>;

/** Under which wrapping key a session's key is. */
const wrappingOf = ({ dataKey }: SessionKeys): string => dataKey.wrapped.split('~')[0]!;

it('a session has one key, another session another one, and each opens with the recording key', async () => {
  const sessions = new Sessions(() => recordingKey);
  const one = sessions.of('idn_1', 'a');
  const other = sessions.of('idn_2', 'a');
  expect(sessions.of('idn_1', 'a')).toBe(one);
  expect(one.id).not.toBe(other.id);
  const [mine, theirs] = await Promise.all([one.opening, other.opening]);
  const sealed = sealBody(mine.dataKey.key, Buffer.from('x'), 'call_1:request');
  expect(openBody(await openDataKey(keys.privateJwks, mine.dataKey.wrapped), sealed, 'call_1:request').toString()).toBe('x');
  expect(() => openBody(theirs.dataKey.key, sealed, 'call_1:request')).toThrow();
  // The shared parts of a batch together are the whole wrapped key.
  const shared = { ...JSON.parse(mine.wrappingPart).dataKey, ...JSON.parse(mine.part).dataKey } as {
    id: string;
    wrapped: string;
    inner: string;
  };
  expect({ id: shared.id, wrapped: shared.wrapped + shared.inner }).toEqual({ id: mine.dataKey.id, wrapped: mine.dataKey.wrapped });
});

it('sessions that begin within ten minutes share a wrapping key, later ones have a new one', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const sessions = new Sessions(() => recordingKey);
  const first = await sessions.of('idn_1', 'a').opening;
  // With the wrapping key at hand there is nothing to wait for.
  const second = sessions.of('idn_1', 'b').keys!;
  expect(wrappingOf(second)).toBe(wrappingOf(first));
  vi.advanceTimersByTime(10 * 60_000);
  expect(wrappingOf(await sessions.of('idn_1', 'c').opening)).not.toBe(wrappingOf(first));
});

it('forgets all keys when it is cleared', async () => {
  const sessions = new Sessions(() => recordingKey);
  const before = await sessions.of('idn_1', 'a').opening;
  sessions.clear();
  const after = await sessions.of('idn_1', 'a').opening;
  expect(after.dataKey.id).not.toBe(before.dataKey.id);
  expect(wrappingOf(after)).not.toBe(wrappingOf(before));
});

it('refuses calls while no key can be made, and makes one as soon as it can', async () => {
  let known: Record<string, unknown> | null = null;
  const sessions = new Sessions(() => known);
  await expect(sessions.of('idn_1', 'a').opening).rejects.toMatchObject({ code: 'recorder_unavailable' });
  known = keys.privateJwks.keys[0]! as Record<string, unknown>;
  await expect(sessions.of('idn_1', 'a').opening).rejects.toMatchObject({ code: 'recorder_unavailable' });
  known = recordingKey;
  expect((await sessions.of('idn_1', 'a').opening).dataKey.wrapped).toContain('~');
});
