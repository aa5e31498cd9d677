import { expect, it } from 'vitest';

import { readPreferences, withoutOwnPreferences } from './preferences.ts';

const kept = (value: string): string | null => withoutOwnPreferences([['prefer', value]])[0]?.[1] ?? null;

it.each([
  ['respond-async', null],
  ['wait=10', null],
  ['Respond-Async; x=1, WAIT = "10"', null],
  ['resolution=merge-duplicates', 'resolution=merge-duplicates'],
  ['return=minimal, respond-async,count=exact', 'return=minimal, count=exact'],
  ['x="a, wait=5", wait=5', 'x="a, wait=5"'],
  ['x="a\\", respond-async", y', 'x="a\\", respond-async", y'],
  ['x="never closed, respond-async', 'x="never closed, respond-async'],
  ['', ''],
])("of Prefer only Hoop's own members are taken away: %s", (value, wanted) => expect(kept(value)).toBe(wanted));

it('a preference in a quoted string asks nothing of Hoop', () => {
  expect(readPreferences([['prefer', 'x="a, respond-async, wait=5"']])).toMatchObject({ respondAsync: false, waitSeconds: null });
  expect(readPreferences([['prefer', 'x="a", respond-async, wait="5"']])).toMatchObject({ respondAsync: true, waitSeconds: 5 });
});
