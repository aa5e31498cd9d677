import { expect, it } from 'vitest';

import { completeLimits, limitVariables } from '../caller/limits.ts';
import { networkOf } from './open-sockets.ts';

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('strangers at %s count for %s', (address, network) => expect(networkOf(address)).toBe(network));

it('limits have each a variable of its own, and follow from the totals and from the open files of the process', () => {
  const names = Object.values(limitVariables);
  expect(new Set(names).size).toBe(names.length);
  expect(completeLimits({ maxCalls: 100 })).toMatchObject({ maxCallsPerIdentity: 50, maxSockets: 20_000 });
  expect(completeLimits({}, 1024)).toMatchObject({ maxSockets: 512, maxSocketsPerIdentity: 256, maxHeads: 128 });
});
